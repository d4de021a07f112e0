"""The other slices of a stack, embedded in the background while somebody annotates it."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
from functools import partial
from itertools import product
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_sam.planes import Plane
from napari_sam.serving.host import HostedModel
from napari_sam.serving.precompute import Progress, embed_stack
from napari_sam.widgets.annotation.annotation import Annotation

__all__ = ["Ahead"]


class Ahead(QObject):
    """Goes through the slices of what is annotated, the one nearest to the view first.

    One slice is one job of the model, which lets prompts go first: between slices, and between
    the layers of the encoder. The slices run along the axes that the viewer does not show; when it
    shows others, the work begins anew along those.

    Parameters
    ----------
    budget : int
        Most bytes that the embeddings of a stack may take.
    """

    progressed = Signal(object)  # Progress
    stopped = Signal(str)  # why; empty at the end and when somebody wanted it
    _stepped = Signal(object, object)  # _Pass, Future

    def __init__(self, budget: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._budget = budget
        self._annotation: Annotation | None = None
        self._pass: _Pass | None = None
        self._shown: list[bool] = []  # which axes the viewer showed when it last began
        self._on = self._wanted = False
        self._stepped.connect(self._take)

    @property
    def busy(self) -> bool:
        """True while slices are being embedded."""
        return self._pass is not None

    def follow(self, annotation: Annotation | None) -> None:
        """Embed the slices of this annotation's picture from now on, or of none."""
        if self._annotation is not None:
            self._annotation.began_afresh.disconnect(self._begin_afresh)
            self._annotation.changed.disconnect(self._look)
        self._annotation = annotation
        if annotation is not None:
            annotation.began_afresh.connect(self._begin_afresh)
            annotation.changed.connect(self._look)
        self._begin_afresh()

    def switch(self, on: bool) -> None:
        """Switch the work on or off."""
        self._on = on
        self._begin_afresh()

    def cancel(self) -> None:
        """Stop until another picture or model is chosen."""
        self._wanted = False
        self._stop()

    def close(self) -> None:
        """Stop at once and for good, and say nothing any more."""
        if self._annotation is not None:
            self._annotation.began_afresh.disconnect(self._begin_afresh)
            self._annotation.changed.disconnect(self._look)
        self._annotation = None
        if self._pass is not None:
            self._pass.cancelled = True
            self._pass = None

    def _begin_afresh(self) -> None:
        self._stop()
        self._shown = []
        self._wanted = (
            self._on and self._annotation is not None and self._annotation.model is not None
        )
        self._look()

    def _look(self) -> None:
        """Begin along the axes that the viewer does not show, if they are others than before."""
        annotation = self._annotation
        if not self._wanted or annotation is None or annotation.model is None:
            return
        seen = annotation.seen
        shown = [at is None for at in seen or ()]
        if seen is None or shown == self._shown:
            return
        self._stop()
        self._shown = shown
        run = _Pass(annotation, annotation.model, seen, self._budget)
        if run.total > 1:
            self._pass = run
            self._submit(run)
        else:
            run.end()

    def _submit(self, run: _Pass) -> None:
        future = run.model.submit(run.step, run.report, later=True)
        future.add_done_callback(partial(self._tell, run))

    def _tell(self, run: _Pass, future: Future[Progress]) -> None:  # in the model's thread
        if run.cancelled:
            run.end()
        else:
            self._stepped.emit(run, future)

    def _take(self, run: _Pass, future: Future[Progress]) -> None:
        if run is not self._pass or self._annotation is None:
            run.end()
            return
        error = future.exception()
        if error is not None:
            self._stop(str(error) or type(error).__name__)
            return
        progress = future.result()
        self.progressed.emit(progress)
        if progress.full:
            room = f"there is room for {progress.done} of {progress.total} slices"
            self._stop(f"{room}; 'More options' deletes what is kept")
        elif progress.done == progress.total:
            self._stop()
        else:
            run.at = self._annotation.seen or run.at
            self._submit(run)

    def _stop(self, why: str = "") -> None:
        if self._pass is not None:
            self._pass.cancelled = True
            self._pass = None
            self.stopped.emit(why)


class _Pass:
    """The slices of one picture for one model; its steps are taken in the model's thread."""

    def __init__(self, annotation: Annotation, model: HostedModel, at: Plane, budget: int) -> None:
        self.model = model
        self.at = at
        self.cancelled = False
        shape = annotation.picture.shape
        axes = [[None] if i is None else range(n) for i, n in zip(at, shape, strict=True)]
        planes: list[Plane] = list(product(*axes))
        self.total = len(planes)
        self._mix, self._contrast = annotation.picture.mix, annotation.planes.contrast
        self._segmenter: Any = None
        self._steps = embed_stack(self._keep, self._read, planes, lambda: self.at, budget)

    def step(self, segmenter: Any) -> Progress:
        """Embed one slice."""
        self._pause()
        self._segmenter = segmenter
        return next(self._steps)

    def end(self) -> None:
        """Let go of the model, without waiting for the garbage collector."""
        self._steps = iter(())

    def report(self, what: str, done: int, total: int) -> None:
        """Stop a download that nobody waits for any more."""
        if self.cancelled:
            raise CancelledError

    def _read(self, plane: Plane) -> Any:
        return self._mix.reader(plane)()

    def _keep(self, pixels: Any) -> int:
        contrast = self._contrast.of(self._segmenter)
        return int(self._segmenter.keep(pixels, contrast, self._pause))

    def _pause(self) -> None:
        if self.cancelled:
            raise CancelledError
        self.model.give_way()
