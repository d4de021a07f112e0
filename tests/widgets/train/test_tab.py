"""The training tab over a fake run, and one real run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from napari.components import ViewerModel
from PIL import Image
from qtpy.QtWidgets import QFileDialog, QMainWindow
from safetensors.numpy import save_file

from napari_sam.errors import InputError
from napari_sam.progress import Progress
from napari_sam.training.finetune import TrainingState
from napari_sam.training.plan import Plan
from napari_sam.training.validation import ValidationPreview
from napari_sam.widgets.panel import Panel
from napari_sam.widgets.train.wording import effort, result
from napari_sam.zoo import catalogue
from napari_sam.zoo.own_models import own_file
from tests.widgets.conftest import close_at_end

ROWS = [{"measure": "1 click", "before": 0.6, "after": 0.75}]


class FakeTuning:
    """Counts steps; `hold` makes it wait at a step until `go` is set."""

    hold, error = 0, None
    go = threading.Event()

    def __init__(self, base, device, training, validation, plan, folder):
        self.base, self.device = base, device
        self.training, self.validation = training, validation
        self.plan, self.checkpoint = plan, folder / "checkpoint.pt"
        self.table, self.closed = [], False

    def run(self):
        self.first = int(self.checkpoint.read_text()) if self.checkpoint.exists() else 0
        self.step = self.first
        truth = self.validation[0].labels
        try:
            while self.step < self.plan.steps:
                self.step += 1
                if self.step == self.hold:
                    self.go.wait(10)
                if self.error is not None:
                    raise self.error
                preview = (
                    ValidationPreview(self.validation[0].rgb, truth, truth)
                    if self.step == 2
                    else None
                )
                left = self.plan.steps - self.step
                state = TrainingState("Training", 1.0, 0.5, preview=preview)
                yield Progress(self.step, self.plan.steps, state, left)
            self.table = ROWS
        finally:
            self.closed = True
            self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
            self.checkpoint.write_text(str(self.step))

    def save(self, name):
        path = own_file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        header = {"name": name, "base": {"name": self.base}, "what": self.plan.what}
        save_file({"x": np.zeros(1)}, path, {"napari_sam": json.dumps(header)})
        return path


@pytest.fixture
def runs(monkeypatch):
    """The runs that were made, latest last."""
    monkeypatch.setattr(FakeTuning, "hold", 0)
    monkeypatch.setattr(FakeTuning, "error", None)
    monkeypatch.setattr(FakeTuning, "go", threading.Event())
    yield (made := [])
    FakeTuning.go.set()
    del made[:]


@pytest.fixture
def make(runs):
    def make(*what):
        runs.append(FakeTuning(*what))
        return runs[-1]

    return make


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    add_field(viewer, "a", 1)
    add_field(viewer, "b", 2)
    return viewer


@pytest.fixture
def open_train(qtbot, host, make):
    def open_train(viewer, make=make):
        panel = Panel(viewer, host, make)
        close_at_end(qtbot, panel)
        panel.training.controls.choices["length"].value = 100
        return panel.training

    return open_train


@pytest.fixture
def train(open_train, viewer):
    return open_train(viewer)


@pytest.fixture
def until(qtbot):
    """Return a function that waits until something is true, also on a busy machine."""
    return lambda true: qtbot.waitUntil(true, timeout=60_000)


@pytest.fixture
def wait(until):
    """Return a function that waits until a training has ended."""
    return lambda train: until(lambda: not train.work.busy)


def field(seed, shape=(64, 80)):
    """Return a noisy picture of three bright squares and its labels."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.uint16)
    for i, (row, column) in enumerate([(8, 8), (10, 40), (36, 30)], 1):
        labels[row : row + 18, column : column + 18] = i
    return ((labels > 0) * 150 + rng.integers(0, 60, shape)).astype(np.uint8), labels


def add_field(viewer, name, seed):
    image, labels = field(seed)
    return viewer.add_image(image, name=name), viewer.add_labels(labels, name=f"{name} nuclei")


def names(train):
    return [(image.name, labels.name) for image, labels in train.controls.pairs.pairs]


def models(choice):
    return [choice.list.itemText(i) for i in range(choice.list.count())]


def checkpoint(name="cells_tiny on a"):
    return catalogue.models_folder() / "runs" / name / "checkpoint.pt"


