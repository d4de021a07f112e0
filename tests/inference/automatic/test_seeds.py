"""Points that a picture or labels suggest, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.inference.automatic.points import seed_schedule
from napari_sam.inference.automatic.seeds import deepest_points, distance_peaks, maxima, object_size
from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.results import Proposal

CENTRES = [(20, 25), (25, 70), (70, 30), (75, 80)]


def discs(centres, radius, shape=(100, 100), noise=0.0):
    rows, columns = np.indices(shape)
    image = np.random.default_rng(0).normal(0, noise, shape) if noise else np.zeros(shape)
    for row, column in centres:
        image[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] += 10
    return image


def near(points, centres, pixels=2):
    """Tell whether there is one point for each centre, and no other."""
    gaps = np.abs(np.asarray(points)[:, None] - np.asarray(centres)[None]).max(axis=2)
    return len(points) == len(centres) and (gaps.min(axis=0) <= pixels).all()


@pytest.mark.parametrize("peaks", [maxima, distance_peaks])
def test_one_point_for_each_disc_bright_or_dark_grey_or_rgb(peaks):
    image = discs(CENTRES, 9, noise=1)
    for picture in (image, 200 - image, np.stack([image] * 3, axis=-1)):
        assert near(peaks(picture), CENTRES)


@pytest.mark.parametrize("peaks", [maxima, distance_peaks])
def test_two_that_touch_are_two(peaks):
    assert near(peaks(discs([(50, 40), (50, 60)], 10), 20), [(50, 40), (50, 60)], 3)


def test_the_strongest_comes_first():
    image = discs([(20, 20)], 5) + 2 * discs([(70, 70)], 5)
    assert maxima(image).tolist() == [[70, 70], [20, 20]]
    image = discs([(20, 20)], 5) + discs([(70, 70)], 9)
    assert distance_peaks(image).tolist() == [[70, 70], [20, 20]]


def test_size():
    assert object_size(discs(CENTRES, 9)) == pytest.approx(19, rel=0.2)
    assert object_size(100 - discs(CENTRES, 9)) == pytest.approx(19, rel=0.2)
    rod = np.zeros((100, 100))
    rod[20:31, 10:90] = 1
    assert object_size(rod) == pytest.approx(11, abs=4), "the width of a rod, not its length"


@pytest.mark.parametrize("value", [0, 7.5, np.nan])
def test_a_blank_picture_has_no_points(value):
    blank = np.full((40, 50), value)
    assert maxima(blank).shape == distance_peaks(blank).shape == (0, 2)


def test_pixels_that_are_not_finite_suggest_nothing():
    image = discs(CENTRES, 9)
    image[0, 0], image[50, 50], image[99, 99] = np.nan, np.inf, -np.inf
    assert near(maxima(image), CENTRES)


@pytest.mark.parametrize("peaks", [maxima, distance_peaks])
def test_what_is_refused(peaks):
    with pytest.raises(InputError, match=r"\(H, W\) or \(H, W, C\); got \(3,\)"):
        peaks(np.zeros(3))
    with pytest.raises(InputError, match="at least a pixel wide; got 0"):
        peaks(np.zeros((9, 9)), 0)


def test_the_deepest_point_of_each_object():
    labels = np.zeros((20, 30), np.uint32)
    labels[2:9, 3:10] = 4_000_000_000
    labels[10:17, 10:13] = labels[10:13, 10:25] = 5  # an L: its centre of mass lies outside
    points = deepest_points(labels).astype(int)
    assert [labels[tuple(point)] for point in points] == [5, 4_000_000_000]
    assert points[1].tolist() == [5, 6]
    assert points[0].tolist() == [11, 11]
    assert deepest_points(np.zeros((4, 4), int)).shape == (0, 2)
    for wrong in (np.zeros((2, 4, 4), int), np.zeros((4, 4))):
        with pytest.raises(InputError, match=r"whole numbers of shape \(H, W\)"):
            deepest_points(wrong)


class TestRounds:
    image = discs(CENTRES, 9)

    def ask(self, seeds, per_side=8, crop=(0, 0, 100, 100), where=None):
        return seed_schedule(self.image, crop, per_side, GridSettings(seeds), where)

    def test_a_grid_is_one_round(self):
        (only,) = self.ask("grid")
        assert [len(points) for points in only([])] == [64, 16]

    @pytest.mark.parametrize("seeds", ["maxima", "distance"])
    def test_points_of_the_picture_are_one_round_and_no_more_than_a_grid(self, seeds):
        (only,) = self.ask(seeds)
        fine, coarse = only([])
        assert near(fine, CENTRES)
        assert near(coarse, CENTRES, 4)
        assert [len(points) for points in self.ask(seeds, 1)[0]([])] == [1, 1]

    def test_points_count_from_the_corner_of_a_crop(self):
        (only,) = self.ask("maxima", crop=(50, 0, 100, 100))
        assert near(only([])[0], [(20, 30), (25, 80)])

    def test_adaptive_asks_a_coarse_grid_where_nothing_was_found(self):
        first, rest = self.ask("adaptive")
        assert near(first([])[0], CENTRES)
        assert [len(points) for points in rest([])] == [16, 4]
        left = np.zeros((100, 100), bool)
        left[:, :50] = True
        found = [Proposal.of(left, self.image, score=1, stability=1, point=(20, 25))]
        fine, coarse = rest(found)
        assert (len(fine), len(coarse)) == (8, 2)
        assert fine[:, 1].min() > 50

    def test_only_where_it_is_wanted(self):
        where = np.zeros((100, 100), bool)
        where[:50] = True
        assert near(self.ask("maxima", where=where)[0]([])[0], CENTRES[:2])
        assert len(self.ask("adaptive", where=where)[1]([])[0]) == 8
