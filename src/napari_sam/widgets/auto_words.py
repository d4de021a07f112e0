"""What the tab for the automatic mode says, in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from napari_sam.results import Proposal
from napari_sam.session.filling import Filled
from napari_sam.widgets.auto_work import Stand
from napari_sam.widgets.keys import KEYS
from napari_sam.widgets.measures import diameter
from napari_sam.widgets.train_words import duration

__all__ = ["coarse", "count", "filled", "found", "points_for", "standing"]

NEAREST = 8  # the points that would do are rounded up to a multiple of it
FEW = 5  # objects that are too few to judge the grid by


def count(number: int, noun: str = "object") -> str:
    """Return a number of things.

    Examples
    --------
    >>> count(1), count(1200, "point")
    ('1 object', '1,200 points')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def standing(stand: Stand) -> str:
    """Return how far a run is."""
    left = f", about {duration(stand.seconds_left)} left" if stand.seconds_left else ""
    return (
        f"{stand.done:,} of {count(stand.total, 'point')} asked, {len(stand.found):,} found{left}"
    )


def found(kept: int, new: int, known: int) -> str:
    """Return what can be done with what was found.

    Parameters
    ----------
    kept : int
        Objects that the filters keep.
    new : int
        Masks that were found, often several of one object, but for those of settled ones.
    known : int
        Found again, though they are settled.
    """
    again = f" {count(known)} found again are left out: they are there already." if known else ""
    if not new:
        return f"Nothing new was found.{again} Try a finer grid, or lower scores in More settings."
    masks = count(new, "mask")
    if not kept:
        return f"The filters keep none of {masks} found: move the handles outwards.{again}"
    return (
        f"{count(kept)} from {masks} found. Move the handles until they are right, then "
        f"put them into the list, accept all, or fill in what is certain.{again}"
    )


def filled(done: Filled) -> str:
    """Return what was put into the session, and what to do next."""
    said = [f"{count(done.accepted)} accepted."] if done.accepted or not done.waiting else []
    if done.waiting:
        said.append(
            f"{count(done.waiting)} to look at, most useful first: {KEYS['next_unsure']} goes to "
            f"the next, {KEYS['accept_slice']} accepts it. Then click in the tab Prompt on what is "
            "missing, or find again in what is left."
        )
    else:
        said.append("Click in the tab Prompt on what is missing, or find again in what is left.")
    return " ".join(said)


def coarse(objects: Sequence[Proposal], points: int) -> tuple[str, int]:
    """Say that the grid is coarser than the objects, and how many points a side would do.

    Parameters
    ----------
    objects : sequence of Proposal
        Those that are kept.
    points : int
        Per side, of the grid that found them.

    Returns
    -------
    str, int
        Empty and 0 if the grid is fine enough, or there are too few objects to tell.
    """
    if len(objects) < FEW:
        return "", 0
    usual = diameter(float(np.median([one.area for one in objects])))
    spacing = max(objects[0].shape) / points
    if round(usual) >= round(spacing):
        return "", 0
    enough = points_for(objects[0].shape, usual)
    return (
        f"⚠ The grid is coarser than the objects: they are {usual:.0f} pixels wide, its points "
        f"are {spacing:.0f} apart, so that objects between them are missed.",
        enough,
    )


def points_for(shape: tuple[int, int], usual: float) -> int:
    """Return how many points a side find objects of a usual diameter, rounded up.

    Examples
    --------
    >>> points_for((512, 1024), 20)
    56
    """
    return NEAREST * math.ceil(max(shape) / usual / NEAREST)
