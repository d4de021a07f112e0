"""The training tab: what is chosen becomes an order; what comes back is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.components import ViewerModel
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_sam.errors import InputError
from napari_sam.training.plan import Plan
from napari_sam.widgets.train.controls import TrainControls
from napari_sam.widgets.train.wording import Rows, effort, result, summary, where
from napari_sam.widgets.train.work import Arrays, Make, Order, TrainWork
from napari_sam.zoo import catalogue
from napari_sam.zoo.own_models import free_name, own_file

if TYPE_CHECKING:
    from napari_sam.progress import Progress
    from napari_sam.training.finetune import TrainingState

__all__ = ["Training"]

SHORT = 100  # steps; a loop of annotating waits for them
UNREAD = 24  # pictures that a folder is taken to hold for the estimate; more take no longer
NO_LAYERS = (
    "Add a picture and its labels: a few well-labelled objects are enough to begin with. "
    "Labels that you make in the Prompt tab are listed here, too."
)
NO_FOLDER = "Choose a folder of samples: each is a folder with an image and a labels file."
KEPT = (
    "A stopped run of this name is kept. Continue goes on where it was, with the same pictures "
    "and settings; Start anew forgets it."
)
FORGET = "Start anew forgets the stopped run of this name; another name leaves it alone."
ELSEWHERE = "The panel of another window is training; one training at a time."


class Training(QObject):
    """One panel's trainings.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers can be learned from.
    make : callable, optional
        See `TrainWork`.
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
        self.work = TrainWork(make, self)
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
        self.advise()

    def follow(self, annotation: object) -> None:
        """Train whatever is annotated."""

    def close(self) -> None:
        """End all work; a run's checkpoint is kept."""
        self.work.close()
        self.controls.pairs.disconnect_viewer()

    def refresh(self) -> None:
        """Enable what can be done now, and say how long it would take."""
        c, busy = self.controls, self.work.busy
        if not self._named:
            c.name.setText(free_name(f"{Path(c.model.name).name} on {self._topic()}"))
        kept = not busy and self._kept() is not None
        c.choices.setVisible(not busy)
        c.summary.setVisible(busy)
        c.start.setEnabled(not busy and not self._missing())
        c.start.setText("Continue" if kept else "Start")
        c.anew.setVisible(kept)
        for button in (c.pause, c.stop):
            button.setVisible(busy)
        c.pause.setText("Resume" if self._paused else "Pause")
        pictures = len(c.pairs.pairs) if c.from_layers else UNREAD
        text = effort(c.model.name, self._plan(), max(pictures, 1))
        c.effort.setText(text)
        c.effort.setVisible(bool(text))

    def advise(self) -> None:
        """Say what to do next."""
        self._say(self._missing() or (KEPT if self._kept() else "Ready: press Start."))

    def start(self) -> None:
        """Start, or go on with the run of this name."""
        c = self.controls
        if self.work.busy or self._missing():
            return
        plan, name = self._plan(), c.name.text().strip()
        data = c.pairs.arrays() if c.from_layers else Path(c.folder.text()).expanduser()
        try:
            self._begin(c.model.name, name, plan, data, c.partial.isChecked())
        except InputError as error:
            self._say(error)

    def teach(self, base: str, topic: str, image: Any, labels: Any) -> None:
        """Train a short run, decoder only, on labels of which not every object is there.

        Parameters
        ----------
        base : str
            Name of the model to begin with, or the path of a file.
        topic : str
            What the pictures are called, for the new model's name.
        image, labels : array-like
            As in `Arrays`.

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
            if self._kept() is None:  # a stopped run stays for whoever wants to go on with it
                break
        self._begin(base, name, Plan(steps=SHORT), [(topic, image, labels)], partial=True)

    def _begin(
        self, base: str, name: str, plan: Plan, data: Sequence[Arrays] | Path, partial: bool
    ) -> None:
        c = self.controls
        if self._busy_elsewhere():
            raise InputError(ELSEWHERE)
        folder = self._folder()
        order = Order(base, self._device(), name, plan, data, partial, folder)
        c.use.hide()
        c.save.hide()
        self._goes_on = self._kept() is not None
        if folder != self._run or not self._goes_on:
            c.outcome.clear(plan.steps)
        c.outcome.left_out.clear()
        c.summary.setText(summary(name, order.base, plan))
        self._run, self._step, self._paused = folder, 0, False
        self._named = True  # the name stays with its run, whatever becomes of the layers
        self._say("Starting…")
        self.work.train(order)
        self.refresh()

    def start_anew(self) -> None:
        """Forget the stopped run of this name and start."""
        kept = self._kept()
        if kept is not None:
            kept.unlink()
        self.start()

    def pause(self) -> None:
        """Hold the run, or let it go on."""
        self._paused = not self._paused
        if self._paused:
            self.work.pause()
            self._say(f"Paused after step {self._step}.")
        else:
            self.work.resume()
            self._say("Going on…")
        self.refresh()

    def stop(self) -> None:
        """End the run after the step it does now."""
        self.controls.stop.setEnabled(False)
        self.controls.pause.setEnabled(False)
        self._say("Stopping after this step…")
        self.work.stop()

    def save(self) -> None:
        """Save the stopped run as it is."""
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
        c.browse.clicked.connect(self._browse)
        c.name.textEdited.connect(self._take_name)
        c.model.download_wanted.connect(self._download)
        c.pairs.refused.connect(self._say)
        c.source.currentIndexChanged.connect(self._take_source)
        for signal in (
            c.pairs.changed,
            c.folder.textChanged,
            c.model.chosen,
            c.what.currentIndexChanged,
            c.length.currentIndexChanged,
        ):
            signal.connect(self._changed)
        work.reported.connect(self._show_report)
        work.left_out.connect(c.outcome.leave_out)
        work.progressed.connect(self._show_progress)
        work.saved.connect(self._show_result)
        work.stopped.connect(self._show_stopped)
        work.failed.connect(self._show_failure)
        work.ended.connect(self._end)

    def _changed(self) -> None:
        self.refresh()
        if not self.work.busy:
            self.advise()

    def _take_source(self) -> None:
        self.controls.partial.setChecked(self.controls.from_layers)
        self._changed()

    def _take_name(self, text: str) -> None:
        self._named = bool(text.strip())
        self._changed()

    def _browse(self) -> None:
        answer = QFileDialog.getExistingDirectory(self.controls, "A folder of samples")
        if answer:
            self.controls.folder.setText(answer)

    def _download(self) -> None:
        if not self.work.busy:
            self.work.download(self.controls.model.name)
            self.refresh()

    def _show_report(self, what: str, done: int, total: int) -> None:
        self.controls.outcome.fill_bar(done, total)
        amount = f": {done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else ""
        if not self._paused:
            self._say(f"{what}{amount}…")

    def _show_progress(self, progress: Progress[TrainingState]) -> None:
        self.controls.outcome.take(progress)
        if progress.result.phase == "Training":
            self._step = int(progress.done)
        if not self._paused and self.controls.stop.isEnabled():
            self._say(where(progress))

    def _show_result(self, name: str, rows: Rows) -> None:
        self._new, self._named, self._step = name, False, 0
        self._say(result(name, rows))
        self.controls.outcome.compare(rows)
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
        c.outcome.bar.hide()
        c.pause.setEnabled(True)
        c.stop.setEnabled(True)
        c.model.refresh()
        self._paused = False
        self.refresh()

    def _say(self, text: object) -> None:
        words = str(text) or type(text).__name__
        self.controls.status.setText(words[:1].upper() + words[1:])

    def _plan(self) -> Plan:
        c = self.controls
        return Plan(c.what.currentData(), c.length.currentData())

    def _topic(self) -> str:
        """Return what is learned from, for the new model's name."""
        c = self.controls
        if not c.from_layers:
            return Path(c.folder.text()).name or "a folder"
        return c.pairs.pairs[0][0].name if c.pairs.pairs else "my pictures"

    def _missing(self) -> str:
        """Return what is needed before a run can start."""
        c = self.controls
        if c.from_layers:
            return "" if c.pairs.pairs else NO_LAYERS
        return "" if c.folder.text().strip() else NO_FOLDER

    def _folder(self) -> Path:
        """Return where the run is kept; raise InputError if the name is no good."""
        return catalogue.models_folder() / "runs" / own_file(self.controls.name.text()).stem

    def _kept(self) -> Path | None:
        """Return the checkpoint of a stopped run of this name."""
        try:
            file = self._folder() / "checkpoint.pt"
        except InputError:
            return None
        return file if file.is_file() else None
