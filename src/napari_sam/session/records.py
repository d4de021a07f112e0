"""What a session writes down as it happens; replayed in order, it is the session again."""

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
    """A change was made."""

    change: Change


@dataclass(frozen=True)
class Undone:
    """The last change was taken back; its number, where an earlier version did not leave it out."""

    number: int | None = None


@dataclass(frozen=True)
class Redone:
    """The last change that was taken back was made again; its number as above."""

    number: int | None = None


@dataclass(frozen=True)
class Grown:
    """A change that was made before goes on."""

    number: int
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Adopted:
    """Labels that were there already became objects; no step, because no pixel changes."""

    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Configured:
    """Classes that labels brought along have names from now on; no step."""

    scheme: LabelScheme


@dataclass(frozen=True)
class Viewed:
    """How the panel stands, in its own words; JSON."""

    view: Mapping[str, object]


Record = Done | Undone | Redone | Grown | Adopted | Configured | Viewed


class RecordLog(Protocol):
    """Where records are kept."""

    def append(self, record: Record) -> None:
        """Keep a record; it is safe once this returns.

        Raises
        ------
        SessionError
            If it cannot be kept; nothing of it is then.
        """
