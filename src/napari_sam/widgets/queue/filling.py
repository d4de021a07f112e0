"""Search of the pictures of a queue in the background: to fill them in, or to rate them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial

from napari.layers import Image
from qtpy.QtCore import QObject, Signal

from napari_sam.progress import Estimate, Progress
from napari_sam.results import Proposal
from napari_sam.serving.host import HostedModel
from napari_sam.session.disk.fingerprint import Fingerprint
from napari_sam.session.disk.library import sessions_folder
from napari_sam.session.disk.manifest import Manifest
from napari_sam.session.queue.fill import FillRules, expected_corrections, fill_in
from napari_sam.session.queue.queue import Entry
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.jobs.plane import StackContrast
from napari_sam.widgets.jobs.worker import Worker
from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.queue.prepared import Pixels, first_plane, new_layer, read_pixels
from napari_sam.widgets.search.work import SearchRequest, SearchWorker, Ways

__all__ = ["FillRequest", "FillWorker"]

STACK = "a stack: fill it in with Auto, All slices"


@dataclass(frozen=True, eq=False)
class FillRequest:
    """Pictures to search, how, and whether sessions are saved with what is found."""

    entries: Sequence[Entry]
    ways: Callable[[tuple[int, int]], Ways]  # for a plane (H, W)
    rules: FillRules
    save: bool  # else it is only rated
    wanted: Callable[[Entry], bool]  # whether one is still to be searched


@dataclass(eq=False)
class _Fill:
    """State of the work: which picture, and what was found in it so far."""

    model: HostedModel
    request: FillRequest
    estimate: Estimate
    at: int = 0
    picture: ImageStack | None = None
    found: Sequence[Proposal] = ()

    @property
    def entry(self) -> Entry:
        return self.request.entries[self.at]


class FillWorker(Worker[_Fill]):
    """Reads, searches and saves one picture after another; all other work of the model goes first.

    Parameters
    ----------
    prepare : callable
        Called with a layer before it is looked at, as for one that is annotated.
    """

    progressed = Signal(object)  # Progress of Entry, as it is now; in pictures

    def __init__(self, prepare: Callable[[Image], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._prepare = prepare
        self._background = Background("queue search", self)
        self._search = SearchWorker(self)
        self._search.progressed.connect(self._hear)
        self._search.ended.connect(self._end_search)

    def start(self, model: HostedModel, request: FillRequest) -> None:
        """Start; work under way is stopped."""
        self.stop()
        self._job = _Fill(model, request, Estimate())
        self._go_on(self._job)

    def close(self) -> None:
        """Stop without any further signal; pictures that are done are kept."""
        super().close()
        self._search.close()

    def _go_on(self, job: _Fill) -> None:
        entries, wanted = job.request.entries, job.request.wanted
        while job.at < len(entries) and not wanted(job.entry):
            job.at += 1
        if job.at == len(entries):
            self.stop()
            return
        path = job.entry.path
        self._background.submit(lambda: read_pixels(path), partial(self._take, job))

    def _take(self, job: _Fill, future: Future[Pixels]) -> None:
        if job is not self._job:
            return
        if error := future.exception():
            self._put(job, replace(job.entry, note=str(error)))
            return
        layer = new_layer(job.entry.path, future.result())
        self._prepare(layer)
        picture = job.picture = ImageStack(layer)
        if picture.ndim != 2:
            self._put(job, replace(job.entry, note=STACK))
            return
        plane, contrast = first_plane(picture), StackContrast(picture.sampler())
        ways, job.found = job.request.ways(picture.plane_shape(plane)), ()
        self._search.start(job.model, SearchRequest(picture.reader(plane), contrast, ways))

    def _hear(self, progress: Progress[list[Proposal]]) -> None:
        if self._job is not None:
            self._job.found = progress.result

    def _end_search(self, why: str) -> None:
        job = self._job
        if job is None or job.picture is None:
            return
        if why:
            self._put(job, replace(job.entry, note=why))
            return
        if not job.request.wanted(job.entry):  # somebody has opened it meanwhile
            self._go_on(job)
            return
        entry, found, request, picture = job.entry, job.found, job.request, job.picture
        plane, layer = first_plane(picture), picture.layer

        def save() -> Entry:
            if not request.save:
                expected = expected_corrections(found, request.rules.selection)
                return replace(entry, expected=expected, note="")
            known = Fingerprint.sampled(picture.data, layer.ndim)
            of = Manifest(known, layer.name, layer.source.path or "")
            return fill_in(entry, of, plane, found, request.rules, sessions_folder())

        self._background.submit(save, partial(self._saved, job))

    def _saved(self, job: _Fill, future: Future[Entry]) -> None:
        if error := future.exception():
            self._put(job, replace(job.entry, note=str(error)))
        else:
            self._put(job, future.result())

    def _put(self, job: _Fill, entry: Entry) -> None:
        """Tell of a picture that is through, and go on with the next."""
        if job is not self._job:
            return
        job.at, job.picture = job.at + 1, None
        total = len(job.request.entries)
        self.progressed.emit(Progress(job.at, total, entry, job.estimate.left(job.at, total)))
        if job is self._job:
            self._go_on(job)
