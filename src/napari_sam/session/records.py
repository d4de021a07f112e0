"""Records of what happens in a session; replayed in order, they rebuild it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from napari_sam.session.changes import Change, Edit, LabelScheme

__all__ = [
    "Adopted",
    "Configured",
    "Done",
    "Grown",
    "Record",
    "RecordLog",
    "Redone",
    "Undone",
    "Viewed",
]


@dataclass(frozen=True)
class Done:
    """Record of a new change."""

    change: Change


@dataclass(frozen=True)
class Undone:
    """Record of an undo; the number of the change is None in files of earlier versions."""

    number: int | None = None


@dataclass(frozen=True)
class Redone:
    """Record of a redo; the number of the change is None in files of earlier versions."""

    number: int | None = None


@dataclass(frozen=True)
class Grown:
    """Record of edits that are added to an earlier change."""

    number: int
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Adopted:
    """Record of existing labels that became objects; not an undo step, as no pixel changes."""

    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Configured:
    """Record of names for the classes of existing labels; not an undo step."""

    scheme: LabelScheme


@dataclass(frozen=True)
class Viewed:
    """Record of the view state of the panel, as JSON."""

    view: Mapping[str, object]


Record = Done | Undone | Redone | Grown | Adopted | Configured | Viewed


class RecordLog(Protocol):
    """Protocol of a log that stores the records of a session."""

    def append(self, record: Record) -> None:
        """Store a record; it is safe once this returns.

        Raises
        ------
        SessionError
            If it cannot be kept; nothing of it is then.
        """
