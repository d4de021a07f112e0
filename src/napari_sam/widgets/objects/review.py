"""Review of the objects: connects the object list, the session and the view."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import QObject, Signal

from napari_sam.planes import Plane
from napari_sam.session import drawing
from napari_sam.session.adopt import object_at
from napari_sam.session.changed import What
from napari_sam.session.edit import curation
from napari_sam.session.objects import Status
from napari_sam.session.review import next_suggested, next_unsure, weakest_plane
from napari_sam.session.session import Session
from napari_sam.text.reader import Reader
from napari_sam.widgets.annotation.annotation import ANYTHING, Annotation
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.layers.navigate import go_to, pixel_below
from napari_sam.widgets.objects.highlight import Highlight
from napari_sam.widgets.objects.objects_list import ObjectsList
from napari_sam.widgets.objects.picking import Picking
from napari_sam.widgets.objects.suggesting import Suggesting
from napari_sam.widgets.objects.target_view import TargetView

__all__ = ["Review"]

REST_MS = 100  # a propagation may change objects many times per second
AT_ONCE = 250  # rows that are renewed while the window waits

CHOOSE = "Select an object in the list first."


class Review(QObject):
    """Applies the actions of the object list to the session, and shows the result in the list.

    Parameters
    ----------
    viewer : ViewerModel
        Shows the objects.
    objects : ObjectsList
        The list.
    reader : Reader
        Describes objects, so that classes can be suggested.

    Attributes
    ----------
    actions : dict of str to callable
        What can be done, by the names of `ObjectsList.wanted`; for the keys as well.
    """

    alike_wanted = Signal(object)  # list of int, of which more are to be found

    def __init__(
        self,
        viewer: ViewerModel,
        objects: ObjectsList,
        reader: Reader,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._reader = viewer, reader
        self._list = objects
        self._presenter: _ObjectsPresenter | None = None
        steps: dict[str, Callable[[_ObjectsPresenter], object]] = {
            "next_unsure": lambda one: one.go_on(),
            "accept_slice": lambda one: one.judge(Status.ACCEPTED),
            "accept_object": lambda one: one.judge(Status.ACCEPTED, everywhere=True),
            "unclear": lambda one: one.judge(Status.UNCLEAR),
            "open": _ObjectsPresenter.open_again,
            "continue": _ObjectsPresenter.continue_here,
            "pick": _ObjectsPresenter.pick,
            "merge": _ObjectsPresenter.merge,
            "split": _ObjectsPresenter.split,
            "lock": _ObjectsPresenter.lock,
            "delete": _ObjectsPresenter.delete,
            "look": _ObjectsPresenter.switch_look,
            "suggest": _ObjectsPresenter.suggest_classes,
            "alike": lambda one: one.find_alike(self.alike_wanted.emit),
        }
        self.actions: dict[str, Callable[[], None]] = {
            name: partial(self._begin, step) for name, step in steps.items()
        }
        objects.wanted.connect(lambda name: self.actions[name]())
        objects.class_wanted.connect(lambda id_: self._do(lambda one: one.give_class(id_)))
        objects.classes.wanted.connect(lambda *how: self._do(lambda one: one.configure(*how)))
        objects.chosen.connect(lambda id_: self._do(lambda one: one.show_weakest(id_)))
        objects.selection_changed.connect(lambda: self._do(_ObjectsPresenter.tell_selection))

    def follow(self, annotation: Annotation | None) -> None:
        """Switch to the objects of this annotation."""
        if self._presenter is not None:
            self._presenter.close()
            self._presenter = None
        self._list.thumbnails.draw_from(None if annotation is None else annotation.picture)
        if annotation is None:
            self._list.show_session(None)
        else:
            self._presenter = _ObjectsPresenter(self._viewer, self._list, annotation, self._reader)

    def close(self) -> None:
        """Disconnect and release the annotation."""
        self.follow(None)
        self._list.thumbnails.close()

    def refresh(self) -> None:
        """Update the list after changes of the session."""
        self._do(_ObjectsPresenter.refresh)

    def _begin(self, step: Callable[[_ObjectsPresenter], object]) -> None:
        def begin(one: _ObjectsPresenter) -> None:
            one.say("")
            step(one)

        self._do(begin)

    def _do(self, step: Callable[[_ObjectsPresenter], object]) -> None:
        if self._presenter is not None:
            step(self._presenter)


class _ObjectsPresenter:
    """Presenter of the objects of one annotation, for the list and the view."""

    def __init__(
        self, viewer: ViewerModel, objects: ObjectsList, annotation: Annotation, reader: Reader
    ) -> None:
        self._viewer = viewer
        self._list = objects
        self._annotation = annotation
        self._session: Session | None = None  # that the list shows
        self._target: Labels | None = None
        self._changed: set[int] = set()
        self._soon = new_timer(REST_MS, self._refresh_some, objects)
        self._more = new_timer(0, self._refresh_some, objects)
        self._highlight = Highlight(viewer, annotation, lambda: objects.selected)
        self._labels = TargetView(viewer, annotation, lambda: objects.model.rows)
        self._picking = Picking(annotation, self.select, lambda: objects.wanted.emit("cut"))
        self._suggesting = Suggesting(annotation, reader, self.go_on)
        annotation.changed.connect(self._follow)
        self._follow()

    def close(self) -> None:
        self._annotation.changed.disconnect(self._follow)
        if self._session is not None:
            self._session.objects_changed.disconnect(self._note)
        self._picking.close()
        self._suggesting.close()
        self._highlight.close()
        self._labels.close()
        for timer in (self._soon, self._more):
            timer.stop()
            timer.deleteLater()

    def refresh(self) -> None:
        self._refresh(self._changed)

    def _refresh_some(self) -> None:
        self._refresh(set(sorted(self._changed)[:AT_ONCE]))
        if self._changed:
            self._more.start()

    def _refresh(self, changed: set[int]) -> None:
        self._soon.stop()
        self._more.stop()
        self._changed = self._changed - changed
        if changed:
            self._list.refresh(changed)
            self._labels.tell()

    def select(self, object_id: int | None) -> None:
        """Select an object in the list, which may not show it yet; None for no object."""
        self.refresh()
        if object_id is None:
            self._list.table.clearSelection()
        else:
            self._list.select(object_id)

    def say(self, text: str) -> None:
        self._annotation.remarked.emit(text)

    def show_weakest(self, object_id: int) -> None:
        held = self._annotation.session.objects.get(object_id)
        plane = None if held is None else weakest_plane(held)
        if plane is not None:
            self._go(object_id, plane)

    def go_on(self, first: Status | None = None) -> None:
        """Select the next object and slice that are not accepted, of this status if one is left."""
        one, seen = self._one(), self._annotation.seen
        here = (one, seen) if one is not None and seen is not None else None
        objects = self._annotation.session.objects
        there = next_unsure(objects, here, first) or next_unsure(objects, here)
        there = there or next_suggested(objects, one)
        if there is None:
            self.say("Nothing is left to look at: every object is accepted.")
            return
        self.select(there[0])
        self._go(*there)

    def open_again(self) -> None:
        """Reopen the prompts of the selected object: on this slice, else on the weakest one."""
        annotation, one = self._annotation, self._one()
        held = None if one is None else annotation.session.objects.get(one)
        if one is None or held is None:
            self.say(CHOOSE)
            return
        plane = annotation.seen if annotation.seen in held.sections else weakest_plane(held)
        if plane is not None and annotation.step(lambda s: drawing.reopen(s, one, plane)):
            self._go(one, plane)

    def continue_here(self) -> None:
        one = self._one()
        if one is None:
            self.say(CHOOSE)
        else:
            self._do(lambda s: drawing.continue_object(s, one))

    def pick(self) -> None:
        annotation = self._annotation
        at, seen = pixel_below(self._viewer, annotation.picture), annotation.seen
        found: list[int | None] = [None]
        if at is not None and seen is not None:
            place = seen, *at
            if not annotation.step(lambda s: found.append(object_at(s, *place))):
                return
        if found[-1] is None:
            self.say("There is no object below the mouse.")
            return
        self.select(found[-1])

    def merge(self) -> None:
        ids = self._list.selected
        if self._do(lambda s: curation.merge(s, ids)):
            self._list.select(ids[0])

    def split(self) -> None:
        """Split the connected components of the selected object into separate objects."""
        one = self._one()
        if one is None:
            self.say("Select the one object to split.")
        else:
            self._do(lambda s: curation.split(s, one))

    def lock(self) -> None:
        """Lock the selected objects; unlock them if all are locked."""
        objects = self._annotation.session.objects
        locked = all(objects[n].locked for n in self._list.selected if n in objects)
        self._do_to_selected(lambda s, ids: curation.lock(s, ids, not locked))

    def find_alike(self, find: Callable[[list[int]], object]) -> None:
        """Find more objects like the selected ones."""
        if self._list.selected:
            find(self._list.selected)
        else:
            self.say(CHOOSE)

    def suggest_classes(self) -> None:
        self._suggesting.start()

    def switch_look(self) -> None:
        self.say(self._labels.switch_look())

    def delete(self) -> None:
        self._do_to_selected(curation.delete)

    def give_class(self, class_id: int) -> None:
        self._do_to_selected(lambda s, ids: curation.set_class(s, ids, class_id))

    def configure(self, semantic: bool, classes: Mapping[int, str], new_class: int) -> None:
        """Set the label mode, the class names, and the class of new objects."""
        session = self._annotation.session
        now = session.semantic, session.classes, session.new_class
        if (semantic, classes, new_class) == now:
            return
        self.say("")
        if not self._do(lambda s: s.configure(semantic, classes, new_class)):
            self._list.classes.show_session(session, anew=True)

    def judge(self, status: Status, everywhere: bool = False) -> None:
        """Mark the selected objects as accepted or unclear, on this slice by default, and go on."""
        annotation, ids = self._annotation, self._list.selected
        if not ids:
            self.say(CHOOSE)
            return
        seen, objects = annotation.seen, annotation.session.objects
        if not everywhere and not any(seen in objects[n].sections for n in ids if n in objects):
            self.say("The selected object has nothing on this slice.")
            return
        doubted = status is Status.ACCEPTED and any(
            section.status is Status.UNCLEAR
            for n in ids
            if n in objects
            for plane, section in objects[n].sections.items()
            if everywhere or plane == seen
        )
        if self._do(lambda s: curation.set_status(s, ids, status, None if everywhere else seen)):
            self.go_on(Status.UNCLEAR if doubted else None)

    def tell_selection(self) -> None:
        self._annotation.select(self._one())
        self._highlight.refresh()

    def _one(self) -> int | None:
        selected = self._list.selected
        return selected[0] if len(selected) == 1 else None

    def _go(self, object_id: int, plane: Plane) -> None:
        section = self._annotation.session.objects.section(object_id, plane)
        mask = None if section is None else section.mask
        go_to(self._viewer, self._annotation.picture, plane, mask)

    def _do(self, step: Callable[[Session], object]) -> bool:
        done = self._annotation.step(step)
        self.refresh()
        return done

    def _do_to_selected(self, step: Callable[[Session, list[int]], object]) -> None:
        ids = self._list.selected
        if ids:
            self._do(lambda s: step(s, ids))
        else:
            self.say(CHOOSE)

    def _follow(self, what: What = ANYTHING) -> None:
        """Notice another session or other labels; the session itself says which objects change."""
        self._list.model.call_planes(self._annotation.picture.axis_word)
        if What.OBJECTS not in what:
            return
        before, session, target = self._session, self._annotation.session, self._annotation.target
        self._list.classes.show_session(session)
        if session is before and target is self._target:
            self._list.show_classes(session.classes)
            self._labels.tell()
            return
        if session is not before:
            if before is not None:
                before.objects_changed.disconnect(self._note)
            session.objects_changed.connect(self._note)
        self._session, self._target = session, target
        self._changed.clear()
        self._list.show_session(session, None if target is None else target.get_color)
        self._labels.follow(target)

    def _note(self, ids: frozenset[int]) -> None:
        self._changed |= ids
        if not (self._soon.isActive() or self._more.isActive()):
            self._soon.start()
