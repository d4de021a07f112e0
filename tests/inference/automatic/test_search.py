"""An automatic run: its progress, its seeds, how it stops, and what it gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_sam import GridSettings, Predictor, load_model, proposals_to_labels, propose_grid
from napari_sam.errors import InputError
from napari_sam.inference.automatic.search import deduplicate, iter_proposals
from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import EmbeddingStore

FEW = GridSettings("grid", points_per_side=6, min_score=0.3, min_stability=0.5)
CENTRES = [(20, 25), (25, 70), (70, 30), (75, 80)]


@pytest.fixture(scope="module")
def predictor():
    threads = torch.get_num_threads()
    yield Predictor(load_model("cells_tiny", "cpu"))
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def picture():
    """Four bright discs of radius 9."""
    rows, columns = np.indices((100, 100))
    image = np.random.default_rng(0).normal(20, 3, (100, 100))
    for row, column in CENTRES:
        image[(rows - row) ** 2 + (columns - column) ** 2 < 81] += 150
    return image


@pytest.fixture(scope="module")
def steps(predictor, picture):
    return list(iter_proposals(predictor, picture, FEW))


def test_it_finds_the_discs(steps, picture):
    labels = proposals_to_labels(steps[-1].result.kept)
    discs = [labels[row, column] for row, column in CENTRES]
    assert sorted(discs) == [1, 2, 3, 4]
    for id_, (row, column) in zip(discs, CENTRES, strict=True):
        rows, columns = np.nonzero(labels == id_)
        assert (rows.mean(), columns.mean()) == pytest.approx((row, column), abs=2)
        assert len(rows) == pytest.approx(np.pi * 81, rel=0.2)


def test_progress(steps):
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert done[-1] == steps[-1].total == 36
    assert all(step.result.kept is None for step in steps[:-1])
    assert max(np.diff(done)) <= 4, "a batch of a processor is small"
    found = [one for step in steps for one in step.result.found]
    assert steps[-1].result.kept == deduplicate(found, FEW)
    assert 4 <= len(steps[-1].result.kept) < len(found)
    assert [one.score for one in steps[-1].result.kept] == sorted(
        (one.score for one in steps[-1].result.kept), reverse=True
    )


def test_floors(steps, predictor, picture):
    found = [one for step in steps for one in step.result.found]
    assert all(one.score > 0.3 and one.stability >= 0.5 for one in found)
    harder = replace(FEW, min_score=0.6, min_stability=0.7)
    again = [
        one for step in iter_proposals(predictor, picture, harder) for one in step.result.found
    ]
    expected = [one for one in found if one.score > 0.6 and one.stability >= 0.7]
    assert [one.point for one in again] == [one.point for one in expected]
    assert len(expected) < len(found)


def test_the_models_own_floors_where_none_are_given(predictor, picture):
    entry = predictor.model.entry
    own = propose_grid(predictor, picture, GridSettings(points_per_side=6))
    assert own
    assert all(one.score > entry.iou_threshold for one in own)
    assert all(one.stability >= entry.stability_threshold for one in own)


def test_seeds(predictor, picture):
    found = propose_grid(predictor, picture, FEW, seeds=CENTRES[:2])
    labels = proposals_to_labels(found)
    assert labels[CENTRES[0]]
    assert labels[CENTRES[1]]
    assert not labels[CENTRES[2]]
    assert not labels[CENTRES[3]]
    assert {one.point for one in found} <= set(CENTRES[:2])
    assert propose_grid(predictor, picture, FEW, seeds=np.zeros((0, 2))) == []
    with pytest.raises(InputError, match=r"seed \[3.0, 100.0\].*\(100, 100\)"):
        iter_proposals(predictor, picture, seeds=[(3, 3), (3, 100)])


def test_only_where_it_is_wanted(predictor, picture, steps):
    where = np.zeros(picture.shape[:2], bool)
    where[CENTRES[0]] = where[:50, :50] = True
    *_, last = iter_proposals(predictor, picture, FEW, where=where)
    assert last.result.kept
    assert all(where[tuple(np.rint(one.point).astype(int))] for one in last.result.kept)
    assert 0 < last.total < steps[-1].total
    with pytest.raises(InputError, match=r"shape of the picture"):
        iter_proposals(predictor, picture, where=where[1:])


@pytest.mark.parametrize("seeds", ["maxima", "distance"])
def test_points_from_the_picture_find_the_same_with_fewer_calls(predictor, picture, steps, seeds):
    *_, last = iter_proposals(predictor, picture, replace(FEW, seeds=seeds))
    assert last.done == last.total < steps[-1].total / 4
    labels = proposals_to_labels(last.result.kept)
    assert labels.max() == 4
    assert sorted(labels[centre] for centre in CENTRES) == [1, 2, 3, 4]


def test_what_the_maxima_miss_a_coarse_grid_finds(predictor, picture):
    faint = picture.copy()
    rows, columns = np.indices(faint.shape)
    faint[(rows - 50) ** 2 + (columns - 50) ** 2 < 81] = 20  # a hole in the noise: no maximum
    adaptive = list(iter_proposals(predictor, faint, replace(FEW, seeds="adaptive")))
    *_, maxima = iter_proposals(predictor, faint, replace(FEW, seeds="maxima"))
    points = [one.point for step in adaptive for one in step.result.found]
    assert {one.point for one in maxima.result.kept} <= set(points)
    last = adaptive[-1]
    assert last.done == last.total < adaptive[0].total, "points in what was found are left out"
    assert maxima.done < last.done <= maxima.done + 9
    where = np.zeros(picture.shape, bool)
    where[:50] = True
    *_, upper = iter_proposals(predictor, faint, replace(FEW, seeds="adaptive"), where=where)
    assert upper.done < last.done
    assert all(one.point[0] < 50 for one in upper.result.kept)


def test_it_can_be_stopped_between_batches(predictor, picture, steps):
    steps_taken = iter_proposals(predictor, picture, FEW)
    some = [next(steps_taken) for _ in range(5)]
    steps_taken.close()
    assert [step.done for step in some] == [step.done for step in steps[:5]]
    assert deduplicate([one for step in some for one in step.result.found], FEW) is not None

    class Stop(Exception):
        pass

    decoding = False

    def pause():
        if decoding:
            raise Stop

    rest = iter_proposals(predictor, picture, FEW, pause=pause)
    next(rest)
    decoding = True
    with pytest.raises(Stop):
        next(rest)


def test_the_embedding_comes_from_a_store(predictor, picture):
    store = EmbeddingStore(MemoryStore(10**9))
    first = propose_grid(predictor, picture, FEW, seeds=CENTRES, store=store)
    assert store.made == 1
    second = propose_grid(predictor, picture, FEW, seeds=CENTRES, store=store)
    assert store.made == 1
    assert [one.area for one in first] == [one.area for one in second]


def test_crops_find_the_discs_and_leave_nothing_cut(predictor, picture):
    settings = replace(FEW, points_per_side=4, crop_layers=1)
    found = [
        one for step in iter_proposals(predictor, picture, settings) for one in step.result.found
    ]
    crops = {one.crop for one in found}
    assert len(crops) > 2
    for one in found:
        assert one.shape == (100, 100)
        y0, x0, y1, x1 = one.crop
        rows, columns = one.box
        assert y0 <= rows.start < rows.stop <= y1
        assert x0 <= columns.start < columns.stop <= x1
    assert all(proposals_to_labels(deduplicate(found, settings))[centre] for centre in CENTRES)


def test_what_covers_nearly_all_is_background(predictor):
    blank = np.zeros((64, 64), np.uint8)
    all_of_it = replace(FEW, min_score=-1, min_stability=0, largest=None, points_per_side=2)
    areas = [one.area for one in propose_grid(predictor, blank, all_of_it)]
    largest = max(areas) / blank.size
    less = propose_grid(predictor, blank, replace(all_of_it, largest=largest))
    assert max((one.area for one in less), default=0) < largest * blank.size


def test_bad_settings():
    for wrong, message in (
        ({"points_per_side": 0}, "points_per_side must be at least 1; got 0"),
        ({"seeds": "stars"}, "one of adaptive, maxima, distance, grid; got 'stars'"),
        ({"overlap": "circle"}, "'mask' or 'box'; got 'circle'"),
        ({"crop_layers": -1}, "crop_layers must not be negative; got -1"),
        ({"max_overlap": 1.5}, "max_overlap must be between 0 and 1; got 1.5"),
    ):
        with pytest.raises(InputError, match=message):
            GridSettings(**wrong)
