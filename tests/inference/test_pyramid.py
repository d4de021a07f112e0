from __future__ import annotations

import numpy as np
import pytest

from napari_sam.inference.pyramid import (
    MAX_SPAN,
    SIDE,
    PyramidTile,
    tile_at,
    tile_for,
    tiles_around,
    tiles_of,
)
from napari_sam.prompts import Prompts

SHAPE = (5000, 6001)


def disc(shape, row, column, radius):
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.hypot(rows - row, columns - column) < radius


def iou(one, other):
    return np.count_nonzero(one & other) / np.count_nonzero(one | other)


class TestChoice:
    @pytest.mark.parametrize("seed", range(20))
    def test_a_tile_holds_all_prompts_and_a_margin(self, seed):
        rng = np.random.default_rng(seed)
        size = np.exp(rng.uniform(0, np.log(3000), 2))
        corner = rng.uniform(0, np.subtract(SHAPE, 1) - size)
        box = np.concatenate([corner, corner + size])
        tile = tile_for(SHAPE, Prompts(rng.uniform(box[:2], box[2:])[None], [1], box))
        margin = (SIDE - MAX_SPAN) / 2 - SIDE / 4 - 2
        inside = tile.prompts(Prompts(box=box)).box
        for axis in (0, 1):
            first, last = tile.box[axis] == 0, tile.box[axis + 2] == SHAPE[axis]
            assert first or inside[axis] >= margin
            assert last or inside[axis + 2] <= tile.shape[axis] - margin
        assert (size <= MAX_SPAN * tile.factor).all()
        assert tile.level == 0 or size.max() > MAX_SPAN * tile.factor / 2

    def test_the_coarsest_level_is_one_tile_of_everything(self):
        tile = tile_for(SHAPE, Prompts([(7, 7)], [1]), coarser=99)
        assert tile == PyramidTile(3, (0, 0, *SHAPE))
        assert tile.shape == (625, 751)

    def test_a_mask_says_how_large_the_object_is(self):
        mask = disc(SHAPE, 2500, 3000, 600)
        assert tile_for(SHAPE, Prompts(mask=mask)).level == 2

    def test_tiles_overlap_by_half_and_cover_the_image(self):
        seen = np.zeros((5000, 1500), int)
        for tile in tiles_of(seen.shape):
            assert tile.shape == (SIDE, SIDE)
            seen[tile.box[0] : tile.box[2], tile.box[1] : tile.box[3]] += 1
        assert seen.min() == 1
        assert (seen[512:4488, 500:1000] >= 4).all()

    def test_what_lies_around_a_place_begins_with_its_own_tile(self):
        around = tiles_around(SHAPE, (2600, 3100))
        assert around[0] == tile_at(SHAPE, (2600, 3100))
        assert len(around) == len(set(around)) == 9


class TestRead:
    def test_at_its_own_scale_pixels_and_contrast_stay_as_they_are(self):
        image = np.random.default_rng(0).integers(0, 60_000, (2200, 2300), dtype=np.uint16)
        pixels, contrast = tile_at(image.shape, (2000, 2000)).read(image, (5, 700))
        np.testing.assert_array_equal(pixels, image[1176:, 1276:])
        assert contrast == (5, 700)

    @pytest.mark.parametrize("level", [1, 2, 3, 4])
    def test_a_coarse_tile_is_where_the_image_is(self, level):
        shape = (SIDE << level) + 13, (SIDE << level) + 5
        rows = np.broadcast_to(np.linspace(0, 1, shape[0], dtype=np.float32)[:, None], shape)
        tile = tile_at(shape, shape, level)
        pixels, contrast = tile.read(rows, (0, 1))
        assert contrast == (0, 255)
        assert pixels.shape == (*tile.shape, 3)
        places = tile.box[0] + (np.arange(tile.shape[0]) + 0.5) * tile.factor - 0.5
        expected = 255 * places / (shape[0] - 1)
        steps = 255 * tile.factor / shape[0]  # of one pixel of the tile
        assert np.abs(pixels[:-1, 7, 0] - expected[:-1]).max() < 0.5 + 0.3 * steps

    def test_a_coarse_tile_reads_sixteen_pixels_for_one(self):
        asked = []

        class Image:
            shape, dtype = (70_000, 70_000), np.dtype(np.uint8)

            def __getitem__(self, part):
                asked.append([len(range(*one.indices(70_000))) for one in part])
                return np.zeros(asked[-1], np.uint8)

        tile_at(Image.shape, (35_000, 35_000), 5).read(Image(), (0, 255))
        assert asked == [[4096, 4096]]


class TestThereAndBack:
    @pytest.mark.parametrize("level", [0, 1, 2])
    def test_a_mask_comes_back_where_it_was(self, level):
        tile = tile_at(SHAPE, (2500, 3000), level)
        mask = disc(SHAPE, 2480, 3050, 90 << level)
        local = tile.prompts(Prompts(mask=mask)).mask
        assert local.shape == tile.shape
        back = np.asarray(tile.drawn(local, SHAPE))
        assert iou(back, mask) > (0.999 if level == 0 else 0.98)

    @pytest.mark.parametrize("level", [0, 1, 3])
    def test_all_of_a_tile_is_all_of_its_box(self, level):
        tile = tile_at(SHAPE, SHAPE, level)
        back = np.asarray(tile.drawn(np.ones(tile.shape, bool), SHAPE))
        top, left, bottom, right = tile.box
        assert back[top:bottom, left:right].all()
        assert np.count_nonzero(back) == (bottom - top) * (right - left)

    def test_a_point_in_the_middle_of_four_pixels_is_in_the_middle_of_one(self):
        tile = PyramidTile(1, (512, 1024, 2560, 3072))
        np.testing.assert_allclose(tile.prompts(Prompts([(600.5, 1100.5)], [1])).points, [(44, 38)])

    def test_thin_prompts_do_not_vanish(self):
        tile = PyramidTile(3, (0, 0, *SHAPE))
        line = np.zeros(SHAPE, bool)
        line[2001, 100:3000] = True
        assert tile.prompts(Prompts(mask=line)).mask.any()
        box = tile.prompts(Prompts(box=(2000, 100, 2000.02, 3000))).box
        assert box[2] > box[0]

    def test_a_mask_is_cut_at_sides_inside_the_image_only(self):
        tile = PyramidTile(0, (0, 512, 1024, 1536))
        mask = np.zeros(tile.shape, bool)
        mask[0, 5] = True
        assert not tile.cuts(mask, SHAPE)
        mask[7, 0] = True
        assert tile.cuts(mask, SHAPE)
