"""From presses, moves and releases to clicks and boxes."""

from __future__ import annotations

import pytest

from napari_sam.widgets.layers.gestures import SLIDE, Gesture, GestureReader, Kind, Pointer


def at(x, y, exclude=False):
    return Pointer((x, y), (y / 10, x / 10), exclude)


def made(kind, start, end, exclude=False):
    screen = [(position[1] * 10, position[0] * 10) for position in (start, end)]
    return Gesture(kind, start, end, *screen, exclude)


def test_a_press_and_a_release_is_a_click():
    reader = GestureReader()
    assert reader.press(at(10, 20)) is None
    assert reader.release(at(10, 20)) == made(Kind.CLICK, (2, 1), (2, 1))


@pytest.mark.parametrize("by", [(SLIDE, 0), (0, -SLIDE), (5, 5)])
def test_a_slide_is_a_click_where_it_began(by):
    reader = GestureReader()
    reader.press(at(50, 50))
    assert reader.move(at(50 + by[0], 50 + by[1])) is None
    gesture = reader.release(at(50 + by[0], 50 + by[1]))
    assert (gesture.kind, gesture.start) == (Kind.CLICK, (5, 5))


def test_further_is_a_box_that_is_seen_on_the_way():
    reader = GestureReader()
    reader.press(at(0, 0))
    assert reader.move(at(30, 40)) == made(Kind.STRETCH, (0, 0), (4, 3))
    assert reader.release(at(50, 40)) == made(Kind.BOX, (0, 0), (4, 5))


def test_once_it_is_a_box_it_stays_one():
    reader = GestureReader()
    reader.press(at(0, 0))
    reader.move(at(30, 40))
    assert reader.move(at(1, 0)).kind is Kind.STRETCH
    assert reader.release(at(1, 0)).kind is Kind.BOX


def test_a_box_of_which_no_move_was_told():
    reader = GestureReader()
    reader.press(at(0, 0))
    assert reader.release(at(50, 40)).kind is Kind.BOX


def test_exclude_has_no_boxes():
    reader = GestureReader()
    reader.press(at(0, 0, exclude=True))
    assert reader.move(at(60, 0)) is None
    assert reader.release(at(60, 0)) == made(Kind.CLICK, (0, 0), (0, 6), exclude=True)


def test_the_second_button_ends_the_box_of_the_first():
    reader = GestureReader()
    reader.press(at(0, 0))
    reader.move(at(30, 40))
    assert reader.press(at(30, 40, exclude=True)).kind is Kind.CANCEL
    gesture = reader.release(at(30, 40))
    assert gesture == made(Kind.CLICK, (4, 3), (4, 3), exclude=True)
    assert reader.release(at(30, 40)) is None


def test_cancelled_it_is_nothing():
    reader = GestureReader()
    reader.press(at(0, 0))
    assert reader.cancel() is None
    reader.press(at(0, 0))
    reader.move(at(30, 40))
    assert reader.cancel().kind is Kind.CANCEL
    assert reader.move(at(60, 40)) is None
    assert reader.release(at(60, 40)) is None
