"""More objects like examples: what is sought, and the worker that rates proposals by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_sam.arrays import ContrastRange, LazyArray
from napari_sam.errors import InputError
from napari_sam.masks import CroppedMask
from napari_sam.planes import Plane, in_order
from napari_sam.progress import Pause
from napari_sam.results import Proposal
from napari_sam.serving.host import HostedModel
from napari_sam.session.objects import Status
from napari_sam.session.session import Session
from napari_sam.text.reader import Reader
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.jobs.piecework import Piece, Piecework
from napari_sam.widgets.jobs.worker import Worker
from napari_sam.widgets.layers.channel_mix import Read
from napari_sam.widgets.search.work import Kind

if TYPE_CHECKING:
    from napari_sam.inference.similar.features import Described
    from napari_sam.inference.similar.rating import Likeness
    from napari_sam.serving.segmenter import StoredSegmenter

__all__ = ["AlikeRule", "AlikeWorker", "Rated", "RatingRequest", "Sought", "sought"]

MOST = 10  # examples, and as many counter-examples: more say hardly more, and each takes time
CHOOSE = "Select one or a few objects in the list first: they are the examples."

Masks = Mapping[Plane, Sequence[CroppedMask]]


@dataclass(frozen=True, eq=False)
class Sought:
    """What is sought: examples of one class, and accepted objects of other classes.

    Parameters
    ----------
    ids : tuple of int
        The examples.
    name : str
        Of their class, which the finds get.
    shown, against : mapping of Plane to sequence of CroppedMask
        Masks of the examples, and of what is not meant.
    """

    ids: tuple[int, ...]
    name: str
    shown: Masks
    against: Masks


def sought(session: Session, ids: Sequence[int], seen: Plane | None) -> Sought:
    """Return what is sought with these objects as examples, those nearest to a slice first.

    Raises
    ------
    InputError
        If there is no example, or they are of several classes.
    """
    objects = session.objects
    some = [number for number in ids if number in objects]
    shown = _masks(session, some, seen)
    if not shown:
        raise InputError(CHOOSE)
    classes = {objects[number].class_id for number in some}
    if len(classes) > 1:
        names = " and ".join(session.classes[number] for number in sorted(classes))
        raise InputError(f"The examples are {names}: select objects of one class only.")
    [class_id] = classes
    others = [
        one.id
        for one in objects.values()
        if one.class_id != class_id and one.status is Status.ACCEPTED
    ]
    name = session.classes[class_id]
    return Sought(tuple(some), name, shown, _masks(session, others, seen))


def _masks(session: Session, ids: Sequence[int], seen: Plane | None) -> Masks:
    """Return the masks of these objects by plane, one each, at most `MOST`, the nearest first."""

    def away(plane: Plane) -> int:
        here = plane if seen is None else seen
        pairs = zip(plane, here, strict=True)
        return sum(abs(a - b) for a, b in pairs if a is not None and b is not None)

    nearest = []
    for number in ids:
        there = [
            (away(plane), in_order(plane), number, plane, section.mask)
            for plane, section in session.objects[number].sections.items()
            if section.mask is not None
        ]
        nearest += [min(there, key=lambda one: one[:3])] if there else []
    masks: dict[Plane, list[CroppedMask]] = {}
    for *_, plane, mask in sorted(nearest, key=lambda one: one[:3])[:MOST]:
        masks.setdefault(plane, []).append(mask)
    return masks


@dataclass(frozen=True, eq=False)
class RatingRequest:
    """Proposals of a plane, to be rated by what is sought."""

    annotation: Annotation
    sought: Sought
    plane: Plane
    found: Sequence[Proposal]
    likeness: Likeness | None = None  # of an earlier rating by the same examples
    held: NDArray[np.int64] | None = None  # (H, W), what is settled; None: nothing is


@dataclass(frozen=True, eq=False)
class AlikeRule:
    """What is kept on every slice: what is sought, its rating, and the least similarity."""

    sought: Sought
    likeness: Likeness
    similarity: float

    def kind(self, reader: Reader) -> Kind:
        """Return what keeps of any other picture's proposals those that are similar enough."""
        likeness, least = self.likeness, self.similarity

        def keep(
            segmenter: StoredSegmenter,
            pixels: LazyArray,
            contrast: ContrastRange | None,
            found: Sequence[Proposal],
            pause: Pause,
        ) -> list[Proposal]:
            image = np.asarray(pixels)
            more = reader.unfound(
                *(segmenter, image, likeness.examples, found, None, contrast, pause)
            )
            some = [*found, *more]
            masks = [one.cropped for one in some]
            known = reader.describe(segmenter, image, masks, contrast, pause)
            rated = likeness.rate(known).tolist()
            return [one for one, value in zip(some, rated, strict=True) if value >= least]

        return Kind(self.sought.name, keep)


