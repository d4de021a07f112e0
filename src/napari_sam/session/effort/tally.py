"""Running count of the work on a session: seconds, prompts, corrections, models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from napari_sam.session.changes import Change, Kind, SectionEdit
from napari_sam.session.objects import Source

__all__ = ["Tally"]

REMAKES = Kind.ACCEPTED, Kind.PAINTED, Kind.MERGED, Kind.SPLIT  # of masks that were there


@dataclass
class Tally:
    """Count of what was done, which only grows: work that is taken back was work, too.

    Parameters
    ----------
    seconds : float
        Of active work; pauses are left out.
    untimed : int
        Steps of which nobody knows how long they took, as those of earlier versions.
    prompts : int
        Points, boxes and drawn masks that were added.
    corrections : int
        Those of them that changed a mask which was there already.
    undone : int
        Steps that were taken back.
    models : list of str
        Names of the models in use, the first one first.
    remade : dict of int to list of Source
        By object, how it had been made each time before a person changed its mask by hand; an undo
        takes the last one away.
    """

    seconds: float = 0.0
    untimed: int = 0
    prompts: int = 0
    corrections: int = 0
    undone: int = 0
    models: list[str] = field(default_factory=list)
    remade: dict[int, list[Source]] = field(default_factory=dict)

    def work(self, seconds: float | None) -> None:
        """Add the seconds that a step took; None if they are not known."""
        if seconds is None:
            self.untimed += 1
        else:
            self.seconds = round(self.seconds + seconds, 1)

    def do(self, change: Change) -> None:
        """Count a step."""
        if change.kind is Kind.ADDED:
            self.prompts += 1
            self.corrections += change.before.points_somewhere
        for number, source in _remade(change):
            self.remade.setdefault(number, []).append(source)

    def undo(self, change: Change) -> None:
        """Count that a step was taken back; its prompts were set all the same."""
        self.undone += change.kind is not Kind.CHOSEN  # another candidate replaces the last one
        for number, _ in _remade(change):
            sources = self.remade.get(number, [])
            if sources:
                sources.pop()
            if not sources:
                self.remade.pop(number, None)

    def redo(self, change: Change) -> None:
        """Count that a step was made again."""
        for number, source in _remade(change):
            self.remade.setdefault(number, []).append(source)

    def view(self, view: Mapping[str, object]) -> None:
        """Note the model that was in use."""
        name = view.get("model")
        if isinstance(name, str) and name not in self.models:
            self.models.append(name)


def _remade(change: Change) -> list[tuple[int, Source]]:
    """Return the objects whose masks a person changed by hand, and how each was made before."""
    found: dict[int, Source] = {}
    if change.kind in REMAKES:
        for edit in change.edits:
            if not isinstance(edit, SectionEdit) or edit.before is None or edit.after is None:
                continue
            if change.kind is Kind.ACCEPTED and edit.object_id != change.before.object_id:
                continue  # it only made room
            if edit.before.mask is not None and edit.before.mask != edit.after.mask:
                found.setdefault(edit.object_id, edit.before.origin.source)
    return list(found.items())
