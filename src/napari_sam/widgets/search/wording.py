"""What the tab for the automatic mode says, in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.inference.automatic.tiles import Tiling
from napari_sam.progress import Progress
from napari_sam.results import Proposal
from napari_sam.session.autofill import FillCounts
from napari_sam.widgets.common.keys import KEYS
from napari_sam.widgets.common.wording import count, time_left
from napari_sam.widgets.search.measures import diameter

__all__ = [
    "ELSEWHERE",
    "coarse",
    "everywhere",
    "filled",
    "found",
    "points_for",
    "ready",
    "spacing",
    "standing",
]

NEAREST = 8  # the points that would do are rounded up to a multiple of it
ELSEWHERE = " They are on another slice than the one in view."
FEW = 5  # objects that are too few to judge the grid by


def ready(grid: GridSettings, shape: tuple[int, int]) -> str:
    """Return what a search of a plane (H, W) takes.

    Examples
    --------
    >>> ready(GridSettings("maxima"), (512, 512))
    'Ready: press the button, and the model is asked about at most 1,024 points.'
    >>> ready(GridSettings("grid"), (4096, 4096))
    'Ready: press the button, and the model is asked about 29,241 points in 36 tiles.'
    """
    tiling, points = Tiling(), grid.points_per_side
    if not tiling.cuts(shape):
        most = points**2 + (math.ceil(points / 2) ** 2 if grid.seeds == "adaptive" else 0)
        most *= sum(4**layer for layer in range(grid.crop_layers + 1))
        asked = "" if grid.seeds == "grid" else "at most "
        asked += count(most, "point")
    else:
        step = spacing(points, shape)
        asked = count(math.prod(round(length / step) for length in shape), "point")
        asked += f" in {count(len(tiling.tiles(shape)), 'tile')}"
    return f"Ready: press the button, and the model is asked about {asked}."


def standing(stand: Progress[list[Proposal]], shape: tuple[int, int]) -> str:
    """Return how far a search of a plane (H, W) is."""
    found = f"{len(stand.result):,} found{time_left(stand)}"
    if Tiling().cuts(shape):
        return f"Tile {stand.done:,} of {stand.total:,} searched, {found}"
    return f"{stand.done:,} of {count(stand.total, 'point')} asked, {found}"


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


def everywhere(kept: int, slices: int, linked: bool) -> str:
    """Return what can be done with all slices of a stack."""
    objects = "objects are linked from slice to slice" if linked else "each has its own objects"
    return (
        f"{count(kept)} on this slice. The buttons below search all {count(slices, 'slice')} with "
        f"these filters; {objects} (More settings). One undo takes all of it back."
    )


def filled(done: FillCounts) -> str:
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


def coarse(objects: Sequence[Proposal], grid: GridSettings) -> tuple[str, int]:
    """Say that the grid is coarser than the objects, and how many points a side would do.

    Parameters
    ----------
    objects : sequence of Proposal
        Those that are kept.
    grid : GridSettings
        How they were found.

    Returns
    -------
    str, int
        Empty and 0 if there is no grid, or it is fine enough, or there are too few objects to tell.
    """
    if grid.seeds != "grid" or len(objects) < FEW:
        return "", 0
    usual = diameter(float(np.median([one.area for one in objects])))
    apart = spacing(grid.points_per_side, objects[0].shape)
    if round(usual) >= round(apart):
        return "", 0
    enough = points_for(objects[0].shape, usual)
    return (
        f"⚠ The grid is coarser than the objects: they are {usual:.0f} pixels wide, its points "
        f"are {apart:.0f} apart, so that objects between them are missed.",
        enough,
    )


def spacing(points: int, shape: tuple[int, int]) -> float:
    """Return how many pixels apart the points of a grid lie in a plane (H, W).

    Examples
    --------
    >>> spacing(32, (512, 1024)), spacing(32, (4096, 4096))
    (32.0, 24.0)
    """
    return Tiling().spread(shape) / points


def points_for(shape: tuple[int, int], usual: float) -> int:
    """Return how many points a side find objects of a usual diameter, rounded up.

    Examples
    --------
    >>> points_for((512, 1024), 20)
    56
    """
    return NEAREST * math.ceil(spacing(1, shape) / usual / NEAREST)
