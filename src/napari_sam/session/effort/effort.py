"""Effort of a session in figures: objects and how they came about, prompts, time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields

from napari_sam.session.objects import AnnotatedObject, Source, Status
from napari_sam.session.session import Session

__all__ = ["Effort", "effort_of", "total"]

BEFORE = Source.AUTOMATIC, Source.IMPORTED, Source.PAINTED  # known even if a click remade it since
FOLLOWED = Source.PROPAGATED, Source.COPIED, Source.INTERPOLATED  # by the model, or by hand
FIRST = Source.PROMPTED, *BEFORE, *FOLLOWED


@dataclass(frozen=True)
class Effort:
    """Figures of the work on one picture or several.

    Parameters
    ----------
    objects : int
        How many there are.
    to_review : int
        Of them, those that nobody has accepted on all slices.
    clicked, found, painted, imported, followed_only : int
        The objects by how they came about: by prompts, by a search, by the brush, with labels that
        were there, or only by following.
    followed : int
        Objects with masks on slices to which they were followed.
    corrected : int
        Objects whose mask a person changed by hand after it was there.
    prompts, corrections, undone : int
        As `napari_sam.session.effort.tally.Tally` counts them.
    seconds : float
        Of active work.
    untimed : int
        Steps of which no time is known.

    Examples
    --------
    >>> work = Effort(objects=30, clicked=30, prompts=45, seconds=600)
    >>> work.per_hour, work.prompts_per_object
    (180.0, 1.5)
    >>> (work + Effort(untimed=3)).per_hour is None
    True
    """

    objects: int = 0
    to_review: int = 0
    clicked: int = 0
    found: int = 0
    painted: int = 0
    imported: int = 0
    followed_only: int = 0
    followed: int = 0
    corrected: int = 0
    prompts: int = 0
    corrections: int = 0
    undone: int = 0
    seconds: float = 0.0
    untimed: int = 0

    def __add__(self, other: Effort) -> Effort:
        sums = (getattr(self, one.name) + getattr(other, one.name) for one in fields(Effort))
        return Effort(*sums)

    @property
    def accepted(self) -> int:
        """Number of objects that need no look any more."""
        return self.objects - self.to_review

    @property
    def per_hour(self) -> float | None:
        """Accepted objects per hour of active work; None where times are missing."""
        known = self.seconds > 0 and not self.untimed
        return self.accepted * 3600 / self.seconds if known else None

    @property
    def prompts_per_object(self) -> float | None:
        """Prompts per object that was made by prompts or changed by hand; None without any."""
        made = self.clicked + self.corrected
        return self.prompts / made if made else None


def effort_of(session: Session) -> Effort:
    """Return the effort of a session so far."""
    tally, objects = session.ledger.tally, session.objects
    came = Counter(_first(held, tally.remade.get(held.id, ())) for held in objects.values())
    return Effort(
        len(objects),
        sum(held.status is not Status.ACCEPTED for held in objects.values()),
        came[Source.PROMPTED],
        came[Source.AUTOMATIC],
        came[Source.PAINTED],
        came[Source.IMPORTED],
        sum(came[source] for source in FOLLOWED),
        sum(_is_followed(held) for held in objects.values()),
        sum(number in objects for number in tally.remade),
        tally.prompts,
        tally.corrections,
        tally.undone,
        tally.seconds,
        tally.untimed,
    )


def total(efforts: Iterable[Effort]) -> Effort:
    """Return the sum of efforts."""
    return sum(efforts, Effort())


def _first(held: AnnotatedObject, before: Iterable[Source]) -> Source:
    """Return how an object came about, whatever has remade it since."""
    for source in before:
        if source in BEFORE:
            return source
    there = {section.origin.source for section in held.sections.values()}
    return next((source for source in FIRST if source in there), Source.PROMPTED)


def _is_followed(held: AnnotatedObject) -> bool:
    return any(s.origin.source in FOLLOWED for s in held.sections.values())
