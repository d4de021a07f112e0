"""All slices of a stack: searched one by one, linked, one step, and being cut short."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.edit import curation
from napari_sam.session.objects import Status
from napari_sam.session.session import Session
from napari_sam.settings import load_settings
from tests.widgets.conftest import open_tab, ours
from tests.widgets.search.finding import (
    BATCH,
    DISCS,
    SHAPE,
    controls_shown,
    disc,
    model,
    open_picture,
    seen,
)

BATCHES = 256 // BATCH  # of one slice


def stack(missing=()):
    """Return four slices of the discs; `missing` names those (slice, disc) that are not there."""
    data = np.stack([seen()] * 4)
    for z, number in missing:
        data[z, disc(*DISCS[number][:3])] = 0
    return data


@pytest.fixture
def open_stack(open_picture):
    """Return a function that opens a stack, searches its first slice and chooses all slices."""

    def open_stack(data=None, **options):
        bench = open_picture(stack() if data is None else data, **options)
        bench.viewer.dims.set_point(0, 0)
        bench.find()
        where = bench.controls.where
        where.setCurrentIndex(1)
        where.activated.emit(1)
        bench.rest()
        return bench

    return open_stack


@pytest.fixture
def halt(model, open_stack, qtbot):
    """Return a function that halts a run when two of four slices are done."""

    def halt(**options):
        bench = open_stack(**options)
        model.go = threading.Semaphore(2 * BATCHES + 1)
        bench.controls.propose.click()
        qtbot.waitUntil(lambda: bench.controls.bar.value() > 200, timeout=10_000)
        return bench

    return halt


def run(bench, button="propose"):
    getattr(bench.controls, button).click()
    rest(bench)


def rest(bench):
    bench.qtbot.waitUntil(lambda: not bench.tab.stack.busy, timeout=10_000)


def slices(bench):
    """Return on which slices each object lies."""
    objects = bench.session.objects
    return sorted([plane[0] for plane in objects[n].planes] for n in objects)


def test_all_slices_become_one_step(open_stack):
    bench = open_stack()
    assert bench.controls.where.currentText() == "All 4 slices"
    assert bench.status.startswith("5 objects on this slice. The buttons below search all 4 slices")
    run(bench)
    assert bench.status.startswith("5 objects to look at, most useful first: J goes")
    assert slices(bench) == [[0, 1, 2, 3]] * 5
    assert set(bench.statuses().values()) == {Status.PROPOSED}
    np.testing.assert_array_equal(bench.labels != 0, stack() != 0)
    bench.controls.undo.click()
    assert not bench.session.objects
    assert not bench.labels.any()


def test_one_slice_only_unless_wanted(open_stack):
    bench = open_stack()
    bench.controls.where.setCurrentIndex(0)
    bench.controls.propose.click()
    assert slices(bench) == [[0]] * 5


def test_a_single_picture_offers_no_slices(open_picture):
    bench = open_picture()
    bench.find()
    c = bench.controls
    c.more.click()
    rows = [c.choices[name].native for name in ("link", "gap")]
    assert not any(one.isVisibleTo(c) for one in (c.where, *rows))


def test_the_first_screen_has_no_more_than_a_dozen_controls(open_stack):
    bench = open_stack()
    open_tab(bench.panel, "Auto")
    assert bench.controls.where in controls_shown(bench)
    assert len(controls_shown(bench)) <= 12


def test_the_filters_in_force_count_on_all_slices(open_stack):
    bench = open_stack()
    bench.slide("score", low=0.65)
    run(bench)
    assert slices(bench) == [[0, 1, 2, 3]] * 4


def test_the_certain_is_accepted(open_stack):
    bench = open_stack()
    bench.controls.choices["certain"].value = 0.85
    assert bench.controls.fill.text() == "Fill in what is certain"
    run(bench, "fill")
    assert bench.status.startswith("2 objects accepted. 3 objects to look at")
    assert list(bench.statuses().values()).count(Status.UNCLEAR) == 3


@pytest.mark.parametrize(("gap", "expected"), [(0, [[0], [0, 1, 2, 3], [2, 3]]), (1, [[0, 2, 3]])])
def test_an_object_that_is_missed_goes_on_after_a_gap(open_stack, gap, expected):
    bench = open_stack(stack([(1, 0)]))
    bench.controls.choices["gap"].value = gap
    run(bench, "accept")
    found = slices(bench)
    assert all(one in found for one in expected)
    assert len(found) == 6 - gap
    assert load_settings().auto["gap"] == gap


def test_without_links_each_slice_has_objects_of_its_own(open_stack):
    bench = open_stack()
    bench.controls.choices["link"].value = False
    run(bench, "accept")
    assert slices(bench) == [[z] for z in range(4) for _ in range(5)]
    assert len(np.unique(bench.labels)) == 21


def test_what_is_accepted_stays_and_is_not_searched(open_stack, model):
    bench = open_stack()
    mask = disc(*DISCS[0][:3])
    bench.panel.annotation.binding.ensure_target()
    with Batch(bench.session, Kind.PROPAGATED) as batch:
        plane = 2, None, None
        batch.add(plane, [NewMask(mask, status=Status.ACCEPTED)])
    before = bench.session.objects[1]
    run(bench)
    np.testing.assert_array_equal(model.searches[3][1], ~mask)
    assert bench.session.objects[1] == before
    assert slices(bench) == [[0, 1, 2, 3]] * 4 + [[0, 1, 3], [2]]


def test_a_slice_with_no_place_left_is_passed_over(open_stack, model):
    bench = open_stack()
    bench.panel.annotation.binding.ensure_target()
    with Batch(bench.session, Kind.PROPAGATED) as batch:
        for z in (1, 3):
            batch.add((z, None, None), [NewMask(np.ones(SHAPE, bool), status=Status.ACCEPTED)])
    run(bench)
    assert len(model.searches) == 1 + 2
    assert slices(bench) == [[0, 2]] * 5 + [[1], [3]]


def test_a_second_run_takes_the_place_of_what_nobody_judged(open_stack):
    bench = open_stack()
    run(bench)
    curation.set_status(bench.session, [1], Status.ACCEPTED)
    before = bench.session.objects[1]
    bench.find()
    bench.controls.where.setCurrentIndex(1)
    run(bench)
    assert bench.session.objects[1] == before
    assert slices(bench) == [[0, 1, 2, 3]] * 5


def test_cancel_keeps_the_slices_that_are_done(halt):
    bench = halt()
    assert bench.controls.bar.maximum() == 400
    assert bench.controls.bar.value() == 206
    assert bench.status.startswith("Slice 3 of 4, 5 objects so far, about ")
    assert not bench.controls.tuning.isVisibleTo(bench.controls)
    bench.controls.cancel.click()
    assert "you cancelled it. The slices that are done stay. 5 objects to look at" in bench.status
    assert slices(bench) == [[0, 1]] * 5
    bench.controls.undo.click()
    assert not bench.labels.any()


def test_an_undo_in_the_middle_ends_it(halt, model):
    bench = halt()
    bench.panel.annotation.step(Session.undo)
    rest(bench)
    assert "it was taken back" in bench.status
    model.go.release(9999)
    assert not bench.session.objects
    assert not bench.labels.any()


def test_the_labels_are_deleted_in_the_middle(halt):
    bench = halt()
    bench.viewer.layers.remove(bench.panel.annotation.target)
    rest(bench)
    assert "another one now. The slices that are done stay" in bench.status


def test_the_picture_is_deleted_in_the_middle(halt):
    bench = halt()
    bench.viewer.layers.remove("discs")
    assert not bench.tab.stack.busy
    assert bench.status.startswith("Choose a picture")


def test_a_slice_that_fails_keeps_those_before(halt, model):
    bench = halt()
    model.fails = "the device has no memory"
    model.go.release(9999)
    rest(bench)
    assert "the device has no memory. The slices that are done stay" in bench.status
    assert slices(bench) == [[0, 1]] * 5


def test_prompts_are_answered_meanwhile(halt, settle):
    bench = halt()
    ours(bench.viewer, "points").add((0, 30, 30))
    settle(bench.panel)
    assert bench.session.mask is not None
    assert bench.tab.stack.busy


def test_the_panel_is_closed_in_the_middle(halt):
    bench = halt()
    hosted, labels = bench.panel.annotation.model, bench.panel.annotation.target
    bench.panel.close_panel()
    assert hosted.submit(lambda _: "free", lambda *report: None).result(5) == "free"
    np.testing.assert_array_equal(labels.data.any(axis=(1, 2)), [True, True, False, False])