class TestPairs:
    def test_likely_ones_are_there_and_follow_the_viewer(self, train, viewer):
        assert names(train) == [("a", "a nuclei"), ("b", "b nuclei")]
        assert train.controls.pairs.list.item(1).text() == "b  +  b nuclei"
        viewer.layers.remove("a nuclei")
        assert names(train) == [("b", "b nuclei")]
        add_field(viewer, "c", 3)
        assert names(train) == [("b", "b nuclei"), ("c", "c nuclei")]
        viewer.layers["c"].name = "d"
        assert train.controls.pairs.list.item(1).text() == "d  +  c nuclei"

    def test_add_and_remove(self, train, viewer):
        pairs = train.controls.pairs
        pairs.list.setCurrentRow(0)
        pairs.remove.click()
        assert names(train) == [("b", "b nuclei")]
        assert not pairs.add.isEnabled()
        pairs.picture.choose(viewer.layers["b"])
        pairs.labels.choose(viewer.layers["a nuclei"])
        pairs.add.click()
        pairs.add.click()
        assert names(train) == [("b", "b nuclei"), ("b", "a nuclei")]

    def test_a_picture_is_paired_once_and_its_other_labels_are_offered(self, train, viewer):
        pairs = train.controls.pairs
        assert pairs.offer.isHidden()
        other = viewer.add_labels(field(1)[1], name="a by hand")
        assert names(train) == [("a", "a nuclei"), ("b", "b nuclei")]
        assert not pairs.offer.isHidden()
        assert "'a by hand'" in pairs.offer.text()
        assert (pairs.picture.layer, pairs.labels.layer) == (viewer.layers["a"], other)
        pairs.add.click()
        assert names(train)[2:] == [("a", "a by hand")]
        assert pairs.offer.isHidden()

    def test_labels_that_were_there_before_are_offered_too(self, open_train):
        viewer = ViewerModel()
        add_field(viewer, "a", 1)
        viewer.add_labels(field(1)[1], name="old")
        train = open_train(viewer)
        assert names(train) == [("a", "a nuclei")]
        assert "'old'" in train.controls.pairs.offer.text()

    def test_another_shape_is_refused_in_words(self, train, viewer):
        pairs = train.controls.pairs
        pairs.labels.choose(viewer.add_labels(np.zeros((64, 81), int), name="wide"))
        pairs.picture.choose(viewer.layers["a"])
        pairs.add.click()
        assert len(pairs.pairs) == 2
        assert train.controls.status.text() == (
            "'a' has 64 x 80 pixels, but 'wide' has 64 x 81: a picture and its labels must have "
            "the same shape."
        )

    def test_without_any_the_way_is_shown(self, open_train):
        train = open_train(ViewerModel())
        assert not train.controls.start.isEnabled()
        assert train.controls.status.text().startswith("Add a picture and its labels")


