"""Pairs of an image and its labels among the layers of a viewer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.utils.events import Event
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import (
    QGridLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from napari_sam.widgets.common.forms import new_label
from napari_sam.widgets.common.layer_choice import LayerChoice
from napari_sam.widgets.layers.image_stack import ImageStack, is_helper
from napari_sam.widgets.train.work import NamedPair

__all__ = ["Pair", "Pairs", "likely_pairs", "why_no_pair"]

Pair = tuple[Image, Labels]
ROWS = 3  # of the list


class Pairs(QWidget):
    """List of image and label pairs; proposes likely ones and follows the viewer.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers.
    """

    changed = Signal()
    refused = Signal(str)  # why

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.pairs: list[Pair] = []
        self.list = QListWidget()
        self.list.setAccessibleName("Pictures and their labels")
        self.list.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.list.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.list.setFixedHeight((ROWS + 1) * self.list.fontMetrics().lineSpacing() + 8)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # ends tell names apart
        self.picture = LayerChoice(viewer, lambda layer: isinstance(layer, Image), "Picture…")
        self.picture.setAccessibleName("Picture to add")
        self.labels = LayerChoice(viewer, _is_labels, "Its labels…")
        self.labels.setAccessibleName("Labels to add")
        self.offer = new_label("Other labels of a picture")
        self.offer.setTextFormat(Qt.TextFormat.PlainText)
        self.add, self.remove = QPushButton("Add"), QPushButton("Remove")
        self.add.setToolTip("Learn from this picture and these labels, too")
        self.remove.setToolTip("Take the chosen pairs out of the list; the layers stay")
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list, 0, 0, 1, 2)
        for column, (choice, button) in enumerate(
            ((self.picture, self.add), (self.labels, self.remove))
        ):
            layout.setColumnStretch(column, 1)
            layout.addWidget(choice, 1, column)
            layout.addWidget(button, 3, column)
        layout.addWidget(self.offer, 2, 0, 1, 2)
        self.add.clicked.connect(self._add)
        self.remove.clicked.connect(self._remove)
        for choice in (self.picture, self.labels):
            choice.layer_chosen.connect(self._refresh)
        self.list.itemSelectionChanged.connect(self._refresh)
        viewer.layers.events.inserted.connect(self._take)
        viewer.layers.events.removed.connect(self._drop)
        self._show(likely_pairs(viewer.layers))
        paired = [labels for _, labels in self.pairs]
        for layer in viewer.layers:
            if _is_labels(layer) and layer not in paired:
                self._offer(layer)

    def arrays(self) -> list[NamedPair]:
        """Return name, image and labels of each pair, unread; of multiscale layers the finest."""
        return [(image.name, _finest(image), _finest(labels)) for image, labels in self.pairs]

    def disconnect_viewer(self) -> None:
        """Disconnect from the viewer."""
        self._viewer.layers.events.inserted.disconnect(self._take)
        self._viewer.layers.events.removed.disconnect(self._drop)
        self.picture.disconnect_viewer()
        self.labels.disconnect_viewer()
        for layer in {layer for pair in self.pairs for layer in pair}:
            layer.events.name.disconnect(self._rename)

    def _take(self, event: Event) -> None:
        """Add the likely pair of a new layer."""
        paired = [layer for pair in self.pairs for layer in pair]
        free = [layer for layer in self._viewer.layers if layer not in paired]
        new = [pair for pair in likely_pairs(free) if event.value in pair]
        if new:
            self._show([*self.pairs, *new])
        elif _is_labels(event.value):
            self._offer(event.value)

    def _offer(self, labels: Labels) -> None:
        """Offer labels that fit a picture which has others in the list already."""
        fitting = [image for image, _ in self.pairs if not why_no_pair(image, labels)]
        if fitting:
            image = _most_alike(fitting, labels)
            self.picture.choose(image)
            self.labels.choose(labels)
            self.offer.setText(
                f"'{image.name}' is learned from with other labels already. 'Add' takes "
                f"'{labels.name}', too."
            )
            self.offer.show()

    def _drop(self, event: Event) -> None:
        if any(event.value in pair for pair in self.pairs):
            self._show([pair for pair in self.pairs if event.value not in pair])

    def _add(self) -> None:
        image, labels = self.picture.layer, self.labels.layer
        problem = why_no_pair(image, labels)
        if problem:
            self.refused.emit(problem)
        elif (image, labels) not in self.pairs:
            self._show([*self.pairs, (image, labels)])

    def _remove(self) -> None:
        chosen = {index.row() for index in self.list.selectedIndexes()}
        self._show([pair for row, pair in enumerate(self.pairs) if row not in chosen])

    def _show(self, pairs: list[Pair]) -> None:
        for layer in {layer for pair in self.pairs for layer in pair}:
            layer.events.name.disconnect(self._rename)
        self.pairs = pairs
        for layer in {layer for pair in self.pairs for layer in pair}:
            layer.events.name.connect(self._rename)
        self._rename()
        self.offer.hide()
        self.changed.emit()

    def _rename(self, event: Event | None = None) -> None:
        self.list.clear()
        for image, labels in self.pairs:
            item = QListWidgetItem(f"{image.name}  +  {labels.name}", self.list)
            item.setToolTip(item.text())
            item.setSizeHint(QSize(0, self.list.fontMetrics().lineSpacing()))  # as wide as the list
        self._refresh()

    def _refresh(self) -> None:
        both = self.picture.layer is not None and self.labels.layer is not None
        self.add.setEnabled(both)
        self.remove.setEnabled(bool(self.list.selectedIndexes()))


def likely_pairs(layers: Iterable[Layer]) -> list[Pair]:
    """Return images and labels of equal shape and most similar names, each of them once."""
    layers = list(layers)
    images = [layer for layer in layers if isinstance(layer, Image)]
    all_labels = [layer for layer in layers if _is_labels(layer)]
    fitting = [(i, x) for x in all_labels for i in images if not why_no_pair(i, x)]
    fitting.reverse()  # of equals the topmost
    found: list[Pair] = []
    for image, labels in sorted(fitting, key=lambda pair: -_likeness(*pair)):
        if not any(image is i or labels is x for i, x in found):
            found.append((image, labels))
    return sorted(found, key=lambda pair: all_labels.index(pair[1]))


def _most_alike(images: Sequence[Image], labels: Labels) -> Image:
    return max(images, key=lambda image: _likeness(image, labels))


def _likeness(image: Image, labels: Labels) -> float:
    """Return how alike two names are, 0 to 1."""
    return SequenceMatcher(None, image.name, labels.name).ratio()


def why_no_pair(image: Image, labels: Labels) -> str:
    """Return why an image and labels are no pair; empty if they are one."""
    seen, drawn = ImageStack(image).shape, tuple(_finest(labels).shape)
    if seen == drawn:
        return ""
    return (
        f"'{image.name}' has {_size(seen)} pixels, but '{labels.name}' has {_size(drawn)}: "
        "a picture and its labels must have the same shape."
    )


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)


def _finest(labels: Labels) -> NDArray[np.int64]:
    return labels.data[0] if labels.multiscale else labels.data


def _is_labels(layer: Layer) -> bool:
    return isinstance(layer, Labels) and not is_helper(layer)
