"""Channels by name, by a guess, and what is left of them in the masks."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.inference.channels import (
    in_image,
    in_masks,
    likely_channels,
    mask_shape,
    named_channels,
)
from napari_sam.inference.image import merge_channels


@pytest.mark.parametrize(
    ("labels", "axis"),
    [
        ("CYX", 0),
        ("zcyx", 1),
        (("time", "y", "x", "Channel "), 3),
        (("-3", "-2", "-1"), None),
        ("tzyx", None),
        (("c", "y", "x", "channel"), None),  # which of the two?
    ],
)
def test_channels_by_name(labels, axis):
    assert named_channels(tuple(labels)) == axis


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((3, 64, 64), 0),
        ((64, 64, 2), 2),
        ((20, 4, 64, 64), 1),
        ((20, 64, 64, 4), 3),
        ((2, 20, 64, 64), 0),
        ((20, 64, 64), None),
        ((1, 64, 64), None),
        ((3, 4), None),
    ],
)
def test_channels_by_a_guess(shape, axis):
    assert likely_channels(shape) == axis


@pytest.mark.parametrize("channels", [None, 0, 1, 2])
def test_planes_of_masks_and_pictures_belong_together(channels):
    picture = (2, 3, 4, 5)
    shape = mask_shape(picture, channels)
    assert np.prod(shape) == np.prod(picture) / (1 if channels is None else picture[channels])
    for plane in np.ndindex(shape):
        there = in_image(plane, channels, 1)
        assert all(at < size for at, size in zip(there, picture, strict=True))
        assert in_masks(there, channels) == plane
        assert channels is None or there[channels] == 1


def test_colours_made_of_channels_are_stretched_one_by_one():
    faint, bright = np.array([[[0, 1], [2, 2]]]), np.array([[[0, 1000], [500, 2000]]])
    merged = merge_channels([faint, None, bright], [(0, 2), (0, 1), (0, 1000)])
    assert merged.shape == (1, 2, 2, 3)
    assert merged.dtype == np.uint8
    np.testing.assert_array_equal(merged[0, :, :, 0], [[0, 128], [255, 255]])
    np.testing.assert_array_equal(merged[0, :, :, 1], 0)
    np.testing.assert_array_equal(merged[0, :, :, 2], [[0, 255], [128, 255]])
