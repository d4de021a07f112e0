"""Strip of small pictures: what is missing on the slice in view, and what is new there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QIcon, QPainter, QPaintEvent
from qtpy.QtWidgets import QFrame, QListView, QListWidget, QListWidgetItem, QWidget

from napari_sam.masks import CroppedMask
from napari_sam.planes import Plane
from napari_sam.widgets.jobs.thumbnails import SIDE, ObjectThumbnails
from napari_sam.widgets.layers.image_stack import ImageStack

__all__ = ["MissingStrip", "Shown"]

MOST = 60  # pictures; of more nobody looks at each
MARGIN = 4  # pixels


class Shown(NamedTuple):
    """An object in the strip.

    Parameters
    ----------
    number : int
        Which object.
    new : bool
        True if it begins on the slice in view, False if it is missing there.
    plane : Plane
        Where it has the mask that is drawn.
    mask : CroppedMask
        That mask.
    """

    number: int
    new: bool
    plane: Plane
    mask: CroppedMask


class MissingStrip(QListWidget):
    """One row of small pictures, of which one is current; as high whether it is empty or not.

    Attributes
    ----------
    thumbnails : ObjectThumbnails
        Draws the pictures.
    picked : Signal(int)
        Emitted with the object that somebody has clicked on.
    """

    picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.thumbnails = ObjectThumbnails(self)
        self.thumbnails.drawn.connect(self._draw)
        self._offered: list[Shown] = []
        self._shown: list[Shown] = []  # the first of them
        self._empty = ""
        self.setAccessibleName("Missing or new on this slice")
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setIconSize(QSize(SIDE, SIDE))
        self.setFixedHeight(SIDE + 2 * MARGIN)
        self.itemClicked.connect(lambda item: self._pick(self.row(item)))

    @property
    def current(self) -> Shown | None:
        """The object that the keys act on; None if nothing is missing or new."""
        row = self.currentRow()
        return self._shown[row] if 0 <= row < len(self._shown) else None

    def draw_from(self, picture: ImageStack | None) -> None:
        """Set the image that the pictures are drawn from."""
        self.thumbnails.draw_from(picture)

    def show_objects(self, shown: Sequence[Shown], empty: str) -> None:
        """Show these objects, or a few words if there are none; what was current stays so."""
        self._empty = empty
        if list(shown) == self._offered:
            self.viewport().update()  # type: ignore[union-attr]
            return
        before, row = self.current, self.currentRow()
        self.clear()
        self._offered, self._shown = list(shown), list(shown[:MOST])
        for one in self._shown:
            item = QListWidgetItem(f"new {one.number}" if one.new else str(one.number))
            item.setToolTip(_tip(one))
            self.addItem(item)
            self._set_icon(item, one)
        if len(shown) > MOST:
            rest = QListWidgetItem(f"and {len(shown) - MOST} more")
            rest.setFlags(Qt.ItemFlag.NoItemFlags)
            self.addItem(rest)
        numbers = [one.number for one in self._shown]
        kept = before is not None and before.number in numbers
        next_row = min(max(row, 0), len(numbers) - 1)
        self.setCurrentRow(numbers.index(before.number) if kept and before else next_row)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the pictures, or the words in their place."""
        super().paintEvent(event)
        if not self._shown:
            painter = QPainter(self.viewport())
            middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
            painter.drawText(self.viewport().rect(), int(middle), self._empty)  # type: ignore[union-attr]
            painter.end()

    def _pick(self, row: int) -> None:
        if row < len(self._shown):
            self.picked.emit(self._shown[row].number)

    def _set_icon(self, item: QListWidgetItem, one: Shown) -> None:
        found = self.thumbnails.of(one.number, one.plane, one.mask)
        item.setIcon(QIcon() if found is None else found)

    def _draw(self, number: int) -> None:
        for row, one in enumerate(self._shown):
            item = self.item(row)
            if one.number == number and item is not None:
                self._set_icon(item, one)


def _tip(one: Shown) -> str:
    if one.new:
        return f"Object {one.number} begins here, and nobody has accepted it"
    return f"Object {one.number} was on the last slice, and is not on this one"
