"""Image planes with their embeddings, read and computed once in the model's thread."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from napari_sam.arrays import ContrastRange, LazyArray
from napari_sam.inference.pyramid import is_large
from napari_sam.inference.sampling import sample_image
from napari_sam.levels import sampled
from napari_sam.masks import Box
from napari_sam.planes import Plane
from napari_sam.results import Prediction
from napari_sam.session.segmenter import Embedding, Segmenter
from napari_sam.widgets.common.thumbnail import thinned
from napari_sam.widgets.layers.channel_mix import Read

if TYPE_CHECKING:
    from napari_sam.widgets.layers.image_stack import ImageStack

__all__ = ["PREPARING", "EmbeddedPlane", "EmbeddedPlanes", "StackContrast"]

PREPARING = "Preparing the picture"


class StackContrast:
    """Contrast range shared by all planes of an image, so that dark slices stay dark.

    Parameters
    ----------
    sample : callable, optional
        Reads pixels from all over a stack; None for a single plane, which has its own contrast.
    """

    def __init__(self, sample: Read | None) -> None:
        self._sample = sample
        self._known: tuple[Segmenter, ContrastRange] | None = None

    def of(self, segmenter: Segmenter) -> ContrastRange | None:
        """Return the model's contrast range (low, high); None for a single plane."""
        if self._sample is None:
            return None
        if self._known is None or self._known[0] is not segmenter:
            self._known = segmenter, segmenter.contrast(self._sample())
        return self._known[1]


class EmbeddedPlane:
    """One plane of an image with its cached embedding.

    Parameters
    ----------
    read : callable
        Reads the plane, or returns a lazy array of a large one.
    contrast : StackContrast
        Of the whole picture.

    Attributes
    ----------
    pixels : ndarray or lazy array
        The plane, once it was embedded.
    renewed : bool
        True once the picture was found to hold other pixels than those: make a new one.
    """

    def __init__(self, read: Callable[[], LazyArray], contrast: StackContrast) -> None:
        self._read = read
        self._contrast = contrast
        self._embedded: tuple[Segmenter, Embedding] | None = None
        self.pixels: LazyArray = np.zeros((1, 1))
        self.renewed = self._doubted = False
        self._digest = 0
        self._tile: tuple[Box | None, np.ndarray] = None, np.zeros((1, 1))

    def doubt(self) -> None:
        """Mark the pixels as possibly changed in place; checked before the next prediction."""
        self._doubted = True

    def check(self) -> None:
        """If marked, compare the pixels with a digest; drop the embedding if they have changed."""
        if self._doubted and self._embedded is not None:
            self._doubted = False
            if _digest(self._read()) != self._digest:
                self.renewed, self._embedded = True, None

    def look_below(self, prediction: Prediction) -> None:
        """Read the pixels that `below` returns; not in the window's thread."""
        if prediction.tile is not None:
            self._tile = prediction.tile, sampled(self.pixels, *thinned(prediction.tile))

    def below(self, prediction: Prediction) -> np.ndarray:
        """Return the pixels under a prediction: the plane, or the tile of a large one, `thinned`.

        They are zeros if another tile was looked at since.
        """
        if prediction.tile is None:
            return np.asarray(self.pixels)
        tile, pixels = self._tile
        if tile == prediction.tile:
            return pixels
        return np.zeros([len(range(at.stop)[at]) for at in thinned(prediction.tile)])

    def at_hand(self, segmenter: Segmenter) -> Embedding | None:
        """Return the embedding if it is there and nothing says that it is out of date."""
        known = self._embedded
        there = known is not None and known[0] is segmenter and not self._doubted
        return known[1] if there and known is not None else None

    def embedding(
        self,
        segmenter: Segmenter,
        report: Callable[[str, int, int], None],
        pause: Callable[[], None] | None = None,
    ) -> Embedding:
        """Return the embedding; computed at the first call unless `pause` raises an exception.

        Of a large plane nothing is computed before there are prompts.
        """
        self.check()
        if self._embedded is None or self._embedded[0] is not segmenter:
            report(PREPARING, 0, 0)
            self._doubted = False
            self.pixels = self._read()
            self._digest = _digest(self.pixels)
            contrast = self._contrast.of(segmenter)
            self._embedded = segmenter, segmenter.embed(self.pixels, contrast, pause)
        return self._embedded[1]


class EmbeddedPlanes:
    """Cache of the current plane's embedding, with the contrast of the whole image.

    Attributes
    ----------
    contrast : StackContrast
        Of all planes.
    """

    def __init__(self, picture: ImageStack) -> None:
        self._picture = picture
        self._kept: dict[Plane, EmbeddedPlane] = {}
        self.contrast = StackContrast(picture.sampler())

    @property
    def renewed(self) -> bool:
        """True once the pixels were found to differ from those embedded."""
        return any(one.renewed for one in self._kept.values())

    def of(self, plane: Plane) -> EmbeddedPlane:
        """Return the cached plane, or a new one."""
        return self._kept.get(plane) or EmbeddedPlane(self._picture.source(plane), self.contrast)

    def keep(self, plane: Plane) -> EmbeddedPlane:
        """Return a plane and cache it in place of any other."""
        self._kept = {plane: self.of(plane)}
        return self._kept[plane]

    def renew(self) -> None:
        """Drop the cache and the contrast, after the pixels have changed."""
        self.forget()
        self.contrast = StackContrast(self._picture.sampler())

    def forget(self) -> None:
        """Drop the cached plane, which is large."""
        self._kept = {}

    def doubt(self) -> None:
        """Mark the pixels as possibly changed in place; checked before the next prediction."""
        for one in self._kept.values():
            one.doubt()


def _digest(plane: LazyArray) -> int:
    """Return a digest of a plane's pixels; of a large one, of a sample: its tiles are read anew."""
    pixels = sample_image(plane) if is_large(plane.shape) else np.asarray(plane)
    return zlib.crc32(np.ascontiguousarray(pixels).data)
