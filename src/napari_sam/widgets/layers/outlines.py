"""Outlines of labels, computed in numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_sam.masks import Box, PlaneMask, bounding_box, enclosing

__all__ = ["Outline", "around", "edges", "outlines", "width_of"]

ROOM = 512  # pixels of a side of the window that one mask's outline is drawn in, if it fits
COARSE = 1024  # of the longer side of a plane on which the outline of a larger one is drawn
SIDE = 1000  # pixels of a plane for each pixel that an outline is wide


@dataclass(frozen=True, eq=False)
class Outline:
    """The outline of one mask, in a window of its plane.

    Parameters
    ----------
    shape : tuple of int
        (H, W) of the plane.
    window : tuple of int
        Where of it.
    step : int
        Rows and columns of the plane for each pixel of the window.
    drawn : (h, w) bool
        The pixels of the outline in the window.
    """

    shape: tuple[int, int]
    window: Box
    step: int
    drawn: NDArray[np.bool_]

    @classmethod
    def of(cls, mask: PlaneMask, before: Outline | None = None) -> Outline:
        """Return the outline of a (H, W) mask, inside of it; in the window of another, if it fits.

        Examples
        --------
        >>> mask = np.zeros((900, 900), bool)
        >>> mask[300:304, 100:104] = True
        >>> one = Outline.of(mask)
        >>> one.window, int(one.drawn.sum())
        ((46, 0, 558, 512), 12)
        """
        height, width = mask.shape
        box = bounding_box(mask) or (0, 0, 1, 1)
        window, step = around(box, (height, width)), 1
        if enclosing(box, window) != window:
            window, step = (0, 0, height, width), -(-max(mask.shape) // COARSE)
        elif before is not None and (before.shape, before.step) == (mask.shape, 1):
            window = before.window if enclosing(box, before.window) == before.window else window
        coarse = mask[window[0] : window[2] : step, window[1] : window[3] : step]
        return cls((height, width), window, step, edges(np.pad(coarse, 1))[1:-1, 1:-1])


def width_of(shape: tuple[int, ...]) -> int:
    """Return how many pixels wide outlines are on a plane (H, W), to be seen as a whole."""
    return 1 + max(shape) // SIDE


def outlines(labels: NDArray[np.integer], colours: int, wide: int = 1) -> NDArray[np.uint8]:
    """Return (H, W) colour numbers from 1 on the outlines of (H, W) labels, 0 elsewhere.

    Outlines lie inside of the labels, so that touching ones have an outline each.

    Examples
    --------
    >>> labels = np.zeros((5, 6), int)
    >>> labels[1:4, 1:4], labels[:, 5] = 8, 2
    >>> outlines(labels, 7).tolist()[2]
    [0, 1, 0, 1, 0, 2]
    """
    edge = edges(labels, wide)
    shown = np.zeros(labels.shape, np.uint8)
    shown[edge] = (labels[edge] - 1) % colours + 1
    return shown


def edges(labels: NDArray[np.integer], wide: int = 1) -> NDArray[np.bool_]:
    """Return (H, W) where the pixels of (H, W) labels are at the edge of their label."""
    edge = np.zeros(labels.shape, bool)
    for before, after in (np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:]):
        differs = labels[before] != labels[after]
        edge[before] |= differs
        edge[after] |= differs
    for _ in range(wide - 1):
        thin = edge.copy()
        for before, after in (np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:]):
            edge[before] |= thin[after]
            edge[after] |= thin[before]
    edge &= labels != 0
    return edge


def around(box: Box, shape: tuple[int, int]) -> Box:
    """Return a window of a plane (H, W) in whose middle a box is, as far as the plane goes."""
    size = [min(n, ROOM) for n in shape]
    middle = [(box[i] + box[i + 2] - size[i]) // 2 for i in (0, 1)]
    top, left = (max(0, min(middle[i], shape[i] - size[i])) for i in (0, 1))
    return top, left, top + size[0], left + size[1]
