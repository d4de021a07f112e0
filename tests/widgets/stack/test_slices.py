"""The list of a stack's objects: what it says, where clicks and keys lead, what buttons do."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QRectF, Qt
from qtpy.QtGui import QColor, QImage, QPainter
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QStyleOptionViewItem

from napari_sam.masks import CroppedMask
from napari_sam.results import End, Step
from napari_sam.session.objects import (
    AnnotatedObject,
    Objects,
    Origin,
    Section,
    Source,
    Status,
    Traits,
)
from napari_sam.widgets.stack import slices_model
from napari_sam.widgets.stack.report import Ending, StackReport, is_doubtful
from napari_sam.widgets.stack.rows import State, aggregated, doubt, row_of
from napari_sam.widgets.stack.seeds import StackAxis
from napari_sam.widgets.stack.slices_list import Legend, SlicesList, draw_state
from tests.widgets.stack.test_tab import DISCS, START, Bench, draw

ALONG = StackAxis((0, None, None), 0)
MASK = CroppedMask.of(np.ones((4, 4), bool))
FOUND = Origin(Source.PROPAGATED, (4, None, None))


def section(status, score=0.9, mask=MASK, origin=FOUND):
    return Section(mask, score, origin, status)


def held(number=1, locked=False, **states):
    """Return an object with these slices by the name of a status."""
    sections = {
        (z, None, None): section(Status[name.upper()]) for name, at in states.items() for z in at
    }
    return AnnotatedObject(number, Traits(locked=locked), sections)


@pytest.fixture
def jumping(qtbot, host):
    """A movie in which object 1 goes on, and object 2 jumps after frame 6; both are accepted."""

    def jumping(letter="t"):
        discs = {1: DISCS[1], 2: lambda z: (14, 42, 5) if z < 7 else (32, 42, 5)}
        bench = Bench(qtbot, host, draw(discs), axis_labels=(letter, "y", "x"))
        bench.see(0, START)
        bench.accept(START, 14, 20)
        bench.accept(START, 14, 42)
        return bench

    return jumping


@pytest.fixture
def view(qtbot):
    """A list of 12 slices with three objects."""
    view = SlicesList()
    qtbot.addWidget(view)
    view.resize(300, 200)
    objects = Objects()
    for one in (
        held(1, accepted=[4], proposed=[5, 6], unclear=[7]),
        held(3, accepted=range(12)),
        held(8, proposed=[0], unclear=[2, 9], locked=True),
    ):
        objects.set_traits(one.id, one.traits)
        for plane, what in one.sections.items():
            objects.set_section(one.id, plane, what)
    view.slices.show_objects(objects, ALONG, 12, "slice")
    view.objects = objects
    view.show()
    return view


def click_on(view, row, index):
    """Click on a slice of a row's bar."""
    bar = view.delegate.bar(view.visualRect(view.slices.index(row)))
    place = QPoint(bar.left() + round((index + 0.5) * bar.width() / 12), bar.center().y())
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_a_row_says_what_matters_most_first():
    row = row_of(held(accepted=[4], proposed=[5, 6, 7], unclear=[9]), ALONG)
    assert row.states(11).tolist() == [0, 0, 0, 0, 1, 2, 2, 2, 0, 3, 0]
    assert row.words("slice", None) == "look at 9"
    assert row.sentence("frame", None) == (
        "Object 1, frames: accepted 4; sure 5 to 7; to look at 9"
    )
    assert row_of(held(accepted=[4]), StackAxis((1, 0, None, None), 1)) is None


def test_ends_are_told_in_words():
    ends = {
        End.EDGE: "leaves the picture in frame 8",
        End.GONE: "is lost: mark it in frame 8, too, unless gone",
        End.MOVED: "moved beyond its width: mark it in frame 8, too",
        End.GROWN: "is much larger at once: mark it in frame 8, too",
        End.TAKEN: "another object is there: mark it in frame 8, too",
    }
    assert {end: Ending(8, 1, end, "").words("frame") for end in End} == ends
    ordinary = End.GONE, End.MOVED, End.TAKEN  # in depth
    assert {Ending(8, 1, end, "").words("slice") for end in ordinary} == {"ends on slice 7"}
    assert Ending(8, -1, End.GONE, "").words("slice") == "begins on slice 9"
    assert Ending(8, 1, End.EDGE, "").words("slice") == "leaves the picture on slice 8"
    assert [end for end in End if is_doubtful(end, "slice")] == [End.GROWN]
    assert [end for end in End if not is_doubtful(end, "frame")] == [End.EDGE]


