"""A queue knows what is left, in which order, and for how long."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from napari_sam.session.effort.effort import Effort
from napari_sam.session.queue.queue import Entry, Queue, State


def queue(*states, expected=None):
    guesses = expected or [None] * len(states)
    return Queue(
        [
            Entry(Path(f"{i}.tif"), state, expected=guess)
            for i, (state, guess) in enumerate(zip(states, guesses, strict=True))
        ]
    )


def names(some):
    return [entry.path.stem for entry in some.entries]


def test_one_comes_back_to_the_first_that_is_not_done():
    some = queue(State.DONE, State.FILLED, State.TODO)
    assert some.at == 1
    some.finish()
    assert some.following() == 2
    some.at = 2
    some.finish()
    assert some.following() is None
    some.finish(False)
    assert some.current.state is State.STARTED


def test_worst_first_is_by_expected_corrections_and_keeps_the_open_picture():
    some = queue(*[State.TODO] * 4, expected=[0.5, None, 7.0, 2.0])
    some.at = 1
    some.order(worst_first=True)
    assert names(some) == ["2", "3", "0", "1"]
    assert some.current.path.stem == "1"
    some.order(worst_first=False)
    assert names(some) == ["0", "1", "2", "3"]


def test_the_time_left_is_that_of_the_mean_picture():
    some = queue(State.DONE, State.DONE, State.STARTED, State.TODO)
    assert some.seconds_left() is None
    for place, seconds in enumerate((100.0, 200.0, 60.0)):
        some.put(replace(some.entries[place], seconds=seconds))
    assert some.seconds_left() == 90 + 150


def test_work_starts_a_picture_and_a_look_without_a_trace_does_not():
    entry = Entry(Path("a.tif"), State.FILLED, objects=3, to_review=2)
    assert entry.worked(Effort(objects=3, to_review=2)).state is State.FILLED
    assert entry.worked(Effort(objects=3, to_review=1)).state is State.STARTED
    done = replace(entry, state=State.DONE)
    assert done.worked(Effort(objects=4)).state is State.DONE


def test_what_comes_next_is_what_is_not_done_and_the_neighbour():
    some = queue(State.TODO, State.TODO, State.TODO)
    assert some.coming(2) == [1, 2]
    some = queue(State.STARTED, State.DONE, State.DONE, State.TODO)
    assert some.coming(2) == [3, 1]
    assert queue(State.TODO).coming(2) == []
