"""From positions in layers to prompts on one plane, with a remark where something was left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_sam.session.bitmask import BitMask
from napari_sam.session.target import Plane
from napari_sam.session.trim import is_inside, trim_box
from napari_sam.widgets.outlines import filled, spread

__all__ = ["POLARITY", "Area", "Drawn", "Shape", "read_prompts"]

POLARITY = {1: "include", 0: "exclude"}
SMALLEST_BOX = 2  # pixels; a click without a drag leaves a smaller one
LINES = ("line", "path")
NOWHERE = "A shape outside the picture was left out."


class Shape(NamedTuple):
    """One shape of a Shapes layer: what kind, and (N, D) vertices in pixels of the picture."""

    kind: str
    vertices: NDArray[np.float64]


class Area(NamedTuple):
    """Where an object is: a box; of an outline also the mask that it encloses."""

    box: tuple[float, float, float, float] | None
    mask: BitMask | None = None
    shape: Shape | None = None


class Drawn(NamedTuple):
    """All prompts on one plane, in pixels of that plane, and what had to be said about them.

    `area` belongs to the object that is being drawn, each of `many` is an object of its own.
    """

    plane: Plane
    points: list[tuple[float, float]]
    labels: list[int]
    area: Area
    many: list[Area]
    remark: str


def read_prompts(
    plane: Plane,
    shape: tuple[int, int],
    points: tuple[NDArray[np.float64], Sequence[str]],
    held: Area,
    new: Sequence[Shape],
    scribbled: str = "include",
    each: bool = False,
) -> Drawn:
    """Return the prompts on a plane.

    Parameters
    ----------
    plane : Plane
        On which all of them lie.
    shape : (H, W)
        Of the plane.
    points : ((N, D) float, sequence of str)
        Positions in pixels of the whole picture, and "include" or "exclude" for each.
    held : Area
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
    many = areas if each or len(areas) > 1 else []
    if areas and not many:
        if held.box is not None:
            remarks.append(
                "One object has one box or outline: the new one took the place of the old one. "
                "'Boxes, one object each' is in the menu of the box button."
            )
        held = areas[0]
    remark = " ".join(dict.fromkeys(filter(None, remarks)))
    return Drawn(plane, kept, labels, held, many, remark)


def _read_area(one: Shape, axes: list[int], shape: tuple[int, int]) -> tuple[Area | None, str]:
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
        return Area(box), remark
    mask = BitMask.of(filled(one.kind, vertices, shape))
    if mask is None:
        return None, "The outline encloses no pixel; draw a larger one."
    r0, c0, r1, c1 = mask.window
    return Area((r0 - 0.5, c0 - 0.5, r1 - 0.5, c1 - 0.5), mask, one), remark
