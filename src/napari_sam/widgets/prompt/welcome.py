"""Offer of sample pictures while the viewer has no picture."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from importlib.resources import files

from napari.components import ViewerModel
from napari.layers import Image, Layer
from napari.utils.events import Event
from napari.utils.notifications import show_error
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QIcon, QPixmap
from qtpy.QtWidgets import QGridLayout, QSizePolicy, QToolButton, QWidget

from napari_sam.arrays import Array
from napari_sam.files import Json
from napari_sam.samples import SAMPLES, sample_layer
from napari_sam.widgets.common.forms import new_button, new_label
from napari_sam.widgets.common.style import FRAMED
from napari_sam.widgets.jobs.background import Background

__all__ = ["Welcome"]

TITLES = {"nuclei": "Nuclei", "tissue": "Tissue", "stack": "A stack", "movie": "A movie"}
TEXT = "A sample to begin with:"
SIDE = 56  # pixels of a small picture


class Welcome(QWidget):
    """Four samples and a queue to open, shown while there is no picture.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers are looked at, and where the samples open.
    instead : QWidget
        Shown in its place while there is a picture.
    """

    wanted = Signal(str)  # a name in SAMPLES
    folder_wanted = Signal()

    def __init__(
        self, viewer: ViewerModel, instead: QWidget, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer, self._instead = viewer, instead
        self._background = Background("samples", self)
        text = new_label("Samples")
        text.setText(TEXT)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(4)
        layout.addWidget(text, 0, 0, 1, len(SAMPLES))
        self.buttons = {name: self._button(name) for name in SAMPLES}
        for place, button in enumerate(self.buttons.values()):
            layout.addWidget(button, 1, place)
        self.folder = new_button(
            "Open a folder as a queue…",
            "All pictures of a folder one after another; what is done is kept in a table",
        )
        self.folder.clicked.connect(self.folder_wanted)
        layout.addWidget(self.folder, 2, 0, 1, len(SAMPLES))
        layout.setRowStretch(3, 1)
        self.wanted.connect(self._read)
        viewer.layers.events.inserted.connect(self._look)
        viewer.layers.events.removed.connect(self._look)
        self._look()

    def disconnect_viewer(self) -> None:
        """Disconnect from the viewer; a picture that is being read is not opened."""
        self._background.close()
        self._viewer.layers.events.inserted.disconnect(self._look)
        self._viewer.layers.events.removed.disconnect(self._look)

    def _button(self, name: str) -> QToolButton:
        button = QToolButton()
        button.setText(TITLES[name])
        button.setIcon(QIcon(_small(name)))
        button.setIconSize(QSize(SIDE, SIDE))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.setStyleSheet(FRAMED)
        button.setToolTip(f"Open the sample: {SAMPLES[name].credit}")
        button.setAccessibleName(f"Open the sample {SAMPLES[name].name}")
        button.clicked.connect(partial(self.wanted.emit, name))
        return button

    def _look(self, event: Event | None = None) -> None:
        there = any(isinstance(layer, Image) for layer in self._viewer.layers)
        self.setVisible(not there)
        self._instead.setVisible(there)

    def _read(self, name: str) -> None:
        if not self._background.busy:
            self._background.submit(partial(sample_layer, name), self._open)

    def _open(self, future: Future[tuple[Array, Json, str]]) -> None:
        error = future.exception()
        if error is None:
            self._viewer.add_layer(Layer.create(*future.result()))
        else:
            show_error(f"The sample could not be read: {error}")


def _small(name: str) -> QPixmap:
    """Return the small picture of a sample."""
    pixmap = QPixmap()
    pixmap.loadFromData(files("napari_sam").joinpath("pictures", f"{name}_small.png").read_bytes())
    return pixmap
