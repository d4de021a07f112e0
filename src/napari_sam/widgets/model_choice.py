"""Which model, where it runs, and whether it must be downloaded first."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from napari_sam import zoo

__all__ = ["ModelChoice"]

DOWNLOAD = "will download"


class ModelChoice(QWidget):
    """A list of models, each with "built in", "cached" or "will download N MB" beside it."""

    chosen = Signal()
    download_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = QComboBox()
        self.list.setAccessibleName("Model")
        self.list.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for entry in zoo.catalogue().values():
            if entry.loadable:
                self.list.addItem("", entry.name)
                about = f"{entry.title}\n{entry.citation}\nLicence: {entry.licence}"
                self.list.setItemData(self.list.count() - 1, about, Qt.ItemDataRole.ToolTipRole)
        self.button = QPushButton()
        self.button.setToolTip("Fetch this model's weights from its publisher, once")
        self.button.clicked.connect(self.download_wanted)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.button)
        self.refresh()
        self.list.currentIndexChanged.connect(self._choose)

    @property
    def name(self) -> str:
        """The chosen model's name in the zoo."""
        return str(self.list.currentData())

    @property
    def ready(self) -> bool:
        """True if the chosen model needs no download."""
        return not zoo.status(zoo.lookup(self.name)).startswith(DOWNLOAD)

    def refresh(self) -> None:
        """Look again at what is there and what must be downloaded."""
        for index in range(self.list.count()):
            entry = zoo.lookup(self.list.itemData(index))
            self.list.setItemText(index, f"{entry.name} — {zoo.status(entry)}")
        entry = zoo.lookup(self.name)
        status = zoo.status(entry)
        self.button.setVisible(status.startswith(DOWNLOAD))
        self.button.setText(status.replace(DOWNLOAD, "Download"))
        self.button.setAccessibleName(f"{self.button.text()} for {entry.name}")
        self.list.setToolTip(self.list.currentData(Qt.ItemDataRole.ToolTipRole))

    def _choose(self) -> None:
        self.refresh()
        self.chosen.emit()