def test_an_end_is_told_while_it_holds():
    report = StackReport({1: [4]})
    labels = np.zeros((4, 4), int)
    report.add(Step(8, labels, {}, {1: "no mask found"}, ends={1: End.GONE}))
    row = row_of(held(accepted=[4], proposed=[5, 6, 7]), ALONG)
    assert row.words("slice", report.objects[1]) == "ends on slice 7"
    undone = row_of(held(accepted=[4]), ALONG)
    assert undone.words("slice", report.objects[1]) == "slice 4"
    report.add(Step(8, labels, {1: 0.9}))  # another way it was found
    assert row.words("slice", report.objects[1]) == "slices 4 to 7"


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"mask": None}, "nothing was found"),
        ({"score": 0.5}, "quality is low"),
        ({"score": 0.8}, "from both sides"),
        ({"origin": Origin(Source.PROMPTED)}, "marked as unclear"),
    ],
)
def test_a_doubt_is_told_in_words(what, words):
    assert words in doubt(section(Status.UNCLEAR, **what))


def test_many_slices_share_a_pixel_and_the_worst_is_seen():
    states = np.zeros(2000, np.uint8)
    states[1:1999] = State.ACCEPTED
    states[1203] = State.LOOK
    drawn = aggregated(states, 180)
    assert drawn.shape == (180,)
    assert drawn.max() == State.LOOK
    assert (drawn == State.LOOK).sum() == 1
    assert drawn.tolist().index(State.LOOK) == 1203 * 180 // 2000


def test_states_differ_without_their_colours(qtbot):
    """Each is drawn with another shape or pattern, for those who see no colours."""
    drawn = []
    for state in State:
        image = QImage(14, 14, QImage.Format.Format_ARGB32)
        image.fill(0)
        painter = QPainter(image)
        draw_state(painter, QRectF(0, 0, 14, 14), state, QColor("white"))
        painter.end()
        alpha = [image.pixelColor(x, y).alpha() for y in range(14) for x in range(14)]
        drawn.append(tuple(alpha))
    assert len(set(drawn)) == len(State)


def test_a_click_on_the_bar_wants_that_slice(view):
    wanted = []
    view.place_wanted.connect(lambda *place: wanted.append(place))
    click_on(view, 1, 3)
    click_on(view, 1, 11)
    click_on(view, 0, 7)
    assert wanted == [(3, 3), (3, 11), (1, 7)]
    beside = view.visualRect(view.slices.index(2)).left() + 8
    place = QPoint(beside, view.visualRect(view.slices.index(2)).center().y())
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert wanted[-1] == (8, 2)  # the first to look at


def test_arrows_and_enter_lead_along_the_slices(view):
    wanted = []
    view.place_wanted.connect(lambda *place: (wanted.append(place), view.see(place[1])))
    view.select(1)
    assert wanted == []  # nobody asked to go anywhere
    view.see(4)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Return, Qt.Key.Key_Down):
        QTest.keyClick(view, key)
    assert wanted == [(1, 5), (1, 4), (1, 7), (3, 0)]
    QTest.keyClick(view, Qt.Key.Key_Left)
    assert wanted[-1] == (3, 0)
    QTest.keyClick(view, Qt.Key.Key_Down)
    QTest.keyClick(view, Qt.Key.Key_Return)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert wanted[-2:] == [(8, 9), (8, 2)]


def test_what_is_locked_does_not_count(view):
    assert (view.slices.sure, view.slices.look) == (2, 1)
    assert view.slices.places(State.LOOK) == [(1, 7)]


def test_rows_come_change_and_go_and_the_selection_stays(view):
    view.select(8)
    view.objects.set_traits(3, None)
    view.objects.set_traits(2, Traits())
    view.objects.set_section(2, (5, None, None), section(Status.UNCLEAR))
    view.slices.refresh([2, 3])
    assert [view.slices.held(row).id for row in range(view.slices.rowCount())] == [1, 2, 8]
    assert view.slices.held(view.current).id == 8
    assert view.slices.look == 2
    view.objects.set_traits(8, None)
    view.slices.refresh([8])
    assert view.slices.rowCount() == 2


def fill(view, numbers):
    """Give a list these objects, each on slice 5 and to be looked at."""
    for number in numbers:
        view.objects.set_traits(number, Traits())
        view.objects.set_section(number, (5, None, None), section(Status.UNCLEAR))


