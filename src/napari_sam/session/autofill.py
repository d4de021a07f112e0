"""Conversion of automatic proposals to objects; settled objects of the plane stay unchanged."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_sam.inference.automatic.selection import Selection, arrange, select
from napari_sam.masks import CroppedMask
from napari_sam.planes import Plane
from napari_sam.results import Proposal
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.classes import named
from napari_sam.session.objects import LabelArray, Objects, Source, Status
from napari_sam.session.overlap import Rule
from napari_sam.session.session import Session

__all__ = [
    "Chosen",
    "FillCounts",
    "Filling",
    "choose",
    "fill",
    "settled",
    "useful_first",
]


@dataclass(frozen=True, eq=False)
class Chosen:
    """Proposals of an automatic run that pass the filter, as labels without overlap.

    Parameters
    ----------
    labels : (H, W) int32
        As they would be written: zero for background and for what is settled, else 1 to n.
    kept : list of Proposal
        What was found behind each label.
    covered : int
        How many passed the filter and lie mostly on others, with settled objects among these.
    thin : int
        Pixels of rests that are too thin.
    """

    labels: NDArray[np.int32]
    kept: list[Proposal]
    covered: int = 0
    thin: int = 0

    def objects(self) -> list[tuple[Proposal, CroppedMask]]:
        """Return each proposal with its cropped mask, except where settled objects cover it."""
        shape = self.labels.shape
        cut = [
            (one, CroppedMask.of(self.labels[one.box] == number, one.corner, shape))
            for number, one in enumerate(self.kept, 1)
        ]
        return [(one, mask) for one, mask in cut if mask is not None]


@dataclass(frozen=True)
class FillCounts:
    """Numbers of objects accepted and awaiting review, and the number of the undo step, or 0.

    `covered` and `thin` are what was left out because of overlaps; see `Chosen`.
    """

    accepted: int
    waiting: int
    step: int = 0
    covered: int = 0
    thin: int = 0


def settled(
    objects: Objects,
    plane: Plane,
    shape: tuple[int, int],
    rule: Rule,
    labels: LabelArray | None = None,
    classes: Collection[int] | None = None,
) -> NDArray[np.int64]:
    """Return (H, W) labels, 1 to n, of the objects that an automatic run must not change.

    Accepted and locked objects stay, and labels that belong to no object; under `Rule.KEEP` all
    objects do, but for those of an earlier automatic run that nobody has accepted.

    Parameters
    ----------
    objects : Objects
        All objects.
    plane : Plane
        Where.
    shape : (H, W)
        Of the plane.
    rule : Rule
        Who keeps the pixels of other objects.
    labels : (H, W) int, optional
        Those of the plane.
    classes : collection of int, optional
        Only earlier finds of these classes make room; None: of all.
    """
    whole = (0, 0, *shape)
    held = np.zeros(shape, np.int64)
    count = 0
    for number, mask in objects.on(plane):
        judged = objects[number].sections[plane].status is Status.ACCEPTED
        earlier = _is_earlier(objects, number, plane, classes)
        if judged or objects[number].locked or (rule is Rule.KEEP and not earlier):
            count += 1
            mask.mark(held, whole, count)
    if labels is not None:
        loose = (labels != 0) & (objects.owners(plane, whole) == 0)
        held[loose] = np.unique(labels[loose], return_inverse=True)[1] + count + 1
    return held


def choose(
    found: Sequence[Proposal],
    selection: Selection,
    held: NDArray[np.int64] | None = None,
    areas: bool = False,
) -> Chosen:
    """Return the proposals that pass the filter, as labels without the pixels of settled objects.

    Parameters
    ----------
    found : sequence of Proposal
        Of one picture; none only if it is known what is settled.
    selection : Selection
        What is kept, and who is on top.
    held : (H, W) int, optional
        See `settled`.
    areas : bool
        These are areas of many objects, of which what is settled is only cut out; an object of
        which others leave under half is not kept.
    """
    if held is None:
        labels, order, thin = arrange(found, selection, rests=areas)
        return Chosen(labels, [found[i] for i in order], thin=thin)
    there = np.where(held != 0, np.int32(-1), np.int32(0))
    labels, order, thin = arrange(found, selection, held.shape, out=there, rests=areas)
    covered = sum(
        bool(held[found[i].box][found[i].patch].any())
        for i in set(select(found, selection)).difference(order)
    )
    labels[held != 0] = 0
    return Chosen(labels, [found[i] for i in order], covered, thin)


def useful_first(
    objects: Sequence[tuple[Proposal, CroppedMask]],
) -> list[tuple[Proposal, CroppedMask]]:
    """Return the objects in order of review: most correct pixels to be expected first.

    The predicted IoU times the area estimates them. An area counts up to the median only, so that
    a blob of background does not come before ten objects of the usual size.
    """
    usual = np.median([mask.area for _, mask in objects]) if objects else 0
    return sorted(objects, key=lambda one: -one[0].score * min(one[1].area, usual))


class Filling:
    """Writer of automatic proposals into the session, plane by plane, as one undo step.

    What is certain is accepted; the rest is proposed, or unclear if others may be certain, most
    useful first. Those of an earlier run that nobody has accepted make room.

    Parameters
    ----------
    session : Session
        Takes the objects.
    rule : Rule
        Who keeps the pixels of other objects; those of settled ones are not in what is put.
    certain : float
        Score from which on an object is accepted; infinite: none is.
    words : sequence of str, optional
        Names of the classes that were looked for; earlier finds of others stay. None: everything
        was looked for, and gets the class of new objects.
    """

    def __init__(
        self, session: Session, rule: Rule, certain: float, words: Sequence[str] | None = None
    ) -> None:
        self._session = session
        self._certain = certain
        used = {held.class_id for held in session.objects.values()}
        names, self._classes = named(session.classes, used, words or ())
        self._only = None if words is None else set(self._classes.values())
        self._batch = Batch(session, Kind.AUTOMATIC, rule, names)
        self._numbers: dict[Hashable, int] = {}
        self._waiting: dict[int, bool] = {}
        self._covered = self._thin = 0

    @property
    def is_open(self) -> bool:
        """False once the step has ended or was undone."""
        return self._batch.is_open

    @property
    def filled(self) -> FillCounts:
        """Counts so far; an object counts once, and awaits review if it does on any plane."""
        waiting = sum(self._waiting.values())
        tally = self._batch.tally
        return FillCounts(
            len(self._waiting) - waiting,
            waiting,
            self._batch.number,
            self._covered + tally.left_out,
            self._thin + tally.thin,
        )

    def put(
        self,
        plane: Plane,
        chosen: Chosen,
        links: Mapping[Proposal, Hashable] | None = None,
        words: Mapping[str, Collection[Proposal]] | None = None,
    ) -> None:
        """Add the chosen proposals of one plane as objects.

        Parameters
        ----------
        plane : Plane
            Where; each once.
        chosen : Chosen
            What to put.
        links : mapping of Proposal to anything hashable, optional
            What has the same link on several planes becomes one object.
        words : mapping of str to collection of Proposal, optional
            What is of each class that was looked for.

        Raises
        ------
        InputError
            As `Batch.add`.
        """
        objects, links = self._session.objects, links or {}
        classes = {one: self._classes[word] for word, some in (words or {}).items() for one in some}
        found = chosen.objects()
        sure = [one for one in found if one[0].score >= self._certain]
        unsure = useful_first([one for one in found if one[0].score < self._certain])
        doubt = Status.PROPOSED if np.isinf(self._certain) else Status.UNCLEAR
        put = [
            (
                one,
                NewMask(
                    mask,
                    self._known(links.get(one)),
                    one.score,
                    status=status,
                    class_id=classes.get(one),
                ),
            )
            for some, status in ((sure, Status.ACCEPTED), (unsure, doubt))
            for one, mask in some
        ]
        earlier = [n for n, _ in objects.on(plane) if _is_earlier(objects, n, plane, self._only)]
        self._batch.discard(plane, earlier)
        taken = self._batch.add(plane, [new for _, new in put])
        self._covered += chosen.covered
        self._thin += chosen.thin
        for (one, new), number in zip(put, taken, strict=True):
            if number is not None:
                waits = new.status is not Status.ACCEPTED
                self._waiting[number] = waits or self._waiting.get(number, False)
                if one in links:
                    self._numbers[links[one]] = number

    def end(self) -> None:
        """End the step; later calls of `put` add nothing."""
        self._batch.end()

    def _known(self, link: Hashable) -> int | None:
        """Return the object of a link, None for a new one; one deleted or locked since is left."""
        number = self._numbers.get(link)
        held = None if number is None else self._session.objects.get(number)
        return None if held is None or held.locked else number


def fill(
    session: Session,
    plane: Plane,
    chosen: Chosen,
    rule: Rule,
    certain: float,
    words: Mapping[str, Collection[Proposal]] | None = None,
) -> FillCounts:
    """Add the proposals of one plane as one step; parameters as in `Filling` and its `put`.

    Raises
    ------
    InputError
        As `Batch.add`.
    """
    filling = Filling(session, rule, certain, None if words is None else list(words))
    filling.put(plane, chosen, words=words)
    filling.end()
    return filling.filled


def _is_earlier(
    objects: Objects, number: int, plane: Plane, classes: Collection[int] | None
) -> bool:
    """Tell whether it comes from an automatic run and nobody has judged it since."""
    section = objects[number].sections[plane]
    return (
        (classes is None or objects[number].class_id in classes)
        and section.origin.source is Source.AUTOMATIC
        and section.status is not Status.ACCEPTED
        and not objects[number].locked
    )
