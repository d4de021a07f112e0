"""Highlight of the objects selected in the list, on the slice in view."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

import numpy as np
from napari.components import ViewerModel
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from napari_sam.masks import MAX_WHOLE, Box, CroppedMask, enclosing, grown, slices
from napari_sam.session.changed import What
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.layers.preview import Preview

__all__ = ["Highlight", "rings"]

COLOURS = ("#ffffff", "#000000")  # together seen on every picture and every label
COARSE = 2048  # pixels of a side of what is drawn of a large plane
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
            window, step = _window(masks)
            drawn = rings(masks, window, step)
            self._preview.show_part(drawn, plane, masks[0].shape, window[:2], step)


def _window(masks: Sequence[CroppedMask]) -> tuple[Box, int]:
    """Return the part of the plane to draw rings in, and every how many pixels: all of a small one.

    Of a large plane it holds the masks, coarsely where they lie far apart.
    """
    height, width = masks[0].shape
    if height * width <= MAX_WHOLE:
        return (0, 0, height, width), 1
    wide = 2 * (1 + max(height, width) // SIDE)
    box = grown(enclosing(*(mask.box for mask in masks)), wide, (height, width))
    return box, -(-max(box[2] - box[0], box[3] - box[1]) // COARSE)


def rings(
    masks: Sequence[CroppedMask], window: Box | None = None, step: int = 1
) -> NDArray[np.uint8]:
    """Return an (H, W) image with two rings around each mask: 1 is the inner, 2 the outer one.

    Parameters
    ----------
    masks : sequence of CroppedMask
        Of one plane.
    window : Box, optional
        The part of the plane that is returned, which holds the masks; None: all.
    step : int
        Every how many rows and columns of it.

    Examples
    --------
    >>> mask = np.zeros((7, 7), bool)
    >>> mask[3, 3] = True
    >>> rings([CroppedMask.of(mask)])[3].tolist()
    [0, 2, 1, 0, 1, 2, 0]
    """
    height, width = masks[0].shape
    part = window or (0, 0, height, width)
    shown = np.zeros([-(-(part[i + 2] - part[i]) // step) for i in (0, 1)], np.uint8)
    wide = 1 + max(height, width) // SIDE
    for mask in masks:
        r0, c0, r1, c1 = mask.box
        around = (
            max((r0 - part[0]) // step - 2 * wide, 0),
            max((c0 - part[1]) // step - 2 * wide, 0),
            min((r1 - part[0]) // step + 1 + 2 * wide, shown.shape[0]),
            min((c1 - part[1]) // step + 1 + 2 * wide, shown.shape[1]),
        )
        first = part[0] + around[0] * step, part[1] + around[1] * step
        last = part[0] + around[2] * step, part[1] + around[3] * step
        own = mask.within((*first, *last))[::step, ::step]
        near = binary_dilation(own, iterations=wide)
        ring = shown[slices(around)]
        ring[binary_dilation(near, iterations=wide) & ~near] = 2
        ring[near & ~own] = 1
    return shown
