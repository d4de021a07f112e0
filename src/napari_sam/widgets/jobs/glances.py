"""Predictions that nobody has asked for yet: one at a time, after every click, dropped when old."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future

from qtpy.QtCore import QObject

from napari_sam.prompts import Prompts
from napari_sam.results import Prediction
from napari_sam.serving.host import HostedModel
from napari_sam.serving.segmenter import StoredSegmenter
from napari_sam.widgets.jobs.background import Watcher
from napari_sam.widgets.jobs.plane import EmbeddedPlane

__all__ = ["Glances"]

Then = Callable[[Prediction, float], object]  # what came, after so many seconds of the model
Answer = tuple[Prediction, float] | None


class Glances(QObject):
    """Asks what a click would give, on planes, or tiles of large ones, that are embedded already.

    One question is under way at most; of those that come meanwhile the newest waits. In the model's
    thread a prompt goes before each of them.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._results = Watcher(self)
        self._running: Future[Answer] | None = None
        self._then: Then | None = None  # None if nobody wants the running one's answer any more
        self._next: tuple[HostedModel, EmbeddedPlane, Prompts, Then] | None = None

    @property
    def busy(self) -> bool:
        """True while a question is under way."""
        return self._running is not None

    def ask(self, model: HostedModel, plane: EmbeddedPlane, prompts: Prompts, then: Then) -> None:
        """Call `then` with the answer, unless another question replaces this one.

        Nothing comes where the plane is not embedded, or the model fails: a click will tell.
        """
        if self._running is not None:
            self._then, self._next = None, (model, plane, prompts, then)
            return

        def look(segmenter: StoredSegmenter) -> Answer:
            embedding = plane.at_hand(segmenter)
            if embedding is None:
                return None
            begin = time.perf_counter()
            prediction = segmenter.predict(embedding, prompts, _not_now)
            return prediction, time.perf_counter() - begin

        self._then = then
        future = model.submit(look, lambda *_: None, glance=True)
        self._running = self._results.watch(future, self._take)

    def forget(self) -> None:
        """Drop all questions."""
        self._then = self._next = None
        if self._running is not None:
            self._running.cancel()

    def close(self) -> None:
        """Drop all questions for good."""
        self.forget()
        self._results.close()

    def _take(self, future: Future[Answer]) -> None:
        self._running, then = None, self._then
        if self._next is not None:
            waiting, self._next = self._next, None
            self.ask(*waiting)
        elif then is not None and not future.cancelled() and future.exception() is None:
            answer = future.result()
            if answer is not None:
                then(*answer)


def _not_now() -> None:
    """Refuse to embed anything; a click will do that."""
    raise CancelledError
