"""Import of existing labels as annotated objects: when an operation needs them, or all at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from napari_sam.arrays import LazyArray
from napari_sam.errors import InputError
from napari_sam.io.label_stores.chunks import filled
from napari_sam.masks import Box, CroppedMask, cropped_masks, enclosing, slices
from napari_sam.planes import Plane
from napari_sam.session.changes import Edit, Kind, SectionEdit, TraitsEdit
from napari_sam.session.objects import (
    LARGEST,
    Objects,
    Origin,
    Section,
    Source,
    Status,
    Traits,
)
from napari_sam.session.overlap import Rule
from napari_sam.session.records import Adopted, Configured, Grown
from napari_sam.session.session import Session
from napari_sam.session.surroundings import LabelWindow, surroundings

__all__ = [
    "Adoption",
    "LabelCount",
    "adopt",
    "count_labels",
    "labels_under",
    "object_at",
]

MAX_DENSE = 100_000  # up to this number a place for each label is quick and small
MAX_COUNTED = 2**30  # pixels that are read to say how many labels there are


class LabelCount(NamedTuple):
    """Number of labels, and whether all pixels were looked at."""

    number: int
    whole: bool


def object_at(session: Session, plane: Plane, row: int, column: int) -> int | None:
    """Return the id of the object at a pixel of a plane, or None.

    A label that is no object yet becomes one.
    """
    window = (row, column, row + 1, column + 1)
    there = int(session.objects.owners(plane, window)[0, 0])
    labels = session.labels.read(plane)
    if not there and labels is not None and labels[row, column]:
        adopt(session, plane, [int(labels[row, column])], near=window)
        there = int(session.objects.owners(plane, window)[0, 0])
    return there or None


def adopt(
    session: Session,
    plane: Plane,
    values: Collection[int] | None = None,
    near: Box | None = None,
    found: LabelWindow | None = None,
) -> None:
    """Create objects from labels that no object owns. Not an undo step, as no pixel changes.

    Parameters
    ----------
    session : Session
        Takes the objects.
    plane : Plane
        Where.
    values : collection of int, optional
        Only these labels. Where they are numbers of classes, each becomes one object.
    near : Box, optional
        Where these labels are. Of labels on disk only what goes on from there is read: of an object
        in pieces those that are far away become its own when they are needed.
    found : LabelWindow, optional
        The labels to look at, if they are not as in the target.

    Raises
    ------
    InputError
        If a label is below zero, or larger than ids can be.
    """
    if found is None:
        there = session.labels.read(plane)
        if there is None:
            return
        found = surroundings(there, values, near)
    labels = found.pixels
    loose = (labels != 0) & (session.objects.owners(plane, found.box) == 0)
    if values is not None:
        loose[loose] = np.isin(labels[loose], list(values))
    masks = {
        value: mask.placed(found.box[:2], found.shape)
        for value, mask in cropped_masks(np.where(loose, labels, 0)).items()
    }
    first = session.labels.new_id(plane, int(labels.max(initial=0)))
    edits = _edits(session.objects, masks, plane, session.semantic, first)
    if not edits:
        return
    _name_classes(session, edits)
    session.commit(Adopted(tuple(edits)), quiet=True)


class Adoption:
    """Undo step in which all labels become objects, plane by plane, until `end`.

    No pixel changes by it: the labels stay as they are, also when it is undone.

    Parameters
    ----------
    session : Session
        Takes the objects; writes to the labels.

    Examples
    --------
    >>> session = Session()
    >>> adoption = Adoption(session)
    >>> adoption.add((None, None), cropped_masks(np.array([[7, 7, 0], [0, 300, 300]])))
    2
    >>> list(session.objects)
    [7, 300]
    >>> session.undo()
    >>> len(session.objects)
    0
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._number: int | None = None

    @property
    def is_open(self) -> bool:
        """False once the step was undone."""
        return self._number is None or self._session.history.find(self._number) is not None

    def add(self, plane: Plane, masks: Mapping[int, CroppedMask]) -> int:
        """Create objects from labels of a plane where no object is; return how many have pixels.

        Parameters
        ----------
        plane : Plane
            Where.
        masks : mapping of int to CroppedMask
            The pixels of each label.

        Raises
        ------
        InputError
            As `adopt`.
        """
        session = self._session
        loose = _loose(session.objects, plane, masks)
        first = session.labels.new_id(plane, *loose)
        edits = _edits(session.objects, loose, plane, session.semantic, first)
        if not edits or not self.is_open:
            return 0
        _name_classes(session, edits)
        if self._number is None:
            self._number = session.do(Kind.ADOPTED, edits).number
        else:
            session.commit(Grown(self._number, tuple(edits)))
        return len(loose)


