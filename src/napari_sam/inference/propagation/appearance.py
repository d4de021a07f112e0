"""Appearance of objects: mean features under their masks, and cosine similarity."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sam.inference.embedding import Embedding
from napari_sam.inference.pyramid import PyramidTile, tile_for
from napari_sam.inference.tiled_embedding import TiledEmbedding
from napari_sam.masks import CroppedMask
from napari_sam.prompts import Prompts

__all__ = ["Appearance", "SliceView", "TiledAppearance", "likeness"]


class Appearance:
    """Mean-centred encoder features of an image, to be averaged under masks.

    Parameters
    ----------
    embedding : Embedding
        Of the picture; its finest level counts.
    stride : int
        Model pixels of a token.
    """

    def __init__(self, embedding: Embedding, stride: int) -> None:
        level = embedding.levels[0]
        self._scale = np.divide(level.shape, embedding.shape) / stride  # tokens of a pixel
        height, self._width = (-(-side // stride) for side in level.shape)
        # (1, C, h, w) has padding at the right and below; (C, N) has none.
        tokens = level.features.embedding[0, :, :height, : self._width].flatten(1).float()
        self._tokens = tokens - tokens.mean(dim=1, keepdim=True)

    def under(self, mask: CroppedMask) -> NDArray[np.float32]:
        """Return the mean feature vector under a mask: (C,) float32 of length 1.

        Zero for a mask of the whole picture, which nothing sets off from the picture.
        """
        if mask.area == math.prod(mask.shape):
            return np.zeros(len(self._tokens), np.float32)
        pixels = np.argwhere(mask.crop()) + mask.corner
        rows, columns = ((pixels + 0.5) * self._scale).astype(int).T
        places, counts = np.unique(rows * self._width + columns, return_counts=True)
        some = self._tokens[:, torch.from_numpy(places).to(self._tokens.device)]
        weights = torch.from_numpy(counts).to(some.device, some.dtype)
        return torch.nn.functional.normalize(some @ weights, dim=0).cpu().numpy()

    def gained(
        self, before: Appearance, seen: NDArray[np.float32], box: Sequence[float], widths: float
    ) -> float:
        """Return how much more like an object some place near it is than it was before.

        Parameters
        ----------
        before : Appearance
            Of the same picture a slice earlier.
        seen : (C,) float32
            The object's `under` there.
        box : (y0, x0, y1, x1)
            Where it was, in pixels.
        widths : float
            How far to look from its middle, in its own sizes.

        Returns
        -------
        float
            The largest gain of cosine similarity, at most 1: near it where the object has come to
            a place that was something else.
        """
        corners = np.reshape(box, (2, 2)) * self._scale
        middle, size = corners.mean(axis=0), float(np.ptp(corners, axis=0).max())
        now, then = self._like(seen), before._like(seen)
        if now.shape != then.shape:
            return 0.0
        places = np.moveaxis(np.indices(now.shape), 0, -1) + 0.5
        near = np.hypot(*np.moveaxis(places - middle, -1, 0)) < widths * size
        return float((now - np.maximum(then, 0))[near].max(initial=0.0))

    def _like(self, seen: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (h, w) cosine similarity of every token to an appearance."""
        tokens = torch.nn.functional.normalize(self._tokens, dim=0)
        alike = torch.from_numpy(seen).to(tokens.device) @ tokens
        return alike.cpu().numpy().reshape(-1, self._width)


class TiledAppearance(Appearance):
    """Appearance in a large image, whose tiles have a mean of their own each.

    Parameters
    ----------
    embedding : TiledEmbedding
        Of the picture.
    stride : int
        Model pixels of a token.
    """

    def __init__(self, embedding: TiledEmbedding, stride: int) -> None:
        self._embedding, self._stride = embedding, stride
        self._known: dict[PyramidTile, Appearance] = {}

    def under(self, mask: CroppedMask) -> NDArray[np.float32]:
        """Return the mean feature vector under a mask, as `Appearance.under` does in a tile."""
        tile = tile_for(self._embedding.shape, Prompts(box=mask.box))
        reduced = CroppedMask.of(tile.reduced(mask.within(tile.box)))
        assert reduced is not None  # of a mask with pixels something is left
        return self._at(tile).under(reduced)

    def gained(
        self, before: Appearance, seen: NDArray[np.float32], box: Sequence[float], widths: float
    ) -> float:
        """Return what `Appearance.gained` does in the tile in which the object was."""
        assert isinstance(before, TiledAppearance)  # of slices of one shape
        prompts = Prompts(box=box)
        tile = tile_for(self._embedding.shape, prompts)
        inside = tile.prompts(prompts).box
        assert inside is not None
        return self._at(tile).gained(before._at(tile), seen, tuple(inside), widths)

    def _at(self, tile: PyramidTile) -> Appearance:
        if tile not in self._known:
            self._known[tile] = Appearance(self._embedding.at(tile), self._stride)
        return self._known[tile]


class SliceView:
    """A slice as the model sees it, embedded when it is first looked at.

    Parameters
    ----------
    embed : callable
        Makes the embedding, or knows it.
    stride : int
        Model pixels of a token.
    """

    def __init__(self, embed: Callable[[], Embedding | TiledEmbedding], stride: int) -> None:
        self._embed = embed
        self._stride = stride

    @cached_property
    def embedding(self) -> Embedding | TiledEmbedding:
        """Embedding of the slice."""
        return self._embed()

    @cached_property
    def appearance(self) -> Appearance:
        """Appearance of objects in it."""
        if isinstance(self.embedding, TiledEmbedding):
            return TiledAppearance(self.embedding, self._stride)
        return Appearance(self.embedding, self._stride)


def likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the cosine similarity of two appearance vectors, from 0 to 1.

    1, too, where either is zero: then nobody can tell.

    Examples
    --------
    >>> likeness(np.float32([0, 1]), np.float32([0.6, 0.8])).__round__(2)
    0.8
    """
    if not (one.any() and other.any()):
        return 1.0
    return max(0.0, float(one @ other))
