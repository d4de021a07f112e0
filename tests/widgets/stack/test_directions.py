"""One object on slices of several directions, from the panel: asked about, and followed."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_sam.session.drawing import continue_object, reopen
from napari_sam.session.edit import curation
from napari_sam.session.objects import Source
from tests.widgets.conftest import ours
from tests.widgets.stack.conftest import FollowingSegmenter
from tests.widgets.stack.test_tab import START, Bench, draw, open_stack  # noqa: F401

SIDE = None, 14, None
ORDERS = {SIDE: (1, 0, 2), (START, None, None): (0, 1, 2)}


@pytest.fixture
def model():
    """One whose masks are as large as the discs."""
    segmenter = FollowingSegmenter()
    yield segmenter
    segmenter.go.release(999)


def look(bench, plane):
    """Turn the view to a plane."""
    bench.viewer.dims.order = ORDERS[plane]
    axis = next(axis for axis, at in enumerate(plane) if at is not None)
    bench.see(axis, plane[axis])
    assert bench.panel.annotation.seen == plane


@pytest.fixture
def upright(open_stack):  # noqa: F811
    """A stack in which object 1 is accepted on the side slice y = 14 only."""
    bench = open_stack(accepted=False)
    look(bench, SIDE)
    bench.accept(START, 14, 20)
    assert bench.session.objects[1].planes == [SIDE]
    return bench


def labels(bench):
    return ours(bench.viewer, "objects").data


def test_an_object_of_a_side_slice_is_followed_through_the_stack(upright):
    line = labels(upright)[:, 14].copy()
    look(upright, (START, None, None))
    assert upright.controls.start.isEnabled()
    upright.follow()
    held = upright.session.objects[1]
    along = [plane for plane in held.planes if plane[0] is not None]
    assert len(along) == 10
    assert {held.sections[plane].origin.source for plane in along} == {Source.PROPAGATED}
    np.testing.assert_array_equal(labels(upright)[:, 14], line)  # accepted, so it stays
    assert (labels(upright)[START] == 1).sum() > 90
    upright.controls.undo.click()
    assert upright.session.objects[1].planes == [SIDE]
    np.testing.assert_array_equal(labels(upright)[:, 14], line)
    assert (labels(upright) == 1).sum() == (line == 1).sum()


def query(bench):
    return bench.panel.annotation.queries.current


def continue_at(bench, *at):
    """Go on with object 1 on the slice in view, and press Accept."""
    bench.panel.annotation.step(lambda s: continue_object(s, 1))
    ours(bench.viewer, "points").add([at])
    bench.qtbot.waitUntil(lambda: bench.session.mask is not None)
    bench.panel.prompting.accept()


@pytest.mark.parametrize("answer", [0, 1])
def test_what_does_not_agree_is_asked_about(upright, answer):
    before = labels(upright).copy()
    look(upright, (START, None, None))
    continue_at(upright, START, 14, 26)
    np.testing.assert_array_equal(labels(upright), before)
    text = "On this slice object 1 would lose 6 pixels accepted as its own on side slices and "
    assert query(upright).text == text + "get 6 pixels that are not its own there."
    keep, take = query(upright).answers
    assert (keep.text, take.text) == ("Keep them", "Take the new mask")
    upright.panel.annotation.queries.answer(query(upright), (keep, take)[answer])
    columns = labels(upright)[START, 14].nonzero()[0]
    assert columns.min() == (14, 20)[answer]
    assert len(upright.session.objects[1].planes) == 2
    upright.panel.annotation.undo()
    np.testing.assert_array_equal(labels(upright), before)


def test_what_agrees_is_accepted_without_a_question(upright):
    look(upright, (START, None, None))
    continue_at(upright, START, 14, 20)
    assert not upright.panel.annotation.queries.holds("remainder")
    assert len(upright.session.objects[1].planes) == 2


def test_an_object_opens_on_a_slice_that_its_side_slices_cross(upright):
    look(upright, (START, None, None))
    session = upright.session
    upright.panel.annotation.step(lambda s: reopen(s, 1, (START, None, None)))
    assert session.draft.object_id == 1
    assert [round(column) for _, column in session.draft.points] == [16, 20, 24]
    curation.delete(session, [1])
    assert not labels(upright).any()


def panes(bench):
    """Open the side view of object 1, accepted on slice 4, and wait until both planes are drawn."""
    bench.see(0, START * bench.viewer.layers[0].scale[0])
    bench.accept(START, 14, 20)
    bench.controls.by_hand.sides.click()
    sides = bench.tab._presenter.sides
    bench.panel.annotation.pointing.clicked.emit(14.0, 20.0)
    shown = list(sides.view.panes)
    bench.qtbot.waitUntil(lambda: all(one.shown and one.shown.at[1] in (20, 14) for one in shown))
    return shown


def test_the_side_view_shows_both_planes_with_masks(open_stack):  # noqa: F811
    bench = open_stack(accepted=False, scale=(3, 1, 1))
    beside, behind = panes(bench)
    assert (beside.shown.shape, behind.shown.shape) == ((10, 60), (10, 40))
    assert (beside.shown.at, behind.shown.at) == ((START, 20), (START, 14))
    assert beside.shown.pixel == (3, 1)
    line = np.ptp(beside.shown.pixels[START].astype(int), axis=1) > 20  # coloured
    np.testing.assert_array_equal(line.nonzero()[0], np.arange(14, 27))
    bench.see(0, 3 * (START + 1))
    bench.qtbot.waitUntil(lambda: beside.shown.at == (START + 1, 20))


def test_a_click_in_the_side_view_goes_on_with_the_object(open_stack):  # noqa: F811
    bench = open_stack(accepted=False)
    beside, _ = panes(bench)
    at = beside.position_of((START, 22)).toPoint()
    bench.qtbot.mouseClick(beside, Qt.MouseButton.LeftButton, pos=at)
    assert bench.panel.annotation.seen == SIDE
    assert bench.session.draft.object_id == 1
    ((row, column),) = bench.session.draft.points
    assert abs(row - START) < 0.5
    assert abs(column - 22) < 0.5
    bench.qtbot.waitUntil(lambda: bench.session.mask is not None)
    bench.panel.prompting.accept()
    assert len(bench.session.objects) == 1
    bench.controls.by_hand.sides.click()
    assert not beside.isVisible()
