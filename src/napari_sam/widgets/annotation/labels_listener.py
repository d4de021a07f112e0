"""Listener for external changes of the Labels layer: painted, replaced, or changed in place."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from napari.utils.events import Event

from napari_sam.io.label_stores.chunks import largest
from napari_sam.masks import Box, enclosing
from napari_sam.planes import Plane, spanned
from napari_sam.session.paint import absorb, paint
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.layers.channel_mix import finest
from napari_sam.widgets.layers.labels_target import KEPT, LabelsTarget, painted_planes

if TYPE_CHECKING:
    from napari_sam.widgets.annotation.annotation import Annotation

__all__ = ["LabelsListener"]


class LabelsListener:
    """Records external label changes as session steps; stops writing if the labels are replaced."""

    def __init__(self, annotation: Annotation, target: LabelsTarget) -> None:
        self._annotation, self._target = annotation, target
        self._writes = True
        self._painted_in: dict[Plane, Box] = {}  # since it was compared last
        self._session = annotation.session
        self._session.labels.write_to(target, target.largest)
        self._search = Background("largest label")  # of all chunks on disk
        if not target.levels.in_memory:
            data = finest(target.layer)
            self._search.submit(lambda: largest(data), self._note_largest)
        events = target.layer.events
        self._heard = (
            (events.paint, self._painted),
            (events.data, self._replaced),
            (events.set_data, self._redrawn),
        )
        for event, take in self._heard:
            event.connect(take)

    def close(self) -> None:
        """Disconnect from the Labels layer."""
        for event, take in self._heard:
            event.disconnect(take)
        self._search.close()
        self._target.release()
        self._annotation.session.labels.write_to(None)

    def compare(self, plane: Plane) -> None:
        """Record differences between the labels of a plane and its objects as a paint step."""
        known = self._annotation.session.objects.directions or [spanned(plane)]
        if self._writes and self._target.has(plane) and spanned(plane) in known:
            on_disk = not isinstance(self._target.read(plane), np.ndarray)
            window = self._painted_in.pop(plane, None) if on_disk else None
            self._annotation.step(lambda s: absorb(s, plane, window))

    def _note_largest(self, found: Future[int]) -> None:
        if not found.cancelled() and found.exception() is None:
            self._session.labels.note_id(found.result())

    def _painted(self, event: Event) -> None:
        """Take what somebody has painted as a step of the session.

        napari tells of a single dab before it writes it, so what locked objects have to get back is
        written again a little later.
        """
        self._annotation.look_soon()
        session, seen = self._annotation.session, self._annotation.seen
        axes = session.objects.axes() if seen is None else spanned(seen)
        shape = tuple(finest(self._target.layer).shape)
        if axes is None or not self._writes or max(axes) >= len(shape):
            return
        for painted in painted_planes(shape, event.value, axes):
            rows, columns = painted.rows, painted.columns
            box = int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1
            self._painted_in[painted.plane] = enclosing(
                box, self._painted_in.get(painted.plane, box)
            )
            if not session.semantic:
                session.labels.note_id(int(painted.after.max()))
            self._annotation.step(partial(paint, **painted._asdict()))

    def _redrawn(self, event: Event) -> None:
        """Compare labels and objects soon: napari's own undo tells of nothing else."""
        if not self._target.writing:
            self._annotation.look_soon()

    def _replaced(self, event: Event) -> None:
        session, wrote = self._annotation.session, self._writes
        lost = self._target.lost
        self._writes = not lost
        if lost and wrote:
            session.labels.write_to(None)
            self._annotation.remarked.emit(f"⚠ {lost} {KEPT}")
        elif not lost and wrote:
            session.labels.note_id(self._target.largest)
        elif not lost:
            self._writes = self._annotation.step(
                lambda s: s.labels.write_to(self._target, self._target.largest)
            )
