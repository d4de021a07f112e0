"""Batches of boxes and outlines, each one object: predicted together, proposed in one step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from qtpy.QtCore import QObject, Signal

from napari_sam.masks import PlaneMask
from napari_sam.planes import Plane
from napari_sam.prompts import Prompts
from napari_sam.results import Prediction
from napari_sam.serving.host import HostedModel
from napari_sam.serving.segmenter import StoredSegmenter
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.draft import Draft
from napari_sam.session.objects import Objects, Origin, Source, Status
from napari_sam.session.session import Session
from napari_sam.widgets.jobs.piecework import Piece, Piecework
from napari_sam.widgets.jobs.plane import EmbeddedPlane
from napari_sam.widgets.layers.read_prompts import AreaPrompt

__all__ = ["BoxBatch", "propose", "proposed"]

Waiting = tuple[Plane, AreaPrompt]
_Answer = tuple[Plane, list[Waiting], list[Prediction]]


class BoxBatch(QObject):
    """Queue of areas (boxes, outlines) that await their prediction.

    Attributes
    ----------
    waiting : list of (Plane, AreaPrompt)
        In the order in which they were drawn; kept if the model fails.
    """

    answered = Signal(object, object, object)  # Plane, list of AreaPrompt, list of Prediction
    failed = Signal(object)  # the exception

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.waiting: list[Waiting] = []
        self._work = Piecework(later=False, parent=self)
        self._work.stepped.connect(self._take)
        self._work.failed.connect(self.failed.emit)

    @property
    def busy(self) -> bool:
        """True while predictions for queued areas are pending."""
        return self._work.busy and bool(self.waiting)

    def ask(self, model: HostedModel, embedded: Callable[[Plane], EmbeddedPlane]) -> None:
        """Request predictions for all queued areas, in one batch per plane."""
        planes = groupby(self.waiting, key=lambda one: one[0])
        pieces = [_piece(plane, list(ones), embedded(plane)) for plane, ones in planes]
        if pieces:
            self._work.start(model, pieces)

    def keep(self, fits: Callable[[Plane, AreaPrompt], bool]) -> str:
        """Drop queued areas that lie outside the image; return a message, empty if none was."""
        gone = [one for one in self.waiting if not fits(*one)]
        self.waiting = [one for one in self.waiting if fits(*one)]
        what = f"{len(gone)} object{'' if len(gone) == 1 else 's'}"
        said = f"⚠ What was drawn for {what} lies outside the picture now; draw it again."
        return said if gone else ""

    def put_back(self, plane: Plane, areas: Sequence[AreaPrompt]) -> None:
        """Queue areas again whose prediction cannot be used."""
        self.waiting = [*((plane, area) for area in areas), *self.waiting]

    def forget(self) -> None:
        """Cancel the request and clear the queue."""
        self._work.cancel()
        self.waiting = []

    def _take(self, answer: _Answer) -> None:
        plane, asked, predictions = answer
        left = [one for one in self.waiting if any(one is other for other in asked)]
        found = [
            (one[1], prediction)
            for one, prediction in zip(asked, predictions, strict=True)
            if any(one is other for other in left)
        ]
        self.waiting = [one for one in self.waiting if not any(one is other for other in left)]
        if found:
            self.answered.emit(plane, [area for area, _ in found], [p for _, p in found])


def _piece(plane: Plane, asked: list[Waiting], embedded: EmbeddedPlane) -> Piece:
    def piece(segmenter: StoredSegmenter, pause: Callable[[], None]) -> _Answer:
        embedding = embedded.embedding(segmenter, lambda *_: None, pause)
        prompts = [Prompts(box=area.box, mask=_full(area)) for _, area in asked]
        found = segmenter.predict_batch(embedding, prompts, pause)
        embedded.check()
        return plane, asked, found

    return piece


def _full(area: AreaPrompt) -> PlaneMask | None:
    return None if area.mask is None else area.mask.plane()


def propose(
    session: Session, plane: Plane, areas: Sequence[AreaPrompt], predictions: Sequence[Prediction]
) -> str:
    """Propose one object per area as a single step; return a message for the user.

    Where two of them meet the better score has the pixels; older objects keep theirs. One of which
    under half is left then is left out.
    """
    found = sorted(zip(areas, predictions, strict=True), key=lambda one: -one[1].scores[0])
    proposals = [
        NewMask(
            prediction.masks[0],
            score=float(prediction.scores[0]),
            origin=Origin(Source.PROMPTED),
            prompts=Draft(plane, box=area.box, mask=area.mask),
        )
        for area, prediction in found
    ]
    with Batch(session, Kind.AUTOMATIC) as batch:
        ids = batch.add(plane, proposals)
    missing = ids.count(None) - batch.tally.left_out
    batch.tally.offered = len(ids)  # with those in which nothing was found
    said = f"Nothing was found in {missing} of {len(ids)} boxes." if missing else ""
    return " ".join(filter(None, (said, batch.tally.said("boxes"))))


def proposed(objects: Objects, plane: Plane | None) -> list[int]:
    """Return the unreviewed objects of a plane that were drawn in one batch."""
    if plane is None:
        return []
    return [
        held.id
        for held, section in objects.held_on(plane)
        if section.status is Status.PROPOSED
        and section.origin.source is Source.PROMPTED
        and section.mask is not None
        and not held.locked
    ]
