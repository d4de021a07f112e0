"""What the tab for words says, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from napari_sam.results import Proposal
from napari_sam.widgets.auto_words import ELSEWHERE, count

__all__ = ["COMPARING", "NO_PICTURE", "NO_WORDS", "found_areas", "found_objects", "legend", "ready"]

NO_PICTURE = "Choose a picture in the tab Prompt; then say here what to find in it."
NO_WORDS = "Say what to find; commas between several kinds. Each kind becomes a class."
COMPARING = "Comparing with your words… (the first time it takes some seconds longer)"


def ready(whole: bool) -> str:
    """Return what a press of the button does."""
    if whole:
        return "Ready: one area of each kind; objects in it are not told apart."
    return (
        "Ready: everything in the slice is found, as the tab Auto is set, and compared with your "
        "words. Other words afterwards are a matter of moments."
    )


def found_objects(kept: int, new: int, known: int, best: float, elsewhere: bool) -> str:
    """Return what can be done with objects that were found.

    Parameters
    ----------
    kept : int
        Objects that fit well enough.
    new : int
        Objects that were compared, but for settled ones.
    known : int
        Found again, though they are settled.
    best : float
        The highest similarity.
    elsewhere : bool
        Whether they lie on another slice than the one in view.

    Examples
    --------
    >>> found_objects(0, 8, 0, 0.31, False)
    'None of 8 objects fits so well; the best one has 0.31. Lower the similarity to see it.'
    """
    again = f" {count(known)} found again are left out: they are there already." if known else ""
    if not new:
        text = "Nothing new was found to compare. Try a finer grid in the tab Auto."
    elif not kept:
        text = (
            f"None of {count(new)} fits so well; the best one has {best:.2f}. Lower the similarity "
            "to see it."
        )
    else:
        text = (
            f"{kept:,} of {count(new)} fit. Move the slider until they are right, then put them "
            "into the list, or accept all."
        )
    return text + again + (ELSEWHERE if elsewhere else "")


def legend(found: Sequence[Proposal], areas: bool) -> str:
    """Return what is kept of one kind: how many objects, or how good the area is."""
    if not areas:
        return f"{len(found):,}"
    return f"predicted IoU {found[0].score:.2f}" if found else "nothing"


def found_areas(areas: int, elsewhere: bool) -> str:
    """Return what can be done with so many areas."""
    if not areas:
        return "Nothing in the slice fits these words."
    text = (
        f"{count(areas, 'area')} found. Put it into the list, or accept all. For labels with a "
        "number per class see More options in the tab Prompt."
    )
    return text + (ELSEWHERE if elsewhere else "")
