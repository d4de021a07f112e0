"""Made-up cells: exact labels, one diameter give or take, and something to see."""

import numpy as np
import pytest
from scipy import ndimage

from recipes.synthetic import scattered, smooth_field, synthetic_image, tissue


def test_a_picture_is_the_same_for_the_same_seed():
    first, again, other = (synthetic_image(np.random.default_rng(s), 128) for s in (0, 0, 1))
    assert (first.rgb == again.rgb).all()
    assert (first.labels == again.labels).all()
    assert (first.labels != other.labels).any()


def test_every_picture_has_objects_that_can_be_told_from_their_surroundings():
    for seed in range(25):
        picture = synthetic_image(np.random.default_rng(seed), 160)
        assert picture.dataset == "synthetic"
        assert picture.rgb.shape == (160, 160, 3)
        assert picture.labels.max() == len(np.unique(picture.labels[picture.labels > 0]))
        assert len(picture.ids) >= 1
        assert picture.rgb.std() > 5
        grey = picture.rgb.mean(axis=2)
        edges = ndimage.gaussian_gradient_magnitude(grey, 1.5)
        at_outline = ndimage.grey_dilation(picture.labels, 3) != picture.labels
        assert edges[at_outline].mean() > 1.1 * edges[~at_outline].mean(), seed


@pytest.mark.parametrize("seed", range(4))
def test_scattered_shapes_have_about_the_diameter_asked_for(seed):
    labels = scattered((200, 200), 20, np.random.default_rng(seed))
    inside = ndimage.binary_fill_holes(labels > 0)
    assert 0.03 < inside.mean() < 0.8
    whole = np.setdiff1d(labels, np.r_[labels[0], labels[-1], labels[:, 0], labels[:, -1], 0])
    diameters = 2 * np.sqrt(np.bincount(labels.ravel())[whole] / np.pi)
    assert 14 < np.median(diameters) < 28
    for i in whole:
        _, pieces = ndimage.label(labels == i)
        assert pieces <= 2  # a neighbour may cut off a tip


def test_scattered_shapes_touch_now_and_then():
    touching = 0
    for seed in range(6):
        labels = scattered((150, 150), 20, np.random.default_rng(seed))
        pairs = (labels[:, 1:] != labels[:, :-1]) & (labels[:, 1:] > 0) & (labels[:, :-1] > 0)
        touching += pairs.any()
    assert touching >= 3


def test_tissue_fills_the_plane_with_cells_of_one_size():
    full = [tissue((200, 200), 25, np.random.default_rng(seed)) for seed in range(8)]
    assert sum((labels > 0).all() for labels in full) >= 2
    for labels in full:
        assert (labels > 0).mean() > 0.5
        areas = np.bincount(labels.ravel())[1:]
        assert np.median(areas[areas > 0]) == pytest.approx(625, rel=0.25)


def test_a_smooth_field_is_smooth():
    field = smooth_field((60, 80), 20, np.random.default_rng(0))
    assert field.shape == (60, 80)
    assert np.abs(np.diff(field, axis=0)).max() < 0.15
    assert field.std() > 0.1
