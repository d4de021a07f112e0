"""Cancellable work for the model's thread, one piece (slice) at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from functools import partial
from typing import NamedTuple

from qtpy.QtCore import QObject, Signal

from napari_sam.serving.host import HostedModel
from napari_sam.serving.segmenter import StoredSegmenter
from napari_sam.widgets.jobs.background import Watcher

__all__ = ["Piece", "Piecework"]

Piece = Callable[[StoredSegmenter, Callable[[], None]], object]
"""Takes the segmenter and what is to be called now and then; what it raises ends the piece."""


class Piecework(QObject):
    """Runs pieces in the model's thread, one by one; each result is emitted in the GUI thread.

    Parameters
    ----------
    later : bool
        Whether all other work of the model goes first, also in the middle of a piece.
    """

    stepped = Signal(object)  # what a piece returned
    failed = Signal(object)  # the exception; what was left is dropped
    ended = Signal()  # all is done

    def __init__(self, later: bool, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._later = later
        self._run: _Run | None = None
        self._results = Watcher(self)

    @property
    def busy(self) -> bool:
        """True until the last piece has returned."""
        return self._run is not None

    def start(self, model: HostedModel, pieces: Iterable[Piece]) -> None:
        """Start these pieces; remaining ones of an earlier call are dropped."""
        self._run = _Run(model, iter(pieces))
        self._next(self._run)

    def cancel(self) -> None:
        """Cancel; no further result is emitted."""
        self._run = None

    def _next(self, run: _Run) -> None:
        (model, pieces), later = run, self._later
        piece = next(pieces, None)
        if piece is None:
            self._run = None
            self.ended.emit()
            return

        def check(*_: object) -> None:
            """Raise `CancelledError` after `cancel`; also ends downloads, which report here."""
            if run is not self._run or self._results.closed:
                raise CancelledError

        def pause() -> None:
            check()
            if later:
                model.give_way()

        def work(segmenter: StoredSegmenter) -> object:
            pause()
            return piece(segmenter, pause)

        self._results.watch(model.submit(work, check, later=later), partial(self._take, run))

    def _take(self, run: _Run, future: Future[object]) -> None:
        if run is not self._run:
            return
        error = future.exception()
        if error is not None:
            self.cancel()
            self.failed.emit(error)
            return
        self.stepped.emit(future.result())
        if run is self._run:
            self._next(run)


class _Run(NamedTuple):
    model: HostedModel
    pieces: Iterator[Piece]
