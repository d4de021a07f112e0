"""When going on with a queue hardly gains anything, and when training might."""

from __future__ import annotations

from pathlib import Path

from napari_sam.session.queue.outlook import advice, outlook, saving
from napari_sam.session.queue.queue import Entry, State


def queue(done, left, **kind):
    entries = [Entry(Path(f"{i}.tif"), State.DONE, expected=e, **kind) for i, e in enumerate(done)]
    return entries + [Entry(Path(f"left {i}.tif"), expected=e) for i, e in enumerate(left)]


def test_nothing_is_said_of_too_little():
    assert outlook(queue([5, 4, 3, 2], [1])) is None
    assert outlook(queue([5, 4, 3, 2, 1], [])) is None
    assert outlook(queue([5, 4, 3, 2, 1], [None])) is None


def test_a_curve_is_flat_where_the_rest_needs_as_little_as_the_last():
    falling = [9, 8, 7, 1, 0.8, 0.6]
    assert outlook(queue(falling, [0.6, 0.5])).flat
    assert not outlook(queue(falling, [4, 3])).flat  # more than lately
    assert not outlook(queue([5, 5, 5, 5, 5], [5, 5])).flat  # as much as ever
    said = str(outlook(queue(falling, [0.6, 0.5])))
    assert "What is left (2 pictures)" in said
    assert "0.6 objects a picture, against 4.4 in all" in said


def test_training_saves_at_most_the_share_of_corrections():
    work = {"objects": 40, "prompts": 50, "corrections": 25, "seconds": 120}
    found = saving(queue([1] * 5, [1] * 10, **work))
    assert (found.objects, found.seconds, found.worth_it) == (200, 600, True)
    assert "50% corrected a mask" in str(found)
    assert "10 min of the rest at most" in str(found)
    assert not saving(queue([1] * 5, [1], **work | {"corrections": 2})).worth_it


def test_the_advice_is_to_stop_before_it_is_to_train():
    work = {"objects": 40, "prompts": 50, "corrections": 25, "seconds": 120}
    assert advice(queue([9, 8, 1, 1, 1], [0.5], **work))[0] == "the rest needs little correction"
    short, long = advice(queue([9, 8, 7, 6, 5], [5], **work))
    assert short == "training might pay off"
    assert long == str(saving(queue([9, 8, 7, 6, 5], [5], **work)))
    assert advice(queue([9, 8, 7, 6, 5], [5])) is None


def test_without_times_or_clicks_nothing_is_said_of_training():
    assert saving(queue([1] * 5, [1], prompts=9, corrections=9)) is None
    assert saving(queue([1] * 5, [1], seconds=60)) is None
    assert saving(queue([1] * 4, [1], prompts=9, corrections=9, seconds=60)) is None
