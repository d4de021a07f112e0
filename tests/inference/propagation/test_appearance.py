"""What is seen under a mask, by a case worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_sam.inference.embedding import Embedding, Level
from napari_sam.inference.propagation.appearance import Appearance, TiledAppearance, likeness
from napari_sam.inference.tiled_embedding import TiledEmbedding
from napari_sam.masks import CroppedMask
from napari_sam.model.sam import Features


def seen(left, right, shape=(8, 8), dtype=torch.float32):
    """Return 2 x 2 tokens of 4 pixels: two features at the left, two at the right."""
    tokens = torch.full((1, 2, 3, 3), 99.0, dtype=dtype)  # the last row and column are padding
    tokens[0, :, :2, 0] = torch.tensor(left)[:, None]
    tokens[0, :, :2, 1] = torch.tensor(right)[:, None]
    return Appearance(Embedding(shape, (0, 1), (Level((8, 8), Features(tokens)),)), stride=4)


def mask(columns, shape=(8, 8)):
    drawn = np.zeros(shape, bool)
    drawn[2:4, columns] = True
    return CroppedMask.of(drawn)


def test_it_is_the_mean_of_the_masks_pixels_beyond_that_of_the_picture():
    one = seen((3.0, 1.0), (1.0, 1.0))  # the picture's mean is (2, 1)
    assert one.under(mask(slice(0, 4))).tolist() == [1, 0]
    assert one.under(mask(slice(5, 8))).tolist() == [-1, 0]
    # Of 8 columns six lie at the left: (6 * 3 + 2 * 1) / 8 - 2 = 0.5, to length 1.
    shares = seen((3.0, 4.0), (1.0, 0.0))  # the mean is (2, 2)
    mixed = shares.under(mask(slice(1, 5)))
    assert mixed == pytest.approx(np.array([0.5, 1.0]) / np.sqrt(1.25))


def test_an_enlarged_picture_has_its_pixels_in_the_right_tokens():
    one = seen((3.0, 1.0), (1.0, 1.0), shape=(4, 4))  # shown at twice its scale
    assert one.under(mask(slice(0, 2), (4, 4))).tolist() == [1, 0]
    assert one.under(mask(slice(2, 4), (4, 4))).tolist() == [-1, 0]


def test_what_a_store_keeps_in_half_precision_looks_the_same():
    one, half = (seen((3.0, 4.0), (1.0, 0.0), dtype=d) for d in (torch.float32, torch.float16))
    assert likeness(one.under(mask([0, 1])), half.under(mask([0, 1]))) == pytest.approx(1, abs=1e-3)


def test_opposites_are_not_alike_and_of_nothing_nobody_can_tell():
    one = seen((3.0, 1.0), (1.0, 1.0))
    left, right = one.under(mask([0])), one.under(mask([7]))
    assert likeness(left, left) == 1
    assert likeness(left, right) == 0
    everything = one.under(CroppedMask.of(np.ones((8, 8), bool)))
    assert not everything.any()
    assert likeness(everything, left) == 1
    assert likeness(left, seen((1.0, 1.0), (1.0, 1.0)).under(mask([0]))) == 1  # an even picture


def test_what_came_to_a_place_is_told_from_what_was_there():
    before, after = seen((3.0, 1.0), (1.0, 1.0)), seen((1.0, 1.0), (3.0, 1.0))
    left = mask(slice(0, 4))
    like = before.under(left)
    assert after.gained(before, like, left.box, 3.0) == pytest.approx(1)  # it has come to the right
    assert before.gained(before, like, left.box, 3.0) == 0  # it was there already
    assert after.gained(before, like, left.box, 0.5) == 0  # too far away


class TestTiled:
    """Tiles whose features are made of their pixels: two channels, in tokens of 16 pixels."""

    SHAPE = (2000, 3000)

    def appearance(self, picture):
        def embed(pixels, contrast, pause):
            brightness = torch.from_numpy(np.asarray(pixels, np.float32))
            brightness = brightness if brightness.ndim == 2 else brightness[..., 0]
            tokens = torch.nn.functional.avg_pool2d(brightness[None, None], 16, ceil_mode=True)
            features = Features(torch.cat([tokens, 255 - tokens], dim=1))
            shape = tuple(brightness.shape)
            return Embedding(shape, (0, 255), (Level(shape, features),))

        return TiledAppearance(TiledEmbedding(picture, (0, 255), embed), stride=16)

    @pytest.mark.parametrize("side", [64, 896])
    def test_an_object_looks_as_it_does_in_its_tile(self, side):
        picture = np.full(self.SHAPE, 50, np.uint8)
        place = slice(768, 768 + side), slice(1024, 1024 + side)
        picture[place] = 200
        drawn = np.zeros(self.SHAPE, bool)
        drawn[place] = True
        beside = np.roll(drawn, side, axis=1)
        one = self.appearance(picture)
        half = np.sqrt(0.5)
        assert one.under(CroppedMask.of(drawn)) == pytest.approx([half, -half])
        assert one.under(CroppedMask.of(beside)) == pytest.approx([-half, half])

    def test_what_has_come_to_another_place_is_found_there(self):
        pictures = [np.full(self.SHAPE, 50, np.uint8) for _ in range(2)]
        box = 800, 1000, 864, 1064
        pictures[0][800:864, 1000:1064] = pictures[1][800:864, 1080:1144] = 200
        drawn = np.zeros(self.SHAPE, bool)
        drawn[800:864, 1000:1064] = True
        before, now = map(self.appearance, pictures)
        seen = before.under(CroppedMask.of(drawn))
        assert now.gained(before, seen, box, 3.0) == pytest.approx(1)
        assert before.gained(before, seen, box, 3.0) == pytest.approx(0)
