"""Search of the pictures of a queue in the background: to fill them in, or to rate them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from napari.layers import Image
from qtpy.QtCore import QObject, Signal

from napari_sam.planes import Plane
from napari_sam.progress import Estimate, Pause, Progress
from napari_sam.results import Proposal
from napari_sam.serving.host import HostedModel
from napari_sam.session.disk.fingerprint import Fingerprint
from napari_sam.session.disk.library import sessions_folder
from napari_sam.session.disk.manifest import Manifest
from napari_sam.session.edit.linked import plane_lines
from napari_sam.session.queue.fill import FillRules, Found, fill_in
from napari_sam.session.queue.queue import Entry
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.jobs.piecework import Piece, Piecework
from napari_sam.widgets.jobs.plane import StackContrast
from napari_sam.widgets.jobs.worker import Worker
from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.queue.prepared import Pixels, first_plane, new_layer, read_pixels
from napari_sam.widgets.search.work import Kind, SearchRequest, SearchWorker, Ways

if TYPE_CHECKING:
    from napari_sam.serving.segmenter import StoredSegmenter

__all__ = ["FillRequest", "FillWorker"]


@dataclass(frozen=True, eq=False)
class FillRequest:
    """Pictures to search, how, and whether sessions are saved with what is found."""

    entries: Sequence[Entry]
    ways: Callable[[tuple[int, int]], Ways]  # for a plane (H, W)
    rules: FillRules
    save: bool  # else it is only rated
    wanted: Callable[[Entry], bool]  # whether one is still to be searched
    kind: Kind | None = None  # of what is found only this is kept


@dataclass(eq=False)
class _Fill:
    """State of the work: which picture, and what was found in it so far."""

    model: HostedModel
    request: FillRequest
    estimate: Estimate
    at: int = 0
    opened: _Opened | None = None
    found: Sequence[Proposal] = ()  # on the plane that is searched

    @property
    def entry(self) -> Entry:
        return self.request.entries[self.at]

    @property
    def progress(self) -> Progress[Entry | None]:
        """How far the work is, in pictures."""
        done, total = float(self.at), len(self.request.entries)
        if self.opened is not None:
            done += len(self.opened.found) / len(self.opened.planes)
        return Progress(done, total, None, self.estimate.left(done, total))


class _Opened:
    """A picture that is searched, plane by plane, and what was found in it so far."""

    def __init__(self, picture: ImageStack) -> None:
        self.picture = picture
        seen = first_plane(picture)
        self._lines, self._anisotropy = plane_lines(picture.shape, picture.spacing, seen)
        self.planes = [plane for line in self._lines for plane in line]
        self.contrast = StackContrast(picture.sampler())
        self.found: dict[Plane, Sequence[Proposal]] = {}

    @property
    def plane(self) -> Plane | None:
        """The next plane to search; None after the last one."""
        return self.planes[len(self.found)] if len(self.found) < len(self.planes) else None

    @property
    def all_found(self) -> Found:
        return Found(self._lines, self.found, self._anisotropy)


class FillWorker(Worker[_Fill]):
    """Reads, searches and saves one picture after another; all other work of the model goes first.

    Parameters
    ----------
    prepare : callable
        Called with a layer before it is looked at, as for one that is annotated.
    """

    progressed = Signal(object)  # Progress in pictures; of Entry, as it is now, or None within one

    def __init__(self, prepare: Callable[[Image], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._prepare = prepare
        self._background = Background("queue search", self)
        self._search = SearchWorker(self)
        self._search.progressed.connect(self._hear)
        self._search.ended.connect(self._end_search)
        self._keeping = Piecework(later=True, parent=self)
        self._keeping.stepped.connect(self._keep)
        self._keeping.failed.connect(lambda error: self._give_up(str(error)))

    def start(self, model: HostedModel, request: FillRequest) -> None:
        """Start; work under way is stopped."""
        self.stop()
        self._job = _Fill(model, request, Estimate())
        self._go_on(self._job)

    def close(self) -> None:
        """Stop without any further signal; pictures that are done are kept."""
        super().close()
        self._search.close()
        self._keeping.cancel()

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
        job.opened = _Opened(ImageStack(layer))
        self._look(job)

    def _look(self, job: _Fill) -> None:
        """Search the next plane of the picture, or save what was found in all of them."""
        opened = job.opened
        if opened is None:
            return
        if not job.request.wanted(job.entry):  # somebody has opened it meanwhile
            job.opened = None
            self._go_on(job)
        elif (plane := opened.plane) is None:
            self._save(job, opened)
        else:
            picture, job.found = opened.picture, ()
            ways = job.request.ways(picture.plane_shape(plane))
            request = SearchRequest(picture.reader(plane), opened.contrast, ways)
            self._search.start(job.model, request)

    def _hear(self, progress: Progress[list[Proposal]]) -> None:
        if self._job is not None:
            self._job.found = progress.result

    def _end_search(self, why: str) -> None:
        job = self._job
        if job is None or job.opened is None:
            return
        if why:
            self._give_up(why)
        elif job.request.kind is not None:
            self._keeping.start(job.model, [_kept(job.opened, job.request.kind, job.found)])
        else:
            self._keep(job.found)

    def _keep(self, found: Sequence[Proposal]) -> None:
        """Take what is kept of the plane, and go on with the next."""
        job = self._job
        if job is None or job.opened is None or (plane := job.opened.plane) is None:
            return
        job.opened.found[plane] = found
        if job.opened.plane is not None:
            self.progressed.emit(job.progress)
        if job is self._job:
            self._look(job)

    def _give_up(self, why: str) -> None:
        if self._job is not None:
            self._put(self._job, replace(self._job.entry, note=why))

    def _save(self, job: _Fill, opened: _Opened) -> None:
        entry, request, picture = job.entry, job.request, opened.picture
        found, layer = opened.all_found, picture.layer

        def save() -> Entry:
            if not request.save:
                return replace(entry, expected=found.expected(request.rules.selection), note="")
            known = Fingerprint.sampled(picture.data, layer.ndim)
            of = Manifest(known, layer.name, layer.source.path or "")
            return fill_in(entry, of, found, request.rules, sessions_folder())

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
        job.at, job.opened = job.at + 1, None
        self.progressed.emit(replace(job.progress, result=entry))
        if job is self._job:
            self._go_on(job)


def _kept(opened: _Opened, kind: Kind, found: Sequence[Proposal]) -> Piece:
    """Return what is done in the model's thread to keep one kind of what a plane holds."""
    plane, contrast = opened.plane, opened.contrast
    assert plane is not None
    read = opened.picture.reader(plane)

    def keep(segmenter: StoredSegmenter, pause: Pause) -> object:
        return kind.keep(segmenter, read(), contrast.of(segmenter), found, pause)

    return keep
