"""Replay of journal records, also where lines are missing or damaged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from napari_sam.planes import Plane
from napari_sam.session.changes import (
    Change,
    Edit,
    Kind,
    SectionEdit,
    TraitsEdit,
    apply,
    backwards,
    still_fitting,
)
from napari_sam.session.disk.box_index import BoxIndex
from napari_sam.session.disk.codec import Codec, InlineMasks
from napari_sam.session.disk.validate import JsonValue
from napari_sam.session.effort.clock import PAUSE
from napari_sam.session.ledger import Ledger
from napari_sam.session.objects import Objects, Traits
from napari_sam.session.overlap import take_away
from napari_sam.session.records import (
    Adopted,
    Configured,
    Done,
    Grown,
    Record,
    Redone,
    Undone,
)

__all__ = ["Replay", "tidy"]


class Replay:
    """Replay of journals on a ledger, which counts recovered and lost lines.

    As long as nothing is missing, every record is done as it stands. From then on each is made to
    fit what is there: an object whose beginning is lost begins where it is mentioned next.

    Parameters
    ----------
    ledger : Ledger
        What the oldest of the journals begins with.

    Attributes
    ----------
    recovered, lost : int
        Number of lines.
    whole : bool
        False once a line was damaged, missing, not understood, or did not fit.
    line : int
        Number of the last line of the latest journal.
    """

    def __init__(self, ledger: Ledger, whole: bool = True) -> None:
        self.recovered = self.lost = self.line = 0
        self.whole = whole
        self._ledger = ledger
        self._codec = Codec(InlineMasks())

    def journal(self, values: Sequence[JsonValue]) -> None:
        """Replay the lines of a journal; None stands for an unreadable line."""
        self.line, unread = 0, 0
        for value in _in_order(values):
            record = self._read(value)
            if record is None:
                self.whole, unread = False, unread + 1
                continue
            self.take(record, self._missing(value, record, unread))
            self._ledger.tally.work(_worked(value))
            unread = 0
        self.line += unread
        self.lost += unread

    def take(self, record: Record, missing: int = 0) -> None:
        """Apply a record to the ledger; if it does not fit, adapt it to the objects there.

        Parameters
        ----------
        record : Record
            What was done.
        missing : int
            How many lines are missing before it; below zero if it comes too late.
        """
        fits = self.whole and missing == 0 and _fits(record, self._ledger)
        fitting: Sequence[Record] | None = [record]
        if not fits:
            self.whole = False
            fitting = None if missing < 0 else _made_to_fit(record, self._ledger, missing > 0)
        if missing >= 0:
            self.line += missing + 1
            self.lost += missing
        if fitting is None:
            self.lost += 1
            return
        for one in fitting:
            self._ledger.take(one)
        self.recovered += 1

    def _read(self, value: JsonValue) -> Record | None:
        try:
            return self._codec.read_record(value)
        except Exception:  # a line may be right by its checksum and hold anything all the same
            return None

    def _missing(self, value: JsonValue, record: Record, unread: int) -> int:
        """Return how many lines are missing before this one; below zero if it comes too late."""
        if (number := _line(value)) is not None:
            return int(number) - self.line - 1
        if isinstance(record, Done):
            gap = record.change.number - self._ledger.number - 1
            return gap if gap < 0 else max(gap, unread)
        return unread


def tidy(ledger: Ledger) -> None:
    """Delete objects that have no section left, and give classes without a name a default one."""
    nothing = (held for held in ledger.objects.values() if not held.sections)
    ledger.take(Adopted(tuple(TraitsEdit(held.id, held.traits, None) for held in nothing)))
    used = {ledger.scheme.new_class, *(held.class_id for held in ledger.objects.values())}
    ledger.take(Configured(ledger.scheme.naming(used)))


def _made_to_fit(record: Record, ledger: Ledger, gap: bool) -> Sequence[Record] | None:
    """Return what does to these objects what a record says; None if nothing can.

    What an edit says was before is taken from what is there. Pixels that some other object holds,
    which was to lose them in between, are taken from it. A step back of which nobody knows what it
    took back is taken to be about the step that is missing before it, if there is a gap.
    """
    history, objects = ledger.history, ledger.objects
    match record:
        case Done(change) if any(c.number == change.number for c in history.known):
            return None
        case Undone(None) | Redone(None) if gap:
            return []
        case Done(change):
            return [Done(replace(change, edits=_mended(change.edits, objects)))]
        case Grown(number, edits) if _is_last(number, history.done):
            return [Grown(number, _mended(edits, objects))]
        case Grown(number, edits):
            draft = ledger.draft  # a step of its own, for what was done in between is undone first
            return [Done(Change(number, Kind.PROPAGATED, draft, draft, _mended(edits, objects)))]
        case Adopted(edits):
            return [Adopted(_mended(edits, objects))]
        case Undone(number):
            return [Undone()] * _steps_to(number, history.done)
        case Redone(number):
            return [Redone()] * _steps_to(number, history.undone)
    return [record]


def _in_order(values: Sequence[JsonValue]) -> list[JsonValue]:
    """Put lines in the order of their numbers, if all have one; leave out those that are twice."""
    seen: dict[object, JsonValue] = {}
    once = []
    for value in values:
        key = _key(value)
        if key is None or seen.setdefault(key, value) is value or seen[key] != value:
            once.append(value)
    readable = [value for value in once if value is not None]
    if any(_line(value) is None for value in readable):
        return once
    last = max((at for at, value in enumerate(once) if value is not None), default=-1)
    return [*sorted(readable, key=_line), *once[last + 1 :]]


def _line(value: JsonValue) -> JsonValue:
    """Return the number of a line; None if it has none, as those of earlier versions."""
    number = value.get("line") if isinstance(value, dict) else None
    return number if type(number) is int else None


def _worked(value: JsonValue) -> float | None:
    """Return the seconds of work that a line tells of; None in files of earlier versions."""
    seconds = value.get("worked")
    return seconds if isinstance(seconds, int | float) and 0 <= seconds <= PAUSE else None


def _key(value: JsonValue) -> JsonValue:
    """Return what two lines have in common that are the same; None if nothing tells."""
    if (line := _line(value)) is not None:
        return "line", line
    change = value.get("do") if isinstance(value, dict) else None
    number = change.get("number") if isinstance(change, dict) else None
    return ("do", number) if type(number) is int else None


def _fits(record: Record, ledger: Ledger) -> bool:
    """Tell whether a record follows from what is there."""
    history = ledger.history
    match record:
        case Done(change):
            return change.number == ledger.number + 1 and _follow(change.edits, ledger.objects)
        case Grown(number, edits):
            return history.find(number) is not None and _follow(edits, ledger.objects)
        case Adopted(edits):
            return _follow(edits, ledger.objects)
        case Undone(number):
            return _is_last(number, history.done)
        case Redone(number):
            return _is_last(number, history.undone)
    return True


def _follow(edits: Sequence[Edit], objects: Objects) -> bool:
    return len(still_fitting(edits, objects)) == len(edits)


def _is_last(number: int | None, changes: Sequence[Change]) -> bool:
    return bool(changes) and number in (None, changes[-1].number)


def _steps_to(number: int | None, changes: Sequence[Change]) -> int:
    """Return how many changes reach back to the one of that number; 0 if it is not there."""
    if number is None:
        return min(1, len(changes))
    steps = (i for i, change in enumerate(reversed(changes), 1) if change.number == number)
    return next(steps, 0)


def _mended(edits: Iterable[Edit], objects: Objects) -> tuple[Edit, ...]:
    made: list[Edit] = []
    boxes: dict[Plane, BoxIndex] = {}
    for edit in edits:
        if isinstance(edit, SectionEdit) and edit.plane not in boxes:
            boxes[edit.plane] = BoxIndex(objects, edit.plane)
        for fit in _made_of(edit, objects, boxes):
            apply((fit,), objects)
            made.append(fit)
            if isinstance(fit, SectionEdit) and fit.plane in boxes:
                boxes[fit.plane].add(fit.object_id)
    apply(backwards(made), objects)
    return tuple(made)


def _made_of(edit: Edit, objects: Objects, boxes: Mapping[Plane, BoxIndex]) -> list[Edit]:
    """Return the edits that bring about what one edit says was after it."""
    number, held = edit.object_id, objects.get(edit.object_id)
    if isinstance(edit, TraitsEdit):
        before = None if held is None else held.traits
        if before == edit.after:
            return []
        gone = {} if held is None or edit.after is not None else held.sections
        left: list[Edit] = [SectionEdit(number, plane, s, None) for plane, s in gone.items()]
        return [*left, TraitsEdit(number, before, edit.after)]
    section = objects.section(number, edit.plane)
    if section == edit.after:
        return []
    made: list[Edit] = [] if held is not None else [TraitsEdit(number, None, Traits())]
    mask = None if edit.after is None else edit.after.mask
    if mask is not None:
        met = boxes[edit.plane].meeting(mask.box) - {number}
        made += _without_nothing(take_away(objects, edit.plane, mask.crop(), mask.box, met))
    return [*made, SectionEdit(number, edit.plane, section, edit.after)]


def _without_nothing(edits: Iterable[Edit]) -> list[Edit]:
    return [edit for edit in edits if edit.before != edit.after]
