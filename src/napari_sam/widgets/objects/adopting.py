"""Import of all labels of a layer as objects: read in a worker, one undo step."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import product

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QObject, Signal

from napari_sam.arrays import is_held
from napari_sam.errors import NapariSamError
from napari_sam.inference.pyramid import is_large
from napari_sam.io.label_stores.objects import object_windows
from napari_sam.masks import CroppedMask, cropped_masks
from napari_sam.planes import Plane, spanned
from napari_sam.progress import Estimate, Progress
from napari_sam.session.adopt import Adoption
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.annotation.queries import Answer, Query
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.common.wording import count, time_left
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.layers.channel_mix import finest
from napari_sam.widgets.layers.image_stack import on_plane

__all__ = ["KIND", "Adopting"]

KIND = "labels"
"""Of the question about labels of other origin, and of the one that stops the work on them."""

PIECE_S = 0.2  # seconds of reading, and masks, after which the window is told
PIECE_MASKS = 500
AT_ONCE = 200  # masks that the session takes up while the window waits
TELL_S = 2.0  # a shorter work is over before anybody reads of it
DONE = "{} of '{}' are in the list, with their numbers. One Undo takes them back; no pixel changes."
STOPPED = "Stopped: {} of '{}' are in the list; each of the others becomes one when you open it."

Found = list[tuple[Plane, dict[int, CroppedMask]]]


class Adopting(QObject):
    """Makes all labels of an annotation's target objects, in one undo step."""

    ended = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = Background("adopting", self)
        self._soon = new_timer(0, self._step, self)
        self._run: _Run | None = None

    @property
    def busy(self) -> bool:
        """True while labels are read."""
        return self._run is not None

    def start(self, annotation: Annotation, layer: Labels) -> None:
        """Start; an earlier run ends with what it has."""
        self.stop()
        self._run = _Run(annotation, layer)
        self._read(self._run)

    def stop(self) -> None:
        """End with the objects that are there."""
        run, self._run = self._run, None
        if run is not None:
            run.end(run.fill(STOPPED))
            self.ended.emit()

    def close(self) -> None:
        """Stop permanently."""
        self._background.close()

    def _read(self, run: _Run) -> None:
        self._background.submit(run.read, lambda future: self._take(run, future))

    def _take(self, run: _Run, future: Future[Found]) -> None:
        if run is not self._run or future.cancelled():
            return
        try:
            run.parts.extend(future.result())
        except (NapariSamError, OSError, MemoryError, ValueError) as error:  # and of lazy data
            self._fail(run, error)
        else:
            self._step()

    def _step(self) -> None:
        """Take up one part, or read on; the window is used in between."""
        run = self._run
        if run is None:
            return
        try:
            if run.wanted:
                run.take()
        except NapariSamError as error:
            self._fail(run, error)
            return
        if run is not self._run:  # somebody who was told has stopped it
            return
        if run.parts and run.wanted:
            self._soon.start()
        elif run.more and run.wanted:
            run.tell(self.stop)
            self._read(run)
        else:
            self._run = None
            run.end(run.fill(STOPPED if run.parts or run.more else DONE))
            self.ended.emit()

    def _fail(self, run: _Run, error: BaseException) -> None:
        self._run = None
        run.end(f"⚠ '{run.name}': {str(error) or type(error).__name__}")
        self.ended.emit()


class _Run:
    """One layer that is taken up."""

    def __init__(self, annotation: Annotation, layer: Labels) -> None:
        self.name = layer.name
        self.more = True
        self._annotation, self._layer = annotation, layer
        self._session = annotation.session
        self._adoption = Adoption(self._session)
        self._data = finest(layer)
        axes = self._session.objects.axes() or _axes_of_slices(annotation)
        sizes = enumerate(self._data.shape)
        planes = list(product(*([None] if axis in axes else range(n) for axis, n in sizes)))
        plane_shape = tuple(self._data.shape[axis] for axis in axes)
        whole = is_held(self._data) or not is_large(plane_shape)
        self._left = map(self._of_slice, planes) if whole else self._in_windows(axes)
        self._total, self._done = len(planes), 0
        self.parts: deque[tuple[Plane, dict[int, CroppedMask]]] = deque()
        self._ids: set[int] = set()
        self._estimate = Estimate()
        self._began = self._told = time.monotonic()

    @property
    def wanted(self) -> bool:
        """False once the step was undone, or the labels or the session are others."""
        now = self._annotation
        same = now.session is self._session and now.target is self._layer
        return same and self._adoption.is_open

    def read(self) -> Found:
        """Return the masks of the next slices; in the worker."""
        found: Found = []
        end, masks = time.monotonic() + PIECE_S, 0
        for plane, here in self._left:
            rows = sorted(here.items(), key=lambda item: item[1].box)  # neighbours come together
            starts = range(0, len(rows), AT_ONCE)
            found += [(plane, dict(rows[start : start + AT_ONCE])) for start in starts]
            masks += len(here)
            if masks >= PIECE_MASKS or time.monotonic() > end:
                return found
        self.more = False
        return found

    def _of_slice(self, plane: Plane) -> tuple[Plane, dict[int, CroppedMask]]:
        found = cropped_masks(np.array(self._data[on_plane(plane)]))
        self._done += 1
        return plane, found

    def _in_windows(self, axes: tuple[int, ...]) -> Iterator[tuple[Plane, dict[int, CroppedMask]]]:
        """Yield the masks of windows of large slices, which are never read as a whole."""
        shape = self._data.shape
        others = [axis for axis in range(len(shape)) if axis not in axes]
        height, width = (shape[axis] for axis in axes)
        for window in object_windows(self._data, others):
            at = dict(zip(others, window.place, strict=True))
            plane = tuple(at.get(axis) for axis in range(len(shape)))
            yield (
                plane,
                {
                    id_: mask.placed((window.corner[0], window.corner[1]), (height, width))
                    for id_, mask in cropped_masks(window.pixels).items()
                },
            )
        self._done = self._total

    def take(self) -> None:
        """Take up the next part of a slice."""
        if self.parts:
            plane, masks = self.parts.popleft()
            self._adoption.add(plane, masks)
            self._ids.update(masks)

    def tell(self, stop: Callable[[], object]) -> None:
        """Say how far it is, with a button that stops it."""
        now = time.monotonic()
        if now - self._began < TELL_S or (self._told > self._began and now - self._told < 1):
            return
        self._told = now
        left = self._estimate.left(self._done, self._total)
        word = self._annotation.picture.axis_word
        text = f"Taking up '{self.name}': {word} {self._done:,} of {self._total:,}"
        progress = Progress(self._done, self._total, None, left)
        answer = Answer("Stop", stop, "What is in the list so far stays there")
        self._annotation.queries.ask(Query(KIND, f"{text}{time_left(progress)}.", (answer,)))

    def fill(self, text: str) -> str:
        return text.format(count(len(self._ids)), self.name)

    def end(self, text: str) -> None:
        if self._told > self._began:
            self._annotation.queries.withdraw(KIND)
        if self._annotation.session is self._session:
            self._annotation.remarked.emit(text)


def _axes_of_slices(annotation: Annotation) -> tuple[int, ...]:
    """Return the axes of the slice in view; in 3D the last two that are no channels."""
    if annotation.seen is not None:
        return spanned(annotation.seen)
    picture = annotation.picture
    spatial = [axis for axis in range(picture.ndim) if axis != (picture.channel_axis or None)]
    return tuple(spatial[-2:])
