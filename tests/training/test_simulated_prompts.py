"""The simulated annotator on masks small enough to check by eye."""

import numpy as np
import pytest

from napari_sam.data.deepest import deepest_point
from napari_sam.training.simulated_prompts import (
    SimulatedPrompts,
    corrupt,
    first_prompt,
    next_clicks,
    noisy_box,
    random_points,
    with_neighbour,
)

STRIDE = 2


@pytest.fixture
def square():
    mask = np.zeros((40, 40), bool)
    mask[10:20, 12:30] = True
    return mask


def cell(point):
    """Row and column of the grid cell that the network will look at."""
    x, y = (np.asarray(point) + 0.5) / STRIDE
    return int(y), int(x)


def test_a_miss_gets_a_foreground_click_and_a_false_alarm_a_background_click(square):
    missed, extra = square.copy(), square.copy()
    missed[15, 15] = False
    extra[30, 5] = True
    points, labels = next_clicks(
        np.stack([square, square]), np.stack([missed, extra]), STRIDE, np.random.default_rng(0)
    )
    assert [cell(p) for p in points] == [(15, 15), (30, 5)]
    assert labels.tolist() == [1, 0]


def test_where_nothing_is_wrong_the_click_confirms(square):
    points, labels = next_clicks(square[None], square[None], STRIDE, np.random.default_rng(0))
    assert square[cell(points[0])]
    assert labels.tolist() == [1]


def test_the_box_is_noisy_by_up_to_a_tenth_of_the_side(square):
    shown = np.pad(square, 200)  # in a view so large that the limit in pixels does not matter
    rng = np.random.default_rng(0)
    boxes = np.stack([noisy_box(shown, STRIDE, rng) for _ in range(2000)]) - 400
    np.testing.assert_allclose(boxes.mean(axis=0), [23.5, 19.5, 59.5, 39.5], atol=0.2)
    # A spread that is drawn from nothing to s has a variance of s^2 / 3.
    np.testing.assert_allclose(boxes.std(axis=0), np.array([3.6, 2, 3.6, 2]) / 3**0.5, rtol=0.1)


def test_the_noise_of_a_large_box_is_at_most_the_papers_twenty_of_1024_pixels():
    rng = np.random.default_rng(0)
    for side, most in ((512, 20), (128, 5)):
        whole = np.ones((side, side), bool)
        edges = np.array([0, 0, side, side]) * STRIDE - 0.5
        moved = np.stack([noisy_box(whole, STRIDE, rng) for _ in range(200)]) - edges
        assert 0.8 * most < np.abs(moved).max() <= most + 1e-4


def test_half_of_the_clicks_go_to_the_middle(square):
    rng = np.random.default_rng(0)
    cells = [cell(random_points(square[None], STRIDE, rng)[0]) for _ in range(400)]
    assert all(square[c] for c in cells)
    middle = deepest_point(square)
    assert cells.count(middle) == pytest.approx(200, abs=40)
    assert len(set(cells)) > 80


def test_the_first_prompt_is_each_kind_as_often_as_said(square):
    kinds = {"point": 0, "box": 0, "mask": 0, "mask and box": 0}
    rng = np.random.default_rng(1)
    for _ in range(400):
        given = first_prompt(square[None], STRIDE, rng)
        assert given.is_lone_point == (given.boxes is None and given.masks is None)
        if given.is_lone_point:
            assert square[cell(given.points[0, 0])]
            kinds["point"] += 1
        elif given.masks is None:
            kinds["box"] += 1
        else:
            kinds["mask" if given.boxes is None else "mask and box"] += 1
    assert kinds["mask"] + kinds["mask and box"] == pytest.approx(100, abs=25)
    assert kinds["point"] == pytest.approx(150, abs=30)
    assert kinds["box"] == pytest.approx(150, abs=30)


def test_a_corrupted_mask_is_rough_but_still_the_object(square):
    overlaps = []
    for seed in range(60):
        rough = corrupt(square, np.random.default_rng(seed))
        assert rough.any()
        overlaps.append((rough & square).sum() / (rough | square).sum())
    assert min(overlaps) > 0.2
    assert np.mean(overlaps) < 0.95


def test_clicks_add_up():
    given = SimulatedPrompts(np.zeros((2, 0, 2), np.float32), np.zeros((2, 0), np.int64))
    given.add(np.ones((2, 2), np.float32), np.array([1, 0]))
    given.add(np.zeros((2, 2), np.float32), np.array([0, 1]))
    assert given.points.shape == (2, 2, 2)
    assert given.labels.tolist() == [[1, 0], [0, 1]]


def test_the_neighbour_is_the_one_that_is_touched_most():
    labels = np.zeros((32, 32), np.int32)
    labels[4:28, 8:16] = 1
    labels[4:10, 16:30] = 2
    labels[10:28, 16:30] = 3
    labels[4:28, 0:3] = 4  # apart
    both = with_neighbour(labels, 1)
    assert np.array_equal(both, (labels == 1) | (labels == 3))
    assert with_neighbour(labels, 4) is None
