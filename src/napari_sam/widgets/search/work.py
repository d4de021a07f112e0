"""A search under way: a few points are one job of the model, and what they find is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.results import Proposal
from napari_sam.serving.host import HostedModel
from napari_sam.widgets.jobs.piecework import Piecework
from napari_sam.widgets.jobs.plane import StackContrast
from napari_sam.widgets.layers.channel_mix import Read

if TYPE_CHECKING:
    from napari_sam.inference.automatic.search import GridProgress
    from napari_sam.inference.automatic.tiled import TileProgress

    Progress = GridProgress | TileProgress

__all__ = ["AutoOrder", "AutoWork", "Stand"]


@dataclass(frozen=True, eq=False)
class AutoOrder:
    """In what to look for everything, and how.

    Parameters
    ----------
    read : callable
        Reads its pixels, in the model's thread.
    contrast : StackContrast
        Of the whole picture.
    settings : GridSettings
        How it is searched.
    where : (H, W) bool, optional
        Where anything is left to be found; None: everywhere.
    seeds : (N, 2) float, optional
        Points (row, column) to ask at in place of those that the settings mean.
    """

    read: Read
    contrast: StackContrast
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

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._run: _Run | None = None
        self._work = Piecework(later=True, parent=self)
        self._work.stepped.connect(self._take)
        self._work.failed.connect(lambda error: self.stop(str(error) or type(error).__name__))

    @property
    def busy(self) -> bool:
        """True while a run is under way."""
        return self._run is not None

    def start(self, model: HostedModel, order: AutoOrder) -> None:
        """Begin a run; another one ends."""
        self.stop()
        self._run = _Run(order)
        self._work.start(model, repeat(self._run.step))

    def stop(self, why: str = "") -> None:
        """End now; what was found stays where it was told."""
        busy = self.busy
        self.close()
        if busy:
            self.ended.emit(why)

    def close(self) -> None:
        """End now and say nothing any more."""
        self._run = None
        self._work.cancel()

    def _take(self, progress: Progress | None) -> None:
        if progress is None:
            self.stop()
        elif self._run is not None:
            self.stood.emit(self._run.hear(progress))


class _Run:
    """One run; `step` is called in the model's thread, everything else in the GUI's."""

    def __init__(self, order: AutoOrder) -> None:
        self._order = order
        self._steps: Iterator[Progress] | None = None
        self._found: list[Proposal] = []
        self._first: tuple[int, float] | None = None  # done, and the moment of the first progress

    def step(self, segmenter: Any, pause: Callable[[], None]) -> Progress | None:
        """Ask the next few points; None at the end."""
        if self._steps is None:
            order = self._order
            contrast = order.contrast.of(segmenter)
            self._steps = segmenter.find(
                order.read(), order.settings, order.where, contrast, pause, order.seeds
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
