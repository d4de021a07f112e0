"""Any real picture becomes the model's input, or a clear error."""

import numpy as np
import pytest
import torch

from napari_sam.errors import InputError
from napari_sam.inference.image import (
    check_image,
    contrast_range,
    fit_shape,
    normalise,
    pixel_range,
    resize,
    to_rgb8,
)


@pytest.mark.parametrize(
    ("picture", "word"),
    [
        (np.zeros((3, 4, 5, 3)), "shape"),
        (np.zeros((4, 5, 2)), "shape"),
        (np.zeros(4), "shape"),
        (np.zeros((0, 5)), "empty"),
        (np.zeros((4, 5), complex), "real"),
        (np.full((4, 5), "a"), "real"),
        (np.full((4, 5), np.nan), "finite"),
    ],
)
def test_what_is_no_picture_is_refused(picture, word):
    with pytest.raises(InputError, match=word):
        check_image(picture)


def test_twelve_bits_in_sixteen_use_the_whole_range():
    picture = np.linspace(0, 4095, 10_000).reshape(100, 100).astype(np.uint16)
    rgb = to_rgb8(picture, contrast_range(picture))
    assert rgb.min() == 0
    assert rgb.max() == 255
    assert np.unique(rgb).size > 250


def test_a_hot_pixel_does_not_darken_the_rest():
    picture = np.random.default_rng(0).uniform(0, 100, (100, 100))
    picture[5, 5] = 1e6
    assert to_rgb8(picture, contrast_range(picture)).mean() > 100


def test_min_and_max_are_taken_per_channel():
    picture = np.zeros((4, 4, 3))
    picture[0, 0] = (10, 20, 40)
    low, high = contrast_range(picture, "min_max")
    np.testing.assert_array_equal(high, [10, 20, 40])
    np.testing.assert_array_equal(to_rgb8(picture, (low, high))[0, 0], [255, 255, 255])


def test_bytes_with_the_full_range_go_in_untouched():
    picture = np.random.default_rng(0).integers(50, 60, (8, 9, 3), dtype=np.uint8)
    assert to_rgb8(picture, (0, 255)) is picture


@pytest.mark.parametrize("contrast", [(0, 1300), (-20.5, 100.25), (90, 90)])
@pytest.mark.parametrize("dtype", ["bool", "u1", "i1", "u2", "i2", ">u2", ">i2", "i4", "f4"])
def test_every_dtype_is_stretched_alike(dtype, contrast):
    values = np.r_[-32768, -200:3000:7, 127, 128, 255, 256, 32767, 65535]
    picture = values.astype(dtype).reshape(5, -1)
    low, high = contrast
    unit = (picture.astype(float) - low) / ((high - low) or np.inf)
    expected = np.round(255 * unit.clip(0, 1))
    rgb = to_rgb8(picture, contrast)
    assert rgb.dtype == np.uint8
    np.testing.assert_array_equal(rgb, np.repeat(expected[..., None], 3, axis=2))


def test_nan_is_shown_as_the_lowest_intensity():
    picture = np.array([[np.nan, 1.0], [2.0, 3.0]])
    rgb = to_rgb8(picture, contrast_range(picture))
    assert rgb[0, 0, 0] == 0
    assert rgb[1, 1, 0] == 255


@pytest.mark.parametrize("rule", ["percentile", "min_max"])
def test_pixels_without_a_finite_value_are_refused(rule):
    with pytest.raises(InputError, match="no pixel of the picture has a finite value"):
        pixel_range(np.array([np.nan, np.inf]), rule)


def test_a_picture_without_contrast_is_black():
    picture = np.full((5, 5), 7, np.uint16)
    assert not to_rgb8(picture, contrast_range(picture)).any()


@pytest.mark.parametrize("contrast", [(5, 1), (0, np.nan), (-np.inf, 1)])
def test_impossible_contrast_is_refused(contrast):
    with pytest.raises(InputError, match="contrast"):
        to_rgb8(np.zeros((4, 4)), contrast)


def test_no_side_vanishes():
    assert fit_shape((1, 5000), 1024) == (1, 1024)
    assert resize(np.zeros((1, 5000, 3), np.uint8), (1, 1024)).shape == (1, 1024, 3)


def test_padding_comes_after_normalising():
    padded = normalise(np.full((5, 7, 3), 255, np.uint8), 8)
    assert padded.shape == (1, 3, 8, 8)
    assert torch.all(padded[..., 5:, :] == 0)
    assert torch.all(padded[..., :5, :7] > 2)


@pytest.mark.parametrize("contrast", [("a", 1), (1, 2, 3), 5, None, ([0, 0], [1, 1])])
def test_contrast_that_is_no_pair_of_numbers_is_refused(contrast):
    with pytest.raises(InputError, match="contrast must be"):
        to_rgb8(np.eye(4), contrast)


def test_the_largest_numbers_are_stretched_like_others():
    small = np.array([[-1.0, 0.0, 1.0]])
    expected = to_rgb8(small, (-1, 1))
    np.testing.assert_array_equal(to_rgb8(1.7e308 * small, (-1.7e308, 1.7e308)), expected)
    np.testing.assert_array_equal(to_rgb8(np.array([[0, 5e-324]]), (0, 5e-324))[0, 1], [255] * 3)


def test_masked_pictures_are_refused():
    with pytest.raises(InputError, match="masked values in the picture"):
        check_image(np.ma.masked_equal(np.eye(4), 1))