class TestRun:
    def test_from_start_to_use(self, train, wait, runs):
        c, prompt = train.controls, train.parent().controls
        assert c.name.text() == "cells_tiny on a"
        c.start.click()
        assert not c.start.isEnabled()
        assert "Another training can start when this one has ended" in c.summary.text()
        wait(train)
        [run] = runs
        assert (run.base, run.plan) == ("cells_tiny", Plan("decoder", 100))
        assert [p.source for p in [*run.training, *run.validation]] in (["a", "b"], ["b", "a"])
        assert all(p.partial for p in run.training)
        assert c.report.curve.loss == [(n, 1.0) for n in range(1, 101)]
        assert c.report.preview.pixmap().height() > 0
        assert "IoU 0.75, before 0.60" in c.status.text()
        assert "0.75" in c.report.table.text()
        assert not checkpoint().exists()
        for choice in (c.model, prompt.model):
            assert "cells_tiny on a — yours" in models(choice)
            assert choice.name == "cells_tiny"
        c.use.click()
        assert prompt.model.name == "cells_tiny on a"
        assert train.parent().tabs.currentIndex() == 0

        assert c.name.text() == "cells_tiny on a 2"
        c.start.click()
        wait(train)
        assert len(runs) == 2
        assert "cells_tiny on a 2 — yours" in models(prompt.model)

    def test_pause_and_resume(self, train, wait, until, runs, qtbot):
        c, FakeTuning.hold = train.controls, 5
        c.start.click()
        until(lambda: train._step == 4)
        c.pause.click()
        assert c.pause.text() == "Resume"
        FakeTuning.go.set()
        until(lambda: train._step == 5)
        qtbot.wait(30)
        assert runs[0].step == 5
        assert "Paused" in c.status.text()
        c.pause.click()
        wait(train)
        assert runs[0].step == 100

    def test_it_runs_where_the_prompt_tab_says(self, train, wait, runs):
        train.parent().controls.device.setCurrentText("cpu")
        train.controls.start.click()
        wait(train)
        assert runs[0].device == "cpu"

    def test_stop_and_go_on(self, train, wait, runs, until):
        c, FakeTuning.hold = train.controls, 7
        c.start.click()
        until(lambda: train._step == 6)
        c.stop.click()
        assert not c.stop.isEnabled()
        FakeTuning.go.set()
        wait(train)
        assert runs[0].closed
        assert checkpoint().read_text() == "7"
        assert "Stopped after step 7" in c.status.text()
        assert (c.start.text(), c.anew.isHidden()) == ("Continue", False)
        c.start.click()
        wait(train)
        assert (runs[1].first, runs[1].step) == (7, 100)
        assert c.start.text() == "Start"

    def test_a_stopped_run_is_found_another_day_and_can_be_forgotten(
        self, open_train, viewer, wait, runs
    ):
        checkpoint().parent.mkdir(parents=True)
        checkpoint().write_text("40")
        train = open_train(viewer)
        assert train.controls.start.text() == "Continue"
        assert "A stopped run of this name is kept" in train.controls.status.text()
        FakeTuning.error = InputError("this is a run with other pictures")
        train.controls.start.click()
        wait(train)
        assert "other pictures. Start anew forgets the stopped run" in train.controls.status.text()
        FakeTuning.error = None
        train.controls.anew.click()
        wait(train)
        assert runs[-1].first == 0

    def test_a_stopped_run_is_saved_as_it_is(self, train, wait, runs, until):
        c, FakeTuning.hold = train.controls, 3
        c.start.click()
        until(lambda: train._step == 2)
        c.stop.click()
        FakeTuning.go.set()
        wait(train)
        c.save.click()
        wait(train)
        assert "cells_tiny on a — yours" in models(train.parent().controls.model)
        assert "Saved as 'cells_tiny on a'" in c.status.text()
        assert c.save.isHidden()
        assert not checkpoint().exists()

    def test_errors_are_plain_words_and_not_the_end(self, train, wait, runs):
        c, FakeTuning.error = train.controls, InputError("the pictures are too small")
        c.start.click()
        wait(train)
        assert c.status.text() == "The pictures are too small"
        FakeTuning.error = None
        c.start.click()
        wait(train)
        assert "Saved" in c.status.text()

    def test_a_taken_name_is_refused_at_once(self, train, runs):
        train.controls.name.setText("vit_b")
        train.start()
        assert "'vit_b' is the name of a published model" in train.controls.status.text()
        assert not train.work.busy
        assert runs == []

    def test_a_bad_pair_is_named_and_left_out(self, train, viewer, wait, runs):
        viewer.layers["b nuclei"].data = np.zeros((64, 80), np.uint16)
        train.start()
        wait(train)
        assert train.controls.report.left_out.text() == "Left out b: the labels hold no object"
        assert {p.source for p in [*runs[0].training, *runs[0].validation]} == {"a"}

    def test_a_folder(self, train, wait, runs, tmp_path, monkeypatch):
        for name in ("one", "two"):
            folder = tmp_path / "mine" / name
            folder.mkdir(parents=True)
            for stem, data in zip(("image", "labels"), field(len(name)), strict=True):
                Image.fromarray(data).save(folder / f"{stem}.png")
        (tmp_path / "mine" / "bad").mkdir()
        (tmp_path / "mine" / "bad" / "image.png").write_bytes(b"")
        monkeypatch.setattr(
            QFileDialog, "getExistingDirectory", lambda *args: str(tmp_path / "mine")
        )
        c = train.controls
        c.choices["source"].value = "folder"
        assert not c.start.isEnabled()
        c.browse.click()
        assert c.name.text() == "cells_tiny on mine"
        c.start.click()
        wait(train)
        pictures = [*runs[0].training, *runs[0].validation]
        assert sorted(p.source for p in pictures) == ["mine/one", "mine/two"]
        assert not any(p.partial for p in pictures)
        assert "Left out mine/bad" in c.report.left_out.text()


