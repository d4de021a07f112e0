"""A search under way: a few points are one job of the model, and what they find is shown."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_sam.inference.grid_settings import GridSettings
from napari_sam.inference.host import HostedModel
from napari_sam.results import Proposal
from napari_sam.widgets.look import Contrast, Read

if TYPE_CHECKING:
    from napari_sam.inference.grid import GridProgress
    from napari_sam.inference.tiled import TileProgress

    Progress = GridProgress | TileProgress

__all__ = ["AutoOrder", "AutoWork", "Stand"]


@dataclass(frozen=True, eq=False)
class AutoOrder:
    """In what to look for everything, and how.

    Parameters
    ----------
    read : callable
        Reads its pixels, in the model's thread.
    contrast : Contrast
        Of the whole picture.
    settings : GridSettings
        How it is searched.
    where : (H, W) bool, optional
        Where anything is left to be found; None: everywhere.
    seeds : (N, 2) float, optional
        Points (row, column) to ask at in place of those that the settings mean.
    """

    read: Read
    contrast: Contrast
    settings: GridSettings
    where: NDArray[np.bool_] | None = None
    seeds: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class Stand:
    """How far a run is, seconds left (0: unknown), and all found so far.

    Points are counted, or in a picture that `Tiling` cuts, tiles.
    """

    done: int
    total: int
    seconds_left: float
    found: list[Proposal]


class AutoWork(QObject):
    """Looks for everything; all other work of the model goes first."""

    stood = Signal(object)  # Stand; the last one has one proposal for each object
    ended = Signal(str)  # empty, or why before all was asked
    _stepped = Signal(object, object)  # _Run, Future

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._run: _Run | None = None
        self._stepped.connect(self._take)

    @property
    def busy(self) -> bool:
        """True while a run is under way."""
        return self._run is not None

    def start(self, model: HostedModel, order: AutoOrder) -> None:
        """Begin a run; another one ends."""
        self.stop()
        self._run = run = _Run(model, order)
        self._submit(run)

    def stop(self, why: str = "") -> None:
        """End now; what was found stays where it was told."""
        run, self._run = self._run, None
        if run is not None:
            run.cancelled = True
            self.ended.emit(why)

    def close(self) -> None:
        """End now and say nothing any more."""
        run, self._run = self._run, None
        if run is not None:
            run.cancelled = True

    def _submit(self, run: _Run) -> None:
        future = run.model.submit(run.step, run.hear_loading, later=True)
        future.add_done_callback(partial(self._tell, run))

    def _tell(self, run: _Run, future: Future[Progress | None]) -> None:  # the model's thread
        if not run.cancelled:
            self._stepped.emit(run, future)

    def _take(self, run: _Run, future: Future[Progress | None]) -> None:
        if run is not self._run:
            return
        error = future.exception()
        if error is not None:
            self.stop(str(error) or type(error).__name__)
            return
        progress = future.result()
        if progress is None:
            self.stop()
            return
        self.stood.emit(run.hear(progress))
        if run is self._run:
            self._submit(run)


class _Run:
    """One run; `step` is called in the model's thread, everything else in the GUI's."""

    def __init__(self, model: HostedModel, order: AutoOrder) -> None:
        self.model = model
        self.cancelled = False
        self._order = order
        self._steps: Iterator[Progress] | None = None
        self._found: list[Proposal] = []
        self._first: tuple[int, float] | None = None  # done, and the moment of the first progress

    def step(self, segmenter: Any) -> Progress | None:
        """Ask the next few points; None at the end."""
        self._pause()
        if self._steps is None:
            order = self._order
            contrast = order.contrast.of(segmenter)
            self._steps = segmenter.find(
                order.read(), order.settings, order.where, contrast, self._pause, order.seeds
            )
        return next(self._steps, None)

    def hear(self, progress: Progress) -> Stand:
        """Add up what was found, and judge the time left by what has gone since the embedding."""
        self._found += progress.found
        if progress.kept is not None:
            self._found = list(progress.kept)
        now = time.perf_counter()
        self._first = self._first or (progress.done, now)
        asked = progress.done - self._first[0]
        pace = (now - self._first[1]) / asked if asked else 0.0
        left = pace * (progress.total - progress.done)
        return Stand(progress.done, progress.total, left, list(self._found))

    def hear_loading(self, what: str, done: int, total: int) -> None:
        """Stop a download that nobody waits for any more."""
        if self.cancelled:
            raise CancelledError

    def _pause(self) -> None:
        if self.cancelled:
            raise CancelledError
        self.model.give_way()
