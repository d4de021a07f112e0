"""Tiles of a large image at one of several scales: which one to look at, and the way back.

Loads torch late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_sam.arrays import Array, ContrastRange, LazyArray
from napari_sam.levels import fitting_level
from napari_sam.masks import Box, WindowMask, bounding_box, grown, slices
from napari_sam.prompts import MIN_SIDE, Prompts

__all__ = ["SIDE", "PyramidTile", "is_large", "tile_at", "tile_for", "tiles_around", "tiles_of"]

SIDE = 1024  # pixels of a tile at its own scale: the frame of SAM's own sizes
STEP = SIDE // 2  # between tiles: what lies around a place is seen on all sides
ALONE = 2 * SIDE  # side of the largest square that is embedded whole
MAX_SPAN = 384  # pixels of a tile that the prompts may span; a quarter is left on each side
SAMPLES = 4  # pixels that are read along each axis for one of a coarse tile

Shape = tuple[int, int]


def is_large(shape: tuple[int, ...]) -> bool:
    """Return whether an image (H, W) is embedded tile by tile: above 2,048 x 2,048 pixels.

    Examples
    --------
    >>> is_large((2048, 2048)), is_large((512, 6000)), is_large((2048, 2049))
    (False, False, True)
    """
    return shape[0] * shape[1] > ALONE**2


@dataclass(frozen=True)
class PyramidTile:
    """Tile of an image that was halved `level` times.

    Parameters
    ----------
    level : int
        0 for the image's own scale.
    box : Box
        In pixels of the image; its corner is a multiple of `factor`.
    """

    level: int
    box: Box

    @property
    def factor(self) -> int:
        """Pixels of the image along one of the tile."""
        return 1 << self.level

    @property
    def shape(self) -> Shape:
        """Height and width in pixels of its level."""
        top, left, bottom, right = self.box
        return -(-(bottom - top) // self.factor), -(-(right - left) // self.factor)

    def read(self, image: LazyArray, contrast: ContrastRange) -> tuple[Array, ContrastRange]:
        """Read the tile from an image (H, W) or (H, W, C).

        Returns
        -------
        (h, w) or (h, w, C) ndarray
            Of the tile's `shape`; a coarse one is uint8 and was made of the image's coarser level
            that is nearest, or of 16 pixels for each of its own, or of all if there are fewer.
        (low, high)
            What is black and white in it.
        """
        from napari_sam.inference.image import check_image, resize, to_rgb8

        if self.level == 0:
            return check_image(image[slices(self.box)]), contrast
        coarse = fitting_level(image, self.factor)
        if coarse is not None:
            top, left, (h, w) = *self.box[:2], self.shape
            box = top, left, top + h * self.factor, left + w * self.factor
            pixels, edges = coarse.part(box, self.factor)
            return resize(to_rgb8(check_image(pixels), contrast), self.shape, edges), (0.0, 255.0)
        every = max(1, self.factor // SAMPLES)
        (top, left, bottom, right), first = self.box, every // 2
        rows, columns = slice(top + first, bottom, every), slice(left + first, right, every)
        rgb = to_rgb8(check_image(image[rows, columns]), contrast)
        wanted = np.multiply(self.shape, self.factor // every)  # less at the image's far borders
        lacking = [(0, n - m) for n, m in zip(wanted, rgb.shape, strict=False)]
        return resize(np.pad(rgb, [*lacking, (0, 0)], mode="edge"), self.shape), (0.0, 255.0)

    def prompts(self, prompts: Prompts) -> Prompts:
        """Return prompts of the image as prompts of the tile, whose mask is a boolean one."""
        box, mask = prompts.box, prompts.mask
        if box is not None:
            low, high = self._positions(box.reshape(2, 2))
            thin = np.maximum(0, MIN_SIDE - (high - low)) / 2
            box = np.clip([low - thin, high + thin], -1, self.shape).ravel()
        if mask is not None:
            mask = self.reduced(mask[slices(self.box)])
        return Prompts(self._positions(prompts.points), prompts.labels, box, mask, prompts.text)

    def reduced(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the (h, w) mask in the tile of a mask in its box.

        Where most of a pixel of the tile is inside, or any of it if that leaves none.
        """
        if self.level == 0:
            return mask
        (h, w), factor = self.shape, self.factor
        padded = np.pad(
            mask, [(0, n * factor - m) for n, m in zip((h, w), mask.shape, strict=True)]
        )
        share = padded.reshape(h, factor, w, factor).mean(axis=(1, 3))
        most: NDArray[np.bool_] = share >= 0.5
        return most if most.any() else share > 0

    def cuts(self, mask: NDArray[np.bool_], image: Shape) -> bool:
        """Return whether a mask (h, w) touches a side of the tile that is no border of the image.

        Parameters
        ----------
        mask : (h, w) bool
            In the tile.
        image : (int, int)
            Height and width of the whole.
        """
        top, left, bottom, right = self.box
        sides = (
            (top > 0, mask[0]),
            (left > 0, mask[:, 0]),
            (bottom < image[0], mask[-1]),
            (right < image[1], mask[:, -1]),
        )
        return any(inner and bool(side.any()) for inner, side in sides)

    def drawn(self, mask: NDArray[np.bool_], image: Shape) -> WindowMask:
        """Return a mask (h, w) of the tile as one of the image (H, W), at the image's scale."""
        box = bounding_box(mask)
        if box is None:
            return WindowMask(image, self.box[:2], np.zeros((1, 1), bool))
        box = grown(box, 1, self.shape)  # between pixels of the tile the outline runs smoothly
        part = mask[slices(box)]
        if self.level:
            size = (part.shape[1] * self.factor, part.shape[0] * self.factor)
            smooth = Image.fromarray(part.astype(np.uint8) * 255).resize(
                size, Image.Resampling.BILINEAR
            )
            part = np.asarray(smooth) > 127
        top, left = np.add(self.box[:2], np.multiply(box[:2], self.factor)).tolist()
        height, width = self.box[2] - top, self.box[3] - left
        return WindowMask(image, (top, left), part[:height, :width])

    def _positions(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        return (positions + 0.5 - self.box[:2]) / self.factor - 0.5


def tile_for(shape: Shape, prompts: Prompts, coarser: int = 0) -> PyramidTile:
    """Return the tile in which to look for the object of some prompts.

    It is of the finest level at which the prompts span at most 384 pixels.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the image.
    prompts : Prompts
        With points, a box or a boolean mask.
    coarser : int
        How many levels to go further, at most to the one that shows everything.
    """
    parts = [prompts.points]
    if prompts.box is not None:
        parts.append(prompts.box.reshape(2, 2))
    if prompts.mask is not None and (inside := bounding_box(prompts.mask)) is not None:
        parts.append(np.reshape(inside, (2, 2)) - 0.5)
    corners = np.concatenate(parts)
    low, high = corners.min(axis=0), corners.max(axis=0)
    level = 0
    while (high - low).max() > MAX_SPAN << level:
        level += 1
    return tile_at(shape, ((low + high) / 2).tolist(), level + coarser)


def tile_at(shape: Shape, place: Sequence[float], level: int = 0) -> PyramidTile:
    """Return the tile whose middle is nearest to a place (row, column) in an image (H, W).

    Examples
    --------
    >>> tile_at((6000, 5000), (2000, 4990)).box
    (1536, 3976, 2560, 5000)
    >>> tile_at((6000, 5000), (2000, 4990), level=9)
    PyramidTile(level=3, box=(0, 0, 6000, 5000))
    """
    level = min(level, _coarsest(shape))
    starts = [_starts(size, level) for size in shape]
    middle = (np.asarray(place) + 0.5) / (1 << level) - SIDE / 2
    nearest = [
        int(some[np.abs(some - at).argmin()]) for some, at in zip(starts, middle, strict=True)
    ]
    return _tile(shape, level, nearest[0], nearest[1])


def tiles_of(shape: Shape) -> list[PyramidTile]:
    """Return all tiles of an image (H, W) at its own scale, row by row."""
    rows, columns = (_starts(size, 0) for size in shape)
    return [_tile(shape, 0, int(row), int(column)) for row, column in product(rows, columns)]


def tiles_around(shape: Shape, place: tuple[float, float]) -> list[PyramidTile]:
    """Return the tile nearest to a place (row, column) and those next to it, nearest first.

    Examples
    --------
    >>> [tile.box[:2] for tile in tiles_around((6000, 1500), (200, 100))]
    [(0, 0), (0, 476), (512, 0), (512, 476)]
    """
    top, left = tile_at(shape, place).box[:2]
    reach = SIDE // 2
    near = [
        tile
        for tile in tiles_of(shape)
        if abs(tile.box[0] - top) <= reach and abs(tile.box[1] - left) <= reach
    ]
    return sorted(near, key=lambda tile: abs(tile.box[0] - top) + abs(tile.box[1] - left))


def _tile(shape: Shape, level: int, row: int, column: int) -> PyramidTile:
    top, left = row << level, column << level
    side = SIDE << level
    return PyramidTile(level, (top, left, min(top + side, shape[0]), min(left + side, shape[1])))


def _coarsest(shape: Shape) -> int:
    """Return the level at which a single tile holds the image."""
    return max(0, (-(-max(shape) // SIDE) - 1).bit_length())


def _starts(size: int, level: int) -> NDArray[np.int64]:
    """Return where the tiles of a level begin along an axis, in its pixels."""
    last = max(0, -(-size // (1 << level)) - SIDE)
    return np.append(np.arange(0, last, STEP), last)
