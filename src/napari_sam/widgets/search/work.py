"""A search under way: a few points are one job of the model, and what they find is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.progress import Estimate, Progress
from napari_sam.results import Proposal
from napari_sam.serving.host import HostedModel
from napari_sam.widgets.jobs.piecework import Piecework
from napari_sam.widgets.jobs.plane import StackContrast
from napari_sam.widgets.layers.channel_mix import Read

if TYPE_CHECKING:
    from napari_sam.inference.automatic.search import SearchResult

__all__ = ["AutoOrder", "AutoWork"]


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


class AutoWork(QObject):
    """Looks for everything; all other work of the model goes first."""

    stood = Signal(object)  # Progress with all found so far; in the end one for each object
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

    def _take(self, progress: Progress[SearchResult] | None) -> None:
        if progress is None:
            self.stop()
        elif self._run is not None:
            self.stood.emit(self._run.hear(progress))


class _Run:
    """One run; `step` is called in the model's thread, everything else in the GUI's."""

    def __init__(self, order: AutoOrder) -> None:
        self._order = order
        self._steps: Iterator[Progress[SearchResult]] | None = None
        self._found: list[Proposal] = []
        self._estimate: Estimate | None = None  # from the first progress on, after the embedding

    def step(self, segmenter: Any, pause: Callable[[], None]) -> Progress[SearchResult] | None:
        """Ask the next few points; None at the end."""
        if self._steps is None:
            order = self._order
            contrast = order.contrast.of(segmenter)
            self._steps = segmenter.find(
                order.read(), order.settings, order.where, contrast, pause, order.seeds
            )
        return next(self._steps, None)

    def hear(self, progress: Progress[SearchResult]) -> Progress[list[Proposal]]:
        """Add up what was found, and judge the time left."""
        found, kept = progress.result
        self._found = self._found + found if kept is None else list(kept)
        self._estimate = self._estimate or Estimate(progress.done)
        left = self._estimate.left(progress.done, progress.total)
        return Progress(progress.done, progress.total, self._found, left)
