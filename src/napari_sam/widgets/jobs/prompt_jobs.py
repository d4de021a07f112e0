"""Job queue of length one for the model's thread; a new job replaces the waiting one."""

from __future__ import annotations

import time
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass

from qtpy.QtCore import QObject, Signal

from napari_sam.results import Prediction
from napari_sam.serving.host import HostedModel
from napari_sam.serving.segmenter import StoredSegmenter
from napari_sam.session.draft import Request
from napari_sam.widgets.jobs.background import Watcher
from napari_sam.widgets.jobs.plane import EmbeddedPlane

__all__ = ["PromptAnswer", "PromptJob", "PromptJobs"]


@dataclass(frozen=True, eq=False)
class PromptJob:
    """A job: load the model, embed a plane if given, and predict a mask if prompts are given."""

    plane: EmbeddedPlane | None = None
    request: Request | None = None


@dataclass(frozen=True, eq=False)
class PromptAnswer:
    """Result of a job, with its duration, that of the decoder alone, and its device."""

    request: Request | None
    prediction: Prediction | None
    seconds: float
    decoding: float | None
    device: str
    devices: tuple[str, ...]


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
        plane = job.plane if job.request is None else None

        def pause() -> None:
            waiting = self._waiting
            other = plane is not None and waiting is not None and waiting[1].plane is not plane
            if other or self._results.closed:
                raise CancelledError  # the user has gone on to something else

        def run(segmenter: StoredSegmenter) -> PromptAnswer:
            start = time.perf_counter()
            prediction = decoding = None
            if job.plane is not None:
                embedding = job.plane.embedding(segmenter, self._report, pause)
                if job.request is not None:
                    self._report("Predicting", 0, 0)
                    begin = time.perf_counter()
                    prediction = job.request.run(segmenter, embedding)
                    decoding = time.perf_counter() - begin
                    job.plane.check()  # what was changed meanwhile makes the answer an old one
            seconds = time.perf_counter() - start
            return PromptAnswer(
                job.request, prediction, seconds, decoding, segmenter.device, segmenter.devices
            )

        self._running = self._results.watch(model.submit(run, self._report), self._take)

    def forget(self) -> None:
        """Drop the waiting job."""
        self._waiting = None

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
