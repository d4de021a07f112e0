"""Small pictures of objects, drawn in a thread of their own when somebody looks at the list."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtGui import QIcon, QPixmap

from napari_sam.masks import BitMask
from napari_sam.planes import Plane
from napari_sam.widgets.common.thumbnail import pixmap, thumbnail
from napari_sam.widgets.layers.image_stack import ImageStack

__all__ = ["SIDE", "Portraits", "icon"]

SIDE = 36

Key = tuple[Plane, BitMask]


class Portraits(QObject):
    """Draws each object once per plane and mask; a plane is read once for all that wait for it."""

    drawn = Signal(int)  # the object
    _made = Signal(object, int, object, object)  # of which picture, object, key, pixels

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._picture: ImageStack | None = None
        self._held: dict[int, tuple[Key, QIcon]] = {}
        self._asked: dict[int, Key] = {}
        self._waiting: dict[int, Key] = {}
        self._thread = ThreadPoolExecutor(1, "napari-sam portraits")
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._submit)
        self._made.connect(self._take)

    def attach(self, picture: ImageStack | None) -> None:
        """Draw from this picture from now on."""
        self._picture = picture
        for known in (self._held, self._asked, self._waiting):
            known.clear()

    def of(self, object_id: int, plane: Plane, mask: BitMask) -> QIcon | None:
        """Return an object's portrait; while a new one is drawn the old one, or None."""
        key = plane, mask
        if self._asked.get(object_id) != key:
            self._asked[object_id] = self._waiting[object_id] = key
            self._soon.start()
        return self._held[object_id][1] if object_id in self._held else None

    def close(self) -> None:
        """Draw no more."""
        self.attach(None)
        self._soon.stop()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _submit(self) -> None:
        picture = self._picture
        if picture is None:
            return
        planes: dict[Plane, list[tuple[int, Key]]] = defaultdict(list)
        for object_id, key in self._waiting.items():
            planes[key[0]].append((object_id, key))
        self._waiting.clear()
        limits = picture.contrast_limits
        for plane, wanted in planes.items():
            self._thread.submit(self._draw, picture, picture.reader(plane), limits, wanted)

    def _draw(
        self, picture: ImageStack, read: Any, limits: tuple[float, float], wanted: list[Any]
    ) -> None:  # in the thread
        if picture is not self._picture:
            return
        pixels = read()
        for object_id, key in wanted:
            mask = key[1].full()
            self._made.emit(picture, object_id, key, thumbnail(pixels, limits, mask, mask, SIDE))

    def _take(self, picture: ImageStack, object_id: int, key: Key, pixels: NDArray[Any]) -> None:
        if picture is self._picture and self._asked.get(object_id) == key:
            self._held[object_id] = key, icon(pixmap(pixels))
            self.drawn.emit(object_id)


def icon(picture: QPixmap) -> QIcon:
    """Return an icon that keeps its colours in a selected row."""
    made = QIcon(picture)
    made.addPixmap(picture, QIcon.Mode.Selected)
    return made
