"""Messages of the tab Auto."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from napari_sam.inference.automatic.settings import InstanceSettings, SearchSettings
from napari_sam.inference.automatic.tiles import Tiling
from napari_sam.progress import Progress
from napari_sam.results import Proposal
from napari_sam.widgets.common.wording import count, time_left
from napari_sam.widgets.search.measures import diameter
from napari_sam.widgets.search.wording import known_again

if TYPE_CHECKING:
    from napari_sam.inference.similar.rating import Count

__all__ = [
    "coarse",
    "counted",
    "everywhere",
    "examples",
    "found",
    "points_for",
    "ready",
    "spacing",
    "stack_progress_text",
]

NEAREST = 8  # the points that would do are rounded up to a multiple of it
NAMED = 3  # examples
FEW = 5  # objects that are too few to judge the grid by


COMPARING = "Comparing what was found with the examples…"
TOO_LARGE = (
    "What is large is looked at in tiles, of which nothing is kept at hand: press the button to "
    "find everything with these settings."
)


def ready(settings: SearchSettings, shape: tuple[int, int]) -> str:
    """Return the message on the cost of searching a plane (H, W).

    Examples
    --------
    >>> ready(GridSettings("maxima"), (512, 512))
    'Ready: press the button to look for objects at up to 1,024 places.'
    >>> ready(GridSettings("grid"), (4096, 4096))
    'Ready: press the button to look for objects at 29,241 places in 36 tiles.'
    >>> ready(InstanceSettings(), (512, 512))
    'Ready: press the button to find everything in this slice at once.'
    """
    tiling = Tiling()
    if isinstance(settings, InstanceSettings):
        tiles = len(tiling.tiles(shape)) if tiling.cuts(shape) else 1
        once = "once" if tiles == 1 else f"once, in {count(tiles, 'tile')}"
        return f"Ready: press the button to find everything in this slice at {once}."
    grid, points = settings, settings.points_per_side
    if not tiling.cuts(shape):
        most = points**2 + (math.ceil(points / 2) ** 2 if grid.seeds == "adaptive" else 0)
        most *= sum(4**layer for layer in range(grid.crop_layers + 1))
        asked = "" if grid.seeds == "grid" else "up to "
        asked += count(most, "place")
    else:
        step = spacing(points, shape)
        asked = count(math.prod(round(length / step) for length in shape), "place")
        asked += f" in {count(len(tiling.tiles(shape)), 'tile')}"
    return f"Ready: press the button to look for objects at {asked}."


def found(kept: int, new: int, known: int, settings: SearchSettings) -> str:
    """Return the message for `kept` objects out of `new` proposals of a search.

    There are often several masks of one object; `known` settled objects were found again.
    """
    again = known_again(known)
    if not new:
        if isinstance(settings, InstanceSettings):
            return f"Nothing new was found.{again} Move the slider towards “faint”."
        return f"Nothing new was found.{again} Search more densely, or for less quality."
    masks = count(new, "mask")
    if not kept:
        return f"The filters keep none of {masks} found: move the handles outwards.{again}"
    several = f" from {masks}" if new > kept else ""
    return (
        f"{count(kept)}{several} found. Move the handles until they are right, then "
        f"put them into the list, accept all, or fill in what is certain.{again}"
    )


def everywhere(kept: int, slices: int, linked: bool) -> str:
    """Return the message for a search of all slices of a stack."""
    objects = "objects are linked from slice to slice" if linked else "each has its own objects"
    return (
        f"{count(kept)} on this slice. The buttons below search all {count(slices, 'slice')} with "
        f"these filters; {objects} (More settings). One undo takes all of it back."
    )


def examples(ids: Sequence[int], name: str) -> str:
    """Return what the examples are.

    Examples
    --------
    >>> examples([3], "rod"), examples([1, 2, 4, 7], "rod")
    ('Like object 3 (rod).', 'Like objects 1, 2, 4 and 1 more (rod).')
    """
    shown = [str(number) for number in ids[:NAMED]]
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return f"Like object{'s' * (len(ids) > 1)} {', '.join(shown)}{more} ({name})."


def counted(kept: int, found: Count) -> str:
    """Return how many are kept of those that are like the examples, and how sure that is.

    Examples
    --------
    >>> from napari_sam.inference.similar.rating import Count
    >>> counted(12, Count(14, 11, 17))
    '12 kept by their similarity. Of the kind about 14 are new, hardly under 11 or over 17.'
    """
    least, likely, most = (f"{n:,}" for n in (found.least, found.likely, found.most))
    sure = found.least == found.most
    there = f"{likely} are new" if sure else f"about {likely} are new"
    ends = "" if sure else f", hardly under {least} or over {most}"
    return f"{kept:,} kept by their similarity. Of the kind {there}{ends}."


def coarse(objects: Sequence[Proposal], settings: SearchSettings) -> tuple[str, int]:
    """Return a warning that the grid is too coarse, with the points per side that suffice.

    Returns
    -------
    str, int
        Empty and 0 if there is no grid, or it is fine enough, or there are too few objects to tell.
    """
    grid = settings
    if isinstance(grid, InstanceSettings) or grid.seeds != "grid" or len(objects) < FEW:
        return "", 0
    usual = diameter(float(np.median([one.area for one in objects])))
    apart = spacing(grid.points_per_side, objects[0].shape)
    if round(usual) >= round(apart):
        return "", 0
    enough = points_for(objects[0].shape, usual)
    return (
        f"⚠ The search is too coarse for the objects: they are {usual:.0f} pixels wide, its points "
        f"are {apart:.0f} apart, so that objects between them are missed.",
        enough,
    )


def spacing(points: int, shape: tuple[int, int]) -> float:
    """Return the grid spacing in pixels for a plane (H, W).

    Examples
    --------
    >>> spacing(32, (512, 1024)), spacing(32, (4096, 4096))
    (32.0, 24.0)
    """
    return Tiling().spread(shape) / points


def points_for(shape: tuple[int, int], usual: float) -> int:
    """Return the points per side that find objects of a usual diameter, rounded up.

    Examples
    --------
    >>> points_for((512, 1024), 20)
    56
    """
    return NEAREST * math.ceil(spacing(1, shape) / usual / NEAREST)


def stack_progress_text(progress: Progress[int]) -> str:
    """Return the progress message of a stack search.

    Examples
    --------
    >>> stack_progress_text(Progress(2.5, 20, 41))
    'Slice 3 of 20, 41 objects so far'
    """
    slice_ = min(int(progress.done) + 1, progress.total)
    found = f"{count(progress.result)} so far{time_left(progress)}"
    return f"Slice {slice_:,} of {progress.total:,}, {found}"
