"""Dialog that says how objects were made and what it took: for a methods section."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QDialog,
    QFileDialog,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_sam.files import Json, replacing
from napari_sam.session.disk.folder import read_session
from napari_sam.session.disk.library import sessions_folder
from napari_sam.session.effort.methods import describe_methods, methods_paragraph
from napari_sam.session.queue.progress import sessions_of
from napari_sam.session.queue.queue import Entry
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.common.forms import in_a_row, new_button, new_label
from napari_sam.widgets.jobs.background import Background

if TYPE_CHECKING:
    from napari_sam.widgets.queue.part import PictureQueue

__all__ = ["MethodsDialog"]

ONE = "How the objects of this picture were made:"
ALL = "How the objects of the {} pictures of this queue were made:"
NOTHING = "Nothing is saved yet: accept an object first."


class MethodsDialog(QDialog):
    """Dialog with the paragraph, to copy, and a JSON file of all figures to save.

    Parameters
    ----------
    queue : PictureQueue
        Whose pictures are meant while one is open.
    parent : QWidget
        The panel.
    """

    def __init__(self, queue: PictureQueue, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Methods and effort")
        self.resize(560, 320)
        self.about: Json = {}
        self._queue = queue
        self._annotation: Annotation | None = None
        self._background = Background("methods", self)
        self.heading = new_label("Whose objects")
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAccessibleName("Methods")
        self.names = QCheckBox("With the names of pictures and classes")
        self.copy = new_button("Copy", "Put the paragraph into the clipboard")
        self.save = new_button("Save as JSON…", "All figures, settings, versions and hashes")
        close = QPushButton("Close")
        column = QVBoxLayout(self)
        column.addWidget(self.heading)
        column.addWidget(self.text, 1)
        column.addWidget(self.names)
        column.addLayout(row := in_a_row(self.copy, self.save))
        row.addStretch()
        row.addWidget(close)
        self.names.toggled.connect(self._read)
        self.copy.clicked.connect(self._copy)
        self.save.clicked.connect(self._save)
        close.clicked.connect(self.hide)
        queue.methods_wanted.connect(self.open)

    @property
    def busy(self) -> bool:
        """True while sessions are read."""
        return self._background.busy

    def open(self) -> None:
        """Show it, with what is saved now."""
        self._read()
        self.show()
        self.raise_()

    def follow(self, annotation: Annotation | None) -> None:
        """Switch to this annotation, or to none."""
        self._annotation = annotation

    def close(self) -> bool:
        """Stop reading, and close for good."""
        self._background.close()
        return super().close()

    def _read(self) -> None:
        annotation, queue, names = self._annotation, self._queue.queue, self.names.isChecked()
        folder = None if annotation is None else annotation.saved_in
        entries: Sequence[Entry] = () if queue is None else tuple(queue.entries)
        self.heading.setText(ALL.format(len(entries)) if entries else ONE)
        self._show_text("Reading…")
        own = None if folder is None or entries else (folder.manifest.name, folder.path)

        def work() -> Json | None:
            if own is not None:
                return describe_methods({own[0]: read_session(own[1])}, names)
            found = {str(e.path): one for e, one in sessions_of(entries, sessions_folder())}
            return describe_methods(found, names) if found else None

        self._background.submit(work, self._take)

    def _take(self, future: Future[Json | None]) -> None:
        if error := future.exception():
            self._show_text(f"⚠ {error}")
        elif (about := future.result()) is None:
            self._show_text(NOTHING)
        else:
            self._show_text(methods_paragraph(about), about)

    def _show_text(self, text: str, about: Json | None = None) -> None:
        self.about = about or {}
        self.text.setPlainText(text)
        for button in (self.copy, self.save):
            button.setEnabled(bool(self.about))

    def _copy(self) -> None:
        QApplication.clipboard().setText(self.text.toPlainText())  # type: ignore[union-attr]

    def _save(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save as JSON", "methods.json", "*.json")
        if name:
            write_methods(Path(name), self.about)


def write_methods(path: Path, about: Json) -> None:
    """Write what was said of the methods, atomically, with the paragraph."""
    with replacing(path) as part:
        said = {"paragraph": methods_paragraph(about), **about}
        part.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
