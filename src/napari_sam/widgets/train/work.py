"""Worker that fine-tunes a model in a background thread, with signals to the GUI thread."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike
from qtpy.QtCore import QObject, Signal

from napari_sam.errors import InputError
from napari_sam.training.plan import Plan
from napari_sam.zoo import catalogue
from napari_sam.zoo.own_models import own_file

if TYPE_CHECKING:
    from napari_sam.data.samples import LabelledImage
    from napari_sam.progress import Progress
    from napari_sam.training.finetune import TrainingState

__all__ = [
    "Make",
    "NamedPair",
    "TrainRequest",
    "TrainWorker",
    "Tuning",
    "run_folder",
    "stopped_run",
]


NamedPair = tuple[str, ArrayLike, ArrayLike]
"""Name, image and labels of a pair of layers; they may be dask or zarr."""


@dataclass(frozen=True, eq=False)
class TrainRequest:
    """Base model, training plan, data, and run folder."""

    base: str  # name of a model, or the path of a file
    device: str
    name: str  # of the new model
    plan: Plan
    data: Sequence[NamedPair] | Path  # pairs of layers, or a folder of samples
    partial: bool  # only some of the objects are labelled
    folder: Path  # of the run; a checkpoint in it is resumed


class Tuning(Protocol):
    """Protocol of `napari_sam.training.finetune.FineTuning`."""

    table: list[dict[str, float | str]]

    def run(self) -> Iterator[Progress[TrainingState]]:
        """Train, and yield the progress."""
        ...

    def save(self, name: str) -> Path:
        """Write the new model to a file."""
        ...


Make = Callable[..., Tuning]
"""Called like `FineTuning`, but with the base model's name and the device."""


class TrainWorker(QObject):
    """Background thread for one panel's training runs; it exists only while a task runs.

    Parameters
    ----------
    make : callable, optional
        Makes the run; by default it loads the base model and returns a `FineTuning`.
    """

    reported = Signal(str, int, int)  # what is being done before the run, how much, of how much
    left_out = Signal(str, str)  # a sample that cannot be used, and why
    progressed = Signal(object)  # Progress
    saved = Signal(str, object)  # the new model's name, and the table
    stopped = Signal()
    failed = Signal(object)  # the exception
    ended = Signal()  # after any of the three

    def __init__(self, make: Make | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make = make or _fine_tuning
        self._thread: threading.Thread | None = None
        self._tuning: Tuning | None = None
        self._checkpoint = Path()
        self._lock = threading.Lock()
        self._going = threading.Event()
        self._stopping = self._closed = False
        self.ended.connect(self._forget_thread)

    @property
    def busy(self) -> bool:
        """True until `ended` is emitted."""
        return self._thread is not None

    def train(self, request: TrainRequest) -> None:
        """Start a run, or resume a stopped one."""
        self._start(lambda: self._train(request))

    def save(self, name: str) -> None:
        """Save the model of the stopped run."""
        self._start(lambda: self._save(name))

    def download(self, name: str) -> None:
        """Download a model of the zoo."""
        self._start(lambda: self._fetch(name))

    def pause(self) -> None:
        """Pause the run after the current step."""
        self._going.clear()

    def resume(self) -> None:
        """Resume the run."""
        self._going.set()

    def stop(self) -> None:
        """Stop the run after the current step; its checkpoint is kept."""
        self._stopping = True
        self._going.set()

    def close(self) -> None:
        """Stop without any further signal."""
        with self._lock:
            self._closed = True
        self.stop()

    def _start(self, job: Callable[[], None]) -> None:
        self._stopping = False
        self._going.set()
        # A daemon, because Python would wait for others before it asks anybody to stop them.
        self._thread = threading.Thread(
            target=self._do, args=(job,), name="napari-sam training", daemon=True
        )
        atexit.register(self._leave)
        self._thread.start()

    def _leave(self) -> None:
        """Stop when the program ends, and wait for the checkpoint."""
        self.close()
        if self._thread is not None:
            self._thread.join()

    def _do(self, job: Callable[[], None]) -> None:
        try:
            job()
        except CancelledError:
            self._tell("stopped")
        except BaseException as error:
            self._tell("failed", error)
        self._tell("ended")
        atexit.unregister(self._leave)

    def _tell(self, signal: str, *what: object) -> None:
        with self._lock:  # Qt's half of us may be deleted once we are closed
            if not self._closed:
                getattr(self, signal).emit(*what)

    def _forget_thread(self) -> None:
        self._thread = None

    def _train(self, request: TrainRequest) -> None:
        self._tuning = None  # first, so that two models are never in memory at once
        self._fetch(request.base)
        training, validation = self._pictures(request)
        self._report("Loading the base model")
        what = request.base, request.device, training, validation, request.plan, request.folder
        tuning = self._make(*what)
        steps = tuning.run()
        self._tuning, self._checkpoint = tuning, request.folder / "checkpoint.pt"
        try:
            for progress in steps:
                self._tell("progressed", progress)
                self._going.wait()
                if self._stopping:
                    raise CancelledError
        finally:
            steps.close()  # type: ignore[attr-defined]
        self._save(request.name)

    def _save(self, name: str) -> None:
        if self._tuning is None:
            raise InputError("there is no run to save")
        self._report("Saving")
        self._tuning.save(name)
        table, self._tuning = self._tuning.table, None
        self._checkpoint.unlink(missing_ok=True)  # the name is taken now: it cannot go on
        self._tell("saved", name, table)

    def _fetch(self, name: str) -> None:
        if name in catalogue.entries():
            catalogue.fetch(
                name, lambda done, total: self._report(f"Downloading {name}", done, total)
            )

    def _pictures(self, request: TrainRequest) -> tuple[list[LabelledImage], list[LabelledImage]]:
        """Return pictures to learn from and to measure on."""
        from napari_sam.data.samples import images_from_arrays, load_images
        from napari_sam.data.split import hold_out

        self._report("Reading the pictures")
        if isinstance(request.data, Path):
            found = load_images(request.data, partial=request.partial, on_bad=self._leave_out)
            return hold_out(found, seed=request.plan.seed)
        found = []
        for name, image, labels in request.data:
            try:
                found += images_from_arrays(
                    name, np.asarray(image), np.asarray(labels), partial=request.partial
                )
            except Exception as error:  # lazy data can fail in any way
                self._leave_out(name, str(error) or type(error).__name__)
        if not found:
            raise InputError("none of the pictures can be used")
        return hold_out(found, seed=request.plan.seed)

    def _leave_out(self, source: str, reason: str) -> None:
        self._report("Reading the pictures")
        self._tell("left_out", source, reason)

    def _report(self, what: str, done: int = 0, total: int = 0) -> None:
        if self._stopping:
            raise CancelledError
        self._tell("reported", what, done, total)


def _fine_tuning(base: str, device: str, *run: Any) -> Tuning:
    from napari_sam.model.load import load_model
    from napari_sam.training.finetune import FineTuning

    return FineTuning(load_model(base, device), *run)


def run_folder(name: str) -> Path:
    """Return the folder of a new model's run.

    Raises
    ------
    InputError
        If the name is no good.
    """
    return catalogue.models_folder() / "runs" / own_file(name).stem


def stopped_run(name: str) -> Path | None:
    """Return the checkpoint of a stopped run of this name, or None."""
    try:
        file = run_folder(name) / "checkpoint.pt"
    except InputError:
        return None
    return file if file.is_file() else None
