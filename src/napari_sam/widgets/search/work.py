"""Worker that searches a slice; each batch of points is one job of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_sam.arrays import ContrastRange, LazyArray
from napari_sam.inference.automatic.settings import (
    GridSettings,
    InstanceSettings,
    SearchSettings,
)
from napari_sam.progress import Estimate, Pause, Progress
from napari_sam.results import Proposal, SearchResult
from napari_sam.serving.host import HostedModel
from napari_sam.widgets.jobs.piecework import Piecework
from napari_sam.widgets.jobs.plane import StackContrast
from napari_sam.widgets.jobs.worker import Worker

if TYPE_CHECKING:
    from napari_sam.serving.kept_maps import KeptMaps
    from napari_sam.serving.segmenter import StoredSegmenter

    Keep = Callable[
        [StoredSegmenter, LazyArray, ContrastRange | None, Sequence[Proposal], Pause],
        Sequence[Proposal],
    ]

__all__ = ["Kind", "SearchRequest", "SearchWorker", "Ways"]


@dataclass(frozen=True)
class Ways:
    """How a slice is searched: all at once where that is wanted and the model can, else at points.

    Parameters
    ----------
    points : GridSettings
        At points, which every model can.
    instances : InstanceSettings, optional
        From the maps of the instance decoder; None: at points in any case.
    """

    points: GridSettings
    instances: InstanceSettings | None = None

    def of(self, has_instances: bool | None) -> SearchSettings:
        """Return the settings for a model with an instance decoder, or without one."""
        return self.instances if self.instances and has_instances else self.points


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of object that alone is kept of a search.

    Parameters
    ----------
    name : str
        Its class.
    keep : callable
        In the model's thread: takes the segmenter, the pixels of a plane, their contrast, what was
        found and what is to be called now and then; returns what is of the kind.
    """

    name: str
    keep: Keep


@dataclass(frozen=True, eq=False)
class SearchRequest:
    """The slice to search, and how."""

    read: Callable[[], LazyArray]  # its pixels, in the model's thread; of a large one unread
    contrast: StackContrast  # of the whole picture
    ways: Ways
    where: NDArray[np.bool_] | None = None  # (H, W), where anything is left; None: everywhere
    seeds: NDArray[np.float64] | None = None  # (N, 2) points to ask at; None: see `ways`
    kept: KeptMaps | None = None  # of the slices that were searched before, by the same model


class SearchWorker(Worker["_Search"]):
    """Generates proposals for a slice; all other work of the model has priority."""

    progressed = Signal(object)  # Progress with all found so far; in the end one for each object

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = Piecework(later=True, parent=self)
        self._work.stepped.connect(self._take)
        self._work.failed.connect(self.fail)

    def start(self, model: HostedModel, request: SearchRequest) -> None:
        """Start a search; a running one is stopped."""
        self.stop()
        self._job = _Search(request)
        self._work.start(model, repeat(self._job.step))

    def close(self) -> None:
        """Stop without any further signal."""
        super().close()
        self._work.cancel()

    def _take(self, progress: Progress[SearchResult] | None) -> None:
        if progress is None:
            self.stop()
        elif self._job is not None:
            self.progressed.emit(self._job.hear(progress))


class _Search:
    """State of one search; `step` runs in the model's thread, everything else in the GUI thread."""

    def __init__(self, request: SearchRequest) -> None:
        self._request = request
        self._steps: Iterator[Progress[SearchResult]] | None = None
        self._found: list[Proposal] = []
        self._estimate: Estimate | None = None  # from the first one on, after the embedding

    def step(
        self, segmenter: StoredSegmenter, pause: Callable[[], None]
    ) -> Progress[SearchResult] | None:
        """Predict masks for the next batch of points; return None at the end."""
        if self._steps is None:
            request = self._request
            contrast = request.contrast.of(segmenter)
            self._steps = segmenter.find(
                request.read(),
                request.ways.of(segmenter.has_instances),
                request.where,
                contrast,
                pause,
                request.seeds,
                request.kept,
            )
        return next(self._steps, None)

    def hear(self, progress: Progress[SearchResult]) -> Progress[list[Proposal]]:
        """Collect the proposals, and estimate the remaining time."""
        found, kept = progress.result
        self._found = self._found + found if kept is None else list(kept)
        self._estimate = self._estimate or Estimate(progress.done)
        left = self._estimate.left(progress.done, progress.total)
        return Progress(progress.done, progress.total, self._found, left)
