"""From positions in layers to prompts on one plane, with a remark where something was left out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_sam.session.target import Plane
from napari_sam.session.trim import is_inside, trim_box

__all__ = ["POLARITY", "Drawn", "read_prompts"]

POLARITY = {1: "include", 0: "exclude"}
SMALLEST_BOX = 2  # pixels; a click without a drag leaves a smaller one


class Drawn(NamedTuple):
    """All prompts on one plane, in pixels of that plane, and what had to be said about them."""

    plane: Plane
    points: list[tuple[float, float]]
    labels: list[int]
    box: tuple[float, float, float, float] | None
    remark: str


def read_prompts(
    plane: Plane,
    shape: tuple[int, int],
    positions: NDArray[np.float64],
    polarity: list[str],
    rectangles: list[NDArray[np.float64]],
) -> Drawn:
    """Return the prompts on a plane.

    Parameters
    ----------
    plane : Plane
        On which all of them lie.
    shape : (H, W)
        Of the plane.
    positions : (N, D) float
        The points, in pixels of the whole picture.
    polarity : list of str
        "include" or "exclude" for each point.
    rectangles : list of (4, D) float
        Corners of boxes, oldest first; the newest counts.
    """
    axes = [axis for axis, at in enumerate(plane) if at is None]
    numbers = {name: label for label, name in POLARITY.items()}
    points, labels, remarks = [], [], []
    for position, name in zip(positions, polarity, strict=True):
        point = (float(position[axes[0]]), float(position[axes[1]]))
        if not is_inside(point, shape):
            remarks.append("A point outside the picture was left out.")
        elif name not in numbers:
            remarks.append(f"A point whose polarity is neither include nor exclude: {name!r}.")
        else:
            points.append(point)
            labels.append(numbers[name])
    box = None
    if rectangles:
        low, high = rectangles[-1].min(axis=0)[axes], rectangles[-1].max(axis=0)[axes]
        wanted = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        box = trim_box(wanted, shape)
        if box is None:
            remarks.append("A box outside the picture was left out.")
        elif min(high - low) < SMALLEST_BOX:
            box = None
            remarks.append("To draw a box, press, drag and release.")
        elif box != wanted:
            remarks.append("The box reached past the border and was trimmed to the picture.")
        elif len(rectangles) > 1:
            remarks.append("One box per object: the new box took the place of the old one.")
    return Drawn(plane, points, labels, box, " ".join(remarks))
