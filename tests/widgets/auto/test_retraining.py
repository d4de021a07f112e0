"""The loop: accept, retrain on what is accepted, find again with the new model."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.objects import Status
from napari_sam.session.review import accepted_labels
from napari_sam.session.session import Session
from tests.widgets.search.finding import (
    DISCS,
    SHAPE,
    Bench,
    FindingSegmenter,
    disc,
    model,
    seen,
)
from tests.widgets.train.test_tab import FakeTuning, make, runs


@pytest.fixture
def bench(qtbot, host, make):
    bench = Bench(qtbot, host, seen(), make)
    bench.controls.choices["points"].value = 16
    bench.find()
    bench.controls.choices["certain"].value = 0.7
    bench.controls.fill.click()
    return bench


def learn(bench):
    bench.controls.retrain.click()
    bench.qtbot.waitUntil(lambda: not bench.tab.retraining.busy, timeout=10_000)
    bench.rest()


def test_it_learns_what_is_accepted_and_finds_again(bench, runs, model):
    before = {n: o for n, o in bench.session.objects.items() if o.status is Status.ACCEPTED}
    assert len(before) == 4
    learn(bench)
    run = runs[-1]
    assert (run.base, run.plan.what) == ("cells_tiny", "decoder")
    assert all(picture.partial for picture in run.training + run.validation)
    assert sum(len(picture.ids) for picture in run.training + run.validation) == 4
    name = "cells_tiny on discs"
    assert bench.panel.controls.model.name == name
    assert bench.panel.annotation.model.name == name
    assert len(model.searches) == 2
    assert bench.status.startswith("1 object found")
    assert {n: bench.session.objects[n] for n in before} == before


def test_again_has_another_name_and_begins_with_the_new_model(bench, runs):
    learn(bench)
    learn(bench)
    assert runs[-1].base == "cells_tiny on discs"
    assert bench.panel.annotation.model.name == "cells_tiny on discs 2"


def test_without_a_model_there_is_nothing_to_teach(bench, runs):
    bench.panel.annotation.asking.use(None)
    assert not bench.controls.retrain.isEnabled()
    with pytest.raises(InputError, match="choose a model"):
        bench.tab.retraining.start(bench.panel.annotation)
    assert not runs


def test_a_training_that_fails_says_why(bench, runs, monkeypatch):
    monkeypatch.setattr(FakeTuning, "error", InputError("out of memory"))
    learn(bench)
    assert bench.status.startswith("No new model: out of memory.")
    assert bench.controls.start.isVisibleTo(bench.controls)
    assert bench.panel.annotation.model.name == "cells_tiny"


def test_cancel_stops_the_training(bench, runs, model, monkeypatch):
    monkeypatch.setattr(FakeTuning, "hold", 5)
    bench.controls.retrain.click()
    bench.qtbot.waitUntil(lambda: "step 4 of 100" in bench.status)
    bench.controls.cancel.click()
    FakeTuning.go.set()
    bench.qtbot.waitUntil(lambda: not bench.tab.retraining.busy)
    assert "No new model: the training was stopped" in bench.status
    assert len(model.searches) == 1


def test_another_picture_meanwhile_keeps_its_model(bench, runs, model, monkeypatch):
    monkeypatch.setattr(FakeTuning, "hold", 5)
    bench.controls.retrain.click()
    bench.qtbot.waitUntil(lambda: "step 4 of 100" in bench.status)
    bench.panel.controls.picture.choose(bench.viewer.add_image(seen(), name="other"))
    FakeTuning.go.set()
    bench.qtbot.waitUntil(lambda: not bench.tab.retraining.busy, timeout=10_000)
    assert bench.status == "'cells_tiny on discs' is in the list of models now."
    assert bench.panel.annotation.model.name == "cells_tiny"
    assert len(model.searches) == 1


def test_a_training_of_the_other_tab_is_in_the_way(bench, runs, monkeypatch):
    monkeypatch.setattr(FakeTuning, "hold", 5)
    training = bench.panel.training
    training.start()
    bench.controls.retrain.click()
    assert "a training is under way" in bench.status
    assert not bench.tab.retraining.busy
    FakeTuning.go.set()
    bench.qtbot.waitUntil(lambda: not training.work.busy, timeout=10_000)
    assert bench.panel.annotation.model.name == "cells_tiny"


def test_only_what_is_accepted_is_learned():
    session = Session()
    masks = [disc(*one[:3]) for one in DISCS[:3]]
    status = Status.ACCEPTED, Status.PROPOSED, Status.ACCEPTED
    with Batch(session, Kind.AUTOMATIC) as batch:
        for z, mask, said in zip((7, 7, 2), masks, status, strict=True):
            batch.add((z, None, None), [NewMask(mask, status=said)])
    planes, labels = accepted_labels(session.objects, lambda plane: SHAPE)
    assert planes == [(2, None, None), (7, None, None)]
    np.testing.assert_array_equal(labels, [3 * masks[2], masks[0]])
    with pytest.raises(InputError, match="nothing is accepted"):
        accepted_labels({}, lambda plane: SHAPE)
