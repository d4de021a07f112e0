"""How much the embeddings on disk take, and the button that deletes them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from qtpy.QtCore import Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.widgets.common.forms import new_label

__all__ = ["StoreRow"]


class StoreRow(QWidget):
    """Counts and deletes in a thread of its own: there may be thousands of files."""

    cleared = Signal()
    _counted = Signal(object)  # Future

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store: EmbeddingStore | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="napari-sam store")
        self._closed = False
        self._jobs = 0
        self.text = new_label("Embeddings on disk")
        self.clean = QPushButton("Clean up")
        self.clean.setToolTip(
            "Delete all embeddings of all pictures; nothing but the time to make them is lost"
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.text, 1)
        row.addWidget(self.clean)
        self.clean.clicked.connect(self._clear)
        self._counted.connect(self._show_size)

    @property
    def busy(self) -> bool:
        """True while files are counted or deleted."""
        return self._jobs > 0

    def serve(self, store: EmbeddingStore) -> None:
        """Show this store."""
        self._store = store
        disk = store.disk
        self.setToolTip("They are kept in memory only" if disk is None else str(disk.folder))
        self.clean.setEnabled(disk is not None)

    def refresh(self) -> None:
        """Count again, if somebody can see it."""
        if self._store is not None and self.isVisible():
            store = self._store
            self._do(lambda: store.size)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Count."""
        super().showEvent(event)
        self.refresh()

    def close_row(self) -> None:
        """Count nothing any more."""
        self._closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _clear(self) -> None:
        if self._store is not None:
            store = self._store
            self.clean.setEnabled(False)
            self.cleared.emit()

            def clear() -> int:
                store.clear()
                return store.size

            self._do(clear)

    def _do(self, work: Callable[[], int]) -> None:
        if not self._closed:
            self._jobs += 1
            self._thread.submit(work).add_done_callback(self._tell)

    def _tell(self, future: Future[int]) -> None:  # in the thread
        if not self._closed:
            self._counted.emit(future)

    def _show_size(self, future: Future[int]) -> None:
        self._jobs -= 1
        error = future.exception()
        size = f"{future.result() / 1e9:.2f} GB" if error is None else f"⚠ {error}"
        self.text.setText(f"Embeddings on disk: {size}")
        self.clean.setEnabled(self._store is not None and self._store.disk is not None)
