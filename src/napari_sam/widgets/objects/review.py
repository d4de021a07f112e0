"""Going through the objects: joins their list, the session and the view."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import QObject, QTimer

from napari_sam.planes import Plane
from napari_sam.session.objects import Status
from napari_sam.session.review import next_unsure, weakest_plane
from napari_sam.session.session import Session
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.layers.navigate import go_to, pixel_below
from napari_sam.widgets.objects.highlight import Highlight
from napari_sam.widgets.objects.objects_list import ObjectsList

__all__ = ["Review"]

REST_MS = 100  # a propagation may change objects many times per second

CHOOSE = "Select an object in the list first."


class Review(QObject):
    """Carries what is wanted of objects to the session, and shows in the list what became of them.

    Parameters
    ----------
    viewer : ViewerModel
        Shows the objects.
    objects : ObjectsList
        The list.

    Attributes
    ----------
    actions : dict of str to callable
        What can be done, by the names of `ObjectsList.wanted`; for the keys as well.
    """

    def __init__(
        self, viewer: ViewerModel, objects: ObjectsList, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._list = objects
        self._highlight = Highlight(viewer, lambda: objects.selected)
        self._annotation: Annotation | None = None
        self._session: Session | None = None
        self._target: Labels | None = None
        self._changed: set[int] = set()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.refresh)
        steps: dict[str, Callable[[], None]] = {
            "next_unsure": self.go_on,
            "accept_slice": lambda: self._judge(Status.ACCEPTED),
            "accept_object": lambda: self._judge(Status.ACCEPTED, everywhere=True),
            "unclear": lambda: self._judge(Status.UNCLEAR),
            "open": self.open_again,
            "continue": self.continue_here,
            "pick": self.pick,
            "merge": self.merge,
            "split": self.split,
            "lock": self.lock,
            "delete": self.delete,
        }
        self.actions = {name: partial(self._begin, step) for name, step in steps.items()}
        objects.wanted.connect(lambda name: self.actions[name]())
        objects.class_wanted.connect(self.give_class)
        objects.classes.wanted.connect(self.configure)
        objects.chosen.connect(self.show_weakest)
        objects.selection_changed.connect(self._tell_selection)

    def follow(self, annotation: Annotation | None) -> None:
        """Go through the objects of this annotation from now on."""
        if self._annotation is not None:
            self._annotation.changed.disconnect(self._follow)
        self._annotation = annotation
        self._list.portraits.attach(None if annotation is None else annotation.picture)
        if annotation is not None:
            annotation.changed.connect(self._follow)
        self._highlight.attach(annotation)
        self._follow()

    def close(self) -> None:
        """Let go of everything."""
        self.follow(None)
        self._soon.stop()
        self._list.portraits.close()

    def refresh(self) -> None:
        """Show in the list what has changed since."""
        self._soon.stop()
        changed, self._changed = self._changed, set()
        if changed:
            self._list.refresh(changed)

    def show_weakest(self, object_id: int) -> None:
        """Go to where an object is least sure."""
        held = None if self._session is None else self._session.objects.get(object_id)
        plane = None if held is None else weakest_plane(held)
        if plane is not None:
            self._go(object_id, plane)

    def go_on(self) -> None:
        """Go to the next object and slice that nobody has accepted."""
        annotation, session = self._annotation, self._session
        if annotation is None or session is None:
            return
        one, seen = self._one(), annotation.seen
        here = (one, seen) if one is not None and seen is not None else None
        there = next_unsure(session.objects, here)
        if there is None:
            annotation.remarked.emit("Nothing is left to look at: every object is accepted.")
            return
        self.refresh()
        self._list.select(there[0])
        self._go(*there)

    def open_again(self) -> None:
        """Bring the prompts of the selected object back: those of this slice, else its weakest."""
        annotation, one = self._annotation, self._one()
        if annotation is None or one is None or annotation.session.objects.get(one) is None:
            self._say(CHOOSE)
            return
        held = annotation.session.objects[one]
        plane = annotation.seen if annotation.seen in held.sections else weakest_plane(held)
        if plane is not None and annotation.step(lambda s: s.reopen(one, plane)):
            self._go(one, plane)

    def continue_here(self) -> None:
        """Draw the next mask of the selected object."""
        one = self._one()
        if one is None:
            self._say(CHOOSE)
        else:
            self._do(lambda s: s.continue_object(one))

    def pick(self) -> None:
        """Select the object below the mouse."""
        annotation = self._annotation
        if annotation is None:
            return
        at, seen = pixel_below(self._viewer, annotation.picture), annotation.seen
        found: list[int | None] = [None]
        if at is not None and seen is not None:
            place = seen, *at
            if not annotation.step(lambda s: found.append(s.object_at(*place))):
                return
        if found[-1] is None:
            self._say("There is no object below the mouse.")
            return
        self.refresh()
        self._list.select(found[-1])

    def merge(self) -> None:
        """Make the selected objects one."""
        ids = self._list.selected
        if self._do(lambda s: s.merge(ids)):
            self._list.select(ids[0])

    def split(self) -> None:
        """Make the parts of the selected object objects of their own."""
        one = self._one()
        if one is None:
            self._say("Select the one object to split.")
            return
        self._do(lambda s: s.split(one))

    def lock(self) -> None:
        """Lock the selected objects; if all are, unlock them."""
        ids, session = self._list.selected, self._session
        if session is not None and ids:
            locked = all(session.objects[n].locked for n in ids if n in session.objects)
            self._do(lambda s: s.lock(ids, not locked))
        else:
            self._say(CHOOSE)

    def delete(self) -> None:
        """Take the selected objects away."""
        ids = self._list.selected
        if not ids:
            self._say(CHOOSE)
        else:
            self._do(lambda s: s.delete(ids))

    def give_class(self, class_id: int) -> None:
        """Give the selected objects a class."""
        ids = self._list.selected
        if not ids:
            self._say(CHOOSE)
        else:
            self._do(lambda s: s.set_class(ids, class_id))

    def configure(self, semantic: bool, classes: Mapping[int, str], new_class: int) -> None:
        """Say what the labels hold, how classes are called, and which one new objects get."""
        session = self._session
        if session is None or (semantic, classes, new_class) == (
            session.semantic,
            session.classes,
            session.new_class,
        ):
            return
        self._say("")
        if not self._do(lambda s: s.configure(semantic, classes, new_class)):
            self._list.classes.show_session(session, anew=True)

    def _begin(self, step: Callable[[], None]) -> None:
        self._say("")
        step()

    def _judge(self, status: Status, everywhere: bool = False) -> None:
        annotation, ids = self._annotation, self._list.selected
        if annotation is None or not ids:
            self._say(CHOOSE)
            return
        seen, objects = annotation.seen, annotation.session.objects
        if not everywhere and not any(seen in objects[n].sections for n in ids if n in objects):
            self._say("The selected object has nothing on this slice.")
            return
        if self._do(lambda s: s.set_status(ids, status, None if everywhere else seen)):
            self.go_on()

    def _one(self) -> int | None:
        selected = self._list.selected
        return selected[0] if len(selected) == 1 else None

    def _go(self, object_id: int, plane: Plane) -> None:
        if self._annotation is not None and self._session is not None:
            section = self._session.objects.section(object_id, plane)
            mask = None if section is None else section.mask
            go_to(self._viewer, self._annotation.picture, plane, mask)

    def _do(self, step: Callable[[Session], object]) -> bool:
        done = self._annotation is not None and self._annotation.step(step)
        self.refresh()
        return done

    def _say(self, text: str) -> None:
        if self._annotation is not None:
            self._annotation.remarked.emit(text)

    def _follow(self) -> None:
        """Notice another session or other labels; the session itself says which objects change."""
        annotation = self._annotation
        session = None if annotation is None else annotation.session
        target = None if annotation is None else annotation.target
        self._list.classes.show_session(session)
        if session is not self._session or target is not self._target:
            if self._session is not None and session is not self._session:
                self._session.objects_changed.disconnect(self._note)
            if session is not None and session is not self._session:
                session.objects_changed.connect(self._note)
            self._session, self._target = session, target
            self._changed.clear()
            self._list.attach(session, None if target is None else target.get_color)
        elif session is not None:
            self._list.show_classes(session.classes)

    def _note(self, ids: frozenset[int]) -> None:
        self._changed |= ids
        if not self._soon.isActive():
            self._soon.start(REST_MS)

    def _tell_selection(self) -> None:
        if self._annotation is not None:
            self._annotation.select(self._one())
            self._highlight.refresh()