def count_labels(labels: LazyArray) -> LabelCount:
    """Count the labels of an array of any size, read part by part; thread-safe.

    Examples
    --------
    >>> count_labels(np.array([[[7, 0]], [[300, 7]]]))
    LabelCount(number=2, whole=True)
    """
    found, seen = np.zeros(MAX_DENSE + 1, bool), 0
    large: set[int] = set()
    stored = filled(labels)
    for block in stored:
        part = np.asarray(labels[block])
        small = part[(part > 0) & (part <= MAX_DENSE)]
        found[small] = True
        if part.max(initial=0) > MAX_DENSE:
            large.update(np.unique(part[part > MAX_DENSE]).tolist())
        seen += 1
        if seen * part.size >= MAX_COUNTED:
            break
    return LabelCount(int(found.sum()) + len(large), seen >= len(stored))


def labels_under(session: Session, plane: Plane, mask: CroppedMask, rule: Rule) -> LazyArray | None:
    """Return the labels of a plane; under `Rule.REPLACE`, adopt those below the mask first."""
    labels = session.labels.read(plane)
    if rule is Rule.REPLACE and labels is not None:
        unowned = mask.crop() & (session.objects.owners(plane, mask.box) == 0)
        there = np.where(unowned, labels[slices(mask.box)], 0)
        if there.any():
            adopt(session, plane, np.unique(there[there != 0]).tolist(), near=mask.box)
    return labels


def _loose(
    objects: Objects, plane: Plane, masks: Mapping[int, CroppedMask]
) -> dict[int, CroppedMask]:
    """Return what of masks no object owns."""
    if not masks:
        return {}
    window = enclosing(*(mask.box for mask in masks.values()))
    owned = objects.owners(plane, window) != 0
    if not owned.any():
        return dict(masks)
    left = {value: mask.without(owned, window) for value, mask in masks.items()}
    return {value: mask for value, mask in left.items() if mask is not None}


def _name_classes(session: Session, edits: Sequence[Edit]) -> None:
    """Give names to classes of new objects that have none."""
    made = [e.after for e in edits if isinstance(e, TraitsEdit) and e.after is not None]
    named = session.scheme.naming({traits.class_id for traits in made})
    if named != session.scheme:
        session.commit(Configured(named))


def _edits(
    objects: Objects,
    masks: Mapping[int, CroppedMask],
    plane: Plane,
    semantic: bool,
    first_new: int,
) -> Sequence[Edit]:
    """Return the edits that make objects of labels that nobody owns yet."""
    edits: list[Edit] = []
    for value, mask in masks.items():
        if value > LARGEST:
            raise InputError(
                f"the labels hold the number {value}; objects have numbers up to {LARGEST}. Number "
                "them anew, or choose a new Labels layer"
            )
        number = first_new + len(edits) // 2 if semantic else value
        before = objects.section(number, plane)
        if number not in objects:
            edits.append(TraitsEdit(number, None, Traits(value) if semantic else Traits()))
        if before is None or before.mask is None:
            known = None if number not in objects else objects[number].known(plane, mask.shape)
            mask = mask if known is None else mask.joined(known)
            after = Section(mask, None, Origin(Source.IMPORTED), Status.ACCEPTED)
        else:
            after = replace(before, mask=before.mask.joined(mask))
        edits.append(SectionEdit(number, plane, before, after))
    return edits
