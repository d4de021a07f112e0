"""Crops show the right pixels, at the right size, with the labels on them."""

import numpy as np
import pytest

from napari_sam.data.samples import labelled_image
from napari_sam.training.augment import _stained, random_crop, vary_intensities, whole_view


def discs(shape=(300, 400), radius=15, partial=False):
    """Bright discs on black, one in each 100 by 100 field."""
    y, x = np.indices(shape)
    inside = (y % 100 - 50) ** 2 + (x % 100 - 50) ** 2 < radius**2
    labels = inside * (1 + y // 100 * 10 + x // 100)
    rgb = np.repeat((inside * 200).astype(np.uint8)[..., None], 3, axis=2)
    return labelled_image("a", "a/one", rgb, labels, partial)


@pytest.fixture
def plain(monkeypatch):
    """Leave the intensities as they are, so that they can be compared."""
    monkeypatch.setattr("napari_sam.training.augment.vary_intensities", lambda rgb, rng: rgb)


def test_crops_are_alike_for_one_seed_and_unlike_for_two():
    crops = [random_crop(discs(), 64, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert (crops[0].rgb == crops[1].rgb).all()
    assert (crops[0].labels == crops[1].labels).all()
    assert (crops[0].rgb != crops[2].rgb).any()


@pytest.mark.parametrize("turned", [0, 1])
def test_labels_lie_on_their_objects_in_every_crop(plain, monkeypatch, turned):
    monkeypatch.setattr("napari_sam.training.augment.TURNED", turned)
    picture, rng = discs(), np.random.default_rng(0)
    for _ in range(40):
        crop = random_crop(picture, 96, rng)
        assert crop.rgb.shape == (96, 96, 3)
        assert crop.labels.shape == crop.valid.shape == (96, 96)
        assert crop.labels.any()
        bright = crop.rgb[..., 0] > 100
        either = np.count_nonzero(bright | (crop.labels > 0))
        assert np.count_nonzero(bright & (crop.labels > 0)) / either > 0.85


def test_free_turns_turn_and_have_no_corner_without_picture(plain, monkeypatch):
    monkeypatch.setattr("napari_sam.training.augment.TURNED", 1)
    labels = np.zeros((400, 400), np.int32)
    labels[190:210, 100:300] = 1  # a bar along the columns
    picture = labelled_image("a", "a/one", np.full((400, 400, 3), 90, np.uint8), labels)
    rng, oblique = np.random.default_rng(0), 0
    for _ in range(30):
        crop = random_crop(picture, 64, rng)
        assert crop.valid.all()
        assert (crop.rgb == 90).all()
        rows, columns = np.nonzero(crop.labels)
        oblique += abs(np.corrcoef(rows, columns)[0, 1]) > 0.3
    assert oblique > 15


def test_what_the_picture_does_not_fill_is_said_and_lies_right_and_below(plain):
    picture, rng = discs((100, 300)), np.random.default_rng(0)
    padded = 0
    for _ in range(20):
        crop = random_crop(picture, 256, rng)
        rows, columns = crop.valid.any(axis=1).sum(), crop.valid.any(axis=0).sum()
        assert crop.valid[:rows, :columns].all()
        assert np.count_nonzero(crop.valid) == rows * columns
        assert not crop.rgb[~crop.valid].any()
        assert not crop.labels[~crop.valid].any()
        padded += not crop.valid.all()
    assert padded > 5


def test_diameters_seen_spread_over_the_range():
    picture, rng = discs(), np.random.default_rng(0)
    seen = []
    for _ in range(60):
        crop = random_crop(picture, 256, rng)
        seen.append(2 * np.sqrt(np.bincount(crop.labels.ravel())[1:].max() / np.pi))
    # scale is at least 256 / 400 and at most 0.55 * 256 / 30
    assert min(seen) == pytest.approx(30 * 256 / 400, rel=0.15)
    assert 110 < max(seen) < 0.55 * 256 * 1.1


def test_a_whole_view_shows_all_of_the_picture(plain):
    picture, rng = discs(partial=True), np.random.default_rng(0)
    for _ in range(10):
        view = whole_view(picture, 128, rng)
        assert view.rgb.shape == (128, 128, 3)
        assert len(np.unique(view.labels)) == 13
        sides = sorted([view.valid.any(axis=0).sum(), view.valid.any(axis=1).sum()])
        assert 96 <= sides[1] <= 128
        assert sides[0] == pytest.approx(0.75 * sides[1], abs=1)
        assert view.partial


def test_intensities_vary_but_objects_stay_apart_from_their_ground():
    picture, changed = discs(), 0
    for seed in range(40):
        rgb = vary_intensities(picture.rgb, np.random.default_rng(seed))
        assert rgb.shape == picture.rgb.shape
        assert rgb.dtype == np.uint8
        inside = picture.labels == 1
        contrast = rgb[inside].mean() - rgb[:100, :100][~inside[:100, :100]].mean()
        assert abs(contrast) > 25
        changed += (rgb != picture.rgb).any()
    assert changed > 30


def test_other_stains_leave_white_white_and_change_the_hue():
    rgb = np.full((32, 32, 3), 255, np.uint8)
    rgb[8:24, 8:24] = (150, 60, 140)
    found = np.array(
        [_stained(rgb, np.random.default_rng(seed))[[0, 16], [0, 16]] for seed in range(40)]
    )
    assert (found[:, 0] >= 254).all()  # glass absorbs nothing
    hues = found[:, 1, 0].astype(int) - found[:, 1, 1]
    assert hues.std() > 10
