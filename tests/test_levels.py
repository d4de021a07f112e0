"""Coarser levels: what they show of the finest, to a fraction of a pixel."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.inference.pyramid import tile_at
from napari_sam.levels import CoarserLevel, fitting_level, sampled, usual_first, usual_steps

SHAPE = (2600, 3000)


class Pyramid:
    """A picture whose pixels tell how often each level was read."""

    def __init__(self, finest, levels):
        self.shape, self.dtype, self.reads = finest.shape, finest.dtype, []
        self._finest = finest
        self.coarser = [
            CoarserLevel(Counted(pixels, self.reads), steps, first)
            for pixels, steps, first in levels
        ]

    def __getitem__(self, index):
        self.reads.append(self.shape)
        return self._finest[index]


class Counted:
    def __init__(self, pixels, reads):
        self.shape, self.dtype = pixels.shape, pixels.dtype
        self._pixels, self._reads = pixels, reads

    def __getitem__(self, index):
        part = self._pixels[index]
        self._reads.append(part.shape)
        return part


def waves(shape=SHAPE):
    """Return a smooth picture in which half a pixel more or less is seen."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (127 + 120 * np.sin(rows / 20) * np.cos(columns / 25)).astype(np.float32)


def blocks(pixels, step):
    """Return the means of blocks; what is left over at the far borders is left out."""
    height, width = (n // step * step for n in pixels.shape)
    cut = pixels[:height, :width]
    return cut.reshape(height // step, step, width // step, step).mean(axis=(1, 3))


def middles(step, every=None):
    """Return a picture of one coarse level."""
    finest = waves()
    if every is None:
        return Pyramid(finest, [(blocks(finest, step), (step, step), usual_first((step, step)))])
    return Pyramid(finest, [(finest[::step, ::step], (step, step), (0.0, 0.0))])


class TestTiles:
    @pytest.mark.parametrize("nearest", [None, True], ids=["means", "every other pixel"])
    @pytest.mark.parametrize(("step", "level"), [(2, 1), (4, 2), (2, 2), (3, 2)])
    def test_a_coarse_tile_of_a_coarse_level_is_where_the_finest_has_it(self, step, level, nearest):
        picture = middles(step, nearest)
        tile = tile_at(SHAPE, (1300, 1500), level)
        pixels, _ = tile.read(picture, (0, 255))
        expected, _ = tile.read(waves(), (0, 255))
        assert picture.shape not in picture.reads
        inner = (slice(8, -8), slice(8, -8), 0)
        away = np.abs(pixels[inner].astype(float) - expected[inner]).mean()
        half = np.abs(np.diff(waves()[:1000, :1000], axis=0)).mean() / 2
        assert away < half / 2

    def test_only_the_tile_and_a_margin_are_read(self):
        picture = middles(2)
        tile = tile_at(SHAPE, (1000, 1000), 1)
        tile.read(picture, (0, 1))
        assert len(picture.reads) == 1
        assert max(picture.reads[0]) <= 1024 + 2 * 2

    def test_levels_that_are_too_coarse_are_not_looked_at(self):
        picture = middles(4)
        tile_at(SHAPE, (1000, 1000), 1).read(picture, (0, 1))
        assert picture.reads == [picture.shape]
        assert fitting_level(picture, 2) is None
        assert fitting_level(picture, 4) is picture.coarser[0]

    def test_a_level_without_the_last_row_goes_on_with_the_one_before(self):
        finest = waves((2601, 2601))
        steps = usual_steps(finest.shape, (1300, 1300))
        assert steps == (2, 2)
        picture = Pyramid(finest, [(blocks(finest, 2), steps, usual_first(steps))])
        tile = tile_at(finest.shape, (2600, 2600), 1)
        pixels, _ = tile.read(picture, (0, 255))
        expected, _ = tile.read(finest, (0, 255))
        assert pixels.shape == expected.shape
        away = np.abs(pixels.astype(int) - expected)
        assert away[8:-2, 8:-2].max() <= 1
        assert away[-2:].max() < 10


class TestPlanes:
    def test_a_level_counts_for_a_plane_that_it_holds_alone(self):
        coarse = np.zeros((5, 8, 8))
        same = CoarserLevel(coarse, (1.0, 2.0, 2.0), (0.0, 0.5, 0.5))
        assert same.plane((3,), coarse[3]).steps == (2.0, 2.0)
        half = CoarserLevel(coarse, (2.0, 2.0, 2.0), (0.5, 0.5, 0.5))
        assert half.plane((3,), coarse[1]) is None


class TestSampled:
    def test_every_fourth_pixel_comes_from_the_level_that_has_it(self):
        picture = middles(4)
        found = sampled(picture, slice(100, 200, 4), slice(300, 420, 4))
        assert picture.reads == [(25, 30)]
        expected = waves()[100:200:4, 300:420:4]
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() <= 20
