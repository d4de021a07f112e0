"""Combo box of layers that follows the viewer's layer list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from napari.components import ViewerModel
from napari.layers import Layer
from napari.utils.events import Event, EventEmitter
from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QHelpEvent, QKeyEvent, QPaintEvent, QWheelEvent
from qtpy.QtWidgets import (
    QComboBox,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolTip,
    QWidget,
)

__all__ = ["LayerChoice", "Offer"]

MARGIN = 4  # pixels that a style may keep free beside the text


class Offer(NamedTuple):
    """An entry that is no layer: what it says, and what makes a layer of it and chooses that."""

    text: str
    take: Callable[[], object]


class LayerChoice(QComboBox):
    """Selects one layer of a viewer; layers are compared by identity, never by name.

    A name that is too long is shown without its middle, and whole in the tooltip.
    magicgui's own choice goes by names: a layer that is renamed would no longer be chosen, which
    ends what goes on with it, and the order of the layer list would not be kept.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers.
    wanted : callable
        Tells whether a layer belongs in the list.
    nothing : str
        The entry for no layer, always first.

    Attributes
    ----------
    more : callable or None
        Returns offers that stand below the layers; asked when the list is opened.
    """

    layer_chosen = Signal(object)  # Layer or None
    offered = Signal(int)  # how many layers there are to choose from

    def __init__(
        self,
        viewer: ViewerModel,
        wanted: Callable[[Layer], bool],
        nothing: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._wanted = wanted
        self._nothing = nothing
        self.more: Callable[[], Sequence[Offer]] | None = None
        self._offers: list[Offer] = []
        self._layers: list[Layer | None] = []
        self._chosen = 0  # the entry, which is a layer's
        self._named: list[Layer] = []
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for event in self._events():
            event.connect(self._fill)
        self._fill()
        self.currentIndexChanged.connect(self._take)

    @property
    def layer(self) -> Layer | None:
        """The selected layer, or None."""
        return self._layers[self._chosen]

    def choose(self, layer: Layer | None) -> None:
        """Select a layer as if the user had."""
        self.setCurrentIndex(self._layers.index(layer))

    def showPopup(self) -> None:
        """Open the list, with what is offered now."""
        self._fill()
        if self.more is not None:
            self._offers = list(self.more())
            self.addItems([offer.text for offer in self._offers])
        super().showPopup()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Choose among the layers only, while the list is closed: no offer is taken by accident."""
        if self._offers:
            self._fill()
        super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Ignore wheel events: a change by accident would end the annotation."""
        if event is not None:
            event.ignore()

    def event(self, event: QEvent | None) -> bool:
        """Say the whole name before what the list is for."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            name = "" if self.layer is None else self.currentText()
            QToolTip.showText(
                event.globalPos(), "\n".join(filter(None, (name, self.toolTip()))), self
            )
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Leave out the middle of a name that is too long: its end often tells it from others."""
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        style, part = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        field = self.style().subControlRect(style, option, part, self)  # type: ignore[union-attr]
        room = field.width() - MARGIN
        middle = Qt.TextElideMode.ElideMiddle
        option.currentText = option.fontMetrics.elidedText(option.currentText, middle, room)
        painter.drawComplexControl(style, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def disconnect_viewer(self) -> None:
        """Disconnect from the viewer."""
        for event in self._events():
            event.disconnect(self._fill)
        for layer in self._named:
            layer.events.name.disconnect(self._fill)

    def _events(self) -> list[EventEmitter]:
        events = self._viewer.layers.events
        return [events.inserted, events.removed, events.reordered]

    def _fill(self, event: Event | None = None) -> None:
        before = self._layers[self._chosen] if self._layers else None
        for layer in self._named:
            layer.events.name.disconnect(self._fill)
        self._named = [layer for layer in self._viewer.layers if self._wanted(layer)]
        for layer in self._named:
            layer.events.name.connect(self._fill)
        self._layers = [None, *reversed(self._named)]  # topmost first, as in the layer list
        blocked = self.blockSignals(True)
        self.clear()
        self.addItem(self._nothing)
        self.addItems([layer.name for layer in reversed(self._named)])
        self._offers = []
        self._chosen = self._layers.index(before) if before in self._layers else 0
        self.setCurrentIndex(self._chosen)
        self.blockSignals(blocked)
        self.offered.emit(len(self._named))
        if self.layer is not before:
            self.layer_chosen.emit(self.layer)

    def _take(self, index: int) -> None:
        """Tell which layer is chosen; an offer is taken up, and chooses its layer itself."""
        offer = index - len(self._layers)
        if offer < 0:
            self._chosen = index
            self.layer_chosen.emit(self.layer)
            return
        blocked = self.blockSignals(True)
        self.setCurrentIndex(self._chosen)
        self.blockSignals(blocked)
        self._offers[offer].take()
