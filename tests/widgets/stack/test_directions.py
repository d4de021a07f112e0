"""One object on slices of several directions, from the panel: asked about, and followed."""

from __future__ import annotations

import numpy as np
import pytest

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
    assert session.draft.points
    upright.qtbot.waitUntil(lambda: session.mask is not None)
    upright.panel.prompting.accept()
    assert len(session.objects[1].planes) == 2
    curation.delete(session, [1])
    assert not labels(upright).any()
