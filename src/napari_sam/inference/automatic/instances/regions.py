"""Regions of one level's maps, and the tree of the objects that neighbouring regions may form.

A watershed cuts the foreground into one region for each peak of the height. Regions whose saddle is
high belong together for sure; below that, each merge may be right or wrong, so the tree keeps both
the whole and its parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

__all__ = ["Node", "Regions", "find_regions", "merge_tree"]

NOTICED = 0.05  # height of a peak above its saddle; less is noise
MOST_PARTS = 16  # regions of an object; what is broken into more is seen better on a coarser level


@dataclass(frozen=True, eq=False)
class Regions:
    """Regions of one level, numbered from 1, and where neighbours meet.

    Parameters
    ----------
    labels : (h, w) int32
        0 outside.
    peaks : (n + 1,) float32
        Height of each region's peak; the first is that of no region.
    places : (n + 1, 2) int
        Row and column of each peak.
    pairs : (m, 2) int
        Neighbours.
    saddles : (m,) float32
        Height at which a pair becomes one.
    """

    labels: NDArray[np.int32]
    peaks: NDArray[np.float32]
    places: NDArray[np.int64]
    pairs: NDArray[np.int64]
    saddles: NDArray[np.float32]


class Node(NamedTuple):
    """What may be one object: its regions, and how it is joined and cut off.

    `valley` is the lowest saddle within it, `pass_` the one at which it merges with others; both
    are as heights, the first that of the peak where it is a single region, the second 0 where it
    never merges.
    """

    members: list[int]
    peak: int
    valley: float
    pass_: float


def find_regions(
    height: NDArray[np.float32], foreground: NDArray[np.bool_], lowest: float
) -> Regions:
    """Return the regions of all peaks of the height (h, w) above `lowest`, in the foreground."""
    top = (height == ndimage.maximum_filter(height, 3)) & (height > lowest) & foreground
    markers, count = ndimage.label(top, np.ones((3, 3)))
    labels = watershed(-height, markers, mask=foreground).astype(np.int32)
    places = np.zeros((count + 1, 2), np.int64)
    at = np.argwhere(top)
    places[markers[top]] = at
    peaks = height[tuple(places.T)]
    pairs, saddles = _borders(labels, height)
    return Regions(labels, peaks, places, pairs, saddles)


def _borders(
    labels: NDArray[np.int32], height: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the pairs of neighbouring regions, and the highest place between each."""
    firsts, seconds, heights = [], [], []
    for one, other in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        a, b = labels[one], labels[other]
        met = (a != b) & (a > 0) & (b > 0)
        firsts.append(np.minimum(a, b)[met])
        seconds.append(np.maximum(a, b)[met])
        heights.append(np.minimum(height[one], height[other])[met])
    first, second, low = (np.concatenate(some) for some in (firsts, seconds, heights))
    order = np.lexsort((low, second, first))
    first, second, low = first[order], second[order], low[order]
    last = np.append((np.diff(first) != 0) | (np.diff(second) != 0), True)[: len(first)]
    return np.stack([first, second], axis=1)[last].astype(np.int64), low[last]


def merge_tree(regions: Regions, low: float, high: float) -> list[Node]:
    """Return all that may be objects: single regions, and what saddles from `low` to `high` join.

    Pairs whose saddle is above `high`, or hardly below a peak, are one object for sure, and of
    those only the whole is returned; pairs whose saddle is below `low` never are.
    """
    count = len(regions.peaks)
    parent = list(range(count))
    nodes: list[Node | None] = [
        Node([i], i, float(regions.peaks[i]), 0.0) if i else None for i in range(count)
    ]
    newest = list(range(count))  # of each root the index of its node

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for k in np.argsort(-regions.saddles, kind="stable").tolist():
        saddle = float(regions.saddles[k])
        if saddle < low:
            break
        a, b = (root(int(i)) for i in regions.pairs[k])
        if a == b:
            continue
        one, other = nodes[newest[a]], nodes[newest[b]]
        assert one is not None
        assert other is not None
        if len(one.members) + len(other.members) > MOST_PARTS:
            continue
        if regions.peaks[one.peak] < regions.peaks[other.peak]:
            a, b, one, other = b, a, other, one
        noise = float(regions.peaks[other.peak]) - saddle < NOTICED
        valley = min(one.valley, other.valley) if noise or saddle > high else saddle
        for i, node in ((newest[a], one), (newest[b], other)):
            nodes[i] = None if noise or saddle > high else node._replace(pass_=saddle)
        parent[b] = a
        newest[a] = len(nodes)
        nodes.append(Node(one.members + other.members, one.peak, valley, 0.0))
    return [node for node in nodes if node is not None]
