"""Features of objects: what they mean, and that place and scale do not matter."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
import torch

from napari_sam.inference.embedding import Embedding, Level
from napari_sam.inference.similar.features import measured, pooled
from napari_sam.inference.tiled_embedding import TiledEmbedding
from napari_sam.masks import CroppedMask
from napari_sam.model.sam import Features

STRIDE = 8


def disc(row, column, radius, shape=(64, 96)):
    rows, columns = np.indices(shape)
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2


def cropped(*masks):
    return [CroppedMask.of(mask) for mask in masks]


def embedded(picture, scales=(1,)):
    """Return an embedding whose one channel is the picture itself, at several scales."""
    levels = []
    for scale in scales:
        shape = tuple(side // scale for side in picture.shape)
        tokens = torch.from_numpy(picture[:: scale * STRIDE, :: scale * STRIDE].astype(np.float32))
        levels.append(Level(shape, Features(tokens[None, None])))
    return Embedding(picture.shape, (0.0, 255.0), tuple(levels))


def grey(picture):
    return np.repeat(picture.astype(np.uint8)[..., None], 3, axis=2)


class TestPooled:
    def test_it_is_the_mean_under_the_mask_less_that_of_the_picture(self):
        picture = np.zeros((64, 96))
        picture[:32] = 8
        masks = cropped(disc(15, 40, 10), disc(48, 40, 10))
        np.testing.assert_allclose(pooled(embedded(picture), STRIDE, masks), [[4], [-4]])

    def test_each_object_is_looked_at_on_its_own_scale(self):
        picture = np.zeros((256, 256))
        levels = embedded(picture, (1, 4)).levels
        marked = [
            Level(one.shape, Features(torch.full_like(one.features.embedding, k)))
            for k, one in enumerate(levels)
        ]
        for one in marked:  # so that the mean of the level is not all of it
            one.features.embedding[..., -1, -1] -= 100
        embedding = Embedding(picture.shape, (0.0, 255.0), tuple(marked))
        masks = cropped(disc(60, 60, 12, picture.shape), disc(110, 110, 60, picture.shape))
        small, large = pooled(embedding, STRIDE, masks)[:, 0]
        assert small == pytest.approx(100 / 32**2)
        assert large == pytest.approx(100 / 8**2)

    def test_a_large_picture_is_looked_at_in_tiles(self):
        shape, calls = (2500, 2500), count()

        def embed(pixels, contrast, pause):
            next(calls)
            return embedded(np.asarray(pixels))

        picture = np.zeros(shape, np.uint8)
        picture[:600, :600] = 9
        tiled = TiledEmbedding(picture, (0.0, 255.0), embed)
        masks = cropped(disc(300, 300, 20, shape), disc(2200, 2200, 20, shape))
        inside, outside = pooled(tiled, STRIDE, masks)[:, 0]
        assert inside > 1 > outside == 0
        assert next(calls) == 2

    def test_of_nothing_there_is_nothing(self):
        assert len(pooled(embedded(np.zeros((64, 96))), STRIDE, [])) == 0


class TestMeasured:
    def test_place_does_not_matter(self):
        picture = np.full((64, 96), 20)
        a, b = disc(20, 20, 9), disc(44, 70, 9)
        picture[a | b] = 180
        for values in measured(grey(picture), cropped(a, b)).values():
            np.testing.assert_allclose(values[0], values[1], rtol=1e-6)

    def test_shape_tells_long_from_round_and_large_from_small(self):
        rod = np.zeros((64, 96), bool)
        rod[30:36, 20:80] = True
        shapes = measured(grey(np.zeros((64, 96))), cropped(disc(30, 40, 8), disc(30, 40, 16), rod))
        area, roundness, elongation, _ = shapes["shape"].T
        assert area[1] - area[0] == pytest.approx(2, abs=0.1)
        assert roundness[2] < 0.5 < min(roundness[:2])
        assert elongation[2] == pytest.approx(np.log2(10), abs=0.1)
        assert max(elongation[:2]) < 0.1

    def test_intensity_tells_bright_from_dark_and_colours(self):
        picture = grey(np.full((64, 96), 60))
        a, b = disc(20, 20, 9), disc(44, 70, 9)
        picture[a], picture[b] = 160, (90, 10, 10)
        bright, red = measured(picture, cropped(a, b))["intensity"]
        mean, deviation, contrast, ring, _, colour, _ = bright
        assert (mean, deviation, contrast, ring, colour) == (160, 0, 100, 60, 0)
        assert red[2] < 0 < red[5] == 80

    @pytest.mark.parametrize("mask", [np.eye(1, dtype=bool), np.ones((1, 9), bool)])
    def test_a_pixel_and_a_line_have_finite_features(self, mask):
        whole = np.zeros((16, 16), bool)
        whole[3:4, 3 : 3 + mask.shape[1]] = mask
        for values in measured(grey(np.ones((16, 16))), cropped(whole)).values():
            assert np.isfinite(values).all()

    def test_a_pause_may_stop_it(self):
        def stop():
            raise InterruptedError

        with pytest.raises(InterruptedError):
            measured(grey(np.ones((64, 96))), cropped(disc(20, 20, 5)), stop)
