"""What the group "Refine labels" looks like. No logic."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_sam.widgets.common.forms import add_row, new_fold, new_form, new_label
from napari_sam.widgets.common.layer_choice import LayerChoice
from napari_sam.widgets.layers.image_stack import is_helper
from napari_sam.widgets.refine.changes_list import RefineList

__all__ = ["RefineControls"]

LABEL = "The label selected in that layer"
OBJECTS = "Those selected in the list of objects"


class RefineControls(QFrame):
    """Folded away until its button `fold` is pressed, which is there once there are labels.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers can be chosen.
    """

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.labels = LayerChoice(
            viewer,
            lambda layer: isinstance(layer, Labels) and not is_helper(layer),
            "Choose a Labels layer",
        )
        self.labels.setToolTip("Masks of any origin, for instance another tool's rough result")
        self.objects = QComboBox()
        self.objects.addItem("All objects", False)
        self.objects.addItem(LABEL, True)
        self.slices = QComboBox()
        self.slices.addItem("On this slice", False)
        self.slices.addItem("On all slices", True)
        self.box = QCheckBox("its box")
        self.box.setChecked(True)
        self.box.setToolTip("Keeps the new mask where the rough one is")
        self.point = QCheckBox("a point inside")
        self.point.setChecked(True)
        self.point.setToolTip("The one deepest inside the rough mask")
        self.start = QPushButton("Refine")
        self.start.setToolTip("Shows what would change; nothing is written before you accept")
        self.bar = QProgressBar()
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop; what is done so far can be accepted")
        self.text = new_label("What would change")
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.list = RefineList()
        self.accept = QPushButton("Accept all")
        self.accept.setToolTip("Write the new masks into the labels, as one step")
        self.reject = QPushButton("Reject all")
        self.reject.setToolTip("Forget the new masks; no label has changed")
        self._lay_out()
        self.fold = new_fold("Refine labels", self)
        self.labels.offered.connect(self._offer)
        self._offer(self.labels.count() - 1)
        self.show_work(False)
        self.show_outcome("")

    def show_work(self, on: bool, done: int = 0, total: int = 1) -> None:
        """Show how far the work is, or that there is none."""
        self.start.setVisible(not on)
        self.bar.setVisible(on)
        self.cancel.setVisible(on)
        self.bar.setMaximum(total)
        self.bar.setValue(done)

    def name_selected(self, ours: bool) -> None:
        """Say whose selection counts: that of the list of objects, or the layer's own."""
        text = OBJECTS if ours else LABEL
        if self.objects.itemText(1) != text:
            self.objects.setItemText(1, text)

    def show_outcome(self, text: str, found: bool = False) -> None:
        """Say what would change, and whether it can be accepted."""
        self.text.setText(text)
        self.text.setVisible(bool(text))
        self.list.setVisible(found)
        self.accept.setVisible(found)
        self.reject.setVisible(found)

    def _offer(self, layers: int) -> None:
        self.fold.setVisible(layers > 0)
        if not layers:
            self.fold.setChecked(False)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        form = new_form()
        add_row(form, "&Rough labels", self.labels)
        add_row(form, "&Which", self.objects)
        add_row(form, "&Where", self.slices)
        column.addLayout(form)
        prompt = QHBoxLayout()
        prompt.addWidget(self.box)
        prompt.addWidget(self.point)
        form.addRow("Mask and", prompt)
        column.addWidget(self.start)
        work = QHBoxLayout()
        work.addWidget(self.bar, 1)
        work.addWidget(self.cancel)
        column.addLayout(work)
        column.addWidget(self.text)
        column.addWidget(self.list)
        answer = QHBoxLayout()
        answer.addWidget(self.accept)
        answer.addWidget(self.reject)
        column.addLayout(answer)
