"""Objects that are too large for any tile, found in the whole picture at a fraction of its size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from skimage.measure import block_reduce

from napari_sam.arrays import Array, ContrastRange
from napari_sam.inference.automatic.search import iter_proposals
from napari_sam.inference.automatic.settings import InstanceSettings
from napari_sam.inference.automatic.tiles import Tiling
from napari_sam.inference.predictor import Predictor
from napari_sam.masks import Box, CroppedMask
from napari_sam.progress import Pause
from napari_sam.results import Proposal

__all__ = ["Overview"]

LONGEST = 1536  # pixels: the overview's longer side is at most so long


class Overview:
    """Reduced copy of a large picture, made of its tiles as they are read.

    Parameters
    ----------
    shape : (H, W)
        Of the picture.
    tiling : Tiling
        Its tiles; those objects are looked for that are longer than the halo.
    """

    def __init__(self, shape: tuple[int, int], tiling: Tiling) -> None:
        self._shape, self._longest = shape, tiling.halo
        least = -(-max(shape) // LONGEST)  # blocks shall not lie on two tiles
        self._factor = next(n for n in range(least, least + tiling.side) if tiling.side % n == 0)
        self._pixels: Array | None = None

    def add(self, core: Box, pixels: Array) -> None:
        """Take the pixels of a tile's core, (h, w) or (h, w, 3)."""
        n = self._factor
        missing = [(0, -side % n) for side in pixels.shape[:2]] + [(0, 0)] * (pixels.ndim - 2)
        whole = np.pad(pixels, missing, "edge")
        part = block_reduce(whole, (n, n, 1)[: pixels.ndim], np.mean)
        if self._pixels is None:
            sides = [-(-side // n) for side in self._shape]
            self._pixels = np.zeros((*sides, *pixels.shape[2:]), np.float32)
        top, left = core[0] // n, core[1] // n
        self._pixels[top : top + part.shape[0], left : left + part.shape[1]] = part

    def find(
        self,
        predictor: Predictor,
        settings: InstanceSettings,
        contrast: ContrastRange,
        pause: Pause | None,
    ) -> list[Proposal]:
        """Return the objects that are longer than the halo, as proposals of the picture."""
        n = self._factor
        if self._pixels is None or n == 1:
            return []
        fitting = replace(
            settings,
            smallest=settings.smallest / n**2,
            largest=settings.largest / n**2,
            diameter=None if settings.diameter is None else settings.diameter / n,
        )
        found: list[Proposal] = []
        for step in iter_proposals(
            predictor, self._pixels, fitting, contrast=contrast, pause=pause
        ):
            found = step.result.kept or found
        return [self._enlarged(one) for one in found if max(one.size) * n > self._longest]

    def _enlarged(self, one: Proposal) -> Proposal:
        n = self._factor
        mask = one.patch.repeat(n, axis=0).repeat(n, axis=1)
        corner = one.corner[0] * n, one.corner[1] * n
        inside = mask[: self._shape[0] - corner[0], : self._shape[1] - corner[1]]
        cropped = CroppedMask.of(inside, corner, self._shape)
        assert cropped is not None  # its first cells lie in the picture
        row, column = ((at + 0.5) * n - 0.5 for at in one.point)
        point = min(row, self._shape[0] - 1), min(column, self._shape[1] - 1)
        return replace(
            one, cropped=cropped, area=cropped.area, point=point, crop=(0, 0, *self._shape)
        )
