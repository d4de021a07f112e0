"""Job queue of length one for the model's thread; a new job replaces the waiting one."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from threading import Event

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_sam.results import Prediction
from napari_sam.serving.host import HostedModel
from napari_sam.serving.segmenter import StoredSegmenter
from napari_sam.session.draft import Request
from napari_sam.widgets.jobs.background import Watcher
from napari_sam.widgets.jobs.plane import PREPARING, EmbeddedPlane

__all__ = ["PromptAnswer", "PromptJob", "PromptJobs"]

STEP = 20  # thousandths of an embedding between two reports


@dataclass(frozen=True, eq=False)
class PromptJob:
    """A job: load the model, embed a plane if given, and predict a mask if prompts are given.

    `tidy` makes of a prediction what is shown.
    """

    plane: EmbeddedPlane | None = None
    request: Request | None = None
    tidy: Callable[[Prediction], Prediction] | None = None


@dataclass(frozen=True, eq=False)
class PromptAnswer:
    """Result of a job, with its duration, its device, and what is new of the model."""

    request: Request | None
    prediction: Prediction | None
    seconds: float
    device: str
    devices: tuple[str, ...]
    news: str = ""


class PromptJobs(QObject):
    """Job queue of one panel; results are emitted in the GUI thread."""

    answered = Signal(object)  # PromptAnswer
    failed = Signal(object)  # the exception
    reported = Signal(str, int, int)  # what is being done, how much of it, of how much
    idle = Signal()
    _heard = Signal(str, int, int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: Future[PromptAnswer] | None = None
        self._waiting: tuple[HostedModel, PromptJob] | None = None
        self._asked: Request | None = None  # by the job that runs
        self._cancelled = Event()  # of that job
        self._results = Watcher(self)
        self._heard.connect(self._tell_progress)

    @property
    def busy(self) -> bool:
        """True while a job runs."""
        return self._running is not None

    def submit(self, model: HostedModel, job: PromptJob) -> None:
        """Run a job after the running one; it replaces any waiting job.

        A question that is being answered is not asked again.
        """
        if self._running is not None:
            again = job.request is not None and job.request is self._asked
            self._waiting = None if again else (model, job)
            return
        self._asked = job.request
        self._cancelled = cancelled = Event()
        plane = job.plane if job.request is None else None

        def report(what: str, done: int, total: int) -> None:
            if cancelled.is_set():
                raise CancelledError
            self._report(what, done, total)

        def pause() -> None:
            waiting = self._waiting
            other = plane is not None and waiting is not None and waiting[1].plane is not plane
            if other or cancelled.is_set() or self._results.closed:
                raise CancelledError  # the user has gone on to something else

        def run(segmenter: StoredSegmenter) -> PromptAnswer:
            start = time.perf_counter()
            prediction = None
            if job.plane is not None:
                told = _EmbeddingProgress(segmenter, job.plane, pause, report)
                embedding = job.plane.embedding(segmenter, report, told.pause)
                if job.request is not None:
                    report("Predicting", 0, 0)
                    prediction = job.request.run(segmenter, embedding, told.pause)
                    prediction = prediction if job.tidy is None else job.tidy(prediction)
                    job.plane.look_below(prediction)
                    job.plane.check()  # what was changed meanwhile makes the answer an old one
            seconds = time.perf_counter() - start
            ran_on = segmenter.device, segmenter.devices
            return PromptAnswer(job.request, prediction, seconds, *ran_on, segmenter.news())

        self._running = self._results.watch(model.submit(run, report), self._take)

    def forget(self) -> None:
        """Drop the waiting job."""
        self._waiting = None

    def cancel(self) -> None:
        """Stop the running job at its next report or pause, and drop the waiting one."""
        self._waiting = None
        self._asked = None
        self._cancelled.set()

    def close(self) -> None:
        """Shut down: a download stops at its next report, and no result is emitted."""
        self._waiting = None
        self._results.close()
        if self._running is not None:
            self._running.cancel()

    def _report(self, what: str, done: int, total: int) -> None:
        if self._results.closed:
            raise CancelledError
        self._heard.emit(what, done, total)

    def _tell_progress(self, what: str, done: int, total: int) -> None:
        if not self._results.closed:
            self.reported.emit(what, done, total)

    def _take(self, future: Future[PromptAnswer]) -> None:
        self._running = None
        if self._waiting is not None:
            model, job = self._waiting
            self._waiting = None
            self.submit(model, job)
        error = future.exception()
        if isinstance(error, CancelledError):
            pass  # what took its place will answer
        elif error is None:
            self.answered.emit(future.result())
        else:
            self.failed.emit(error)
        if self._running is None:
            self.idle.emit()


class _EmbeddingProgress:
    """Pause that also reports how much of an embedding is done, in thousandths."""

    def __init__(
        self,
        segmenter: StoredSegmenter,
        plane: EmbeddedPlane,
        pause: Callable[[], None],
        report: Callable[[str, int, int], None],
    ) -> None:
        self._segmenter, self._plane = segmenter, plane
        self._pause, self._report = pause, report
        self._calls = self._told = 0
        self._work: NDArray[np.float64] | None = None  # when the picture is read

    def pause(self) -> None:
        self._pause()
        if self._work is None:
            height, width = self._plane.pixels.shape[:2]
            self._work = self._segmenter.work((height, width))
        done = int(1000 * self._work[min(self._calls, len(self._work) - 1)])
        self._calls += 1
        if done >= self._told + STEP:
            self._told = done
            self._report(PREPARING, done, 1000)
