"""Box that is being dragged, shown as the last shape of a Shapes layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.components import ViewerModel

from napari_sam.widgets.layers.prompt_pair import COLOURS, PromptPair

__all__ = ["DraggedBox"]


class DraggedBox:
    """Shows a box from corner to corner while it is dragged.

    Attributes
    ----------
    on : bool
        True while the last shape of the layer is one that is not finished.
    """

    def __init__(self, viewer: ViewerModel, pair: PromptPair) -> None:
        self.on = False
        self._viewer = viewer
        self._pair = pair
        pair.renewed.connect(self._forget)

    def stretch(self, start: Sequence[float], end: Sequence[float]) -> None:
        """Show the box from a position in the world to another."""
        self._pair.bring_back(self._pair.boxes)
        self._take_away()
        self.on = True
        dims, layer = self._viewer.dims, self._pair.boxes
        begin, now = (np.array(layer.world_to_data(at)) for at in (start, end))
        row, column = (axis - dims.ndim + layer.ndim for axis in dims.displayed)
        corners = np.array([begin] * 4)
        corners[2:, row] = now[row]
        corners[1:3, column] = now[column]
        layer.add(corners, shape_type="rectangle", edge_color=COLOURS["include"])
        layer.selected_data = set()

    def finish(self) -> None:
        """Leave the box where it is."""
        self.on = False

    def cancel(self) -> None:
        """Take the box away."""
        self._take_away()
        self.on = False

    def _take_away(self) -> None:
        layer = self._pair.boxes
        if self.on and layer.nshapes:
            layer.selected_data = {layer.nshapes - 1}
            layer.remove_selected()

    def _forget(self) -> None:
        self.on = False
