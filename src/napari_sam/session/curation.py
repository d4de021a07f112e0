"""What a person does with objects, and what arrives from elsewhere; each is one undoable step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.masks import Box, CroppedMask, slices
from napari_sam.planes import Plane, spanned
from napari_sam.session.batch import Batch
from napari_sam.session.changes import Edit, Kind, SectionEdit, TraitsEdit
from napari_sam.session.ledger import Ledger
from napari_sam.session.merge_split import delete, discard, merge, split
from napari_sam.session.objects import Status
from napari_sam.session.overlap import Rule
from napari_sam.session.paint import Stroke, adopt, paint
from napari_sam.session.records import Adopted, Configured, Grown
from napari_sam.session.target import Target

__all__ = ["Curation"]


class Curation(Ledger):
    """A ledger with everything that changes objects, but for drawing them."""

    def object_at(self, plane: Plane, row: int, column: int) -> int | None:
        """Return the object at a pixel of a plane, or None.

        A label that is no object yet becomes one.
        """
        there = int(self.objects.owners(plane, (row, column, row + 1, column + 1))[0, 0])
        if not there and self._target is not None:
            value = int(self._target.read(plane)[row, column])
            if value:
                self.adopt(plane, [value])
                there = int(self.objects.owners(plane, (row, column, row + 1, column + 1))[0, 0])
        return there or None

    def adopt(self, plane: Plane, values: Sequence[int] | None = None) -> None:
        """Make objects of labels of a plane that are none yet: of these values, or of all.

        Raises
        ------
        InputError
            If the plane lies across those of the other objects.
        """
        if self._target is not None:
            self._adopt(plane, self._target.read(plane), values)

    def set_status(self, ids: Sequence[int], status: Status, plane: Plane | None = None) -> None:
        """Say what you think of objects, in one plane or in all.

        Raises
        ------
        InputError
            If one is unknown or locked.
        """
        edits = [
            SectionEdit(number, at, section, replace(section, status=status))
            for number in ids
            for at, section in self.objects.unlocked(number).sections.items()
            if section.status is not status and plane in (None, at)
        ]
        self._do_edits(Kind.STATUS, edits)

    def set_class(self, ids: Sequence[int], class_id: int) -> None:
        """Give objects another class.

        Raises
        ------
        InputError
            If the class has no name, or an object is unknown or locked.
        """
        if class_id not in self.classes:
            raise InputError(f"there is no class {class_id}; named are {dict(self.classes)}")
        edits = [
            TraitsEdit(number, held.traits, replace(held.traits, class_id=class_id))
            for number in ids
            for held in [self.objects.unlocked(number)]
            if held.class_id != class_id
        ]
        self._do_edits(Kind.CLASS, edits)

    def lock(self, ids: Sequence[int], locked: bool = True) -> None:
        """Keep objects from being changed, or allow it again.

        Raises
        ------
        InputError
            If one is unknown.
        """
        edits = []
        for number in ids:
            if number not in self.objects:
                raise InputError(f"there is no object {number}; choose one from the list")
            traits = self.objects[number].traits
            if traits.locked != locked:
                edits.append(TraitsEdit(number, traits, replace(traits, locked=locked)))
        self._do_edits(Kind.LOCK, edits)

    def delete(self, ids: Sequence[int]) -> None:
        """Take objects away.

        Raises
        ------
        InputError
            If one is unknown or locked.
        """
        self._do_edits(Kind.DELETED, delete(self.objects, ids))

    def discard(self, object_id: int, plane: Plane | None = None) -> None:
        """Take away what nobody has accepted of an object, in one plane or in all.

        Raises
        ------
        InputError
            If it is unknown or locked.
        """
        self._do_edits(Kind.DELETED, discard(self.objects, object_id, plane))

    def merge(self, ids: Sequence[int]) -> None:
        """Give all pixels of these objects to the first of them.

        Raises
        ------
        InputError
            If one is unknown or locked, or there are fewer than two.
        """
        self._do_edits(Kind.MERGED, merge(self.objects, ids))

    def split(self, object_id: int, plane: Plane | None = None) -> list[int]:
        """Make every connected part but the largest a new object, in one plane or in all.

        Returns
        -------
        list of int
            The new objects.

        Raises
        ------
        InputError
            If it is unknown or locked, or in one piece.
        """
        planes = self.objects.unlocked(object_id).planes
        first = max(self._new_id(at) for at in planes)
        edits = split(self.objects, object_id, first, plane)
        self._do_edits(Kind.SPLIT, edits)
        return [e.object_id for e in edits if isinstance(e, TraitsEdit) and e.before is None]

    def paint(
        self,
        plane: Plane,
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
        before: NDArray[np.integer[Any]],
        after: NDArray[np.integer[Any]],
    ) -> None:
        """Take note of pixels that somebody has painted into the target; objects follow.

        Pixels of a locked object are put back.

        Parameters
        ----------
        plane : Plane
            Where.
        rows, columns : (N,) int
            The pixels, each once.
        before, after : (N,) int
            Their labels before and afterwards; they may be in the target already or not.

        Raises
        ------
        InputError
            If there is no target, or the plane lies across those of the objects.
        """
        if self._target is None:
            raise InputError("there is no Labels layer that could have been painted")
        changed = before != after
        if not changed.any():
            return
        rows, columns, before, after = (a[changed] for a in (rows, columns, before, after))
        was, now = (self._target.read(plane).copy() for _ in range(2))
        was[rows, columns] = before
        now[rows, columns] = after
        met = np.unique(np.concatenate([before, after]))
        self._adopt(plane, was, met[met != 0].tolist())
        window = (  # one pixel wider, to see whom the stroke touches
            max(int(rows.min()) - 1, 0),
            max(int(columns.min()) - 1, 0),
            min(int(rows.max()) + 2, now.shape[0]),
            min(int(columns.max()) + 2, now.shape[1]),
        )
        painted = np.zeros((window[2] - window[0], window[3] - window[1]), bool)
        painted[rows - window[0], columns - window[1]] = True
        index = slices(window)
        values = was[index].astype(np.int64), now[index].astype(np.int64)
        stroke = Stroke(plane, now.shape, window, painted, *values)
        stroke = self._put_back_locked(self._target, stroke)
        if stroke.painted.any():
            first = self._new_id(plane, *met.tolist())
            self._do_edits(Kind.PAINTED, paint(self.objects, stroke, self.semantic, first))

    def absorb(self, plane: Plane) -> None:
        """Compare the labels of a plane with its objects, and take what differs as painted.

        Raises
        ------
        InputError
            As `paint`.
        """
        if self._target is None:
            raise InputError("there is no Labels layer to compare with")
        now = self._target.read(plane).astype(np.int64)
        whole: Box = (0, 0, *now.shape)
        owners = self.objects.owners(plane, whole)
        expected = np.where(owners == 0, now, owners)
        if self.semantic:
            for number, mask in self.objects.on(plane):
                mask.mark(expected, whole, self.objects[number].class_id)
        else:
            loose = (owners == 0) & (now != 0)
            loose[loose] = np.isin(now[loose], list(self.objects))
            expected[loose] = 0
        rows, columns = np.nonzero(expected != now)
        if len(rows):
            self.paint(plane, rows, columns, expected[rows, columns], now[rows, columns])

    def begin(
        self, kind: Kind, rule: Rule = Rule.KEEP, classes: Mapping[int, str] | None = None
    ) -> Batch:
        """Begin a step that takes masks from elsewhere and may grow for as long as it likes.

        Parameters
        ----------
        kind : Kind
            PROPAGATED, AUTOMATIC or REFINED.
        rule : Rule
            Who keeps the pixels of objects that are there already.
        classes : mapping of int to str, optional
            How classes are called from this step on.

        Examples
        --------
        >>> from napari_sam.session.batch import Proposal
        >>> session = Curation()
        >>> with session.begin(Kind.AUTOMATIC) as batch:
        ...     ids = batch.add((None, None), [Proposal(np.ones((2, 3), bool), score=0.8)])
        >>> ids, session.objects[1].pixels
        ([1], 6)
        >>> session.undo()
        >>> len(session.objects)
        0
        """
        return Batch(self, kind, rule, classes)

    def _do_edits(self, kind: Kind, edits: Sequence[Edit]) -> None:
        """Make a change if there is any, and let an open object's draft know its new mask."""
        if not edits:
            return
        draft = self.draft
        for edit in edits:
            if isinstance(edit, SectionEdit) and (edit.object_id, edit.plane) == (
                draft.object_id,
                draft.plane,
            ):
                draft = replace(draft, held=None if edit.after is None else edit.after.mask)
        self._do(kind, edits, draft)

    def _adopt(
        self, plane: Plane, labels: NDArray[np.integer[Any]], values: Sequence[int] | None = None
    ) -> None:
        self._check_axes(plane)
        first = self._new_id(plane, int(labels.max()))
        edits = adopt(self.objects, labels, plane, self.semantic, first, values)
        if not edits:
            return
        made = [e.after for e in edits if isinstance(e, TraitsEdit) and e.after is not None]
        if unnamed := {traits.class_id for traits in made} - set(self.classes):
            names = {number: f"class {number}" for number in sorted(unnamed)}
            named = replace(self.settings, classes={**self.classes, **names})
            self._commit(Configured(named))
        self._commit(Adopted(tuple(edits)), quiet=True)

    def _labels_under(
        self, plane: Plane, mask: CroppedMask, rule: Rule
    ) -> NDArray[np.integer[Any]] | None:
        """Return the labels of a plane; what a mask is to replace is an object from now on."""
        if self._target is None:
            return None
        labels = self._target.read(plane)
        if rule is Rule.REPLACE:
            there = np.where(
                mask.crop() & (self.objects.owners(plane, mask.box) == 0),
                labels[slices(mask.box)],
                0,
            )
            if there.any():
                self._adopt(plane, labels, np.unique(there[there != 0]).tolist())
        return labels

    def _take_batch(
        self,
        kind: Kind,
        number: int | None,
        edits: Sequence[Edit],
        classes: Mapping[int, str] | None,
    ) -> int:
        """Begin a step with these edits, or let the step of that number grow by them."""
        if number is None:
            wanted = replace(self.settings, classes=dict(classes or self.classes))
            settings = None if wanted == self.settings else (self.settings, wanted)
            return self._do(kind, edits, settings=settings).number
        self._commit(Grown(number, tuple(edits)))
        return number

    def _put_back_locked(self, target: Target, stroke: Stroke) -> Stroke:
        locked = self.objects.locked()
        owners = self.objects.owners(stroke.plane, stroke.window)
        barred = stroke.painted & np.isin(owners, locked)
        if not self.semantic:
            barred |= stroke.painted & np.isin(stroke.after, locked)
        if not barred.any():
            return stroke
        rows, columns = np.nonzero(barred)
        values = stroke.before[rows, columns].astype(target.dtype)
        at = rows + stroke.window[0], columns + stroke.window[1]
        target.write(stroke.plane, *at, values)
        self.remarked.emit("A locked object was painted on: its pixels are as they were.")
        return stroke.without(barred)

    def _check_axes(self, plane: Plane) -> None:
        axes, known = spanned(plane), self.objects.axes()
        if known not in (None, axes):
            raise InputError(
                f"the objects of this session lie in planes along axes {known}, this one lies "
                f"along {axes}; turn the view back, or choose a new Labels layer"
            )