class TestClosing:
    @pytest.mark.parametrize("paused", [False, True])
    def test_a_closed_panel_stops_within_a_step(self, train, runs, until, paused):
        c, FakeTuning.hold = train.controls, 5
        c.start.click()
        until(lambda: train._step == 4)
        if paused:
            c.pause.click()
        thread = train.work._thread
        train.parent().close_panel()
        FakeTuning.go.set()
        thread.join(10)
        assert not thread.is_alive()
        assert checkpoint().read_text() == "5"

    def test_a_program_that_ends_waits_for_the_checkpoint(self, tmp_path):
        code = """
import sys
from pathlib import Path
from qtpy.QtCore import QCoreApplication
from napari_sam.training.plan import Plan
from napari_sam.widgets.train.work import TrainRequest, TrainWorker
app = QCoreApplication([])

class Run:
    def run(self):
        try:
            yield
        finally:
            print("kept")

work = TrainWorker(lambda *run: Run())
work._pictures = lambda order: ([], [])
work.progressed.connect(app.quit)
work.train(TrainRequest("mine.pt", "cpu", "new", Plan(), [], True, Path(sys.argv[1])))
work.pause()
app.exec()
"""
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            capture_output=True, text=True, env=environment, timeout=60, check=True,
        )  # fmt: skip
        assert done.stdout == "kept\n"
        assert done.stderr == ""

    def test_one_training_at_a_time(self, viewer, host, make, runs, qtbot, wait):
        window, FakeTuning.hold = QMainWindow(), 2
        qtbot.addWidget(window)
        other = ViewerModel()
        other.layers.extend(viewer.layers)
        first, second = Panel(viewer, host, make), Panel(other, host, make)
        window.setCentralWidget(first)
        first.training.start()
        second.training.start()
        assert "The panel of another window is training" in second.training.controls.status.text()
        assert not second.training.work.busy
        FakeTuning.go.set()
        wait(first.training)
        second.close_panel()
        first.close_panel()


def test_keys_of_annotating_sleep_in_this_tab_only(train):
    panel = train.parent()
    panel.show()
    count = len(panel.keys.shortcuts)
    assert count > 0
    for index in range(panel.tabs.count()):
        panel.tabs.setCurrentIndex(index)
        awake = panel.tabs.tabText(index) != "Train"
        assert len(panel.keys.shortcuts) == count * awake
        panel.hide()
        panel.show()
        assert len(panel.keys.shortcuts) == count * awake


def test_words():
    worse = [{"measure": "1 click", "before": 0.8, "after": 0.7}]
    assert "worse now: IoU 0.70, before 0.80" in result("new", worse)
    assert "not better" in result("new", [{"measure": "1 click", "before": 0.8, "after": 0.801}])
    assert "no pictures left to measure" in result("new", [])
    assert "Auto" not in result("new", worse)
    found = {"measure": "Everything (F1)", "before": 0.4, "after": 0.62}
    assert "Auto finds more now: F1 0.62, before 0.40. Saved" in result("new", [*worse, found])
    assert "as much as before" in result("new", [*worse, found | {"after": 0.4}])
    assert "one processor core" in effort("cells_tiny", Plan(), 2)
    assert effort("no such model", Plan(), 2) == ""


def test_a_real_run(open_train, viewer, wait, monkeypatch):
    monkeypatch.setattr("napari_sam.training.finetune.views_for", lambda config, pictures: 4)
    train = open_train(viewer, make=None)
    c = train.controls
    c.choices["length"].native.setItemData(0, 2)
    c.start.click()
    wait(train)
    assert "Saved as 'cells_tiny on a'" in c.status.text(), c.status.text()
    assert [step for step, _ in c.report.curve.loss] == [1, 2]
    assert [step for step, _ in c.report.curve.validation] == [0, 1, 2]
    assert c.report.table.text().count("<tr>") == 5  # three of prompts, and F1 of everything
    assert own_file("another").parent.joinpath("cells_tiny on a.safetensors").exists()
