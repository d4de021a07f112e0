"""The list of a stack's objects: kept up to date, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from napari_sam.planes import Plane
from napari_sam.session.edit import curation
from napari_sam.session.objects import AnnotatedObject, Status
from napari_sam.session.session import Session
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.common.keys import KEYS
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.common.wording import count
from napari_sam.widgets.layers.navigate import go_to
from napari_sam.widgets.stack.controls import StackControls
from napari_sam.widgets.stack.report import StackReport
from napari_sam.widgets.stack.rows import State, doubt
from napari_sam.widgets.stack.seeds import StackAxis

__all__ = ["Reviewing"]

REST_MS = 200  # slices may come faster than anybody reads
CHOOSE = "Click on a {} of a bar to go there."


class Reviewing:
    """Shows the objects of an annotation along one axis, and leads through their slices.

    Parameters
    ----------
    annotation : Annotation
        Whose objects.
    controls : StackControls
        Where they are listed.
    select : callable
        Selects an object in all lists.
    """

    def __init__(
        self, annotation: Annotation, controls: StackControls, select: Callable[[int], object]
    ) -> None:
        self._annotation = annotation
        self._controls = controls
        self._select = select
        self._along: StackAxis | None = None
        self._shown: tuple[object, ...] = ()
        self._session: Session | None = None
        self._changed: set[int] = set()
        self._soon = new_timer(REST_MS, self._refresh_rows, controls)
        self._then: list[Callable[[], object]] = []  # what waits for the list
        controls.list.slices.colour = self._colour
        controls.list.slices.updated.connect(self._show_part)

    def close(self) -> None:
        """Empty the list."""
        self._follow(None)
        self._then.clear()
        self._soon.stop()
        self._soon.deleteLater()
        self._controls.list.slices.updated.disconnect(self._show_part)
        self._controls.list.slices.colour = None
        self._controls.list.slices.show_objects(None, None, 1, "slice")
        self._controls.list.slices.forget_reports()
        self._controls.show_list(False, "", False)

    @property
    def along(self) -> StackAxis | None:
        """The slices that are listed."""
        return self._along

    def show(self, axis: int | None, noun: str, busy: bool) -> None:
        """Show the objects along an axis, through the plane in view."""
        annotation, view = self._annotation, self._controls.list
        seen, session = annotation.seen, annotation.session
        if axis is None:
            self._along = None
        elif seen is not None and (self._along is None or not self._leads_through(seen, axis)):
            self._along = StackAxis(seen, axis)
        along = self._along
        line = None if along is None else (along.at(0), along.axis)
        length = 1 if along is None else annotation.picture.shape[along.axis]
        shown = session, line, length, noun
        if shown != self._shown:
            self._shown = shown
            self._changed.clear()
            self._then.clear()
            self._follow(session)
            view.slices.show_objects(session.objects, along, length, noun)
        view.see(None if along is None or seen is None else along.index(seen))
        view.select(annotation.selected)
        self._show_detail(busy)

    def settle(self, then: Callable[[], object]) -> None:
        """Show what has changed last, then do this: at once, if few slices have."""
        if then not in self._then:  # a button may be pressed again meanwhile
            self._then.append(then)
        self._refresh_rows()

    def show_report(self, report: StackReport) -> None:
        """Use the report of this propagation for the words."""
        self._controls.list.slices.show_report(report)

    def go(self, number: int, index: int) -> None:
        """Select an object and show a slice of it."""
        along, annotation = self._along, self._annotation
        if along is None or not annotation.picture.fits(plane := along.at(index), None):
            return
        self._select(number)
        section = annotation.session.objects.section(number, plane)
        mask = None if section is None else section.mask
        go_to(annotation.viewer, annotation.picture, plane, mask)

    def go_on(self) -> None:
        """Go to the next slice that should be looked at, object by object, then anew."""
        self.settle(self._go_on)

    def _go_on(self) -> None:
        left, along, seen = self._places(State.LOOK), self._along, self._annotation.seen
        if not left or along is None:
            return
        at = along.index(seen) if seen is not None else None
        here = (self._annotation.selected or 0, -1 if at is None else at)
        self.go(*next((place for place in left if place > here), left[0]))

    def accept_certain(self) -> None:
        """Accept every sure mask of the list, as one step."""
        self.settle(self._accept_certain)

    def _accept_certain(self) -> None:
        along, annotation = self._along, self._annotation
        if along is None:
            return
        places = [(number, along.at(index)) for number, index in self._places(State.SURE)]
        accepted: list[int] = []
        if annotation.step(lambda s: accepted.append(curation.accept_certain(s, places))):
            left = self._controls.list.slices.look
            more = f" {count(left, self._noun)} to look at: press Review." if left else ""
            annotation.remarked.emit(
                f"{count(sum(accepted), 'mask')} accepted; {KEYS['undo']} takes that back.{more}"
            )
        self._refresh_rows()

    @property
    def _noun(self) -> str:
        return self._controls.list.slices.noun

    def _places(self, state: State) -> list[tuple[int, int]]:
        return self._controls.list.slices.places(state)

    def _leads_through(self, seen: Plane, axis: int) -> bool:
        along = self._along
        return along is not None and along.axis == axis and along.index(seen) is not None

    def _show_detail(self, busy: bool) -> None:
        number, objects = self._annotation.selected, self._annotation.session.objects
        held = None if number is None else objects.get(number)
        listed = held is not None and self._controls.list.slices.find(held.id) is not None
        idle = CHOOSE.format(self._noun) if self._controls.list.slices.rowCount() else ""
        said = self._about(held) if held is not None and listed else idle
        self._controls.show_list(listed, said, busy)

    def _about(self, held: AnnotatedObject) -> str:
        """Return what is known of an object on the slice in view, and what to do."""
        seen, along, noun = self._annotation.seen, self._along, self._noun
        index = along.index(seen) if along is not None and seen is not None else None
        if seen is None or index is None:
            return f"Object {held.id} is selected."
        name = f"Object {held.id}, {noun} {index}"
        section = held.sections.get(seen)
        slices = self._controls.list.slices
        row, report = slices.row(slices.find(held.id) or 0), slices.report(held.id)
        here = next((e for e in row.endings(report) if (index - e.at) * e.way >= 0), None)
        if section is None:
            return f"{name}: not here; {here.words(noun)}." if here else f"{name}: not here."
        if section.status is Status.ACCEPTED:
            return f"{name}: accepted."
        if section.status is Status.PROPOSED:
            return f"{name}: sure. {KEYS['accept_slice']} accepts it."
        ended = here is not None and section.mask is None
        why = here.words(noun).split(":")[0] if here and ended else doubt(section)
        correct, then = KEYS["open"], f"{KEYS['accept']}, then {KEYS['follow']} follows it again"
        if section.mask is None:
            return (
                f"{name}: {why}. {correct}, click on it, {then}. "
                f"Is it not here: {KEYS['accept_slice']}."
            )
        return (
            f"{name}: {why}. Right: {KEYS['accept_slice']}. "
            f"Wrong: {correct}, correct it with clicks, {then}."
        )

    def _colour(self, object_id: int) -> Sequence[float] | None:
        """Return the colour of an object in the labels."""
        session, target = self._annotation.session, self._annotation.target
        held = session.objects.get(object_id)
        label = held.class_id if session.semantic and held is not None else object_id
        return None if target is None else target.get_color(label)

    def _follow(self, session: Session | None) -> None:
        if self._session is not None:
            self._session.objects_changed.disconnect(self._note)
        self._session = session
        if session is not None:
            session.objects_changed.connect(self._note)

    def _note(self, ids: frozenset[int]) -> None:
        self._changed |= ids
        if not self._soon.isActive():
            self._soon.start()

    def _refresh_rows(self) -> None:
        self._soon.stop()
        changed, self._changed = self._changed, set()
        self._controls.list.slices.refresh(changed)

    def _show_part(self) -> None:
        """Show what was read of the list; go on with what has waited for all of it."""
        self._controls.list.select(self._annotation.selected)
        self._show_detail(self._controls.cancel.isVisibleTo(self._controls))
        if not self._controls.list.slices.reading:
            waiting, self._then = self._then, []
            for then in waiting:
                then()