def test_the_list_stays_where_one_reads(view, qtbot, monkeypatch):
    """Rows may come, change and go: what is on top stays there, wherever the selected one is."""
    monkeypatch.setattr(slices_model, "PART_S", 0)
    model, bar = view.slices, view.verticalScrollBar()
    fill(view, range(10, 60))
    model.refresh(range(10, 60))
    qtbot.waitUntil(lambda: not model.reading)
    view.select(10)
    bar.setValue(bar.maximum() // 2)
    top = view.indexAt(QPoint(5, 1))
    number, place = model.held(top.row()).id, view.visualRect(top).top()

    def same():
        QApplication.processEvents()
        at = view.indexAt(QPoint(5, 1))
        return (model.held(at.row()).id, view.visualRect(at).top()) == (number, place)

    assert number > 20
    fill(view, range(60, 90))
    model.refresh([*range(10, 20), *range(60, 90)])
    while model.reading:
        view.select(10)
        assert same()
    view.select(10)
    view.see(3)
    assert same()
    assert model.rowCount() == 83
    view.objects.set_traits(89, None)
    model.refresh([89])
    assert same()
    assert model.held(view.current).id == 10


def test_many_objects_are_read_in_parts_and_what_waits_comes_after(view, qtbot, monkeypatch):
    monkeypatch.setattr(slices_model, "PART_S", 0)
    model = view.slices
    fill(view, range(10, 60))
    model.show_objects(view.objects, ALONG, 12, "slice")
    assert (model.rowCount(), model.reading) == (1, True)
    view.objects.set_traits(59, None)  # before it was read
    qtbot.waitUntil(lambda: not model.reading)
    assert [model.held(row).id for row in range(model.rowCount())] == [1, 3, 8, *range(10, 59)]
    assert (model.sure, model.look) == (2, 50)


def test_what_is_certain_is_accepted_when_the_whole_list_was_read(jumping, qtbot, monkeypatch):
    bench = jumping()
    bench.follow()
    monkeypatch.setattr(slices_model, "PART_S", 0)
    rows = bench.tab._presenter.rows
    rows._note(frozenset({1, 2}))
    done = []
    rows.settle(lambda: done.append(bench.controls.list.slices.reading))
    bench.controls.accept_certain.click()
    assert done == [False]  # a press reads on; what has waited comes first
    qtbot.waitUntil(lambda: "15 masks accepted" in bench.controls.remark.text())


def test_a_tip_tells_the_figures(view):
    report = StackReport({1: [4]})
    step = Step(7, np.zeros((4, 4), int), {1: 0.5}, unsure={1: "the predicted IoU is only 0.50"})
    report.add(step)
    view.slices.show_report(report)
    index = view.slices.index(0)
    bar = view.delegate.bar(view.visualRect(index))
    place = QPoint(bar.left() + round(7.5 * bar.width() / 12), bar.center().y())
    tip = "Object 1, slice 7: look at this (the predicted IoU is only 0.50)"
    assert view.tip(index, place) == tip
    assert "sure 5 to 6" in view.tip(index, QPoint(3, bar.center().y()))


def test_a_list_of_long_stacks_paints(qtbot):
    view, legend = SlicesList(), Legend()
    qtbot.addWidget(view)
    qtbot.addWidget(legend)
    view.slices.colour = lambda id_: (1, 0, 0, 1) if id_ % 2 else None
    objects = Objects()
    objects.set_traits(1, Traits())
    for z in range(2000):
        status = Status.UNCLEAR if z == 900 else Status.PROPOSED
        objects.set_section(1, (z, None, None), section(status))
    view.slices.show_objects(objects, ALONG, 2000, "frame")
    view.see(1000)
    view.resize(260, 120)
    image = view.viewport().grab().toImage()
    bar = view.delegate.bar(view.visualRect(view.slices.index(0)))
    top = bar.top() + 1  # what is sure does not reach up to here; what is to be looked at does
    marked = [
        x
        for x in range(bar.left(), bar.right())
        if image.pixelColor(x, top).red() > 200 and image.pixelColor(x, top).blue() < 90
    ]
    index = view.slices.index(0)
    row = view.visualRect(index)
    assert [view.delegate.slice_at(index, row, QPoint(x, top)) for x in marked] == [900]
    option = QStyleOptionViewItem()
    assert view.delegate.sizeHint(option, view.slices.index(0)).height() > 30
    assert not legend.grab().isNull()


def test_what_jumped_is_to_be_looked_at_and_said(jumping):
    bench = jumping()
    bench.follow()
    lost = bench.session.objects[2].sections[7, None, None]
    assert (lost.mask, lost.status) == (None, Status.UNCLEAR)
    assert bench.lines() == [
        "1: frames 0 to 9",
        "2: moved beyond its width: mark it in frame 7, too",
    ]
    c = bench.controls
    assert (c.accept_certain.text(), c.review.text()) == ("Accept what is certain (15)", "Review 1")
    assert c.status.text() == "Done: 15 masks sure, 1 frame to look at."


def test_in_depth_what_ends_beside_a_similar_one_has_just_ended(jumping):
    bench = jumping("z")
    bench.follow()
    assert (7, None, None) not in bench.session.objects[2].sections
    assert bench.lines() == ["1: slices 0 to 9", "2: ends on slice 6"]
    c = bench.controls
    assert c.accept_certain.text() == "Accept what is certain (15)"
    assert not c.review.isEnabled()


def test_frames_are_called_frames(jumping):
    bench = jumping()
    bench.follow()
    assert bench.controls.buttons["accept_slice"].text() == "Accept frame  [K]"
    bench.controls.review.click()
    assert bench.controls.detail.text().startswith("Object 2, frame 7: moved beyond its")


def test_certain_masks_are_accepted_as_one_step(jumping):
    bench = jumping()
    bench.follow()
    steps = len(bench.session.history.done)
    bench.controls.accept_certain.click()
    assert len(bench.session.history.done) == steps + 1
    statuses = [s.status for held in bench.session.objects.values() for s in held.sections.values()]
    assert statuses.count(Status.ACCEPTED) == len(statuses) - 1
    assert "15 masks accepted" in bench.controls.remark.text()
    assert not bench.controls.accept_certain.isEnabled()
    bench.session.undo()
    bench.lines()
    assert bench.controls.accept_certain.text() == "Accept what is certain (15)"


def test_review_leads_to_what_is_unsure_and_keys_go_on(jumping, qtbot):
    bench = jumping()
    bench.follow()
    objects = bench.panel.controls.objects
    qtbot.waitUntil(lambda: objects.model.rowCount() == 2)
    bench.controls.review.click()
    assert bench.panel.annotation.seen == (7, None, None)
    assert objects.selected == [2]
    assert bench.controls.list.slices.held(bench.controls.list.current).id == 2
    bench.controls.buttons["accept_slice"].click()  # it is not there
    assert bench.session.objects[2].sections[7, None, None].status is Status.ACCEPTED
    bench.lines()
    assert not bench.controls.review.isEnabled()
    bench.controls.list.place_wanted.emit(1, 3)
    assert bench.panel.annotation.seen == (3, None, None)
    bench.controls.buttons["accept_object"].click()
    assert bench.session.objects[1].status is Status.ACCEPTED


def test_after_a_correction_one_key_follows_it_again(jumping, qtbot):
    bench = jumping()
    bench.follow()
    qtbot.waitUntil(lambda: bench.panel.controls.objects.model.rowCount() == 2)
    bench.controls.review.click()
    bench.controls.buttons["open"].click()
    assert bench.panel.tabs.tabText(bench.panel.tabs.currentIndex()) == "Prompt"
    bench.accept(7, 32, 42)
    bench.panel.stack.actions["follow"]()
    bench.finish()
    assert bench.slices(2) == list(range(10))
    assert bench.session.objects[2].sections[9, None, None].mask is not None
    assert bench.slices(1) == list(range(10))
    assert "Done" in bench.panel.controls.remark.text()
    assert bench.lines()[0] == "1: frames 0 to 9"


def test_without_a_correction_the_key_says_what_it_needs(qtbot, host):
    bench = Bench(qtbot, host, draw(DISCS))
    bench.panel.stack.actions["follow"]()
    assert "Accept an object first" in bench.panel.controls.remark.text()
    assert not bench.tab.work.busy


def test_what_lay_beyond_a_new_end_is_taken_back(jumping):
    bench = jumping()
    away = np.zeros((40, 60), bool)
    away[28:36, 38:46] = True
    bench.follow()
    assert bench.slices(2) == list(range(8))
    session, plane = bench.session, (9, None, None)
    stale = section(Status.PROPOSED, mask=CroppedMask.of(away))
    session.objects.set_section(2, plane, stale)  # of an earlier propagation that went on
    mine = section(Status.ACCEPTED, mask=CroppedMask.of(away))
    session.objects.set_section(2, (8, None, None), mine)
    bench.controls.last.setValue(7)
    bench.follow()
    assert plane not in session.objects[2].sections
    assert session.objects[2].sections[8, None, None] is mine
