"""Review by halves: the order of looks, what makes a slice doubtful, and when it is enough."""

from __future__ import annotations

import pytest

from napari_sam.session.edit.halves import around, doubts, found_right, looked_at, next_look
from napari_sam.session.edit.slices import mark_absent
from napari_sam.session.objects import Origin, Source, Status
from tests.session.edit.test_curation import SHAPE, add, at, square

FOLLOWED = Origin(Source.PROPAGATED, at(1))
LINE = [at(z) for z in range(SHAPE[0])]


def looks(doubts, looked=()):
    """All looks in order, every answer being "right"."""
    done = set(looked)
    while (at := next_look(doubts, done, done)) is not None:
        assert at not in done
        done.add(at)
        yield at


def test_runs_are_halved_until_they_are_light():
    even = dict.fromkeys(range(17), 0.5)
    assert list(looks(even, {0}))[:2] == [8, 12]
    assert len(list(looks(even, {0}))) < 12


def test_the_heavier_half_comes_first():
    assert next_look({**dict.fromkeys(range(9), 0.2), 7: 0.9, 8: 0.9}, {4}, ()) == 7


def test_a_run_beside_a_mask_that_was_right_is_lighter():
    even = dict.fromkeys(range(5), 0.1)
    assert next_look(even, {0}, ()) == 2
    assert next_look(even, {0}, {0}) is None


def test_a_single_sure_slice_is_enough_and_a_doubtful_one_is_not():
    assert next_look({3: 0.2}, (), ()) is None
    assert next_look({3: 1.0}, (), ()) == 3
    assert next_look({}, (), ()) is None


def test_doubts_come_from_score_and_likeness_and_lie_behind_the_ends(session):
    add(session, 1, square(5, 5), score=1.0, status=Status.ACCEPTED)
    add(session, 2, square(5, 7), score=0.9, object_id=1)
    found = doubts(session.objects[1], LINE)
    assert found == {0: 1.0, 1: pytest.approx(2 / 3), 2: pytest.approx(0.7), 3: 1.0}
    assert looked_at(session.objects[1], LINE) == {1}
    mark_absent(session, 1, at(3))
    assert doubts(session.objects[1], LINE).keys() == {0, 1, 2, 3}
    assert looked_at(session.objects[1], LINE) == {1, 3}
    assert found_right(session.objects[1], LINE) == set()
    add(session, 2, square(5, 7), object_id=1, status=Status.ACCEPTED, origin=FOLLOWED)
    assert found_right(session.objects[1], LINE) == {2}


def test_only_the_half_around_a_correction_is_followed_again():
    assert around({1, 4, 9}, 6) == (4, 9)
    assert around({6}, 6) == (None, None)
