"""Thumbnails of objects, drawn in a background thread on demand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QIcon, QPixmap

from napari_sam.arrays import LazyArray
from napari_sam.masks import CroppedMask, grown, slices
from napari_sam.planes import Plane
from napari_sam.widgets.common.thumbnail import pixmap, thumbnail
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.layers.image_stack import ImageStack

__all__ = ["SIDE", "ObjectThumbnails", "icon"]

SIDE = 28

Key = tuple[Plane, CroppedMask]


class ObjectThumbnails(QObject):
    """Thumbnail cache, one per object, plane and mask; a plane is read once for all its objects."""

    drawn = Signal(int)  # the object

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._picture: ImageStack | None = None
        self._held: dict[int, tuple[Key, QIcon]] = {}
        self._asked: dict[int, Key] = {}
        self._waiting: dict[int, Key] = {}
        self._background = Background("thumbnails", self)
        self._soon = new_timer(0, self._submit, self)

    def draw_from(self, picture: ImageStack | None) -> None:
        """Set the image that thumbnails are drawn from."""
        self._picture = picture
        for known in (self._held, self._asked, self._waiting):
            known.clear()

    def of(self, object_id: int, plane: Plane, mask: CroppedMask) -> QIcon | None:
        """Return an object's thumbnail; while it is redrawn the previous one, or None."""
        key = plane, mask
        if self._asked.get(object_id) != key:
            self._asked[object_id] = self._waiting[object_id] = key
            self._soon.start()
        return self._held[object_id][1] if object_id in self._held else None

    def close(self) -> None:
        """Stop drawing."""
        self.draw_from(None)
        self._soon.stop()
        self._background.close()

    def _submit(self) -> None:
        picture = self._picture
        if picture is None:
            return
        planes: dict[Plane, list[tuple[int, CroppedMask]]] = defaultdict(list)
        for object_id, (plane, mask) in self._waiting.items():
            planes[plane].append((object_id, mask))
        self._waiting.clear()
        limits = picture.contrast_limits
        for plane, wanted in planes.items():
            read = cache(picture.source(plane))  # once for all objects, of a large plane nothing
            for object_id, mask in wanted:
                self._background.submit(
                    partial(self._draw, picture, read, limits, mask),
                    partial(self._take, picture, object_id, (plane, mask)),
                )

    def _draw(
        self,
        picture: ImageStack,
        read: Callable[[], LazyArray],
        limits: tuple[float, float],
        packed: CroppedMask,
    ) -> NDArray[np.uint8]:  # in the thread
        if picture is not self._picture:
            raise CancelledError
        box = grown(packed.box, max(SIDE, *packed.size), packed.shape)  # more than is shown
        mask = packed.within(box)
        return thumbnail(np.asarray(read()[slices(box)]), limits, mask, mask, SIDE)

    def _take(
        self, picture: ImageStack, object_id: int, key: Key, drawn: Future[NDArray[np.uint8]]
    ) -> None:
        wanted = picture is self._picture and self._asked.get(object_id) == key
        if wanted and drawn.exception() is None:
            self._held[object_id] = key, icon(pixmap(drawn.result()))
            self.drawn.emit(object_id)


def icon(picture: QPixmap) -> QIcon:
    """Return an icon that keeps its colours in a selected row."""
    made = QIcon(picture)
    made.addPixmap(picture, QIcon.Mode.Selected)
    return made
