"""Annotation session of one image: log every record, apply it, then write the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from psygnal import Signal

from napari_sam.errors import InputError
from napari_sam.masks import PlaneMask
from napari_sam.results import Prediction
from napari_sam.session.changed import What
from napari_sam.session.changes import Change, Edit, Kind, LabelScheme, SectionEdit
from napari_sam.session.directions.agreement import in_agreement
from napari_sam.session.draft import Draft, Request
from napari_sam.session.ledger import HISTORY_BYTES, Ledger
from napari_sam.session.records import Done, Record, RecordLog, Redone, Undone, Viewed
from napari_sam.session.render import LabelWriter

__all__ = ["Session"]

DROPPED = "The oldest steps can no longer be undone: the history has reached its bound of memory."


class Session:
    """Annotation session: objects, the draft, the undo history and the current model request.

    What is done to them are functions of the modules `drawing`, `curation`, `adopt` and `paint`,
    and `batch.Batch`; each is one undoable step. The session never calls the model. It hands out a
    `request`, which any thread may run, and takes the answer back in `receive`; an answer to an
    older question is dropped.

    Parameters
    ----------
    log : RecordLog, optional
        Where every record goes before it takes effect.
    history_bytes : int
        Bound of the history; its oldest steps are dropped beyond it.
    ledger : Ledger, optional
        What to go on with, instead of nothing.

    Attributes
    ----------
    changed : psygnal.Signal
        Emitted after every change, with `What` has changed.
    objects_changed : psygnal.Signal
        Emitted with the set of ids of objects that changed, before `changed`.
    remarked : psygnal.Signal
        Emitted with a sentence for the user.
    objects : Objects
        All objects by id.
    history : History
        What can be undone and made again.
    labels : LabelWriter
        Shows the objects.
    request : Request or None
        The question that the draft asks; None if it asks nothing.
    prediction : Prediction or None
        The answer to `request`, once it is there.
    """

    changed = Signal(What)
    objects_changed = Signal(object)
    remarked = Signal(str)

    def __init__(
        self,
        log: RecordLog | None = None,
        history_bytes: int = HISTORY_BYTES,
        ledger: Ledger | None = None,
    ) -> None:
        self.ledger = ledger or Ledger(history_bytes)
        self.objects, self.history = self.ledger.objects, self.ledger.history
        self.labels = LabelWriter(self.ledger)
        self.log = log
        self.request: Request | None = self.draft.request()
        self.prediction: Prediction | None = None
        self._told = self.history.dropped

    @property
    def draft(self) -> Draft:
        """Draft: the prompts of the object that is being drawn."""
        return self.ledger.draft

    @property
    def scheme(self) -> LabelScheme:
        """Label scheme: whether labels hold ids or classes, and the class names."""
        return self.ledger.scheme

    @property
    def semantic(self) -> bool:
        """True if labels hold numbers of classes, False if they hold ids of objects."""
        return self.scheme.semantic

    @property
    def classes(self) -> Mapping[int, str]:
        """Class names by class number."""
        return self.scheme.classes

    @property
    def new_class(self) -> int:
        """Class of new objects."""
        return self.scheme.new_class

    @property
    def view(self) -> Mapping[str, object]:
        """View state of the panel as last recorded."""
        return self.ledger.view

    @property
    def choice(self) -> int:
        """Index of the shown mask candidate."""
        count = 1 if self.prediction is None else len(self.prediction.masks)
        return min(self.draft.choice, count - 1)

    @property
    def mask(self) -> PlaneMask | None:
        """The (H, W) mask shown, or None; for an object just reopened, its stored mask."""
        if self.prediction is not None:
            shown: PlaneMask = self.prediction.masks[self.choice]
            return shown
        return self.draft.held.plane() if self.draft.held and self.draft.shows_held else None

    @property
    def score(self) -> float | None:
        """Predicted IoU of the shown mask, or None."""
        if self.prediction is not None:
            return float(self.prediction.scores[self.choice])
        held = self.objects.section(self.draft.object_id, self.draft.plane)
        return held.score if held is not None and self.draft.shows_held else None

    def receive(self, request: Request, prediction: Prediction) -> bool:
        """Store the model's prediction; return False if its request is out of date."""
        if request is not self.request:
            return False
        self.prediction = prediction
        self.changed.emit(What.DRAFT)
        return True

    def ask_again(self) -> None:
        """Drop the prediction and all seeds, because the model or the image has changed."""
        self.history.forget_seeds()
        self.ledger.draft = replace(self.draft, seed=None)
        self.request = self.draft.request()
        self.prediction = None
        self.changed.emit(What.DRAFT)

    @property
    def can_undo(self) -> bool:
        """True if there is a change to undo."""
        return bool(self.history.done)

    @property
    def can_redo(self) -> bool:
        """True if there is a change to redo."""
        return bool(self.history.undone)

    def undo(self) -> None:
        """Undo the last change; pixels that somebody else changed since stay as they are."""
        if self.can_undo:
            self.commit(Undone(self.history.done[-1].number))

    def redo(self) -> None:
        """Redo the last undone change."""
        if self.can_redo:
            self.commit(Redone(self.history.undone[-1].number))

    def configure(
        self,
        semantic: bool | None = None,
        classes: Mapping[int, str] | None = None,
        new_class: int | None = None,
    ) -> None:
        """Set whether labels hold ids or classes, the class names, and the class of new objects.

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
        wanted = LabelScheme(self.semantic if semantic is None else semantic, names, chosen)
        if wanted != self.scheme:
            self.do(Kind.CLASSES, (), schemes=(self.scheme, wanted))

    def keep_view(self, view: Mapping[str, object]) -> None:
        """Record the view state of the panel, as JSON."""
        if view != self.view:
            self.commit(Viewed(view))

    def edit(self, kind: Kind, edits: Sequence[Edit]) -> None:
        """Make a change if there are edits, and update the draft if its object's mask changes."""
        draft = self.draft
        place = draft.object_id, draft.plane
        for edit in edits:
            if isinstance(edit, SectionEdit) and (edit.object_id, edit.plane) == place:
                draft = replace(draft, held=None if edit.after is None else edit.after.mask)
        if edits:
            self.do(kind, edits, draft)

    def do(
        self,
        kind: Kind,
        edits: Sequence[Edit],
        draft: Draft | None = None,
        schemes: tuple[LabelScheme, LabelScheme] | None = None,
    ) -> Change:
        """Make a change of objects, draft or label scheme; `draft` is the draft afterwards."""
        after = self.draft if draft is None else draft
        number = self.ledger.number + 1
        change = Change(number, kind, self.draft, after, tuple(edits), schemes)
        self.commit(Done(change))
        return change

    def commit(self, record: Record, quiet: bool = False) -> None:
        """Log a record, apply it, write the labels and emit the signals.

        Raises
        ------
        InputError
            If a label does not fit; nothing has changed.
        SessionError
            If it cannot be logged; nothing has changed.
        """
        ledger, draft, scheme = self.ledger, self.draft, self.scheme
        record = in_agreement(record, ledger.objects)
        edits = ledger.edits_of(record)
        shown = edits if ledger.paints(record) else ()
        repaints = self.labels.repaints(shown, ledger.scheme_after(record))
        if self.log is not None:
            self.log.append(record)
        ledger.carry_out(record, edits)
        self._renew_request(draft)
        self.labels.write(repaints, only_expected=isinstance(record, Undone | Redone))
        problem = self.labels.problem
        if ids := {edit.object_id for edit in edits}:
            self.objects_changed.emit(frozenset(ids))
        if not quiet and not isinstance(record, Viewed):
            what = What.OBJECTS if self.draft is draft else What.DRAFT
            if edits or self.scheme is not scheme:
                what |= What.OBJECTS
            self.changed.emit(what)
        if problem:
            self.remarked.emit(problem)
        if self.history.dropped and not self._told:
            self._told = True
            self.remarked.emit(DROPPED)

    def _renew_request(self, before: Draft) -> None:
        draft = self.draft
        if not (draft.same_prompts(before) and draft.seed is before.seed):
            self.request = draft.request()
            self.prediction = None
