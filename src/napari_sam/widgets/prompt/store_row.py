"""Disk usage of the embedding store, and a button to clear it."""

from __future__ import annotations

from concurrent.futures import Future

from qtpy.QtCore import Signal
from qtpy.QtGui import QCloseEvent, QShowEvent
from qtpy.QtWidgets import QWidget

from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.widgets.common.forms import in_a_row, new_button, new_label
from napari_sam.widgets.jobs.background import Background

__all__ = ["StoreRow"]


class StoreRow(QWidget):
    """Counts and deletes stored embeddings in a background thread."""

    cleared = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store: EmbeddingStore | None = None
        self._background = Background("store", self)
        self.text = new_label("Prepared slices on disk")
        self.clean = new_button(
            "Clean up",
            "Delete all prepared slices (embeddings) of all pictures; only time is lost",
        )
        in_a_row(self.text, self.clean, parent=self).setStretch(0, 1)
        self.clean.clicked.connect(self._clear)

    @property
    def busy(self) -> bool:
        """True while files are counted or deleted."""
        return self._background.busy

    def serve(self, store: EmbeddingStore) -> None:
        """Show the disk usage of this store."""
        self._store = store
        disk = store.disk
        self.setToolTip("They are kept in memory only" if disk is None else str(disk.folder))
        self.clean.setEnabled(disk is not None)

    def refresh(self) -> None:
        """Count again, if visible."""
        if self._store is not None and self.isVisible():
            store = self._store
            self._background.submit(lambda: store.size, self._show_size)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Count on show."""
        super().showEvent(event)
        self.refresh()

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Stop counting permanently."""
        self._background.close()
        super().closeEvent(event)

    def _clear(self) -> None:
        if self._store is not None:
            store = self._store
            self.clean.setEnabled(False)
            self.cleared.emit()

            def clear() -> int:
                store.clear()
                return store.size

            self._background.submit(clear, self._show_size)

    def _show_size(self, future: Future[int]) -> None:
        error = future.exception()
        size = f"{future.result() / 1e9:.2f} GB" if error is None else f"⚠ {error}"
        self.text.setText(f"Prepared slices on disk: {size}")
        self.clean.setEnabled(self._store is not None and self._store.disk is not None)
