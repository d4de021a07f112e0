"""The tab Train: starts fine-tuning from the chosen options, and shows its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from napari.components import ViewerModel
from numpy.typing import ArrayLike
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_sam.errors import InputError
from napari_sam.training.plan import Plan
from napari_sam.widgets.train.controls import TrainControls
from napari_sam.widgets.train.wording import Rows, progress_text, result, summary
from napari_sam.widgets.train.work import (
    Make,
    NamedPair,
    TrainRequest,
    TrainWorker,
    run_folder,
    stopped_run,
)
from napari_sam.zoo.own_models import free_name, own_file

if TYPE_CHECKING:
    from napari_sam.progress import Progress
    from napari_sam.training.finetune import TrainingState

__all__ = ["TrainTab"]

SHORT = 100  # steps; somebody who annotates waits for them
KEPT = (
    "A stopped run of this name is kept. Continue goes on where it was, with the same pictures "
    "and settings; Start anew forgets it."
)
FORGET = "Start anew forgets the stopped run of this name; another name leaves it alone."
ELSEWHERE = "The panel of another window is training; one training at a time."


class TrainTab(QObject):
    """Fine-tunes models on the layers of one panel's viewer, or on a folder of samples.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers can be learned from.
    make : callable, optional
        See `TrainWorker`.
    busy_elsewhere : callable, optional
        Tells whether another panel is training.
    device : callable, optional
        Tells where to train.
    """

    trained = Signal()  # there is a new model
    use_wanted = Signal(str)  # the name of the model to use

    def __init__(
        self,
        viewer: ViewerModel,
        parent: QWidget,
        make: Make | None = None,
        busy_elsewhere: Callable[[], bool] = lambda: False,
        device: Callable[[], str] = lambda: "auto",
    ) -> None:
        super().__init__(parent)
        self.controls = TrainControls(viewer)
        self.work = TrainWorker(make, self)
        self._busy_elsewhere = busy_elsewhere
        self._device = device
        self._named = False  # by the user
        self._new = ""  # the name of the latest new model
        self._run = Path()  # the folder of the latest run
        self._step = 0  # of that run
        self._paused = False
        self._goes_on = False  # from a stopped run
        self._connect()
        self.controls.use.hide()
        self.controls.save.hide()
        self.refresh()
        self._advise()

    def follow(self, annotation: object) -> None:
        """Do nothing: training does not depend on the annotation."""

    def close(self) -> None:
        """Stop all work; the checkpoint of a run is kept."""
        self.work.close()
        self.controls.pairs.disconnect_viewer()

    def refresh(self) -> None:
        """Update the widgets, with the estimated time."""
        c, busy = self.controls, self.work.busy
        if not self._named:
            c.name.setText(free_name(f"{Path(c.model.name).name} on {c.topic}"))
            c.name.setCursorPosition(0)  # a long one is seen from its beginning
        kept = not busy and stopped_run(c.name.text()) is not None
        c.asked.setVisible(not busy)
        c.summary.setVisible(busy)
        c.start.setEnabled(not busy and not self.controls.missing)
        c.start.setText("Continue" if kept else "Start")
        c.anew.setVisible(kept)
        for button in (c.pause, c.stop):
            button.setVisible(busy)
        c.pause.setText("Resume" if self._paused else "Pause")
        c.show_effort()

    def _advise(self) -> None:
        """Say what to do next."""
        kept = stopped_run(self.controls.name.text())
        self._say(self.controls.missing or (KEPT if kept else "Ready: press Start."))

    def start(self) -> None:
        """Start a run, or resume the stopped run of this name."""
        c = self.controls
        if self.work.busy or self.controls.missing:
            return
        plan, name = c.plan, c.name.text().strip()
        data = c.pairs.arrays() if c.from_layers else Path(c.folder.text()).expanduser()
        try:
            self._begin(c.model.name, name, plan, data, c.choices["partial"].value)
        except InputError as error:
            self._say(error)

    def start_short(self, base: str, topic: str, image: ArrayLike, labels: ArrayLike) -> None:
        """Start a short run of the decoder on partially labelled data.

        Parameters
        ----------
        base : str
            Name of the model to begin with, or the path of a file.
        topic : str
            What the pictures are called, for the new model's name.
        image, labels : array-like
            Of one slice or a stack; the last two axes of both are rows and columns.

        Raises
        ------
        InputError
            If a training is under way.
        """
        if self.work.busy:
            raise InputError("a training is under way; stop it in the tab Train first")
        stem = f"{Path(base).name.split(' on ')[0]} on {topic}"
        for number in count(1):
            name = free_name(stem if number == 1 else f"{stem} {number}")
            self.controls.name.setText(name)
            if stopped_run(name) is None:  # else whoever stopped it may want to go on
                break
        self._begin(base, name, Plan(steps=SHORT), [(topic, image, labels)], partial=True)

    def _begin(
        self, base: str, name: str, plan: Plan, data: Sequence[NamedPair] | Path, partial: bool
    ) -> None:
        c = self.controls
        if self._busy_elsewhere():
            raise InputError(ELSEWHERE)
        folder = run_folder(name)
        request = TrainRequest(base, self._device(), name, plan, data, partial, folder)
        c.use.hide()
        c.save.hide()
        self._goes_on = stopped_run(name) is not None
        if folder != self._run or not self._goes_on:
            c.report.clear(plan.steps)
        c.report.left_out.clear()
        c.summary.setText(summary(name, base, plan))
        self._run, self._step, self._paused = folder, 0, False
        self._named = True  # the name stays with its run, whatever becomes of the layers
        self._say("Starting…")
        self.work.train(request)
        self.refresh()

    def start_anew(self) -> None:
        """Discard the stopped run of this name, and start anew."""
        kept = stopped_run(self.controls.name.text())
        if kept is not None:
            kept.unlink()
        self.start()

    def pause(self) -> None:
        """Pause the run, or resume it."""
        self._paused = not self._paused
        if self._paused:
            self.work.pause()
            self._say(f"Paused after step {self._step}.")
        else:
            self.work.resume()
            self._say("Going on…")
        self.refresh()

    def stop(self) -> None:
        """Stop the run after the current step."""
        self.controls.stop.setEnabled(False)
        self.controls.pause.setEnabled(False)
        self._say("Stopping after this step…")
        self.work.stop()

    def save(self) -> None:
        """Save the model of the stopped run."""
        try:
            own_file(self.controls.name.text())
        except InputError as error:
            self._say(error)
            return
        self.controls.save.hide()
        self.work.save(self.controls.name.text().strip())
        self.refresh()

    def _connect(self) -> None:
        c, work = self.controls, self.work
        c.start.clicked.connect(self.start)
        c.anew.clicked.connect(self.start_anew)
        c.pause.clicked.connect(self.pause)
        c.stop.clicked.connect(self.stop)
        c.save.clicked.connect(self.save)
        c.use.clicked.connect(lambda: self.use_wanted.emit(self._new))
        c.name.textEdited.connect(self._take_name)
        c.model.download_wanted.connect(self._download)
        c.pairs.refused.connect(self._say)
        c.choices.changed.connect(self._take_choice)
        for signal in (c.pairs.changed, c.folder.textChanged, c.model.chosen):
            signal.connect(self._changed)
        work.reported.connect(self._show_report)
        work.left_out.connect(c.report.leave_out)
        work.progressed.connect(self._show_progress)
        work.saved.connect(self._show_result)
        work.stopped.connect(self._show_stopped)
        work.failed.connect(self._show_failure)
        work.ended.connect(self._end)

    def _changed(self) -> None:
        self.refresh()
        if not self.work.busy:
            self._advise()

    def _take_choice(self, name: str) -> None:
        if name == "source":
            self.controls.choices.put({"partial": self.controls.from_layers})
        if name in ("source", "what", "length"):
            self._changed()

    def _take_name(self, text: str) -> None:
        self._named = bool(text.strip())
        self._changed()

    def _download(self) -> None:
        if not self.work.busy:
            self.work.download(self.controls.model.name)
            self.refresh()

    def _show_report(self, what: str, done: int, total: int) -> None:
        self.controls.report.fill_bar(done, total)
        amount = f": {done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else ""
        if not self._paused:
            self._say(f"{what}{amount}…")

    def _show_progress(self, progress: Progress[TrainingState]) -> None:
        self.controls.report.take(progress)
        if progress.result.phase == "Training":
            self._step = int(progress.done)
        if not self._paused and self.controls.stop.isEnabled():
            self._say(progress_text(progress))

    def _show_result(self, name: str, rows: Rows) -> None:
        self._new, self._named, self._step = name, False, 0
        self._say(result(name, rows))
        self.controls.report.compare(rows)
        self.controls.use.show()
        self.trained.emit()

    def _show_stopped(self) -> None:
        if self._step:
            self._say(
                f"Stopped after step {self._step}. Continue goes on from there, also another day; "
                "Save as it is makes a model of what has been learned so far."
            )
            self.controls.save.show()
        else:
            self._say("Stopped before the first step.")

    def _show_failure(self, error: BaseException) -> None:
        unfit = self._goes_on and self._step == 0
        self._say(f"{error}. {FORGET}" if unfit else error)
        self.controls.save.setVisible(self._step > 0)

    def _end(self) -> None:
        c = self.controls
        c.report.bar.hide()
        c.pause.setEnabled(True)
        c.stop.setEnabled(True)
        c.model.refresh()
        self._paused = False
        self.refresh()

    def _say(self, text: object) -> None:
        words = str(text) or type(text).__name__
        self.controls.status.setText(words[:1].upper() + words[1:])
