"""Linking of objects from frame to frame by overlap, distance and size, with laptrack.

Costs have no unit: distances are in sides of the objects, sizes in logarithms of their ratio. They
were chosen on simulated series; `benchmarks/tracks.py` measures what comes of them.
"""

from __future__ import annotations

import importlib.util
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import DISTRIBUTION, InputError
from napari_sam.tracking.detections import MAX_GAP, Detections
from napari_sam.tracking.tracks import Link, Tracks, tracks_of_links

__all__ = ["LapLinker", "LinkSettings", "Linker", "check_installed", "link"]

MISSING = (
    "tracks are linked with laptrack, which is not installed; install it with: "
    f"pip install '{DISTRIBUTION}[tracks]'"
)
REACH = 2.0  # sides of an object that it may move from one frame to the next
SIZE = 0.5  # what twice the size costs, in sides of way, over log 2
WORTH = 1.2  # cost above which objects are rather not linked
DIVISION_WORTH = 1.0  # the same of divisions

Costs = Mapping[Link, float]


@dataclass(frozen=True)
class LinkSettings:
    """Settings of linking.

    Parameters
    ----------
    gap : int
        Frames in a row on which an object may be missed and be found again, 0 to `MAX_GAP`.
    divisions : bool
        Whether objects may divide.
    """

    gap: int = MAX_GAP
    divisions: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.gap <= MAX_GAP:
            raise InputError(f"gap must be a number of frames, 0 to {MAX_GAP}; got {self.gap}")


class Linker(Protocol):
    """Protocol of what links objects."""

    def links(self, found: Detections, settings: LinkSettings) -> Sequence[Link]:
        """Return links in which each object comes from at most one and goes on as at most two."""
        ...


def link(
    found: Detections, settings: LinkSettings | None = None, linker: Linker | None = None
) -> Tracks:
    """Link the objects of all frames into tracks.

    Parameters
    ----------
    found : Detections
        The objects.
    settings : LinkSettings, optional
        Gaps and divisions.
    linker : Linker, optional
        Chooses the links; laptrack if left out.

    Raises
    ------
    InputError
        If laptrack is not installed.

    Examples
    --------
    >>> from napari_sam.tracking.detections import detect
    >>> frames = np.zeros((3, 20, 40), int)
    >>> frames[0, 5:15, 5:15], frames[1, 5:15, 7:17], frames[2, 5:15, 9:19] = 1, 6, 2
    >>> link(detect(frames)).members
    {1: {0: 1, 1: 6, 2: 2}}
    """
    chosen = (linker or LapLinker()).links(found, settings or LinkSettings())
    return tracks_of_links(found, chosen)


class LapLinker:
    """Linker by laptrack: a linear assignment from frame to frame, then of gaps and divisions."""

    def links(self, found: Detections, settings: LinkSettings) -> Sequence[Link]:
        """Return the links of the least cost."""
        check_installed()
        from laptrack import LapTrack

        if found.length < 2 or len(found) == 0:
            return []
        rows = [found.on(frame) for frame in range(found.length)]
        near = {later: _costs(found, rows, later) for later in range(1, settings.gap + 2)}
        steps = near[1]
        gaps = {pair: cost for some in near.values() for pair, cost in some.items()}
        divisions = _division_costs(found, steps) if settings.divisions else {}
        rules: dict[str, Any] = {
            "metric": _metric(steps),
            "cutoff": WORTH,
            "gap_closing_metric": _metric(gaps),
            "gap_closing_cutoff": WORTH if settings.gap else False,
            "gap_closing_max_frame_count": settings.gap + 1,
            "splitting_metric": _metric(divisions),
            "splitting_cutoff": DIVISION_WORTH if divisions else False,
            "segment_start_cost": WORTH,
            "segment_end_cost": WORTH,
            "no_splitting_cost": DIVISION_WORTH,
        }
        tree = LapTrack(**rules).predict([some[:, None].astype(float) for some in rows])
        return sorted((int(rows[t][i]), int(rows[later][j])) for (t, i), (later, j) in tree.edges())


def check_installed() -> None:
    """Refuse to go on without laptrack.

    Raises
    ------
    InputError
        If it is not installed; it says how to.
    """
    if importlib.util.find_spec("laptrack") is None:
        raise InputError(MISSING)


def _metric(costs: Costs) -> Callable[[NDArray[np.float64], NDArray[np.float64]], float]:
    """Return a metric of rows in either order; what has no cost is infinitely far."""
    both = {**costs, **{(b, a): cost for (a, b), cost in costs.items()}}

    def metric(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
        return both.get((int(a[0]), int(b[0])), math.inf)

    return metric


def _costs(found: Detections, rows: Sequence[NDArray[np.int64]], later: int) -> Costs:
    """Return what it costs to link objects so many frames apart, of all that are near enough."""
    costs: dict[Link, float] = {}
    for before, after in zip(rows, rows[later:], strict=False):
        if len(before) == 0 or len(after) == 0:
            continue
        sides = (found.sides[before][:, None] + found.sides[after]) / 2
        far = found.distances(before, after) / sides
        size = np.abs(np.log(found.areas[before][:, None] / found.areas[after]))
        for i, j in np.argwhere(far <= REACH * math.sqrt(later)):
            pair = int(before[i]), int(after[j])
            lost = 1 - _overlap(found, pair)
            costs[pair] = float((lost + far[i, j]) / 2 / math.sqrt(later) + SIZE * size[i, j])
    return costs


def _overlap(found: Detections, pair: Link) -> float:
    """Return the intersection over union of two objects."""
    both = found.shared.get(pair, 0)
    return float(both / (found.areas[pair[0]] + found.areas[pair[1]] - both))


def _division_costs(found: Detections, near: Costs) -> Costs:
    """Return what it costs that an object is a daughter of one before, with the best sister.

    Daughters are alike in size, together as large as their mother, and lie around her.
    """
    candidates: dict[int, list[int]] = defaultdict(list)
    for mother, daughter in near:
        candidates[mother].append(daughter)
    costs: dict[Link, float] = {}
    for mother, some in candidates.items():
        for daughter in some:
            sisters = [one for one in some if one != daughter]
            if sisters:
                cost = min(_division(found, mother, (daughter, one)) for one in sisters)
                costs[mother, daughter] = cost
    return costs


def _division(found: Detections, mother: int, daughters: Link) -> float:
    (first, second), places = daughters, found.places
    a, b, whole = found.areas[first], found.areas[second], found.areas[mother]
    middle = (places[first] * a + places[second] * b) / (a + b)
    off = float(np.linalg.norm(middle - places[mother])) / found.sides[mother]
    return float(off + SIZE * (abs(math.log(a / b)) + abs(math.log((a + b) / whole))))
