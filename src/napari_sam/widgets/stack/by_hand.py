"""An object through slices by hand, what is missing on a slice, and review by halves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from napari_sam.planes import Plane
from napari_sam.session.edit import curation
from napari_sam.session.edit.halves import doubts, found_right, looked_at, next_look
from napari_sam.session.edit.interpolate import interpolate
from napari_sam.session.edit.missing import missing, unclaimed
from napari_sam.session.edit.slices import copy_to, end_at, mark_absent
from napari_sam.session.objects import Status
from napari_sam.session.overlap import Rule
from napari_sam.session.session import Session
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.common.keys import KEYS
from napari_sam.widgets.layers.navigate import go_to
from napari_sam.widgets.stack.controls import StackControls
from napari_sam.widgets.stack.report import spans
from napari_sam.widgets.stack.seeds import StackAxis
from napari_sam.widgets.stack.strip import Shown

__all__ = ["ByHand", "Follow"]

CHOOSE = "Select an object in the list first."
NOTHING = "Nothing is missing on this slice, and nothing is new."
NO_STACK = "Show a slice of a stack in the 2D view first."
SEEN_ENOUGH = "Every object was looked at closely enough; accept what is certain."


class Follow(Protocol):
    """Follows one object from a slice; 1 and -1 is forward and backward, 0 both ways."""

    def __call__(self, number: int, index: int, way: int) -> object:
        """Begin, or say why not."""


class ByHand:
    """Does what is done slice by slice in one annotation, and shows what is missing.

    Parameters
    ----------
    annotation : Annotation
        Whose objects.
    controls : StackControls
        Where the strip is, and the rule of overlaps.
    go : callable
        Selects an object and shows a slice of it.
    follow : Follow
        Follows an object from a slice.
    """

    def __init__(
        self,
        annotation: Annotation,
        controls: StackControls,
        go: Callable[[int, int], object],
        follow: Follow,
    ) -> None:
        self._annotation = annotation
        self._controls = controls
        self._go = go
        self._follow = follow
        self._along: StackAxis | None = None
        self._line: list[Plane] = []
        self._seen: int | None = None
        self._way = 1
        self._proposed: tuple[int, int] | None = None  # the look that was asked for last
        controls.strip.draw_from(annotation.picture)
        controls.strip.picked.connect(self._show)

    def close(self) -> None:
        """Empty the strip."""
        strip = self._controls.strip
        strip.picked.disconnect(self._show)
        strip.draw_from(None)
        strip.show_objects((), "")

    def show(self, along: StackAxis | None) -> None:
        """Show what is missing on the slice in view, of those that were on the last one."""
        annotation = self._annotation
        if along != self._along:
            self._along, self._seen, self._way = along, None, 1
            length = 1 if along is None else annotation.picture.shape[along.axis]
            self._line = [] if along is None else along.line(length)
        seen = None if along is None or annotation.seen is None else along.index(annotation.seen)
        if seen is not None and self._seen not in (None, seen):
            self._way = 1 if seen > (self._seen or 0) else -1
        self._seen = seen
        noun = self._controls.list.slices.noun
        self._controls.strip.show_objects(self._changes(), f"Nothing is missing on this {noun}.")

    def copy(self, way: int) -> None:
        """Copy the selected object's mask to the next slice, or the one before, and go there."""
        if (chosen := self._chosen()) is None:
            return
        number, seen = chosen
        if not 0 <= seen + way < len(self._line):
            self._say(f"There is no {self._noun} {'behind' if way > 0 else 'before'} this one.")
            return
        source, plane = self._line[seen], self._line[seen + way]
        if self._step(lambda s: copy_to(s, number, source, plane, self._rule)):
            self._go(number, seen + way)
            self._say(
                f"Object {number} was copied to {self._noun} {seen + way}; {KEYS['accept_slice']} "
                f"accepts it there, {KEYS['undo']} takes it back."
            )

    def interpolate(self) -> None:
        """Fill the gap of the selected object around the slice in view."""
        if (chosen := self._chosen()) is None:
            return
        number, seen = chosen
        filled: list[int] = []
        line, rule = self._line, self._rule
        if self._step(lambda s: filled.extend(interpolate(s, number, line, seen, rule))):
            self._say(f"Object {number} was filled in on {self._noun}s {spans(filled)}.")

    def mark_absent(self) -> None:
        """Say that the selected object is not on the slice in view."""
        if (chosen := self._chosen()) is None:
            return
        number, seen = chosen
        if self._step(lambda s: mark_absent(s, number, self._line[seen])):
            self._say(f"Object {number} is not on {self._noun} {seen}; it is not followed there.")

    def end(self) -> None:
        """Say that the selected object ends on the slice in view."""
        if (chosen := self._chosen()) is not None:
            self._end(chosen[0])

    def look(self) -> None:
        """Accept the look that was asked for, if it is in view; then go to the next one."""
        if self._along is None:
            self._say(NO_STACK)
            return
        here = self._annotation.selected, self._seen
        if self._proposed is not None and here == self._proposed and not self._accept(*here):
            return
        found = self._next_look()
        self._proposed = found
        if found is None:
            self._say(SEEN_ENOUGH)
            return
        self._go(*found)
        key, follow = KEYS["halves"], KEYS["follow"]
        self._say(
            f"Look at object {found[0]} on {self._noun} {found[1]}. Right: {key} again. Wrong: "
            f"correct it ({KEYS['open']}), {KEYS['accept']}, {follow}; only this half is followed."
        )

    def follow_missing(self) -> None:
        """Follow the framed object from the last slice on, or a new one from this slice."""
        one = self._framed()
        if one is not None and self._along is not None:
            index = self._along.index(one.plane)
            assert index is not None
            self._follow(one.number, index, 0 if one.new else self._way)

    def copy_missing(self) -> None:
        """Copy the framed object from the last slice; accept a new one on this slice."""
        one, seen = self._framed(), self._seen
        if one is None or seen is None:
            return
        plane = self._line[seen]
        if one.new:
            if self._step(lambda s: curation.set_status(s, [one.number], Status.ACCEPTED, plane)):
                self._say(f"Object {one.number} is accepted on {self._noun} {seen}.")
        elif self._step(lambda s: copy_to(s, one.number, one.plane, plane, self._rule)):
            self._say(f"Object {one.number} was copied to {self._noun} {seen}.")

    def end_missing(self) -> None:
        """End the framed object before the slice in view; delete a new one."""
        if (one := self._framed()) is None:
            return
        if not one.new:
            self._end(one.number)
        elif self._step(lambda s: curation.delete(s, [one.number])):
            self._say(f"Object {one.number} is deleted; {KEYS['undo']} takes that back.")

    @property
    def _noun(self) -> str:
        return self._controls.list.slices.noun

    @property
    def _rule(self) -> Rule:
        return Rule(self._controls.choices["rule"].value)

    def _changes(self) -> list[Shown]:
        """Return what is missing on the slice in view, then what is new."""
        seen, objects = self._seen, self._annotation.session.objects
        if seen is None or not 0 <= seen - self._way < len(self._line):
            return []
        before, here = self._line[seen - self._way], self._line[seen]
        lost = [(number, False, before) for number in missing(objects, before, here)]
        new = [(number, True, here) for number in unclaimed(objects, before, here)]
        return [
            Shown(number, is_new, plane, mask)
            for number, is_new, plane in lost + new
            for mask in [objects[number].sections[plane].mask]
            if mask is not None
        ]

    def _next_look(self) -> tuple[int, int] | None:
        """Return the next look at the selected object, else at the first that needs one."""
        objects, selected = self._annotation.session.objects, self._annotation.selected
        order = sorted(objects, key=lambda number: (number != selected, number))
        for number in order:
            held = objects[number]
            if held.locked:
                continue
            line = self._line
            at = next_look(doubts(held, line), looked_at(held, line), found_right(held, line))
            if at is not None:
                return number, at
        return None

    def _accept(self, number: int | None, seen: int | None) -> bool:
        """Accept what the view shows of an object: its mask, or that it is not there."""
        if number is None or seen is None:
            return False
        plane = self._line[seen]
        if self._annotation.session.objects.section(number, plane) is None:
            return self._step(lambda s: mark_absent(s, number, plane))
        return self._step(lambda s: curation.set_status(s, [number], Status.ACCEPTED, plane))

    def _end(self, number: int) -> None:
        seen, found = self._seen, list[int | None]()
        if seen is None or not self._step(
            lambda s: found.append(end_at(s, number, self._line, seen, self._way))
        ):
            return
        first = found[0]
        if first is None:
            self._say(f"Object {number} reaches the end of the stack here; nothing is to be done.")
        else:
            self._say(f"Object {number} is not on {self._noun} {first}, nor beyond it.")

    def _framed(self) -> Shown | None:
        one = self._controls.strip.current
        if one is None:
            self._say(NOTHING if self._seen is not None else NO_STACK)
        return one

    def _chosen(self) -> tuple[int, int] | None:
        """Return the selected object and the slice in view, or say what is needed."""
        number = self._annotation.selected
        if self._seen is None:
            self._say(NO_STACK)
        elif number is None or number not in self._annotation.session.objects:
            self._say(CHOOSE)
        else:
            return number, self._seen
        return None

    def _show(self, number: int) -> None:
        """Select an object of the strip, and move the camera to where it was."""
        one = self._controls.strip.current
        if self._seen is not None and one is not None:
            self._go(number, self._seen)
            go_to(
                self._annotation.viewer,
                self._annotation.picture,
                self._line[self._seen],
                one.mask,
            )

    def _step(self, step: Callable[[Session], object]) -> bool:
        self._annotation.remarked.emit("")
        return self._annotation.step(step)

    def _say(self, text: str) -> None:
        self._annotation.remarked.emit(text)
