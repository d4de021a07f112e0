"""Places like the examples, where nothing was found, are asked about once more."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_sam.inference.embedding import Embedding, Level
from napari_sam.inference.similar.features import Described
from napari_sam.inference.similar.seeds import likely_points, unfound
from napari_sam.model.sam import Features
from napari_sam.progress import Progress
from napari_sam.results import Proposal, SearchResult

STRIDE, SHAPE = 8, (128, 128)
PLACES = (20, 20), (20, 100), (100, 60)  # middles of squares of 24 x 24 pixels
AREA = 24**2


def square(row, column):
    mask = np.zeros(SHAPE, bool)
    mask[row - 12 : row + 12, column - 12 : column + 12] = True
    return mask


def proposal(row, column):
    mask = square(row, column)
    return Proposal.of(mask, mask.astype(float), score=1, stability=1, point=(row, column))


@pytest.fixture
def embedding():
    """Two channels: squares of the examples' kind in the first, one of another in the second."""
    channels = np.zeros((2, *SHAPE), np.float32)
    for place in PLACES:
        channels[0][square(*place)] = 1
    channels[1][square(100, 110)] = 1
    tokens = torch.from_numpy(channels[:, 4::STRIDE, 4::STRIDE])[None]
    return Embedding(SHAPE, (0.0, 255.0), (Level(SHAPE, Features(tokens)),))


@pytest.fixture
def examples():
    """One, in the first channel."""
    return Described({"embedding": np.array([[0.9, -0.1]]), "shape": np.array([[np.log2(AREA)]])})


def test_points_lie_where_the_features_are_alike_and_nothing_is(embedding, examples):
    points = likely_points(embedding, STRIDE, examples, square(*PLACES[0]))
    inside = [
        {tuple(p) for p in points if square(*place)[tuple(p.astype(int))]} for place in PLACES
    ]
    assert not inside[0]
    assert inside[1]
    assert inside[2]
    assert set.union(*inside) == {tuple(p) for p in points}


def test_an_answer_that_is_there_already_is_left_out(embedding, examples):
    asked = []

    def ask(points):
        asked.append(points)
        answers = [proposal(*PLACES[1]), proposal(*PLACES[2])]
        yield Progress(1, 2, SearchResult(answers))
        yield Progress(2, 2, SearchResult([], answers))

    held = square(*PLACES[0]).astype(np.int64)
    more = unfound(embedding, STRIDE, examples, [proposal(*PLACES[1])], held, ask)
    assert [one.point for one in more] == [PLACES[2]]
    assert not any(square(*PLACES[1])[tuple(p.astype(int))] for p in asked[0])


def test_nothing_is_asked_where_all_is_found(embedding, examples):
    everything = [proposal(*place) for place in PLACES]

    def ask(points):
        raise AssertionError(points)

    assert unfound(embedding, STRIDE, examples, everything, np.zeros(SHAPE, int), ask) == []
