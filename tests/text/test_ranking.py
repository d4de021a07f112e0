import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.results import Proposal
from napari_sam.text.ranking import rank
from tests.text.encoders import Colours


@pytest.fixture
def picture():
    rgb = np.zeros((40, 60, 3), np.uint8)
    rgb[5:15, 5:15] = (200, 0, 0)
    rgb[5:15, 25:35] = (0, 200, 0)
    rgb[25:35, 5:15] = (180, 20, 0)
    rgb[25:35, 45:55] = (0, 0, 90)
    return rgb


@pytest.fixture
def proposals(picture):
    found = []
    for row, column in ((5, 5), (5, 25), (25, 5), (25, 45)):
        mask = np.zeros((40, 60), bool)
        mask[row : row + 10, column : column + 10] = True
        point = (row + 5, column + 5)
        found.append(Proposal.of(mask, picture, score=0.9, stability=0.9, point=point))
    return found


def test_each_object_goes_to_the_words_that_fit_it_best(picture, proposals):
    ranked = rank(Colours(), picture, proposals, ["green", "red"], contrast=(0, 255))
    assert ranked.similarity.shape == (4, 2)
    assert dict(ranked.chosen()) == {0: 1, 1: 0, 2: 1}  # the blue one is neither


def test_the_best_come_first_and_the_rest_can_be_left_out(picture, proposals):
    ranked = rank(Colours(), picture, proposals, ["red"], contrast=(0, 255))
    assert [i for i, _ in ranked.chosen()] == [0, 2]
    assert ranked.chosen(max_count=1) == [(0, 0)]
    assert ranked.chosen(min_similarity=1.1) == []


def test_what_is_against_takes_its_share(picture, proposals):
    alone = rank(Colours(), picture, proposals, ["red"], against=["blue"], contrast=(0, 255))
    beside = rank(Colours(), picture, proposals, ["red"], against=["red"], contrast=(0, 255))
    assert alone.similarity[0, 0] > 0.9
    assert beside.similarity[0, 0] == pytest.approx(0.5)


def test_nothing_found_is_nothing_ranked(picture):
    ranked = rank(Colours(), picture, [], ["red"])
    assert ranked.similarity.shape == (0, 1)
    assert ranked.chosen() == []


@pytest.mark.parametrize("words", [[], [""], ["red", " "], None, "red", [1], [b"red"], ["\ud800"]])
def test_something_must_be_said(picture, proposals, words):
    with pytest.raises(InputError, match="say in words"):
        rank(Colours(), picture, proposals, words)


def test_another_picture_is_refused(proposals):
    with pytest.raises(InputError, match=r"\(40, 60\)"):
        rank(Colours(), np.zeros((10, 10)), proposals, ["red"])
