"""Spatial index of the masks of a plane by bounding box."""

from __future__ import annotations

import numpy as np

from napari_sam.masks import Box
from napari_sam.planes import Plane
from napari_sam.session.objects import Objects

__all__ = ["BoxIndex"]

FEW = 100  # new ones that are looked at one by one


class BoxIndex:
    """Bounding boxes of all masks of a plane; new ones are added, stale ones may remain.

    Parameters
    ----------
    objects : Objects
        Whose masks.
    plane : Plane
        Where.
    """

    def __init__(self, objects: Objects, plane: Plane) -> None:
        self._objects, self._plane = objects, plane
        self._new: set[int] = set()
        self._sort_in()

    def add(self, object_id: int) -> None:
        """Add an object that has a new mask."""
        self._new.add(object_id)
        if len(self._new) > FEW:
            self._sort_in()

    def meeting(self, window: Box) -> set[int]:
        """Return the ids of the objects whose bounding box overlaps the window."""
        top, left, bottom, right = self._boxes.T
        r0, c0, r1, c1 = window
        meets = (top < r1) & (r0 < bottom) & (left < c1) & (c0 < right)
        found = self._new | {self._ids[at] for at in np.flatnonzero(meets)}
        masks = ((number, self._objects.section(number, self._plane)) for number in found)
        return {
            number
            for number, section in masks
            if section is not None and section.mask is not None and section.mask.meets(window)
        }

    def _sort_in(self) -> None:
        there = list(self._objects.on(self._plane))
        self._ids = [number for number, _ in there]
        self._boxes = np.array([mask.box for _, mask in there], np.int64).reshape(-1, 4)
        self._new.clear()
