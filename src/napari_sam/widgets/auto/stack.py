"""Worker that searches all slices of a stack; kept proposals go into the session at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_sam.errors import InputError, NapariSamError
from napari_sam.inference.automatic.selection import Selection
from napari_sam.planes import Plane
from napari_sam.progress import Estimate, Progress
from napari_sam.results import Proposal
from napari_sam.serving.host import HostedModel
from napari_sam.session.autofill import Filling, choose
from napari_sam.session.edit.linked import SliceLinker
from napari_sam.session.overlap import Rule
from napari_sam.text.reader import Reader
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.annotation.premises import Premises
from napari_sam.widgets.auto.alike import AlikeRule, AlikeWorker, Rated, RatingRequest
from napari_sam.widgets.search.settled import searchable, settled_on
from napari_sam.widgets.search.slice_proposals import SliceProposals
from napari_sam.widgets.search.work import SearchRequest, SearchWorker, Ways

__all__ = ["StackRequest", "StackWorker"]


@dataclass(frozen=True, eq=False)
class StackRequest:
    """Slices to search, search settings, and how to store the proposals."""

    lines: Sequence[Sequence[Plane]]  # objects are linked from each plane of a line to its next
    ways: Ways  # how each is searched
    region: NDArray[np.bool_] | None  # (H, W), where
    seeds: Callable[[Plane], NDArray[np.float64] | None]  # points of a plane to ask at; see `ways`
    selection: Selection  # what is kept, and who is on top
    rule: Rule  # who keeps the pixels of an overlap
    certain: float  # score from which on an object is accepted unseen
    gap: (
        int | None
    )  # slices that an object may be missed on; None: each plane has objects of its own
    anisotropy: float  # distance of two planes in pixels
    alike: AlikeRule | None = None  # only what is like examples is kept, and gets their class


class StackWorker(QObject):
    """Searches a stack in the background during annotation; finished slices are kept."""

    progressed = Signal(object)  # Progress in slices; its found is how many objects there are
    ended = Signal(str, object)  # empty, or why before all was searched; FillCounts

    def __init__(self, reader: Reader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = SearchWorker(self)  # on one slice
        self._work.progressed.connect(self._hear)
        self._work.ended.connect(self._rate)
        self._alike = AlikeWorker(reader, self)
        self._alike.rated.connect(self._keep)
        self._alike.ended.connect(self.stop)
        self._search: _StackSearch | None = None

    @property
    def busy(self) -> bool:
        """True while a stack search runs."""
        return self._search is not None

    def start(self, annotation: Annotation, model: HostedModel, request: StackRequest) -> None:
        """Start a search; a running one is stopped."""
        self.stop()
        self._search = _StackSearch(annotation, model, request)
        try:
            self._go_on(self._search)
        except NapariSamError as error:
            self.stop(str(error))

    def check(self) -> None:
        """Stop if the session, labels or model were replaced, or the step was undone."""
        if self._search is not None and (why := self._search.why_over()):
            self.stop(why)

    def stop(self, why: str = "") -> None:
        """Stop; finished slices are kept."""
        search = self._search
        self.close()
        if search is not None:
            self.ended.emit(why, search.filling.filled)

    def close(self) -> None:
        """Stop without any further signal."""
        search, self._search = self._search, None
        self._work.close()
        self._alike.close()
        if search is not None:
            search.filling.end()

    def _go_on(self, search: _StackSearch) -> None:
        """Search the next slice that has anything left."""
        while self._search is search and not search.is_done:  # a put may end it
            if (request := search.request()) is not None:
                self._work.start(search.model, request)
                return
            search.put()
        self.stop()

    def _hear(self, progress: Progress[list[Proposal]]) -> None:
        if self._search is not None:
            self.progressed.emit(self._search.hear(progress))

    def _rate(self, why: str) -> None:
        """Compare what was found on a slice with the examples, if there are any."""
        search = self._search
        request = None if search is None or why else search.rating()
        if search is None or request is None:
            self._put(why)
        else:
            self._alike.start(search.model, request)

    def _keep(self, rated: Rated) -> None:
        if self._search is not None:
            self._search.keep(rated)
            self._put("")

    def _put(self, why: str) -> None:
        self.check()
        search = self._search
        if search is not None and why:
            self.stop(why)
        elif search is not None:
            try:
                search.put()
                self._go_on(search)
            except NapariSamError as error:
                self.stop(str(error))


class _StackSearch:
    """State of one stack search; it holds the proposals of one slice at most."""

    def __init__(self, annotation: Annotation, model: HostedModel, request: StackRequest) -> None:
        self.model = model
        alike = request.alike
        words = None if alike is None else [alike.sought.name]
        self.filling = Filling(annotation.session, request.rule, request.certain, words)
        self._annotation, self._request = annotation, request
        self._premises = Premises(annotation, model)
        self._places = [(i, plane) for i, line in enumerate(request.lines) for plane in line]
        self._done = 0
        self._links: tuple[int, SliceLinker] | None = None  # of which line
        self._found: list[Proposal] = []  # on the plane that is searched
        self._estimate = Estimate()

    @property
    def is_done(self) -> bool:
        """True if no plane is left."""
        return self._done == len(self._places)

    def why_over(self) -> str:
        """Return why no more objects may be written; empty if they may."""
        return self._premises.why_over(self.filling.is_open)

    def request(self) -> SearchRequest | None:
        """Return the search request for the next plane; None if all of it is settled."""
        plane, of = self._places[self._done][1], self._request
        try:
            there = settled_on(self._annotation, plane, of.rule)
            where, seeds = searchable(of.region, there), of.seeds(plane)
        except InputError:
            return None
        source = self._annotation.picture.source(plane)
        return SearchRequest(source, self._annotation.planes.contrast, of.ways, where, seeds)

    def hear(self, progress: Progress[list[Proposal]]) -> Progress[int]:
        """Store the proposals of the current plane so far."""
        self._found = progress.result
        done = self._done + progress.done / max(progress.total, 1)
        total, filled = len(self._places), self.filling.filled
        left = self._estimate.left(done, total)
        return Progress(done, total, filled.accepted + filled.waiting, left)

    def rating(self) -> RatingRequest | None:
        """Return what compares the proposals of the plane with the examples; None: nothing does."""
        alike, plane = self._request.alike, self._places[self._done][1]
        if alike is None:
            return None
        held = settled_on(self._annotation, plane, self._request.rule)
        return RatingRequest(
            self._annotation, alike.sought, plane, self._found, alike.likeness, held
        )

    def keep(self, rated: Rated) -> None:
        """Keep of the proposals of the plane what is like the examples."""
        alike = self._request.alike
        assert alike is not None
        least = alike.similarity
        self._found = [one for one, value in rated.similarity.items() if value >= least]

    def put(self) -> None:
        """Add the kept proposals of the plane to the session, and advance to the next plane.

        Raises
        ------
        NapariSamError
            If the session does not take it.
        """
        (line, plane), of = self._places[self._done], self._request
        there = settled_on(self._annotation, plane, of.rule)
        found = SliceProposals(plane, of.ways, of.region)
        found.settle(there)
        found.take(self._found)
        chosen = choose(found.new, of.selection, there)
        links = None
        if of.gap is not None:
            if self._links is None or self._links[0] != line:
                self._links = line, SliceLinker(of.gap, of.anisotropy)
            numbers = self._links[1].take(chosen)
            links = {one: (line, number) for one, number in numbers.items()}
        words = None if of.alike is None else {of.alike.sought.name: chosen.kept}
        self.filling.put(plane, chosen, links, words)
        self._found = []
        self._done += 1
