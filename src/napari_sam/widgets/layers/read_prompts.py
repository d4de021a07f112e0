"""Conversion of layer coordinates to prompts on one plane, with a remark on what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_sam.masks import CroppedMask
from napari_sam.planes import Plane
from napari_sam.widgets.layers.shapes import filled, spread

__all__ = [
    "POLARITY",
    "AreaPrompt",
    "PlanePrompts",
    "Shape",
    "is_inside",
    "read_prompts",
    "trim_box",
]

POLARITY = {1: "include", 0: "exclude"}
SMALLEST_BOX = 2  # pixels; a click without a drag leaves a smaller one
LINES = ("line", "path")
NOWHERE = "A shape outside the picture was left out."


class Shape(NamedTuple):
    """One shape of a Shapes layer: its type, and (N, D) vertices in image pixels."""

    kind: str
    vertices: NDArray[np.float64]


class AreaPrompt(NamedTuple):
    """Area prompt of an object: a bounding box, and for an outline the enclosed mask."""

    box: tuple[float, float, float, float] | None
    mask: CroppedMask | None = None
    shape: Shape | None = None


class PlanePrompts(NamedTuple):
    """All prompts on one plane, in pixels of that plane, and a remark for the user.

    `area` belongs to the object that is being drawn, each of `separate` is an object of its own.
    """

    plane: Plane
    points: list[tuple[float, float]]
    labels: list[int]
    area: AreaPrompt
    separate: list[AreaPrompt]
    remark: str


def read_prompts(
    plane: Plane,
    shape: tuple[int, int],
    points: tuple[NDArray[np.float64], Sequence[str]],
    held: AreaPrompt,
    new: Sequence[Shape],
    scribbled: str = "include",
    each: bool = False,
) -> PlanePrompts:
    """Return the prompts on a plane.

    Parameters
    ----------
    plane : Plane
        On which all of them lie.
    shape : (H, W)
        Of the plane.
    points : ((N, D) float, sequence of str)
        Positions in pixels of the whole picture, and "include" or "exclude" for each.
    held : AreaPrompt
        What the object that is being drawn has so far.
    new : sequence of Shape
        What was drawn since. One box, ellipse or polygon takes the place of `held`; of several
        each is an object of its own. Lines and paths are scribbles: a few points.
    scribbled : str
        "include" or "exclude", for scribbles.
    each : bool
        Whether also a single new area is an object of its own.
    """
    axes = [axis for axis, at in enumerate(plane) if at is None]
    numbers = {name: label for label, name in POLARITY.items()}
    positions, names = [position[axes] for position in points[0]], list(points[1])
    near = [one for one in new if np.isfinite(one.vertices).all()]
    for kind, vertices in near:
        if kind in LINES:
            along = spread(vertices[:, axes])
            positions += list(along)
            names += [scribbled] * len(along)
    kept, labels, remarks = [], [], [NOWHERE] * (len(near) < len(new))
    for position, name in zip(positions, names, strict=True):
        point = (float(position[0]), float(position[1]))
        if not is_inside(point, shape):
            remarks.append("A point outside the picture was left out.")
        elif name not in numbers:
            remarks.append(f"A point whose polarity is neither include nor exclude: {name!r}.")
        else:
            kept.append(point)
            labels.append(numbers[name])
    areas = []
    for one in near:
        if one.kind not in LINES:
            area, remark = _read_area(one, axes, shape)
            areas += [] if area is None else [area]
            remarks.append(remark)
    separate = areas if each or len(areas) > 1 else []
    if areas and not separate:
        if held.box is not None:
            remarks.append(
                "One object has one box or outline: the new one took the place of the old one. "
                "'Boxes, one object each' is in the menu of the box button."
            )
        held = areas[0]
    remark = " ".join(dict.fromkeys(filter(None, remarks)))
    return PlanePrompts(plane, kept, labels, held, separate, remark)


def _read_area(
    one: Shape, axes: list[int], shape: tuple[int, int]
) -> tuple[AreaPrompt | None, str]:
    """Return what a shape encloses, None if it is of no use, and what has to be said."""
    vertices = one.vertices[:, axes]
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    wanted = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    a_what, what = ("a box", "box") if one.kind == "rectangle" else ("an outline", "outline")
    box = trim_box(wanted, shape)
    if box is None:
        return None, f"{a_what.capitalize()} outside the picture was left out."
    if min(high - low) < SMALLEST_BOX:
        return None, f"To draw {a_what}, press, drag and release."
    trimmed = f"The {what} reached past the border and was trimmed to the picture."
    remark = "" if box == wanted else trimmed
    if what == "box":
        return AreaPrompt(box), remark
    mask = CroppedMask.of(filled(one.kind, vertices, shape))
    if mask is None:
        return None, "The outline encloses no pixel; draw a larger one."
    r0, c0, r1, c1 = mask.box
    return AreaPrompt((r0 - 0.5, c0 - 0.5, r1 - 0.5, c1 - 0.5), mask, one), remark


Box = tuple[float, float, float, float]


def trim_box(box: Box, shape: tuple[int, int]) -> Box | None:
    """Clip a bounding box to the image.

    Parameters
    ----------
    box : (y0, x0, y1, x1)
        Corners in any order; pixel (r, c) is the square from r - 0.5 to r + 0.5.
    shape : (H, W)
        Of the picture.

    Returns
    -------
    (y0, x0, y1, x1) or None
        None if nothing of it lies in the picture.

    Examples
    --------
    >>> trim_box((8, 12, -5, 4), (10, 10))
    (-0.5, 4, 8, 9.5)
    >>> trim_box((20, 20, 30, 30), (10, 10)) is None
    True
    """
    y0, x0, y1, x1 = box
    top, bottom = max(min(y0, y1), -0.5), min(max(y0, y1), shape[0] - 0.5)
    left, right = max(min(x0, x1), -0.5), min(max(x0, x1), shape[1] - 0.5)
    return None if top >= bottom or left >= right else (top, left, bottom, right)


def is_inside(point: tuple[float, float], shape: tuple[int, int]) -> bool:
    """Return whether a point (row, column) lies inside an image of shape (H, W).

    Examples
    --------
    >>> is_inside((-0.4, 3), (10, 10)), is_inside((2, 9.6), (10, 10))
    (True, False)
    """
    return all(-0.5 <= at <= size - 0.5 for at, size in zip(point, shape, strict=True))
