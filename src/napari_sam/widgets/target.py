"""The Labels layer that accepted objects go to."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray

from napari_sam.session.target import Plane
from napari_sam.widgets.picture import OURS, Picture, on_plane

__all__ = ["LabelsTarget", "new_labels", "why_not"]


class LabelsTarget:
    """Reads and writes single planes of a Labels layer; fits the session's `Target` by shape.

    Parameters
    ----------
    layer : napari.layers.Labels
        Checked with `why_not`.
    """

    def __init__(self, layer: Labels) -> None:
        self.layer = layer
        self.writing = False

    @property
    def dtype(self) -> np.dtype[Any]:
        """Integer type of the labels."""
        return self.layer.data.dtype

    def read(self, plane: Plane) -> NDArray[np.integer[Any]]:
        """Return the (H, W) labels of one plane."""
        return self.layer.data[on_plane(plane)]

    def write(
        self,
        plane: Plane,
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
        values: NDArray[np.integer[Any]],
    ) -> None:
        """Set pixels of one plane; napari's own undo knows of it too."""
        seen = iter((rows, columns))
        index = tuple(next(seen) if i is None else np.full(len(rows), i) for i in plane)
        self.writing = True
        try:
            self.layer.data_setitem(index, values)
        finally:
            self.writing = False


def why_not(layer: Labels, picture: Picture) -> str:
    """Say in plain words why a Labels layer cannot take objects of a picture; empty if it can."""
    if layer.multiscale or not isinstance(layer.data, np.ndarray):
        kind = "multiscale" if layer.multiscale else type(layer.data).__name__
        return f"'{layer.name}' is {kind} data, which cannot be painted; choose a new layer."
    if layer.data.shape != picture.shape:
        return (
            f"'{layer.name}' has shape {layer.data.shape}, but the picture has {picture.shape}; "
            "choose a layer of the same shape or a new one."
        )
    if not picture.lies_on(layer):
        return (
            f"'{layer.name}' does not lie on the picture (another scale, shift or rotation); "
            "choose a new layer."
        )
    if not layer.editable:
        return f"'{layer.name}' is locked against editing; unlock it or choose a new layer."
    return ""


def new_labels(picture: Picture) -> Labels:
    """Return an empty Labels layer that lies exactly on the picture."""
    return Labels(
        np.zeros(picture.shape, np.uint16),
        name=f"{picture.layer.name} objects",
        metadata={OURS: "objects"},
        **picture.place(),
    )
