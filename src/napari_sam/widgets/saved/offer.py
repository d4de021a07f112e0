"""Search for a saved session of an image, and the question whether to resume it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from napari_sam.errors import SessionError
from napari_sam.session.disk.fingerprint import Match
from napari_sam.session.disk.library import (
    Saved,
    all_saved,
    all_unreadable,
    matches,
    sessions_folder,
)
from napari_sam.session.disk.manifest import Manifest
from napari_sam.widgets.common.wording import count

__all__ = ["Offer", "OfferResult", "find_offer"]


@dataclass(frozen=True, eq=False)
class Offer:
    """A saved session of an image that can be offered."""

    saved: Saved
    match: Match
    objects: int
    fits: bool  # masks of that shape can lie on the picture
    asked_for: bool  # somebody has chosen it

    @classmethod
    def of(
        cls, saved: Saved, match: Match, now: Manifest, ndim: int, asked_for: bool = False
    ) -> Offer:
        """Read a saved session and return it as an offer.

        Raises
        ------
        SessionError
            If it cannot be read.
        """
        fits = saved.manifest.picture.shape[:ndim] == now.picture.shape[:ndim]
        return cls(saved, match, saved.count(), fits, asked_for)

    @property
    def question(self) -> str:
        """The question for the user."""
        changed = self.saved.changed
        when = f"{changed.day} {changed:%B %Y, %H:%M}"
        what = count(self.objects) if self.objects else "what was being drawn"
        if self.match is Match.SAME:
            return f"You worked on this picture before ({when}): {what} saved. Continue?"
        if self.fits:
            return (
                f"There is saved work of this file ({when}, {what}), but the picture holds other "
                "pixels now. Continue all the same?"
            )
        was = " x ".join(map(str, self.saved.manifest.picture.shape))
        return (
            f"There is saved work of this file ({when}, {what}), but it was another picture then, "
            f"of {was} pixels. The work is kept: see Options, Saved work."
        )


class OfferResult(NamedTuple):
    """The session to resume, and the problems of sessions of the image that cannot be opened."""

    offer: Offer | None
    problems: list[str]

    @property
    def problem(self) -> str:
        """Message on sessions that cannot be opened; empty if there are none."""
        if not self.problems:
            return ""
        others = len(self.problems) - 1
        more = f" There are {others} more of this kind." if others else ""
        return (
            f"⚠ There is saved work of this picture that cannot be opened: {self.problems[0]}."
            f"{more} Options, Saved work, lists it."
        )


def find_offer(now: Manifest, ndim: int, passed_over: Collection[Path]) -> OfferResult:
    """Find the saved session to resume; thread-safe."""
    folder = sessions_folder()
    odd = [one for one in all_unreadable(folder) if one.is_of(now)]
    problems = [one.reason for one in odd if one.path not in passed_over]
    for saved, match in matches(all_saved(folder), now):
        if saved.path in passed_over:
            continue
        try:
            if problem := saved.obstacle:
                raise SessionError(problem)
            return OfferResult(Offer.of(saved, match, now, ndim), problems)
        except SessionError as error:
            problems.append(str(error))
    return OfferResult(None, problems)
