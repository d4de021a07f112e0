"""Mask preview: a Labels layer of the size of one plane, not of the whole volume."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Layer
from napari.utils.colormaps import CyclicLabelColormap
from numpy.typing import NDArray

from napari_sam.masks import PlaneMask, WindowMask, bounding_box, enclosing
from napari_sam.planes import Plane, spanned
from napari_sam.widgets.layers.image_stack import OURS, ImageStack, is_helper
from napari_sam.widgets.layers.outlines import Outline, around
from napari_sam.widgets.layers.palette import PREVIEW
from napari_sam.widgets.layers.transform import LayerTransform, move

__all__ = ["Preview", "first_helper"]

OUTLINE_WIDTH = 2
LARGEST = 4096  # pixels of a side of the layer over a large plane


class Preview:
    """A Labels layer that shows a mask of one plane over an image.

    Parameters
    ----------
    viewer : ViewerModel
        Where.
    picture : ImageStack
        Over what.
    name : str
        Of the layer.
    colours : sequence of str
        The colours of the values 1, 2 and so on of a mask; an outline has the last.
    opacity : float
        Of the layer.
    role : str
        By which the layer is known as one of ours.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        picture: ImageStack,
        name: str = "napari-sam preview",
        colours: Sequence[str] = (f"{PREVIEW}80", PREVIEW),
        opacity: float = 1,
        role: str = "preview",
    ) -> None:
        self._viewer = viewer
        self._picture = picture
        self._style: dict[str, object] = {
            "name": name,
            # A direct colormap would be compiled at the first click, for a second or more.
            "colormap": CyclicLabelColormap(["transparent", *colours]),
            "opacity": opacity,
            "metadata": {OURS: role},
        }
        self._plane: Plane | None = None
        self._size: tuple[int, ...] = ()
        self._part: tuple[tuple[int, int], int] = (0, 0), 1  # corner and step of what is shown
        self._last = len(colours)  # value of outlines
        self._glance = False  # whether it shows the outline of a mask, not a mask
        self._outline = False
        self._visible = True
        self.layer: Labels | None = None
        picture.on_move(self._follow)
        picture.changed.connect(self._renewed)

    def show(self, mask: PlaneMask | NDArray[np.uint8] | None, plane: Plane) -> None:
        """Show a (H, W) mask on its plane; hide the layer if there is none or it does not fit.

        Of a large plane the layer holds no more than the mask, and less of a mask that is large.
        """
        self._glance = False
        if mask is None or not self._picture.fits(plane, mask.shape):
            if self.layer is not None:
                self.layer.data = np.zeros_like(self.layer.data)
            return
        height, width = mask.shape
        self._size = (height, width)
        if not isinstance(mask, WindowMask):
            self._put(mask, plane)
            return
        box = bounding_box(mask) or (0, 0, 1, 1)
        window = around(box, (height, width))
        window = window if enclosing(box, window) == window else box
        step = -(-max(window[2] - window[0], window[3] - window[1]) // LARGEST)
        self.show_part(
            mask[window[0] : window[2] : step, window[1] : window[3] : step],
            plane,
            (height, width),
            window[:2],
            step,
        )

    def show_part(
        self,
        part: NDArray[np.bool_] | NDArray[np.uint8],
        plane: Plane,
        shape: tuple[int, int],
        corner: tuple[int, int],
        step: int = 1,
    ) -> None:
        """Show a (h, w) part of a mask (H, W), that begins at a corner, every `step`-th pixel."""
        self._size = shape
        self._put(part, plane, corner, step)

    def show_outline(self, outline: Outline | None, plane: Plane) -> None:
        """Show the outline of a mask on its plane, in a small layer; None: not any more.

        A mask that is shown since stays.
        """
        if outline is None:
            if self._glance and self.layer is not None and self._whole:
                self.layer.data[:] = 0
                self.layer.refresh(thumbnail=False, extent=False)
            self._glance = False
        elif self._picture.fits(plane, outline.shape):
            self._size, self._glance = outline.shape, True
            shown = outline.drawn * np.uint8(self._last)
            self._put(shown, plane, outline.window[:2], outline.step)

    def outline(self, on: bool) -> None:
        """Show outlines instead of filled masks."""
        self._outline = on
        if self.layer is not None:
            self.layer.contour = OUTLINE_WIDTH if on else 0

    def set_visible(self, on: bool) -> None:
        """Show or hide the layer with all that it holds; the eye in the layer list works between.

        Nothing happens if the same was said before.
        """
        if self.layer is not None and on != self._visible:
            self.layer.visible = on
        self._visible = on

    def recolour(self, colours: NDArray[np.floating]) -> None:
        """Set the (N, 4) RGBA colours of the values 1 and so on."""
        now = self._style["colormap"]
        if isinstance(now, CyclicLabelColormap) and np.array_equal(now.colors[1:], colours):
            return
        self._style["colormap"] = CyclicLabelColormap([np.zeros(4), *colours])
        if self.layer is not None:
            self.layer.colormap = self._style["colormap"]

    def raise_above(self, layer: Layer) -> None:
        """Move the layer above another one, if it lies below."""
        layers = self._viewer.layers
        if self.layer is None or self.layer not in layers or layer not in layers:
            return
        own, other = layers.index(self.layer), layers.index(layer)
        if own < other:
            layers.move(own, other + 1)

    def close(self) -> None:
        """Remove the layer."""
        self._picture.on_move(self._follow, connect=False)
        self._picture.changed.disconnect(self._renewed)
        self._remove()

    @property
    def _whole(self) -> bool:
        """False if somebody has deleted the layer, or given it other axes."""
        if self.layer is None or self.layer not in self._viewer.layers:
            return False
        return bool(self.layer.ndim == self._picture.ndim)

    def _remove(self) -> None:
        if self.layer is not None and self.layer in self._viewer.layers:
            self._viewer.layers.remove(self.layer)

    def _add(self, data: NDArray[np.uint8]) -> None:
        active = self._viewer.layers.selection.active
        self.layer = Labels(
            data,
            visible=self._visible,
            **self._style,
            **self._where(self._plane or ()),
        )
        self.outline(self._outline)
        self._viewer.layers.insert(first_helper(self._viewer), self.layer)
        self._viewer.layers.selection.active = active

    def _put(
        self,
        shown: NDArray[np.bool_] | NDArray[np.uint8],
        plane: Plane,
        corner: tuple[int, int] = (0, 0),
        step: int = 1,
    ) -> None:
        height, width = spanned(plane)
        sizes = {height: shown.shape[0], width: shown.shape[1]}
        data = shown.reshape([sizes.get(axis, 1) for axis in range(len(plane))]).astype(np.uint8)
        before = self._plane, self._part
        self._plane, self._part = plane, (corner, step)
        if self.layer is None or not self._whole:
            self._remove()
            self._add(data)
            return
        if before != (self._plane, self._part):
            move(self.layer, self._where(plane))
        if self.layer.data.shape == data.shape:  # three times as fast, for sliders
            self.layer.data[:] = data
            self.layer.refresh(thumbnail=False, extent=False)
        else:
            self.layer.data = data

    def _where(self, plane: Plane) -> LayerTransform:
        return self._picture.transform.of_plane(plane, *self._part)

    def _follow(self, event: object = None) -> None:
        if self.layer is not None and self._plane is not None and self._whole:
            move(self.layer, self._where(self._plane))

    def _renewed(self) -> None:
        """Leave no layer on a plane that the picture has no more: the view would stay there."""
        if self._plane is not None and not self._picture.fits(self._plane, self._size):
            self._remove()


def first_helper(viewer: ViewerModel) -> int:
    """Return the index below all helper layers, at which to insert a layer above the rest."""
    helpers = [index for index, layer in enumerate(viewer.layers) if is_helper(layer)]
    return min(helpers, default=len(viewer.layers))
