"""What was seen once is compared with many words; what is kept becomes labels or areas."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from napari_sam.results import Prediction, Proposal
from napari_sam.text.ranking import Ranked, compare, embed_proposals, rank
from napari_sam.text.search import map_words
from tests.fakes import FakeEncoder

SHAPE = 20, 40
IMAGE = np.arange(800, dtype=np.uint16).reshape(SHAPE)


def square(row, column, side, score=0.9):
    mask = np.zeros(SHAPE, bool)
    mask[row : row + side, column : column + side] = True
    return Proposal.of(mask, IMAGE, score=score, stability=1, point=(row, column))


SMALL, USUAL, LARGE = square(1, 1, 3), square(1, 10, 6), square(1, 20, 12)
ALL = [SMALL, USUAL, LARGE]


def ranked(*rows, proposals=ALL, threshold=0.5):
    words = tuple("abc"[: len(rows[0])])
    return Ranked(list(proposals), words, np.array(rows, np.float32), threshold)


class TestRanked:
    def test_what_is_enough_comes_from_the_encoder(self):
        assert ranked((0.7,), (0.2,), (0.3,), threshold=0.25).chosen() == [(0, 0), (2, 0)]

    def test_among_some(self):
        few = ranked((0.1,), (0.2,), (0.3,)).among([LARGE, SMALL])
        assert few.proposals == [SMALL, LARGE]
        np.testing.assert_allclose(few.similarity, [[0.1], [0.3]])

    def test_labels_and_what_is_behind_them(self):
        beneath = square(2, 21, 4, score=0.5)
        found = ranked((0.9,), (0.1,), (0.8,), (0.7,), proposals=[*ALL, beneath])
        labels, kept = found.labels(SHAPE)
        assert kept == [(0, 0), (2, 0)]
        np.testing.assert_array_equal(labels, SMALL.mask + 2 * LARGE.mask)
        assert not found.labels(SHAPE, 1.0)[0].any()


class TestRank:
    def test_what_was_seen_is_compared_with_other_words(self):
        encoder = FakeEncoder()
        seen = embed_proposals(encoder, IMAGE, ALL)
        looks = len(encoder.looks)
        for words in (["large"], ["small"]):
            again = rank(FakeEncoder(), IMAGE, ALL, words)
            np.testing.assert_allclose(compare(encoder, seen, words).similarity, again.similarity)
        assert len(encoder.looks) == looks

    def test_it_can_be_stopped(self):
        def pause():
            raise InterruptedError

        with pytest.raises(InterruptedError):
            embed_proposals(FakeEncoder(), IMAGE, ALL, pause=pause)


class TestMap:
    """Masks of classes that meet."""

    def test_the_higher_logit_has_the_pixel(self):
        left, right = np.zeros((2, *SHAPE), bool)
        left[:, :25], right[:, 15:] = True, True
        falling = np.linspace(2, -1, 10)  # of the left one, on the grid of logits
        logits = {"large": falling, "small": falling[::-1]}

        def predict_batch(embedding, prompts):
            for one, name in zip(prompts, logits, strict=True):
                np.testing.assert_array_equal(one.text, FakeEncoder().words([name])[0])
            return [
                Prediction(
                    mask[None], np.array([0.8], np.float32), np.tile(logits[name], (1, 5, 1))
                )
                for mask, name in ((left, "large"), (right, "small"))
            ]

        predictor = SimpleNamespace(
            predict_batch=predict_batch, config=SimpleNamespace(mask_stride=4)
        )
        embedding = SimpleNamespace(shape=SHAPE, levels=[SimpleNamespace(shape=SHAPE)])
        found = map_words(predictor, FakeEncoder(), embedding, ["large", "small"])
        expected = np.broadcast_to(np.where(np.arange(40) < 20, 1, 2), SHAPE)
        np.testing.assert_array_equal(found.classes, expected)
        areas = found.areas(IMAGE)
        assert [k for _, k in areas] == [0, 1]
        np.testing.assert_array_equal(areas[1][0].mask, expected == 2)
