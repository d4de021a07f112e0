"""The one history: every change is logged, then applied, then written into the labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from psygnal import Signal

from napari_sam.errors import InputError
from napari_sam.planes import Plane
from napari_sam.results import Prediction
from napari_sam.session.changes import (
    Change,
    Edit,
    Kind,
    SectionEdit,
    Settings,
    apply,
    backwards,
    still_fitting,
)
from napari_sam.session.classes import UNNAMED
from napari_sam.session.draft import Draft, Request
from napari_sam.session.history import History
from napari_sam.session.objects import LARGEST, AnnotatedObject, Objects, Section, free_id
from napari_sam.session.records import (
    Adopted,
    Configured,
    Done,
    Grown,
    Log,
    Record,
    Redone,
    Undone,
    Viewed,
)
from napari_sam.session.render import Repaint, blank, shown, write
from napari_sam.session.target import Readable, Target

__all__ = ["Ledger"]

HISTORY_BYTES = 256 * 2**20
DROPPED = "The oldest steps can no longer be undone: the history has reached its bound of memory."


class Ledger:
    """Objects, the draft, their history, and the labels that show them.

    Parameters
    ----------
    log : Log, optional
        Where every record goes before it takes effect.
    history_bytes : int
        Bound of the history; its oldest steps are dropped beyond it.

    Attributes
    ----------
    changed : psygnal.Signal
        Emitted after every change.
    objects_changed : psygnal.Signal
        Emitted with the set of ids of objects that changed, before `changed`.
    remarked : psygnal.Signal
        Emitted with a sentence for the user.
    objects : Objects
        All objects by id.
    draft : Draft
        The object that is being drawn.
    request : Request or None
        The question that the draft asks; None if it asks nothing.
    prediction : Prediction or None
        The answer to `request`, once it is there.
    semantic : bool
        True if labels hold numbers of classes, False if they hold ids of objects.
    classes : mapping of int to str
        Names of classes by number.
    new_class : int
        Class of new objects.
    view : mapping
        How the panel stood when it last said so.
    """

    changed = Signal()
    objects_changed = Signal(object)
    remarked = Signal(str)

    def __init__(self, log: Log | None = None, history_bytes: int = HISTORY_BYTES) -> None:
        self.objects = Objects()
        self.draft = Draft()
        self.request: Request | None = None
        self.prediction: Prediction | None = None
        self.semantic = False
        self.classes: Mapping[int, str] = UNNAMED
        self.new_class = 1
        self.view: Mapping[str, Any] = {}
        self.log = log
        self.history = History(history_bytes)
        self._target: Target | None = None
        self._used_elsewhere = 0
        self._number = 0
        self._told = False

    @property
    def settings(self) -> Settings:
        """What the labels hold, and what classes there are."""
        return Settings(self.semantic, self.classes, self.new_class)

    @property
    def number(self) -> int:
        """Number of the latest step, whether it was taken back or not."""
        return self._number

    @property
    def can_undo(self) -> bool:
        """True if there is a step to take back."""
        return bool(self.history.done)

    @property
    def can_redo(self) -> bool:
        """True if there is a step to make again."""
        return bool(self.history.undone)

    def undo(self) -> None:
        """Take the last step back; pixels that somebody else changed since stay as they are."""
        if self.can_undo:
            self._commit(Undone(self.history.done[-1].number))

    def redo(self) -> None:
        """Make the last undone step again."""
        if self.can_redo:
            self._commit(Redone(self.history.undone[-1].number))

    def write_to(self, target: Target | None, largest_id: int = 0) -> None:
        """Show all objects in `target` from now on, whose largest id so far is `largest_id`.

        Raises
        ------
        InputError
            If an object's label does not fit its dtype; the session keeps its target.
        """
        if target is not None:
            repaints = self._all()
            _check_fit(repaints, target)
            write(target, repaints, only_expected=True)
        self._target = target
        self._used_elsewhere = largest_id

    def shown_in(self, labels: Readable) -> bool:
        """Tell whether labels hold every pixel of the objects, whatever they hold besides."""
        return shown(labels, self._all())

    def fits(self, labels: Readable) -> bool:
        """Tell whether labels hold the session's objects, or nothing at all in their place.

        Where only some of their pixels are there, somebody has erased the others.
        """
        return blank(labels, self._all()) or self.shown_in(labels)

    def note_id(self, object_id: int) -> None:
        """Learn that somebody else used an id, so that it is not given out again."""
        self._used_elsewhere = max(self._used_elsewhere, object_id)

    def configure(
        self,
        semantic: bool | None = None,
        classes: Mapping[int, str] | None = None,
        new_class: int | None = None,
    ) -> None:
        """Switch between ids and classes in the labels, name classes, choose that of new objects.

        Raises
        ------
        InputError
            If a class in use gets no name, a number is below 1, or a label does not fit.
        """
        names = self.classes if classes is None else dict(classes)
        chosen = self.new_class if new_class is None else new_class
        used = {chosen, *(held.class_id for held in self.objects.values())}
        if missing := sorted(used - set(names)):
            raise InputError(f"class {missing[0]} is in use and needs a name; named are {names}")
        if wrong := [number for number in names if number < 1]:
            raise InputError(f"numbers of classes begin at 1, because 0 is background; got {wrong}")
        wanted = Settings(self.semantic if semantic is None else semantic, names, chosen)
        if wanted != self.settings:
            self._do(Kind.CLASSES, (), settings=(self.settings, wanted))

    def keep_view(self, view: Mapping[str, Any]) -> None:
        """Write down how the panel stands, as JSON of its own."""
        if view != self.view:
            self._commit(Viewed(view))

    def replay(self, record: Record) -> None:
        """Do what a record says, without logging or showing it."""
        self._apply(record, self._edits(record))
        self._told = self.history.dropped

    def resume(
        self, draft: Draft, done: Sequence[Change], undone: Sequence[Change], number: int
    ) -> None:
        """Go on with a history and a draft that were saved, over objects that are there already.

        `number` is that of the latest step.
        """
        self.history.load(done, undone)
        self._number = number
        self._told = self.history.dropped
        self._show(draft)

    def _all(self) -> list[Repaint]:
        """Return what shows all objects in labels that are empty."""
        return [
            Repaint(plane, None, 0, section.mask, self._label(held))
            for held in self.objects.values()
            for plane, section in held.sections.items()
        ]

    def _do(
        self,
        kind: Kind,
        edits: Sequence[Edit],
        draft: Draft | None = None,
        quiet: bool = False,
        settings: tuple[Settings, Settings] | None = None,
    ) -> Change:
        """Make a change; `draft` is what is being drawn afterwards."""
        after = self.draft if draft is None else draft
        change = Change(self._number + 1, kind, self.draft, after, tuple(edits), settings)
        self._commit(Done(change), quiet)
        return change

    def _commit(self, record: Record, quiet: bool = False) -> None:
        edits = self._edits(record)
        repaints = []
        if self._target is not None:
            repaints = self._repaints(record, edits)
            _check_fit(repaints, self._target)
        if self.log is not None:
            self.log.append(record)
        self._apply(record, edits)
        if self._target is not None:
            write(self._target, repaints, only_expected=isinstance(record, Undone | Redone))
        if ids := {edit.object_id for edit in edits}:
            self.objects_changed.emit(frozenset(ids))
        if not quiet and not isinstance(record, Viewed):
            self.changed.emit()
        if self.history.dropped and not self._told:
            self._told = True
            self.remarked.emit(DROPPED)

    def _edits(self, record: Record) -> Sequence[Edit]:
        match record:
            case Done(change):
                return change.edits
            case Undone():
                return still_fitting(backwards(self.history.done[-1].edits), self.objects)
            case Redone():
                return still_fitting(self.history.undone[-1].edits, self.objects)
            case Grown(_, edits) | Adopted(edits):
                return edits
        return ()

    def _settings_after(self, record: Record) -> Settings | None:
        """Return the settings that a record brings; None if they stay as they are.

        A class that got its name in between, with labels that were there already, keeps it.
        """
        match record:
            case Configured(settings):
                return settings
            case Done(change):
                wanted = change.settings and change.settings[1]
            case Undone():
                wanted = (pair := self.history.done[-1].settings) and pair[0]
            case Redone():
                wanted = (pair := self.history.undone[-1].settings) and pair[1]
            case _:
                return None
        if wanted is None:
            return None
        used = {held.class_id for held in self.objects.values()} & set(self.classes)
        return replace(wanted, classes={**{n: self.classes[n] for n in used}, **wanted.classes})

    def _apply(self, record: Record, edits: Sequence[Edit]) -> None:
        apply(edits, self.objects)  # first, because a class that is in use keeps its name
        if (settings := self._settings_after(record)) is not None:
            self.semantic, self.new_class = settings.semantic, settings.new_class
            self.classes = settings.classes
        match record:
            case Done(change):
                self._number = max(self._number, change.number)
                self.history.do(change)
                self._show(change.after)
            case Undone():
                self._show(self.history.undo().before)
            case Redone():
                self._show(self.history.redo().after)
            case Grown(number, new):
                self.history.grow(number, new)
            case Viewed(view):
                self.view = view

    def _show(self, draft: Draft) -> None:
        asks_the_same = draft.same_prompts(self.draft) and draft.seed is self.draft.seed
        self.draft = draft
        if not asks_the_same:
            self.request = draft.request()
            self.prediction = None

    def _label(self, held: AnnotatedObject) -> int:
        return held.class_id if self.semantic else held.id

    def _new_id(self, plane: Plane, *taken: int) -> int:
        """Return an id that no object, no label of the plane and nobody else uses."""
        there = 0
        if self._target is not None and not self.semantic:
            there = int(self._target.read(plane).max(initial=0))
        return free_id(self.objects, (there, self._used_elsewhere, *taken))

    def _repaints(self, record: Record, edits: Iterable[Edit]) -> list[Repaint]:
        """Return what a record is about to do to the labels; call it before it takes effect."""
        settings = self._settings_after(record)
        if settings is not None and settings.semantic != self.semantic:
            return [
                Repaint(plane, s.mask, self._label(held), s.mask, new)
                for held in self.objects.values()
                for new in [held.class_id if settings.semantic else held.id]
                for plane, s in held.sections.items()
            ]
        if isinstance(record, Adopted):
            return []
        classes: dict[int, tuple[int, int]] = {}  # of each object that changes: before and after
        sections: dict[tuple[int, Plane], tuple[Section | None, Section | None]] = {}
        for edit in edits:
            number = edit.object_id
            held = self.objects.get(number)
            known = 0 if held is None else held.class_id
            first, last = classes.setdefault(number, (known, known))
            if isinstance(edit, SectionEdit):
                key = number, edit.plane
                sections[key] = sections.get(key, (edit.before, None))[0], edit.after
            elif edit.after is not None:
                classes[number] = first or edit.after.class_id, edit.after.class_id
        if self.semantic:
            for number, (first, last) in classes.items():
                held = self.objects.get(number)
                if held is not None and first != last:
                    for plane, section in held.sections.items():
                        sections.setdefault((number, plane), (section, section))
        repaints = []
        for (number, plane), (before, after) in sections.items():
            values = classes[number] if self.semantic else (number, number)
            masks = [None if s is None else s.mask for s in (before, after)]
            repaints.append(Repaint(plane, masks[0], values[0], masks[1], values[1]))
        return repaints


def _check_fit(repaints: Iterable[Repaint], target: Target) -> None:
    largest = min(int(np.iinfo(target.dtype).max), LARGEST)
    for repaint in repaints:
        if repaint.after is not None and repaint.value_after > largest:
            raise InputError(
                f"object {repaint.value_after} does not fit into {target.dtype} labels, whose "
                f"largest id is {largest}; choose a new Labels layer to go on"
            )
