"""Rendering of objects into labels: which pixels change, and which ids are free."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import LazyArray
from napari_sam.errors import InputError
from napari_sam.masks import Box, CroppedMask, enclosing, intersection, slices, tiles_of
from napari_sam.planes import Plane, crossing, spanned
from napari_sam.reasons import reason
from napari_sam.session.changes import Edit, LabelScheme, SectionEdit
from napari_sam.session.directions.crossings import Crossing, line
from napari_sam.session.ledger import Ledger
from napari_sam.session.objects import LARGEST, AnnotatedObject, LabelArray, Section, free_id

__all__ = ["LabelWriter", "ReadableLabels", "Repaint", "WritableLabels"]


NOT_WRITTEN = (
    "⚠ The labels could not be written: {}. Nothing is lost: your objects are saved, and are "
    "written with the next step that the disk takes."
)
TILE = 2048  # pixels of a side of what is read, compared and written at once


class ReadableLabels(Protocol):
    """A labels array that can be read plane by plane."""

    def read(self, plane: Plane) -> LazyArray:
        """Return the (H, W) labels of one plane; where they are no array, only windows are read."""


class WritableLabels(ReadableLabels, Protocol):
    """A labels array that can be read and written plane by plane."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Integer type of the labels."""

    def write(
        self,
        plane: Plane,
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
        values: LabelArray,
    ) -> None:
        """Set the pixels (rows[i], columns[i]) of one plane to values[i]."""


@dataclass(frozen=True)
class Repaint:
    """Mask and label value of one object in one plane, before and after an edit.

    One that stays says whose the pixels are that a plane across it loses.
    """

    plane: Plane
    before: CroppedMask | None
    value_before: int
    after: CroppedMask | None
    value_after: int

    @property
    def stays(self) -> bool:
        """True if nothing changes."""
        return self.before is self.after and self.value_before == self.value_after

    def mark(self, old: LabelArray, new: LabelArray, window: Box) -> None:
        """Set its pixels in the labels of a window before and after, (h, w) each."""
        if self.before is not None:
            self.before.mark(old, window, self.value_before)
        if self.after is not None:
            self.after.mark(new, window, self.value_after)

    def mark_across(self, old: LabelArray, new: LabelArray, window: Box, one: Crossing) -> None:
        """Set those of its pixels that lie where its plane crosses that of the window."""
        at = slices(one.here, window)
        if self.before is not None:
            old[at][one.seen(self.before)] = self.value_before
        if self.after is not None:
            new[at][one.seen(self.after)] = self.value_after


