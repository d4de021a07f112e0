"""Objects followed through a stack from the panel: live, undone, cancelled, and cut short."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers._layer_actions import _duplicate_layer

from napari_sam.session import drawing
from napari_sam.session.edit import curation
from napari_sam.session.objects import Source, Status
from napari_sam.session.session import Session
from napari_sam.settings import load_settings
from napari_sam.widgets.panel import Panel
from tests.inference.moving import draw
from tests.widgets.conftest import close_at_end, ours

START = 4
DISCS = {1: lambda z: (14, 20, 6), 2: lambda z: (14, 42, 6) if z < 8 else None}


class Bench:
    """A panel over a stack with its slice 4 in view, and what a person does there."""

    def __init__(self, qtbot, host, data, **layer):
        self.qtbot = qtbot
        self.viewer = ViewerModel()
        self.viewer.add_image(data, name="stack", **layer)
        self.panel = Panel(self.viewer, host)
        close_at_end(qtbot, self.panel)
        self.panel.show()
        self.panel.precompute.switch(False)
        self.tab, self.controls = self.panel.stack, self.panel.stack.controls

    @property
    def session(self):
        return self.panel.annotation.session

    def see(self, axis, index):
        self.viewer.dims.set_point(axis, index)

    def accept(self, *at):
        ours(self.viewer, "points").add([at])
        self.qtbot.waitUntil(lambda: self.session.mask is not None)
        self.panel.prompting.accept()

    def follow(self):
        self.controls.start.click()
        self.finish()

    def finish(self):
        self.qtbot.waitUntil(lambda: not self.tab.work.busy, timeout=10_000)

    def slices(self, number):
        return [
            next(i for i in plane if i is not None) for plane in self.session.objects[number].planes
        ]

    def lines(self):
        """What the list says, a line an object."""
        self.tab._presenter.rows.settle(lambda: None)
        model = self.controls.list.slices
        texts = (model.index(row).data() for row in range(model.rowCount()))
        return [f"{model.held(row).id}: {text}" for row, text in enumerate(texts)]


@pytest.fixture
def open_stack(qtbot, host):
    """Return a function that opens the discs, object 1 and 2 accepted on slice 4 if wanted."""

    def open_stack(accepted=True, data=None, **layer):
        bench = Bench(qtbot, host, draw(DISCS) if data is None else data, **layer)
        bench.see(0, START)
        if accepted:
            bench.accept(START, 14, 20)
            bench.accept(START, 14, 42)
        return bench

    return open_stack


@pytest.fixture
def halt(model, open_stack, qtbot):
    """Return a function that opens the discs and halts after three slices were written."""

    def halt():
        bench = open_stack()
        model.go = threading.Semaphore(3)  # the slice they start from is looked at, too
        bench.controls.start.click()
        qtbot.waitUntil(lambda: len(bench.slices(1)) == 3)
        return bench

    return halt


def test_objects_are_followed_both_ways_and_reported(open_stack):
    bench = open_stack()
    assert bench.controls.status.text() == "Ready to follow objects 1, 2: press the button."
    bench.follow()
    assert bench.slices(1) == list(range(10))
    assert bench.slices(2) == list(range(8))
    labels = bench.panel.annotation.target.data
    truth = draw(DISCS)
    truth[:, 0, 0] = 0
    np.testing.assert_array_equal(labels, truth)
    section = bench.session.objects[1].sections[7, None, None]
    assert section.status is Status.PROPOSED
    assert (section.origin.source, section.origin.plane) == (Source.PROPAGATED, (START, None, None))
    assert bench.session.objects[1].sections[START, None, None].status is Status.ACCEPTED
    assert bench.lines() == ["1: slices 0 to 9", "2: ends on slice 7"]
    assert bench.controls.list.slices.report(2).figures(8) == "no mask found"


def test_bars_are_told_of_once_there_are_some(open_stack):
    bench = open_stack(accepted=False)
    assert bench.controls.detail.text() == ""
    bench.accept(START, 14, 20)
    bench.qtbot.waitUntil(lambda: "bar" in bench.controls.detail.text())


def test_one_undo_takes_all_of_it_back(open_stack):
    bench = open_stack()
    before = bench.panel.annotation.target.data.copy()
    bench.follow()
    assert bench.controls.undo.isEnabled()
    bench.controls.undo.click()
    np.testing.assert_array_equal(bench.panel.annotation.target.data, before)
    assert bench.slices(1) == bench.slices(2) == [START]
    assert not bench.controls.undo.isEnabled()
    assert bench.lines() == ["1: slice 4", "2: slice 4"]


def test_direction_limits_and_the_last_object_only(open_stack):
    bench = open_stack()
    c = bench.controls
    c.choices["objects"].value = "last"
    c.choices["direction"].value = "forward"
    c.last.setValue(6)
    bench.follow()
    assert bench.slices(1) == [START]
    assert bench.slices(2) == [4, 5, 6]


def test_those_selected_in_the_list(open_stack):
    bench = open_stack()
    c = bench.controls
    c.choices["objects"].value = "selected"
    objects = bench.panel.controls.objects
    assert "select objects in the list" in c.status.text()
    bench.qtbot.waitUntil(lambda: objects.model.rowCount() == 2)
    objects.table.selectRow(objects.sorted.mapFromSource(objects.model.index(1, 0)).row())
    assert c.status.text() == "Ready to follow object 2: press the button."
    bench.follow()
    assert bench.slices(1) == [START]
    assert bench.slices(2) == list(range(8))


def test_unsure_slices_are_unclear(open_stack, model):
    model.predictor.scores = {(6, 1): 0.59, (6, 2): 0.9}
    model.predictor.scores |= {(z, 1): 0.61 for z in (5, 7, 8, 9)}
    bench = open_stack()
    bench.follow()
    statuses = {p[0]: s.status for p, s in bench.session.objects[1].sections.items()}
    assert [z for z, status in statuses.items() if status is Status.UNCLEAR] == [6]
    assert bench.lines()[0] == "1: look at 6"
    figures = bench.controls.list.slices.report(1).figures(6)
    assert figures == "the predicted IoU is only 0.59"


def test_accepted_slices_are_anchors_and_stay(open_stack):
    bench = open_stack()
    bench.see(0, 8)
    drawing.continue_object(bench.session, 1)
    bench.accept(8, 16, 20)  # not where the disc is
    own = bench.session.objects[1].sections[8, None, None]
    bench.see(0, START)
    bench.follow()
    assert bench.session.objects[1].sections[8, None, None] is own
    assert bench.lines()[0] == "1: slices 0 to 9"


@pytest.mark.parametrize(("rule", "keeps"), [("keep", True), ("replace", False)])
def test_the_rule_says_who_keeps_pixels(open_stack, rule, keeps):
    bench = open_stack(accepted=False)
    bench.see(0, 6)
    bench.accept(6, 14, 24)  # in the way
    before = bench.session.objects[1].pixels
    bench.see(0, START)
    bench.accept(START, 14, 20)
    c = bench.controls
    c.choices["rule"].value = rule
    bench.follow()
    assert (bench.session.objects[1].pixels == before) is keeps


def test_a_locked_object_keeps_its_pixels_and_is_not_followed(open_stack):
    bench = open_stack(accepted=False)
    bench.see(0, 6)
    bench.accept(6, 14, 24)
    before = bench.session.objects[1].pixels
    bench.see(0, START)
    bench.accept(START, 14, 20)
    curation.lock(bench.session, [1])
    bench.controls.choices["rule"].value = "replace"
    bench.follow()
    assert bench.session.objects[1].pixels == before
    curation.lock(bench.session, [2])
    bench.controls.start.click()
    assert "object 2 is locked" in bench.controls.status.text()


def test_slices_appear_one_by_one_and_cancel_keeps_them(halt):
    bench = halt()
    assert bench.slices(1) == [4, 5, 6]
    assert bench.controls.status.text().startswith("At slice 6, at most about")
    bar = bench.controls.bar
    assert (bar.value(), bar.maximum()) == (2, 9)
    bench.controls.cancel.click()
    assert not bench.tab.work.busy
    assert "you cancelled it" in bench.controls.status.text()
    assert bench.lines()[0] == "1: slices 4 to 6"
    bench.session.undo()
    assert bench.slices(1) == [START]


def test_a_prompt_is_answered_in_the_middle_of_a_slice(halt, model):
    bench = halt()
    bench.accept(START, 30, 30)
    assert bench.slices(3) == [START]
    assert bench.tab.work.busy
    model.go.release(99)
    bench.finish()
    assert bench.slices(1) == list(range(10))
    assert bench.slices(3) == [START]
    assert not bench.controls.undo.isEnabled()  # it is not the last step
    for _ in ("accepted", "drawn", "followed"):
        bench.session.undo()
    assert bench.slices(1) == [START]


def test_undo_in_the_middle_ends_it(halt, model):
    bench = halt()
    bench.panel.annotation.step(Session.undo)
    assert not bench.tab.work.busy
    assert "taken back" in bench.controls.status.text()
    model.go.release(99)
    bench.accept(START, 30, 30)  # the model's thread is free again
    assert bench.slices(1) == [START]


def test_an_object_deleted_in_the_middle_does_not_come_back(halt, model):
    bench = halt()
    curation.delete(bench.session, [1])
    model.go.release(99)
    bench.finish()
    assert list(bench.session.objects) == [2]
    assert bench.slices(2) == list(range(8))


@pytest.mark.parametrize("what", ["contrast", "names", "copies", "order", "view"])
def test_what_is_none_of_its_business_changes_nothing(halt, model, what):
    bench = halt()
    layers, labels = bench.viewer.layers, bench.panel.annotation.target
    if what == "contrast":
        layers["stack"].contrast_limits = (0, 7)
    elif what == "names":
        layers["stack"].name, labels.name = "mine", "stack"
    elif what == "copies":
        for layer in list(layers):  # our own tools, too
            layers.selection = {layer}
            _duplicate_layer(layers)
    elif what == "order":
        layers.move_multiple(range(len(layers))[::-1], 0)
    else:
        bench.viewer.dims.order = (2, 0, 1)
        bench.viewer.dims.ndisplay = 3
    model.go.release(99)
    bench.finish()
    assert bench.panel.annotation.target is labels
    assert bench.slices(1) == list(range(10))
    assert labels.data[:, 14, 20].all()
    assert model.contrasts == [(0, 109)]


@pytest.mark.parametrize("what", ["picture", "labels", "pixels", "device", "model", "other labels"])
def test_what_changes_below_it_ends_it_and_nothing_is_lost(halt, model, what):
    bench = halt()
    labels, session = bench.panel.annotation.target, bench.session
    before = labels.data.copy()
    if what == "picture":
        bench.viewer.layers.remove("stack")
    elif what == "labels":
        bench.viewer.layers.remove(labels)
    elif what == "pixels":
        bench.viewer.layers["stack"].data = draw(DISCS)[:, ::-1]
    elif what == "device":
        bench.panel.controls.device.setCurrentText("cpu")
    elif what == "model":
        models = bench.panel.controls.model.list
        models.setCurrentIndex(models.findData("vit_b"))
    else:
        other = bench.viewer.add_labels(np.zeros(before.shape, np.uint16))
        bench.panel.controls.labels.choose(other)
    assert not bench.tab.work.busy
    model.go.release(99)
    bench.qtbot.waitUntil(lambda: not bench.panel.jobs.busy)
    assert [plane[0] for plane in session.objects[1].planes] == [4, 5, 6]
    np.testing.assert_array_equal(labels.data, before)


def test_a_closed_panel_ends_it(halt, model):
    bench = halt()
    hosted, labels = bench.panel.annotation.model, bench.panel.annotation.target
    bench.panel.close_panel()
    assert not bench.tab.work.busy
    assert hosted.submit(lambda _: "free", lambda *report: None).result(5) == "free"
    assert [z for z in range(10) if (labels.data[z] == 1).any()] == [4, 5, 6]


def test_what_goes_wrong_is_said(open_stack, model, monkeypatch):
    monkeypatch.setattr(model.predictor, "predict_batch", lambda *args: 1 / 0)
    bench = open_stack()
    bench.follow()
    assert "division" in bench.controls.status.text()
    assert bench.slices(1) == [START]


def test_along_another_axis_that_the_viewer_hides(open_stack):
    data = np.moveaxis(draw(DISCS), 0, 1)  # rows, slices, columns
    bench = open_stack(accepted=False, data=data)
    bench.viewer.dims.order = (1, 0, 2)
    bench.see(1, START)
    bench.accept(14, START, 20)
    bench.follow()
    assert bench.session.objects[1].planes == [(None, z, None) for z in range(10)]
    bench.viewer.dims.ndisplay = 3
    assert not bench.controls.start.isEnabled()


def test_time_and_z_one_of_them_at_a_time(open_stack):
    data = np.stack([draw(DISCS, 5)] * 3)
    bench = open_stack(accepted=False, data=data, axis_labels=("t", "z", "y", "x"))
    bench.see(0, 1)
    bench.see(1, 2)
    bench.accept(1, 2, 14, 20)
    c = bench.controls
    assert [c.axis.itemText(i) for i in range(c.axis.count())] == ["t", "z"]
    assert (c.axis.currentText(), c.last.maximum()) == ("z", 4)
    assert c.start.text() == "Follow through the stack"
    bench.follow()
    assert bench.session.objects[1].planes == [(1, z, None, None) for z in range(5)]
    c.axis.setCurrentIndex(0)
    c.axis.activated.emit(0)
    assert c.start.text() == "Follow through the time series"
    assert c.last.value() == 2


def test_choices_are_remembered(open_stack):
    bench = open_stack(accepted=False)
    bench.controls.choices["direction"].value = "backward"
    assert load_settings().stack["direction"] == "backward"
    assert open_stack(accepted=False).controls.choices["direction"].value == "backward"


@pytest.mark.parametrize(
    ("shape", "words"), [((40, 60), "single slice"), ((5, 40, 60), "First accept an object")]
)
def test_it_says_what_is_missing(qtbot, host, shape, words):
    bench = Bench(qtbot, host, np.zeros(shape, np.uint8))
    assert words in bench.controls.status.text()
    assert not bench.controls.start.isEnabled()


def test_without_a_picture(qtbot, host):
    panel = Panel(ViewerModel(), host)
    close_at_end(qtbot, panel)
    assert "Choose a picture" in panel.stack.controls.status.text()


def test_the_list_grows_while_slices_come_in(halt, model, qtbot):
    bench = halt()
    qtbot.waitUntil(lambda: bench.lines() == ["1: slices 4 to 6", "2: slices 4 to 6"])
    assert bench.tab.work.busy
    bench.controls.list.place_wanted.emit(1, 4)
    assert bench.panel.annotation.seen == (4, None, None)
    model.go.release(1)
    qtbot.waitUntil(lambda: bench.lines()[0] == "1: slices 4 to 7")
    model.go.release(999)
    bench.finish()
    assert bench.lines()[-1] == "2: ends on slice 7"
