"""Choice of the model, with its device and whether it must be downloaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

from qtpy.QtCore import QEvent, QSignalBlocker, Qt, Signal
from qtpy.QtGui import QKeyEvent, QStandardItemModel, QWheelEvent
from qtpy.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from napari_sam.zoo import catalogue
from napari_sam.zoo.own_models import own_models

__all__ = ["ModelChoice"]

DOWNLOAD = "will download"
OWN = "your file"
TRAINED = "yours"
OPEN = "A file of your own…"

Press = TypeVar("Press", bound=QEvent)


class _List(QComboBox):
    """Combo box whose last item opens a dialog; keys and wheel skip it while the box is closed."""

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        self._step(super().keyPressEvent, event)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        self._step(super().wheelEvent, event)

    def showPopup(self) -> None:
        self._offer_last(True)  # the key that opens it is a step, too
        super().showPopup()

    def _step(self, handle: Callable[[Press | None], None], event: Press | None) -> None:
        self._offer_last(False)  # Qt steps over disabled items
        handle(event)
        self._offer_last(True)

    def _offer_last(self, offered: bool) -> None:
        items = cast(QStandardItemModel, self.model())
        items.item(self.count() - 1).setEnabled(offered)  # type: ignore[union-attr]


class ModelChoice(QWidget):
    """Combo box of models, each marked "built in", "cached" or "will download N MB".

    Those that the user has trained follow, with "yours" beside them. The last item opens a file of
    the user's own, which then stands in the list, too.
    """

    chosen = Signal()
    download_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = _List()
        self.list.setAccessibleName("Model")
        self.list.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for entry in catalogue.entries().values():
            if entry.loadable:
                self.list.addItem("", entry.name)
                about = [entry.title, entry.purpose, entry.citation, f"Licence: {entry.licence}"]
                self._explain(self.list.count() - 1, "\n".join(filter(None, about)))
        self._published = self.list.count()
        self._trained: list[str] = []
        self.list.addItem(OPEN)
        self._explain(self.list.count() - 1, "Weights of any model in this list, also finetuned")
        self._chosen = 0
        self.button = QPushButton()
        self.button.setToolTip("Fetch this model's weights from its publisher, once")
        self.button.clicked.connect(self.download_wanted)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.button)
        self.reload()
        self.list.currentIndexChanged.connect(self._choose)

    @property
    def name(self) -> str:
        """Name of the selected model, or path of a user's file."""
        return str(self.list.currentData())

    @property
    def ready(self) -> bool:
        """True if the selected model needs no download."""
        return not self._status().startswith(DOWNLOAD)

    def reload(self) -> None:
        """Reload the list of user-trained models; keep the selection."""
        chosen = self.name
        with QSignalBlocker(self.list):
            for name in self._trained:
                self.list.removeItem(self.list.findData(name))
            trained = own_models()
            self._trained = list(trained)
            for index, model in enumerate(trained.values(), self._published):
                self.list.insertItem(index, f"{model.name} — {TRAINED}", model.name)
                self._explain(index, model.about())
            self.list.setCurrentIndex(max(self.list.findData(chosen), 0))
        self._chosen = self.list.currentIndex()
        self.refresh()
        if self.name != chosen:
            self.chosen.emit()

    def refresh(self) -> None:
        """Update the cache and download state of the models."""
        for index in range(self.list.count()):
            entry = catalogue.entries().get(self.list.itemData(index))
            if entry is not None:
                self.list.setItemText(index, f"{entry.name} — {catalogue.status(entry)}")
        status = self._status()
        self.button.setVisible(status.startswith(DOWNLOAD))
        self.button.setText(status.replace(DOWNLOAD, "Download"))
        self.button.setAccessibleName(f"{self.button.text()} for {self.name}")
        self.list.setToolTip(self.list.currentData(Qt.ItemDataRole.ToolTipRole))

    def _status(self) -> str:
        entry = catalogue.entries().get(self.name)
        return OWN if entry is None else catalogue.status(entry)

    def _explain(self, index: int, text: str) -> None:
        self.list.setItemData(index, text, Qt.ItemDataRole.ToolTipRole)

    def _choose(self, index: int) -> None:
        if index == self.list.count() - 1:
            self._show(self._chosen)  # already now: the dialog lets answers of the model through
            opened = self._open()
            if opened is None:
                return
            self._show(index := opened)
        self._chosen = index
        self.refresh()
        self.chosen.emit()

    def _show(self, index: int) -> None:
        with QSignalBlocker(self.list):
            self.list.setCurrentIndex(index)

    def _open(self) -> int | None:
        """Ask for a file and return its place in the list; None if there was no answer."""
        filters = "Weights (*.pt *.pth *.safetensors)"
        answer, _ = QFileDialog.getOpenFileName(self, "A file of your own", "", filters)
        if not answer:
            return None
        path = Path(answer)
        index = self.list.findData(str(path))
        if index < 0:
            index = self.list.count() - 1
            self.list.insertItem(index, f"{path.name} — {OWN}", str(path))
            self._explain(index, str(path))
        return index
