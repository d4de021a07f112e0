"""Row below all tabs: save, measure, and how much of the work is safe."""

from __future__ import annotations

from qtpy.QtWidgets import QWidget

from napari_sam.session.changed import What
from napari_sam.widgets.annotation.annotation import ANYTHING, Annotation
from napari_sam.widgets.common.forms import in_a_row, new_button, new_label

__all__ = ["Footer", "SavedState"]

NOTHING = "Nothing to save yet"
KEPT = "Every step is kept on disk as soon as it is made; Save writes a file for other programs"


class Footer(QWidget):
    """Buttons to save and to measure, and when the last step was written to disk.

    Attributes
    ----------
    save, measure : QPushButton
        Ask for a file.
    state : QLabel
        Whether all is saved.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.save = new_button(
            "Sa&ve…", "Write the labels as OME-TIFF, OME-Zarr, or for ImageJ, QuPath and COCO"
        )
        self.measure = new_button("Meas&ure…", "Write a table with a row for each object")
        self.save.setAccessibleName("Save labels")
        self.measure.setAccessibleName("Measure objects")
        self.state = new_label("Saved work")
        self.state.setToolTip(KEPT)
        row = in_a_row(self.save, self.measure, self.state, parent=self)
        row.setContentsMargins(6, 0, 6, 6)
        row.setStretch(2, 1)
        self.state.setText(NOTHING)


class SavedState:
    """Keeps the state of a footer at what the current annotation has saved.

    Parameters
    ----------
    footer : Footer
        Shows it.
    """

    def __init__(self, footer: Footer) -> None:
        self._footer = footer
        self._annotation: Annotation | None = None

    def follow(self, annotation: Annotation | None) -> None:
        """Show how much of this annotation is saved."""
        if self._annotation is not None:
            self._annotation.changed.disconnect(self._show)
        self._annotation = annotation
        if annotation is not None:
            annotation.changed.connect(self._show)
        self._show()

    def close(self) -> None:
        """Release the annotation."""
        self.follow(None)

    def _show(self, what: What = ANYTHING) -> None:
        folder = None if self._annotation is None else self._annotation.saved_in
        if folder is None:
            text = NOTHING
        elif folder.written is None:
            text = "All saved"
        else:
            text = f"All saved {folder.written:%H:%M}"
        self._footer.state.setText(text)