class LabelWriter:
    """Renderer of the objects of a ledger into labels, if there are any.

    Parameters
    ----------
    ledger : Ledger
        Holds the objects.

    Attributes
    ----------
    target : WritableLabels or None
        The labels.
    problem : str
        Why the last steps are not in the labels, as a sentence; empty if they are.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.target: WritableLabels | None = None
        self._ledger = ledger
        self._used_elsewhere = 0
        self.problem = ""
        self._late: list[tuple[list[Repaint], bool]] = []  # what the disk has not taken

    def write_to(self, target: WritableLabels | None, largest_id: int = 0) -> None:
        """Render all objects into `target` from now on; `largest_id` is the largest id used so far.

        Raises
        ------
        InputError
            If an object's label does not fit its dtype; the labels of before stay the target.
        """
        repaints = self._all()
        if target is not None:
            _check_fit(repaints, target)
        self.target = target
        self._used_elsewhere = largest_id
        self._late.clear()
        self.write(repaints, only_expected=True)

    def shown_in(self, labels: ReadableLabels) -> bool:
        """Return whether labels hold every pixel of the objects, whatever else they hold."""
        return all((now == value).all() for now, value in _pixels_under(self._all(), labels))

    def shown_but_last(self, labels: ReadableLabels) -> bool:
        """Return whether labels hold every object that the last step has not touched.

        So it is where a program ended, or a disk was full, between a step and its pixels.
        """
        done = self._ledger.history.done
        last = {edit.object_id for edit in done[-1].edits} if done else set()
        others = [held for held in self._ledger.objects.values() if held.id not in last]
        shown = _pixels_under(self._shown(others), labels)
        return bool(others) and all((now == value).all() for now, value in shown)

    def fits(self, labels: ReadableLabels) -> bool:
        """Return whether labels hold every pixel of the objects, or are zero at all of them.

        Where only some of their pixels are there, somebody has erased the others.
        """
        pixels = (now for now, _ in _pixels_under(self._all(), labels))
        return not any(now.any() for now in pixels) or self.shown_in(labels)

    def read(self, plane: Plane) -> LazyArray | None:
        """Return the (H, W) labels of a plane, None if there are none; see `ReadableLabels`."""
        return None if self.target is None else self.target.read(plane)

    def note_id(self, object_id: int) -> None:
        """Mark an id as used elsewhere, so that `new_id` does not return it."""
        self._used_elsewhere = max(self._used_elsewhere, object_id)

    def new_id(self, plane: Plane, *taken: int) -> int:
        """Return an id that no object, no label of the plane and nobody else uses.

        Labels on disk are not searched for it: of those `note_id` is told.
        """
        there, labels = 0, self.read(plane)
        if isinstance(labels, np.ndarray) and not self._ledger.scheme.semantic:
            there = int(labels.max(initial=0))
        return free_id(self._ledger.objects, (there, self._used_elsewhere, *taken))

    def repaints(self, edits: Iterable[Edit], after: LabelScheme) -> list[Repaint]:
        """Return the label changes that edits and a scheme will cause; call it before they apply.

        Raises
        ------
        InputError
            If a label would not fit.
        """
        if self.target is None:
            return []
        if after.semantic != self._ledger.scheme.semantic:
            repaints = [
                Repaint(plane, s.mask, self._label(held), s.mask, _label_of(held, after.semantic))
                for held in self._ledger.objects.values()
                for plane, s in held.sections.items()
            ]
        else:
            repaints = self._of_edits(edits)
        _check_fit(repaints, self.target)
        return repaints

    def write(self, repaints: Iterable[Repaint], only_expected: bool) -> None:
        """Write the changed pixels plane by plane; no other pixel is touched.

        What the disk refuses is written with the next step, in the same order; `problem` says why.

        Parameters
        ----------
        repaints : iterable of Repaint
            What becomes of each object.
        only_expected : bool
            Leave all pixels alone that do not hold what they should have held before, because
            somebody has changed them since; else only those that would become background.
        """
        if self.target is None:
            return
        self._late.append((list(repaints), only_expected))
        self.problem = ""
        try:
            while self._late:
                _write(self.target, *self._late[0])
                del self._late[0]
        except OSError as error:
            self.problem = NOT_WRITTEN.format(reason(error))

    def _all(self) -> list[Repaint]:
        """Return what shows all objects in labels that are empty."""
        return self._shown(self._ledger.objects.values())

    def _shown(self, objects: Iterable[AnnotatedObject]) -> list[Repaint]:
        return [
            Repaint(plane, None, 0, section.mask, self._label(held))
            for held in objects
            for plane, section in held.sections.items()
        ]

    def _label(self, held: AnnotatedObject) -> int:
        return _label_of(held, self._ledger.scheme.semantic)

    def _of_edits(self, edits: Iterable[Edit]) -> list[Repaint]:
        objects, semantic = self._ledger.objects, self._ledger.scheme.semantic
        sections: dict[tuple[int, Plane], Section | None] = {}  # as they will be
        classes: dict[int, int] = {}
        for edit in edits:
            if isinstance(edit, SectionEdit):
                sections[edit.object_id, edit.plane] = edit.after
            elif edit.after is not None:
                classes[edit.object_id] = edit.after.class_id
        for number, class_id in classes.items() if semantic else ():
            held = objects.get(number)
            if held is not None and held.class_id != class_id:
                for plane, section in held.sections.items():
                    sections.setdefault((number, plane), section)
        repaints = []
        for (number, plane), after in sections.items():
            held, before = objects.get(number), objects.section(number, plane)
            was = number if held is None else self._label(held)
            now = classes.get(number, was) if semantic else number
            masks = [None if s is None else s.mask for s in (before, after)]
            repaints.append(Repaint(plane, masks[0], was, masks[1], now))
        return repaints + self._staying(sections)

    def _staying(self, edited: Collection[tuple[int, Plane]]) -> list[Repaint]:
        """Return the sections of edited objects that stay, and cross planes that are edited."""
        objects = self._ledger.objects
        if len(objects.directions) < 2:
            return []
        planes: dict[int, list[Plane]] = {}
        for number, plane in edited:
            planes.setdefault(number, []).append(plane)
        return [
            Repaint(at, section.mask, self._label(held), section.mask, self._label(held))
            for number, some in planes.items()
            for held in [objects.get(number)]
            if held is not None
            for at, section in held.sections.items()
            if section.mask is not None and (number, at) not in edited
            if any(crossing(plane, at) for plane in some)
        ]


def _write(target: WritableLabels, repaints: Sequence[Repaint], only_expected: bool) -> None:
    across = _across(repaints)
    for plane, window, changes in _tiled(repaints):
        now = np.asarray(target.read(plane)[slices(window)])
        old, new = (np.zeros(now.shape, now.dtype) for _ in range(2))
        for change in changes:
            change.mark(old, new, window)
        for other, some in across.items():
            if (one := line(plane, window, other)) is not None:
                for change in some:
                    change.mark_across(old, new, window, one)
        expected = now == old
        allowed = expected if only_expected else expected | (new != 0)
        different = (old != new) & (now != new) & allowed
        rows, columns = np.nonzero(different)
        if len(rows):
            target.write(plane, rows + window[0], columns + window[1], new[rows, columns])


def _across(repaints: Sequence[Repaint]) -> dict[Plane, list[Repaint]]:
    """Return what is said of planes that others cross, by plane; empty where none does.

    Nor where nothing was there before: sections that agree say nothing new of each other then.
    """
    several = len({spanned(change.plane) for change in repaints}) > 1
    planes: dict[Plane, list[Repaint]] = {}
    if several and any(change.before is not None for change in repaints):
        for change in repaints:
            planes.setdefault(change.plane, []).append(change)
    return planes


def _tiled(repaints: Iterable[Repaint]) -> Iterator[tuple[Plane, Box, list[Repaint]]]:
    """Yield windows of planes, none larger than a tile, with all repaints that meet each.

    Every pixel of the repaints is in one of them, so that no more than that is held at once.
    """
    tiles: dict[tuple[Plane, int, int], tuple[Box, list[Repaint]]] = {}
    for change in repaints:
        if change.stays:
            continue
        boxes = [mask.box for mask in (change.before, change.after) if mask is not None]
        for part in tiles_of(enclosing(*boxes), TILE) if boxes else ():
            key = change.plane, part[0] // TILE, part[1] // TILE
            window, changes = tiles.setdefault(key, (part, []))
            changes.append(change)
            tiles[key] = enclosing(window, part), changes
    for (plane, *_), (window, changes) in tiles.items():
        yield plane, window, changes


def _pixels_under(
    repaints: Iterable[Repaint], target: ReadableLabels
) -> Iterator[tuple[LabelArray, int]]:
    """Give the labels where each repaint writes, and the value that it writes, tile by tile."""
    for plane, window, changes in _tiled(repaints):
        labels = np.asarray(target.read(plane)[slices(window)])
        for change in changes:
            common = None if change.after is None else intersection(change.after.box, window)
            if change.after is not None and common is not None:
                now = labels[slices(common, window)]
                yield now[change.after.within(common)], change.value_after


def _label_of(held: AnnotatedObject, semantic: bool) -> int:
    return held.class_id if semantic else held.id


def _check_fit(repaints: Sequence[Repaint], target: WritableLabels) -> None:
    largest = min(int(np.iinfo(target.dtype).max), LARGEST)
    for repaint in repaints:
        if repaint.after is not None and repaint.value_after > largest:
            raise InputError(
                f"object {repaint.value_after} does not fit into {target.dtype} labels, whose "
                f"largest id is {largest}; choose a new Labels layer to go on"
            )
