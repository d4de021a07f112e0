"""The layer of tracks beside the labels: where each object was, with the lineage as its graph."""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel
from napari.layers import Tracks as NapariTracks

from napari_sam.tracking.detections import Detections
from napari_sam.tracking.tracks import Tracks
from napari_sam.widgets.layers.image_stack import ImageStack

__all__ = ["TracksLayer"]

NAME = "tracks"


class TracksLayer:
    """A napari Tracks layer, made when there is something to show.

    Parameters
    ----------
    viewer : ViewerModel
        Where it is shown.
    picture : ImageStack
        The time series, (T, Y, X).
    """

    def __init__(self, viewer: ViewerModel, picture: ImageStack) -> None:
        self._viewer = viewer
        self._picture = picture
        self._layer: NapariTracks | None = None

    @property
    def there(self) -> bool:
        """Whether it is in the viewer."""
        return self._layer is not None and self._layer in self._viewer.layers

    def show(self, found: Detections, tracks: Tracks) -> None:
        """Show tracks; without any the layer goes."""
        places = sorted((number, *place) for place, number in tracks.of.items())
        if not places:
            self.hide()
            return
        rows = [found.rows[frame, label] for _, frame, label in places]
        data = np.column_stack(
            [[number for number, *_ in places], found.frames[rows], found.centres[rows]]
        )
        graph = {number: [parent] for number, parent in tracks.parents.items()}
        if not self.there:
            active = self._viewer.layers.selection.active
            self._layer = NapariTracks(
                data, graph=graph, name=NAME, **self._picture.transform.arguments
            )
            self._viewer.add_layer(self._layer)
            self._viewer.layers.selection.active = active  # what is drawn in stays in front
        elif self._layer is not None:
            self._layer.graph = {}  # which may name tracks that are no more
            self._layer.data = data
            self._layer.graph = graph

    def hide(self) -> None:
        """Remove the layer."""
        if self._layer is not None and self.there:
            self._viewer.layers.remove(self._layer)
        self._layer = None
