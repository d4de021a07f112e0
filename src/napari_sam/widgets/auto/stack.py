"""All slices of a stack, searched one after another; what is kept goes into the session at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_sam.errors import InputError, NapariSamError
from napari_sam.inference.automatic.linking import link_slices
from napari_sam.inference.automatic.selection import Selection
from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.io.spacing import Spacing
from napari_sam.planes import Plane
from napari_sam.progress import Estimate, Progress
from napari_sam.results import Proposal
from napari_sam.serving.host import HostedModel
from napari_sam.session.autofill import Chosen, Filling, choose
from napari_sam.session.overlap import Rule
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.search.findings import free, held
from napari_sam.widgets.search.found import Found
from napari_sam.widgets.search.work import AutoOrder, AutoWork

__all__ = ["AutoStack", "Links", "StackOrder", "runs"]

TAKEN_BACK = "it was taken back"
LEFT = "the picture, the model or the Labels layer is another one now"


@dataclass(frozen=True, eq=False)
class StackOrder:
    """In what to look for everything, and what becomes of it.

    Parameters
    ----------
    runs : sequence of sequences of Plane
        Objects are linked from each plane of a run to its next.
    grid : GridSettings
        How each is searched.
    region : (H, W) bool, optional
        Where.
    seeds : callable
        Gives the points of a plane to ask at, or None to ask as the grid settings mean.
    selection : Selection
        What is kept, and who is on top.
    rule, certain
        As in `Filling`.
    gap : int, optional
        As in `link_slices`; None: each plane has objects of its own.
    anisotropy : float
        Distance of two planes in pixels.
    """

    runs: Sequence[Sequence[Plane]]
    grid: GridSettings
    region: NDArray[np.bool_] | None
    seeds: Callable[[Plane], NDArray[np.float64] | None]
    selection: Selection
    rule: Rule
    certain: float
    gap: int | None
    anisotropy: float


class AutoStack(QObject):
    """Searches a stack while somebody goes on annotating; the slices that are done stay."""

    stood = Signal(object)  # Progress in slices; its result is how many objects there are
    ended = Signal(str, object)  # empty, or why before all was searched; FillCounts

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = AutoWork(self)  # on one slice
        self._work.stood.connect(self._hear)
        self._work.ended.connect(self._put)
        self._run: _Run | None = None

    @property
    def busy(self) -> bool:
        """True while a stack is being searched."""
        return self._run is not None

    def start(self, annotation: Annotation, model: HostedModel, order: StackOrder) -> None:
        """Begin; another one ends."""
        self.stop()
        self._run = _Run(annotation, model, order)
        self._go_on()

    def check(self) -> None:
        """End if what it works on has changed below it, or was taken back."""
        if self._run is not None and (why := self._run.why_over()):
            self.stop(why)

    def stop(self, why: str = "") -> None:
        """End now; the slices that are done stay."""
        run = self._run
        self.close()
        if run is not None:
            self.ended.emit(why, run.filling.filled)

    def close(self) -> None:
        """End now and say nothing any more."""
        run, self._run = self._run, None
        self._work.close()
        if run is not None:
            run.filling.end()

    def _go_on(self) -> None:
        """Search the next slice that has anything left."""
        try:
            while (run := self._run) is not None and not run.is_done:
                if (order := run.order()) is not None:
                    self._work.start(run.model, order)
                    return
                run.put()
        except NapariSamError as error:
            self.stop(str(error))
            return
        self.stop()

    def _hear(self, stand: Progress[list[Proposal]]) -> None:
        if self._run is not None:
            self.stood.emit(self._run.hear(stand))

    def _put(self, why: str) -> None:
        self.check()
        run = self._run
        if run is None:
            return
        if why:
            self.stop(why)
            return
        try:
            run.put()
        except NapariSamError as error:
            self.stop(str(error))
            return
        self._go_on()


class _Run:
    """One run through a stack; at most the proposals of one slice are held."""

    def __init__(self, annotation: Annotation, model: HostedModel, order: StackOrder) -> None:
        self.model = model
        self.filling = Filling(annotation.session, order.rule, order.certain)
        self._annotation, self._order = annotation, order
        self._session, self._target = annotation.session, annotation.target
        self._places = [(i, plane) for i, run in enumerate(order.runs) for plane in run]
        self._done = 0
        self._links: tuple[int, Links] | None = None  # of which run
        self._found: list[Proposal] = []  # on the plane that is searched
        self._estimate = Estimate()

    @property
    def is_done(self) -> bool:
        """True if no plane is left."""
        return self._done == len(self._places)

    def why_over(self) -> str:
        """Say why nothing may be put any more; empty if it may."""
        if not self.filling.is_open:
            return TAKEN_BACK
        now = self._annotation
        same = now.session is self._session and now.target is self._target
        return "" if same and now.model is self.model else LEFT

    def order(self) -> AutoOrder | None:
        """Return how to search the next plane; None if it has no place left."""
        plane, order = self._places[self._done][1], self._order
        try:
            where = free(order.region, held(self._annotation, plane, order.rule))
            seeds = order.seeds(plane)
        except InputError:
            return None
        reader = self._annotation.picture.reader(plane)
        return AutoOrder(reader, self._annotation.planes.contrast, order.grid, where, seeds)

    def hear(self, stand: Progress[list[Proposal]]) -> Progress[int]:
        """Take what was found on the plane so far."""
        self._found = stand.result
        done = self._done + stand.done / max(stand.total, 1)
        total, filled = len(self._places), self.filling.filled
        left = self._estimate.left(done, total)
        return Progress(done, total, filled.accepted + filled.waiting, left)

    def put(self) -> None:
        """Put what is kept of the plane into the session, and go to the next one.

        Raises
        ------
        NapariSamError
            If the session does not take it.
        """
        (run, plane), order = self._places[self._done], self._order
        there = held(self._annotation, plane, order.rule)
        found = Found(plane, order.grid, order.region)
        found.settle(there)
        found.take(self._found)
        chosen = choose(found.left, order.selection, there)
        links = None
        if order.gap is not None:
            if self._links is None or self._links[0] != run:
                self._links = run, Links(order.gap, order.anisotropy)
            numbers = self._links[1].take(chosen)
            links = {one: (run, number) for one, number in numbers.items()}
        self.filling.put(plane, chosen, links)
        self._found = []
        self._done += 1


def runs(picture: ImageStack, seen: Plane) -> tuple[list[list[Plane]], float]:
    """Return all planes that lie like one of them, and how far apart they lie, in pixels.

    Objects go on through z where that is an axis across the planes, else through the last axis;
    so there is one list of planes, in order, for each time point.

    Parameters
    ----------
    picture : ImageStack
        The stack.
    seen : Plane
        One of its planes.
    """
    fixed = [axis for axis, at in enumerate(seen) if at is not None]
    spacing = Spacing.of(picture.ndim, picture.transform.arguments)
    usual = spacing.along in fixed
    along = spacing.along if usual else fixed[-1] if fixed else None
    counts = [
        1 if at is None or axis == along else picture.shape[axis] for axis, at in enumerate(seen)
    ]
    found = []
    for place in np.ndindex(*counts):
        first = tuple(None if at is None else i for i, at in zip(place, seen, strict=True))
        line = [first]
        if along is not None:
            line = [(*first[:along], i, *first[along + 1 :]) for i in range(picture.shape[along])]
        found.append(line)
    return found, spacing.anisotropy if usual else 1.0


class Links:
    """Tells which objects of one slice are which of the slices before, slice by slice.

    Parameters
    ----------
    gap : int
        An object that is missed on up to so many slices goes on after them.
    anisotropy : float
        Distance of two slices in pixels.
    """

    def __init__(self, gap: int, anisotropy: float) -> None:
        self._next: NDArray[Any] = np.zeros((0, 0), np.int32)
        self._linked = link_slices(self._slices(), gap=gap, anisotropy=anisotropy)

    def take(self, chosen: Chosen) -> dict[Proposal, int]:
        """Return the number in the stack of each object of the next slice."""
        self._next = chosen.labels
        numbers = np.zeros(len(chosen.kept) + 1, np.int64)
        numbers[chosen.labels] = next(self._linked)
        found = zip(chosen.kept, numbers[1:].tolist(), strict=True)
        return {one: number for one, number in found if number}  # settled ones may have it all

    def _slices(self) -> Iterator[NDArray[Any]]:
        while True:
            yield self._next
