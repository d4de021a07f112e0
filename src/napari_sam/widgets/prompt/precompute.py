"""Background embedding of the other slices of a stack during annotation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product, repeat
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_sam.inference.pyramid import is_large, tile_at
from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.planes import Plane
from napari_sam.progress import Progress
from napari_sam.serving.precompute import Precomputed, embed_stack
from napari_sam.session.changed import What
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.jobs.piecework import Piecework
from napari_sam.widgets.prompt.precompute_row import PrecomputeRow
from napari_sam.widgets.prompt.precompute_tiles import TileRun, view_middle
from napari_sam.widgets.prompt.store_row import StoreRow

if TYPE_CHECKING:
    from napari_sam.serving.segmenter import StoredSegmenter

__all__ = ["Precompute"]

REST_MS = 300  # after the camera has moved


class Precompute(QObject):
    """Computes the embeddings of all slices in the background, nearest to the view first.

    One slice is one job of the model, which lets prompts go first: between slices, and between
    the layers of the encoder. The slices run along the axes that the viewer does not show; when it
    shows others, the work begins anew along those.

    Parameters
    ----------
    store : EmbeddingStore
        Where the embeddings go, as many as it has room for.
    row : PrecomputeRow
        Shows how far it is.
    store_row : StoreRow
        Shows how much is kept.
    """

    progressed = Signal(object)  # Progress, in slices
    stopped = Signal(str)  # why; empty at the end and when somebody wanted it

    def __init__(
        self,
        store: EmbeddingStore,
        row: PrecomputeRow,
        store_row: StoreRow,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._budget = store.budget
        self._row = row
        self._store_row = store_row
        self._annotation: Annotation | None = None
        self._wanted: Annotation | None = None  # None if somebody has stopped it, too
        self._run: _EmbeddingRun | TileRun | None = None
        self._shown: object = None  # what the viewer showed when it last began
        self._on = False
        self._rest = new_timer(REST_MS, self._look, self)
        self._work = Piecework(later=True, parent=self)
        self._work.stepped.connect(self._take)
        self._work.failed.connect(lambda error: self._stop(str(error) or type(error).__name__))
        store_row.serve(store)
        store_row.cleared.connect(self.cancel)
        row.cancel.clicked.connect(self.cancel)
        self.stopped.connect(row.show_end)
        self.stopped.connect(store_row.refresh)

    @property
    def busy(self) -> bool:
        """True while slices are being embedded."""
        return self._run is not None

    def follow(self, annotation: Annotation | None) -> None:
        """Switch to the image of this annotation, or to none."""
        self._leave()
        self._annotation = annotation
        if annotation is not None:
            annotation.began_afresh.connect(self._begin_afresh)
            annotation.changed.connect(self._look)
            annotation.viewer.scene.camera.events.center.connect(self._view_moved)
        self._begin_afresh()

    def switch(self, on: bool) -> None:
        """Enable or disable background embedding."""
        self._on = on
        self._begin_afresh()

    def cancel(self) -> None:
        """Cancel until another image or model is selected."""
        self._wanted = None
        self._stop()

    def close(self) -> None:
        """Stop permanently, without any further display."""
        self._leave()
        self._end()
        self._store_row.close()

    def _leave(self) -> None:
        if self._annotation is not None:
            self._annotation.began_afresh.disconnect(self._begin_afresh)
            self._annotation.changed.disconnect(self._look)
            self._annotation.viewer.scene.camera.events.center.disconnect(self._view_moved)
        self._rest.stop()
        self._annotation = self._wanted = None

    def _view_moved(self, event: object = None) -> None:
        self._rest.start()

    def _begin_afresh(self) -> None:
        self._stop()
        self._shown = None
        self._wanted = self._annotation if self._on else None
        self._look()

    def _look(self, what: What = What.VIEW) -> None:
        """Begin along the axes that the viewer does not show, if they are others than before.

        On a large slice around the middle of the view, if that is elsewhere than before.
        """
        annotation = self._wanted
        if What.VIEW not in what or annotation is None or (model := annotation.model) is None:
            return
        seen = annotation.seen
        if seen is None:
            return
        shape = annotation.picture.plane_shape(seen)
        middle = view_middle(annotation) if is_large(shape) else None
        if middle is None:
            shown: object = is_large(shape), [at is None for at in seen]
        else:
            shown = seen, tile_at(shape, middle)
        if shown == self._shown:
            return
        self._stop()
        self._shown = shown
        run: _EmbeddingRun | TileRun
        if middle is not None:
            run = TileRun(annotation, seen, middle)
        elif is_large(shape):  # it is out of sight
            return
        else:
            run = _EmbeddingRun(annotation, seen, self._budget)
        if run.total > 1:
            self._row.word = run.word
            self._run = run
            self._work.start(model, repeat(run.step))
        else:
            run.end()

    def _take(self, progress: Progress[Precomputed]) -> None:
        self._row.show_progress(progress)
        if isinstance(self._run, _EmbeddingRun):
            self.progressed.emit(progress)
        if progress.result.full:
            room = f"there is room for {progress.done} of {progress.total} {self._row.word}"
            self._stop(f"{room}; 'Options' deletes what is kept")
        elif progress.done == progress.total:
            self._stop()
        elif self._run is not None:
            self._run.note_view()

    def _stop(self, why: str = "") -> None:
        if self.busy:
            self._end()
            self.stopped.emit(why)

    def _end(self) -> None:
        self._work.cancel()
        if self._run is not None:
            self._run.end()
            self._run = None


class _EmbeddingRun:
    """Embedding of one image's slices with one model; steps run in the model's thread."""

    word = "slices"

    def __init__(self, annotation: Annotation, seen: Plane, budget: int) -> None:
        self._annotation, self._seen = annotation, seen
        shape = annotation.picture.shape
        axes = [[None] if i is None else range(n) for i, n in zip(seen, shape, strict=True)]
        planes: list[Plane] = list(product(*axes))
        self.total = len(planes)
        self._mix, self._contrast = annotation.picture.mix, annotation.planes.contrast
        self._segmenter: StoredSegmenter
        self._pause: Callable[[], None]
        self._steps = embed_stack(self._keep, self._read, planes, lambda: self._seen, budget)

    def step(self, segmenter: StoredSegmenter, pause: Callable[[], None]) -> Progress[Precomputed]:
        """Compute and store the embedding of one slice."""
        self._segmenter, self._pause = segmenter, pause
        try:
            return next(self._steps)
        finally:
            del self._segmenter, self._pause  # which hold the model

    def note_view(self) -> None:
        """Store the slice in view; called in the GUI thread."""
        self._seen = self._annotation.seen or self._seen

    def end(self) -> None:
        """Release the model without waiting for garbage collection."""
        self._steps = iter(())

    def _read(self, plane: Plane) -> np.ndarray:
        return self._mix.reader(plane)()

    def _keep(self, pixels: np.ndarray) -> int:
        return self._segmenter.keep(pixels, self._contrast.of(self._segmenter), self._pause)
