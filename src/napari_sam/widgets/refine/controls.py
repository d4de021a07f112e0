"""View of the tab Refine: widgets, names, tooltips and order. No logic."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtWidgets import (
    QFrame,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from napari_sam.widgets.common.choices import Choice, Choices
from napari_sam.widgets.common.forms import add_row, in_a_row, in_place, new_button, new_form
from napari_sam.widgets.common.layer_choice import LayerChoice
from napari_sam.widgets.common.status_area import StatusArea
from napari_sam.widgets.common.style import primary
from napari_sam.widgets.layers.image_stack import is_helper
from napari_sam.widgets.refine.changes_list import RefineList
from napari_sam.widgets.refine.differences_list import DifferencesList

__all__ = ["RefineControls"]

LABEL = "The label selected in that layer"
OBJECTS = "Those selected in the list of objects"
ABOUT = (
    "Masks of any origin get sharper outlines here, or are compared with yours: choose their "
    "Labels layer, then Refine or Compare."
)
OPTIONS = (
    Choice("objects", "&Which", "", entries={False: "All objects", True: LABEL}),
    Choice("slices", "&Where", "", entries={False: "On this slice", True: "On all slices"}),
    Choice("box", "its box", "Keeps the new mask where the rough one is", True),
    Choice("point", "a point inside", "The one deepest inside the rough mask", True),
    Choice(
        "distance",
        "&Border within",
        "Compare: borders of one object that are nowhere further apart are the same",
        2,
        limits=(0, 100),
        unit=" pixels",
    ),
)


class RefineControls(QFrame):
    """All widgets of the tab, top to bottom in the order of use.

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
        self.choices = Choices(OPTIONS)
        self.start = new_button(
            "Refine", "Shows what would change; nothing is written before you accept"
        )
        self.compare = new_button(
            "Compare with mine",
            "A second opinion: lists where these labels differ from those you work on",
        )
        self.bar = QProgressBar()
        self.cancel = new_button("Cancel", "Stop; what is done so far can be accepted")
        self.start.setStyleSheet(primary())
        for button in (self.start, self.compare):
            button.setEnabled(False)
        self.labels.layer_chosen.connect(self._enable)
        self.area = StatusArea()
        self.text = self.area.status
        self.list = RefineList()
        self.differences = DifferencesList()
        self.finish = new_button("Forget the rest", "Ends the comparison; labels stay as they are")
        self.accept = new_button("Accept all", "Write the new masks into the labels, as one step")
        self.reject = new_button("Reject all", "Forget the new masks; no label has changed")
        self._lay_out()
        self.show_work(False)
        self.show_outcome("")

    def show_work(self, on: bool, done: int = 0, total: int = 1) -> None:
        """Show the progress, or that no work is running."""
        self._begin.setVisible(not on)
        self.bar.setVisible(on)
        self.cancel.setVisible(on)
        self.bar.setMaximum(total)
        self.bar.setValue(done)

    def name_selected(self, ours: bool) -> None:
        """Name the selection that is used: that of the object list, or of the layer."""
        text, box = OBJECTS if ours else LABEL, self.choices["objects"].native
        if box.itemText(1) != text:
            box.setItemText(1, text)

    def show_outcome(self, text: str, found: bool = False) -> None:
        """Show a summary of the changes, and whether they can be accepted."""
        self.text.setText(text or ABOUT)
        self.list.setVisible(found)
        self.accept.setVisible(found)
        self.reject.setVisible(found)
        self.differences.setVisible(False)
        self.finish.setVisible(False)

    def show_differences(self, text: str, found: bool = False) -> None:
        """Show a summary of a comparison, and whether there are differences to be answered."""
        self.show_outcome(text)
        self.differences.setVisible(found)
        self.finish.setVisible(found)

    def _enable(self, layer: Labels | None) -> None:
        for button in (self.start, self.compare):
            button.setEnabled(layer is not None)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        form = new_form()
        add_row(form, "&Rough labels", self.labels)
        self.choices.add_to(form, "objects", "slices")
        column.addLayout(form)
        prompt = in_a_row(self.choices["box"].native, self.choices["point"].native)
        form.addRow("Mask and", prompt)
        self.choices.add_to(form, "distance")
        self._begin, work = QWidget(), QWidget()
        in_a_row(self.start, self.compare, parent=self._begin)
        in_a_row(self.bar, self.cancel, parent=work)
        column.addWidget(in_place(self._begin, work))
        column.addWidget(self.area)
        column.addWidget(self.list, 1)
        column.addLayout(in_a_row(self.accept, self.reject))
        column.addWidget(self.differences, 1)
        column.addWidget(self.finish)
        column.addStretch()
