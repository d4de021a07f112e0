"""View of the panel: widgets, names, tooltips and order. No logic."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.layers import Image, Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_sam.widgets.common.choices import Choice, Choices
from napari_sam.widgets.common.forms import (
    Question,
    add_row,
    in_a_row,
    new_button,
    new_choice,
    new_fold,
    new_form,
    new_label,
    new_status,
)
from napari_sam.widgets.common.keys import with_key
from napari_sam.widgets.common.layer_choice import LayerChoice
from napari_sam.widgets.common.model_choice import ModelChoice
from napari_sam.widgets.common.query_row import QueryRow
from napari_sam.widgets.common.wording import RULES
from napari_sam.widgets.layers.image_stack import is_helper
from napari_sam.widgets.layers.prompt_layers import Tool
from napari_sam.widgets.objects.objects_list import ObjectsList
from napari_sam.widgets.prompt.candidates import CandidateChoice
from napari_sam.widgets.prompt.channel_controls import ChannelControls
from napari_sam.widgets.prompt.precompute_row import PrecomputeRow
from napari_sam.widgets.prompt.shape_button import ShapeButton
from napari_sam.widgets.prompt.store_row import StoreRow
from napari_sam.widgets.prompt.welcome import Welcome
from napari_sam.widgets.refine.controls import RefineControls

__all__ = ["Controls"]

OPTIONS = (
    Choice(
        "rule",
        "&Overlap",
        "Who keeps the pixels where a new object meets an older one",
        entries=RULES,
    ),
    Choice("outline", "Show the mask as an outline", "", False),
    Choice(
        "embed_ahead",
        "Embed the other slices of a stack ahead",
        "In the background, so that a click on any slice is quick",
        False,
    ),
)

HINT = (
    "<b>Three steps:</b> click on an object, look at the coloured mask, press <b>N</b> to keep it. "
    "Clicks with Exclude take away what does not belong. Every button shows its key."
)


class Controls(QWidget):
    """All widgets of the prompt panel, top to bottom in the order of use.

    Parameters
    ----------
    viewer : ViewerModel
        Whose layers can be chosen.
    """

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = LayerChoice(viewer, lambda layer: isinstance(layer, Image), "No picture")
        self.model = ModelChoice()
        self.labels = LayerChoice(
            viewer,
            lambda layer: isinstance(layer, Labels) and not is_helper(layer),
            "A new Labels layer",
        )
        self.tools = {
            Tool.INCLUDE: _tool("+ Include", "polarity", "Click on what belongs to the object"),
            Tool.EXCLUDE: _tool("- Exclude", "polarity", "Click on what does not belong to it"),
        }
        self.shape = ShapeButton()
        self.thumbnails = CandidateChoice()
        self.cycle = _button("Next mask", "cycle", "Show the next of the three masks")
        steady = self.cycle.sizePolicy()
        steady.setRetainSizeWhenHidden(True)  # else the rows would jump at each click
        self.cycle.setSizePolicy(steady)
        self.accept = _button("Accept, next object", "accept", "Write the mask into the labels")
        self.accept.setStyleSheet("QPushButton:enabled { font-weight: bold; }")
        self.reject = _button("Reject", "reject", "Throw this mask and its prompts away")
        self.undo = _button("Undo", "undo", "Take the last step back, also an accepted object")
        self.redo = _button("Redo", "redo", "Make the step again")
        self.score = new_label("Score and time")
        self.score.setToolTip("How well the model thinks that the mask covers the object, 0 to 1")
        self.remark = new_label("Remark")
        self.status = new_status(3)
        self.remark.setTextFormat(Qt.TextFormat.PlainText)
        self.objects = ObjectsList()
        self.welcome = Welcome(viewer)
        self.hint = new_label("First steps")
        self.hint.setText(HINT)
        self.go_on = Question("Saved work", "Continue", "Start anew")
        self.question = Question("Overlap", "Keep existing", "Replace", "Cancel")
        self.query = QueryRow()
        self.keep, self.replace, self.cancel = self.question.answers
        self.choices = Choices(OPTIONS)
        self.device = new_choice(
            {"auto": "auto", "cpu": "cpu"}, "Where the model runs; auto takes the fastest there is"
        )
        self.report = new_button(
            "Copy bug report", "Versions, device, layers and the last error; no file names"
        )
        self.saved_work = new_button(
            "Saved work…", "All that was ever saved: continue it, or delete it"
        )
        self.channels = ChannelControls()
        self.precompute = PrecomputeRow()
        self.store = StoreRow()
        self.refine = RefineControls(viewer)
        self.more, self.options = self._options()
        self.picture.setToolTip("The picture to segment")
        self.labels.setToolTip("Where accepted objects are written")
        self._lay_out()
        # Both together are higher than a small screen, and Qt would squash them.
        self.more.toggled.connect(lambda on: self._fold(self.objects.fold, on))
        self.objects.fold.toggled.connect(lambda on: self._fold(self.more, on))

    def ask_about(self, text: str) -> None:
        """Show the question about overlaps; hide it if the text is empty."""
        self.question.ask(text)
        if text:
            self.keep.setFocus()

    def show_candidates(self, on: bool) -> None:
        """Show or hide the choice among three candidate masks."""
        self.thumbnails.setVisible(on)
        self.cycle.setVisible(on)

    def _fold(self, other: QToolButton, on: bool) -> None:
        if on:
            other.setChecked(False)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(8)
        layout.addWidget(self.hint)
        top = new_form()
        add_row(top, "&Picture", self.picture)
        add_row(top, "&Model", self.model, self.model.list)
        add_row(top, "&Write to", self.labels)
        layout.addLayout(top)
        layout.addWidget(self.channels.question)
        layout.addWidget(self.go_on)
        folds = in_a_row(self.more, self.refine.fold)
        folds.addStretch()
        layout.addLayout(folds)
        layout.addWidget(self.options)
        layout.addWidget(self.refine)
        group = QButtonGroup(self)
        for button in (*self.tools.values(), self.shape.button):
            group.addButton(button)
        layout.addLayout(in_a_row(*self.tools.values(), self.shape))
        layout.addWidget(self.accept)
        layout.addLayout(in_a_row(self.reject, self.undo, self.redo))
        layout.addWidget(self.question)
        layout.addWidget(self.query)
        layout.addWidget(self.status)
        layout.addWidget(self.remark)
        result = QHBoxLayout()
        result.addWidget(self.score, 1)
        result.addWidget(self.cycle)
        layout.addLayout(result)
        layout.addWidget(self.thumbnails)
        layout.addWidget(self.precompute)
        layout.addWidget(self.welcome)
        layout.addWidget(self.objects, 1)
        layout.addStretch()

    def _options(self) -> tuple[QToolButton, QFrame]:
        frame = QFrame()
        form = new_form()
        frame.setLayout(form)
        add_row(form, "&Device", self.device)
        self.choices.add_to(form, "rule")
        form.addRow(self.channels)
        form.addRow(self.objects.classes)
        self.choices.add_to(form, "outline", "embed_ahead")
        form.addRow(self.store)
        form.addRow(in_a_row(self.saved_work, self.report))
        return new_fold("More options", frame), frame


def _button(text: str, action: str, tip: str) -> QPushButton:
    button = new_button(with_key(text, action), tip)
    button.setAccessibleName(text)
    return button


def _tool(text: str, action: str, tip: str) -> QPushButton:
    button = _button(text, action, tip)
    button.setCheckable(True)
    return button
