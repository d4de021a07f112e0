"""Embedding of a large image, made tile by tile where prompts ask for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from napari_sam.arrays import Array, ContrastRange, LazyArray
from napari_sam.errors import InputError
from napari_sam.inference.embedding import Embedding
from napari_sam.inference.pyramid import PyramidTile, tile_for
from napari_sam.progress import Pause
from napari_sam.prompts import Prompts
from napari_sam.results import PlaneMasks, Prediction

__all__ = ["TiledEmbedding"]

MOST_COARSER = 2  # levels that an object which runs out of the tile is followed
CUT = "The object goes on beyond what was looked at here: a box around it shows how large it is."

Embed = Callable[[Array, ContrastRange, Pause | None], Embedding]
Ask = Callable[[Embedding, list[Prompts]], list[Prediction]]


@dataclass(frozen=True, eq=False)
class TiledEmbedding:
    """Embedding of an image too large for one; takes the place of an `Embedding`.

    Nothing is embedded before it is needed: prompts are answered in one tile of 1,024 x 1,024
    pixels, of the image or of the image reduced, so that the object fits well.

    Parameters
    ----------
    image : (H, W), (H, W, 3) or (H, W, 4) array-like
        numpy, zarr, dask; read tile by tile.
    contrast : (low, high)
        The intensities that became 0 and 255: floats, or arrays of shape (3,) per channel.
    embed : callable
        Embeds the pixels of a tile at their own scale, or knows it already.
    """

    image: LazyArray
    contrast: ContrastRange
    embed: Embed

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image."""
        height, width = self.image.shape[:2]
        return height, width

    def at(self, tile: PyramidTile, pause: Pause | None = None) -> Embedding:
        """Return the embedding of a tile.

        Raises
        ------
        InputError
            If it cannot be read, or holds no finite value.
        DeviceError
            If the device has no memory for it.
        """
        return self.embed(*tile.read(self.image, self.contrast), pause)

    def pausing(self, pause: Pause) -> TiledEmbedding:
        """Return the same, which calls `pause` also where nobody gives one."""

        def embed(pixels: Array, contrast: ContrastRange, given: Pause | None) -> Embedding:
            return self.embed(pixels, contrast, given or pause)

        return replace(self, embed=embed)

    def predict(
        self, ask: Ask, prompts: Sequence[Prompts], pause: Pause | None = None
    ) -> list[Prediction]:
        """Predict the masks of N objects, those of a tile together.

        Where a mask runs out of its tile, a coarser one is looked at, up to two levels.

        Parameters
        ----------
        ask : callable
            Answers prompts from an embedding.
        prompts : sequence of Prompts
            With a place each, inside the image.
        pause : callable, optional
            Called while a tile is embedded; an exception that it raises stops the work.

        Returns
        -------
        list of Prediction
            N answers, with masks of the image, of which windows are held, and logits of the tile.

        Raises
        ------
        InputError, DeviceError
            As `at`.
        """
        answers: dict[int, tuple[PyramidTile, Prediction]] = {}
        waiting = list(range(len(prompts)))
        for coarser in range(MOST_COARSER + 1):
            groups: dict[PyramidTile, list[int]] = defaultdict(list)
            for i in waiting:
                groups[tile_for(self.shape, prompts[i], coarser)].append(i)
            for tile, members in groups.items():
                found = ask(self.at(tile, pause), [tile.prompts(prompts[i]) for i in members])
                answers |= {i: (tile, one) for i, one in zip(members, found, strict=True)}
            waiting = [i for i in waiting if self._cuts(*answers[i])]
        return [self._whole(*answers[i], i in waiting) for i in range(len(prompts))]

    def check(self, prompts: Prompts) -> None:
        """Refuse prompts without a place.

        Raises
        ------
        InputError
            For words or logits alone, and for logits.
        """
        if prompts.is_text_alone:
            raise InputError(self.no_place)
        if prompts.mask is not None and prompts.mask.dtype != bool:
            raise InputError(
                "logits cover a tile of this large picture only; give the mask itself, as a "
                f"boolean array of shape {self.shape}"
            )

    @property
    def no_place(self) -> str:
        """Why words alone are refused."""
        return (
            f"words alone have no place in a picture as large as this one, {self.shape}; cut a "
            "smaller part out, or search for objects and rank them by the words"
        )

    def _cuts(self, tile: PyramidTile, answer: Prediction) -> bool:
        return tile.cuts(np.asarray(answer.masks[0]), self.shape)

    def _whole(self, tile: PyramidTile, answer: Prediction, cut: bool) -> Prediction:
        masks = [tile.drawn(np.asarray(part), self.shape) for part in answer.masks]
        remark = answer.remark or (CUT if cut else "")
        return replace(answer, masks=PlaneMasks(masks), remark=remark, tile=tile.box)