@dataclass(frozen=True, eq=False)
class Rated:
    """Similarity of each proposal with what is sought, and what rates further ones.

    `more` are proposals of which the search knew nothing, at places that are like the examples.
    """

    similarity: Mapping[Proposal, float]
    more: Sequence[Proposal]
    likeness: Likeness


class AlikeWorker(Worker["_Rating"]):
    """Rates the proposals of a plane; all other work of the model has priority.

    Parameters
    ----------
    reader : Reader
        Describes objects.
    """

    rated = Signal(object)  # Rated

    def __init__(self, reader: Reader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader = reader
        self._pieces = Piecework(later=True, parent=self)
        self._pieces.stepped.connect(self._take)
        self._pieces.failed.connect(self.fail)

    def start(self, model: HostedModel, request: RatingRequest) -> None:
        """Start to rate; a running rating is stopped."""
        self.stop()
        self._job = _Rating(request, self._reader)
        self._pieces.start(model, self._job.pieces())

    def close(self) -> None:
        """Stop without any further signal."""
        super().close()
        self._pieces.cancel()

    def _take(self, rated: Rated | None) -> None:
        if rated is not None:
            self._job = None
            self.rated.emit(rated)


class _Rating:
    """State of one rating; the pieces run in the model's thread, one slice each."""

    def __init__(self, request: RatingRequest, reader: Reader) -> None:
        self._request, self._reader = request, reader
        picture = request.annotation.picture
        examples = request.sought
        planes = {} if request.likeness else dict.fromkeys([*examples.shown, *examples.against])
        self._reads: dict[Plane, Read] = {plane: picture.reader(plane) for plane in planes}
        self._read: Read = picture.reader(request.plane)
        self._contrast = request.annotation.planes.contrast
        self._shown: list[Described] = []
        self._against: list[Described] = []

    def pieces(self) -> Iterator[Piece]:
        """Yield what is to be done."""
        for plane, read in self._reads.items():
            yield partial(self._learn, plane, read)
        yield self._rate

    def _learn(self, plane: Plane, read: Read, segmenter: StoredSegmenter, pause: Pause) -> None:
        of = self._request.sought
        shown, against = (list(masks.get(plane, ())) for masks in (of.shown, of.against))
        known = self._describe(read, [*shown, *against], segmenter, pause)
        places = np.arange(len(known))
        self._shown.append(known.only(places[: len(shown)]))
        self._against.append(known.only(places[len(shown) :]))

    def _rate(self, segmenter: StoredSegmenter, pause: Pause) -> Rated:
        from napari_sam.inference.similar.rating import Likeness

        found, likeness = self._request.found, self._request.likeness
        known = self._describe(self._read, [one.cropped for one in found], segmenter, pause)
        if likeness is None:
            shown, against = _joined(self._shown), _joined(self._against)
            likeness = Likeness(known if len(known) else shown, shown, against)
        more = self._reader.unfound(
            *(segmenter, self._read(), likeness.examples, found),
            *(self._request.held, self._contrast.of(segmenter), pause),
        )
        values = likeness.rate(known).tolist()
        if more:
            masks = [one.cropped for one in more]
            rest = self._describe(self._read, masks, segmenter, pause)
            values += likeness.rate(rest).tolist()
        return Rated(dict(zip([*found, *more], values, strict=True)), more, likeness)

    def _describe(
        self, read: Read, masks: list[CroppedMask], segmenter: StoredSegmenter, pause: Pause
    ) -> Described:
        contrast = self._contrast.of(segmenter)
        return self._reader.describe(segmenter, read(), masks, contrast, pause)


def _joined(some: Sequence[Described]) -> Described:
    first, *others = some
    for one in others:
        first = first.joined(one)
    return first
