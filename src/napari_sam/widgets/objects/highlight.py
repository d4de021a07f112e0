"""Highlight of the objects selected in the list, on the slice in view."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

import numpy as np
from napari.components import ViewerModel
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from napari_sam.masks import CroppedMask, slices
from napari_sam.session.changed import What
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.layers.preview import Preview

__all__ = ["Highlight", "rings"]

COLOURS = ("#ffffff", "#000000")  # together seen on every picture and every label
SIDE = 1024  # pixels of a plane for each pixel that a ring is wide


class Highlight:
    """A ring around the selected objects, in a Labels layer of the size of one plane.

    Parameters
    ----------
    viewer : ViewerModel
        Where it is shown.
    annotation : Annotation
        Whose objects.
    selected : callable
        Returns the ids of the selected objects.
    """

    def __init__(
        self, viewer: ViewerModel, annotation: Annotation, selected: Callable[[], Sequence[int]]
    ) -> None:
        self._annotation = annotation
        self._selected = selected
        self._shown: list[CroppedMask] = []
        self._preview = Preview(
            viewer, annotation.picture, "napari-sam selected", COLOURS, opacity=1, role="selected"
        )
        annotation.changed.connect(self.refresh)
        self.refresh()

    def close(self) -> None:
        """Remove the layer."""
        self._annotation.changed.disconnect(self.refresh)
        self._preview.close()

    def refresh(self, what: What = What.VIEW) -> None:
        """Redraw the rings of the selected objects; cheap if nothing has changed."""
        if not what & (What.VIEW | What.OBJECTS):
            return
        plane, objects = self._annotation.seen, self._annotation.session.objects
        masks = []
        if plane is not None:
            held = (objects.section(number, plane) for number in self._selected())
            masks = [one.mask for one in held if one is not None and one.mask is not None]
        if len(masks) == len(self._shown) and all(map(operator.is_, masks, self._shown)):
            return
        self._shown = masks
        if plane is None or not masks:
            self._preview.show(None, ())
        else:
            self._preview.show(rings(masks), plane)


def rings(masks: Sequence[CroppedMask]) -> NDArray[np.uint8]:
    """Return an (H, W) image with two rings around each mask: 1 is the inner, 2 the outer one.

    Examples
    --------
    >>> mask = np.zeros((7, 7), bool)
    >>> mask[3, 3] = True
    >>> rings([CroppedMask.of(mask)])[3].tolist()
    [0, 2, 1, 0, 1, 2, 0]
    """
    height, width = masks[0].shape
    shown = np.zeros((height, width), np.uint8)
    wide = 1 + max(height, width) // SIDE
    for mask in masks:
        r0, c0, r1, c1 = mask.box
        window = (
            max(r0 - 2 * wide, 0),
            max(c0 - 2 * wide, 0),
            min(r1 + 2 * wide, height),
            min(c1 + 2 * wide, width),
        )
        own = mask.within(window)
        near = binary_dilation(own, iterations=wide)
        part = shown[slices(window)]
        part[binary_dilation(near, iterations=wide) & ~near] = 2
        part[near & ~own] = 1
    return shown
