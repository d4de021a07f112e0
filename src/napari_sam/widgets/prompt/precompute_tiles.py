"""Background embedding of a large slice's tiles around the middle of the view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from napari_sam.inference.pyramid import PyramidTile, tiles_around
from napari_sam.planes import Plane
from napari_sam.progress import Estimate, Progress
from napari_sam.serving.precompute import Precomputed
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.layers.navigate import pixel_at

if TYPE_CHECKING:
    from napari_sam.serving.segmenter import StoredSegmenter

__all__ = ["TileRun", "view_middle"]


def view_middle(annotation: Annotation) -> tuple[int, int] | None:
    """Return the (row, column) in the middle of the view; None if the picture is not there."""
    dims = annotation.viewer.dims
    world = list(dims.point)
    centre = annotation.viewer.scene.camera.center[-len(dims.displayed) :]
    for axis, at in zip(dims.displayed, centre, strict=True):
        world[axis] = at
    return pixel_at(annotation.viewer, annotation.picture, world)


class TileRun:
    """Embedding of the tiles around a place with one model; steps run in the model's thread.

    Parameters
    ----------
    annotation : Annotation
        Whose picture it is.
    seen : Plane
        The large plane in view.
    middle : (int, int)
        The place, row and column.
    """

    word = "tiles"

    def __init__(self, annotation: Annotation, seen: Plane, middle: tuple[int, int]) -> None:
        self._source = annotation.picture.source(seen)
        self._contrast = annotation.planes.contrast
        tiles = tiles_around(annotation.picture.plane_shape(seen), middle)
        self.total = len(tiles)
        self._segmenter: StoredSegmenter
        self._pause: Callable[[], None]
        self._steps = self._embed(tiles)

    def step(self, segmenter: StoredSegmenter, pause: Callable[[], None]) -> Progress[Precomputed]:
        """Compute and store the embedding of one tile."""
        self._segmenter, self._pause = segmenter, pause
        try:
            return next(self._steps)
        finally:
            del self._segmenter, self._pause  # which hold the model

    def note_view(self) -> None:
        """Do nothing: when the view has moved, another run begins."""

    def end(self) -> None:
        """Release the model without waiting for garbage collection."""
        self._steps = iter(())

    def _embed(self, tiles: list[PyramidTile]) -> Iterator[Progress[Precomputed]]:
        estimate, used = Estimate(), 0
        # Of a large slice it is a TiledEmbedding, whose class is not to be loaded here.
        tiled: Any = self._segmenter.embed(self._source(), self._contrast.of(self._segmenter))
        for done, tile in enumerate(tiles):
            yield Progress(done, self.total, Precomputed(used), estimate.left(done, self.total))
            size = self._segmenter.keep_tile(tiled, tile, self._pause)
            if size == 0:
                yield Progress(done, self.total, Precomputed(used, full=True))
            used += size
        yield Progress(self.total, self.total, Precomputed(used))
