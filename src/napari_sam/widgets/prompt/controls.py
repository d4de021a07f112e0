"""View of the panel: widgets, names, tooltips and order. No logic."""

from __future__ import annotations

from pathlib import Path

from napari.components import ViewerModel
from napari.layers import Image, Labels
from qtpy.QtWidgets import (
    QButtonGroup,
    QFrame,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_sam.widgets.common.choices import Choice, Choices
from napari_sam.widgets.common.drawer import Drawer
from napari_sam.widgets.common.forms import (
    add_row,
    in_a_row,
    new_button,
    new_form,
    new_label,
)
from napari_sam.widgets.common.keys import KEYS, set_keyed_text
from napari_sam.widgets.common.layer_choice import LayerChoice
from napari_sam.widgets.common.model_choice import ModelChoice
from napari_sam.widgets.common.questions import Question
from napari_sam.widgets.common.status_area import StatusArea
from napari_sam.widgets.common.style import COMPACT, primary, tool
from napari_sam.widgets.common.wording import RULES
from napari_sam.widgets.layers.image_stack import is_helper
from napari_sam.widgets.layers.prompt_layers import Tool
from napari_sam.widgets.layers.prompt_pair import COLOURS
from napari_sam.widgets.objects.objects_list import ObjectsList
from napari_sam.widgets.prompt.candidates import CandidateChoice
from napari_sam.widgets.prompt.channel_controls import ChannelControls
from napari_sam.widgets.prompt.device_choice import DeviceChoice
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
        "hover",
        "Show the mask below the mouse",
        "A thin outline of what a click would give, with its quality; the key of Next mask, or "
        "Ctrl and the wheel, show the other sizes",
        False,
    ),
    Choice(
        "embed_ahead",
        "Prepare the other slices of a stack ahead",
        "In the background (embeddings), so that a click on any slice is quick",
        False,
    ),
)

ACCEPT, WRITE = "Accept, next object", "Write the mask into the labels"
LONGEST = 12  # letters of a model's name that there is room for
HINT = (
    "<b>Three steps:</b> click on an object, look at the coloured mask, press <b>{}</b> to keep "
    "it. Clicks with Exclude take away what does not belong. Every button shows its key."
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
            Tool.INCLUDE: _tool("include", "+ Include", "Click on what belongs to the object"),
            Tool.EXCLUDE: _tool("exclude", "- Exclude", "Click on what does not belong to it"),
        }
        self.shape = ShapeButton()
        self.thumbnails = CandidateChoice()
        self.cycle = _button("Next", "cycle", "Show the next of the three masks")
        self.accept = _button(ACCEPT, "accept", WRITE)
        self.accept.setStyleSheet(primary())
        self.reject = _button("Reject", "reject", "Throw this mask and its prompts away")
        self.undo = _button("Undo", "undo", "Take the last step back, also an accepted object")
        self.redo = _button("Redo", "redo", "Make the step again")
        self.score = new_label("Quality and time")
        self.score.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.score.setToolTip(
            "How well the model thinks that the mask fits, 0 to 1 (predicted IoU)"
        )
        self.area = StatusArea()
        self.remark, self.status, self.query = self.area.remark, self.area.status, self.area.query
        self.objects = ObjectsList()
        self.welcome = Welcome(viewer, self.objects)
        self.hint = self.objects.hint
        self.hint.setText(HINT.format(KEYS["accept"]))
        self.go_on = Question("Saved work", "Continue", "Start anew")
        self.choices = Choices(OPTIONS)
        self.device = DeviceChoice()
        self.report = new_button(
            "Copy bug report", "Versions, device, layers and the last error; no file names"
        )
        self.saved_work = new_button(
            "Saved work…", "All that was ever saved: continue it, or delete it"
        )
        self.keys = new_button("Keys…", "All keys of the panel: see and change them")
        self.methods = new_button(
            "Methods…", "How the objects were made and what it took, as a paragraph for a paper"
        )
        self.channels = ChannelControls()
        self.precompute = PrecomputeRow()
        self.store = StoreRow()
        self.refine = RefineControls(viewer)
        self.options = self._options()
        self.more = Drawer("Options", self.options, self).button
        self.more.setToolTip("Model, device, labels, channels, classes, and what is rarely changed")
        self.picture.setToolTip("The picture to segment")
        self.labels.setToolTip("Where accepted objects are written")
        self.model.list.currentIndexChanged.connect(self._name_model)
        self.model.chosen.connect(self._name_model)
        self._name_model()
        self._lay_out()

    def show_candidates(self, on: bool) -> None:
        """Offer the choice among three candidate masks, or grey it out."""
        if not on:
            self.thumbnails.clear()
        self.cycle.setEnabled(on)

    def show_rule(self, rule: str) -> None:
        """Show on the button that accepts by which rules masks are cleaned; empty: by none."""
        set_keyed_text(self.accept, "✨ Accept cleaned, next object" if rule else ACCEPT, "accept")
        self.accept.setToolTip(f"{WRITE}; cleaned: {rule}" if rule else WRITE)

    def _name_model(self) -> None:
        """Show on the button of the options which model is asked."""
        name = Path(self.model.name).name
        short = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
        self.more.setText(f"Options · {short}")

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 0)
        layout.setSpacing(4)
        self.picture.setAccessibleName("Picture")
        layout.addLayout(top := in_a_row(self.picture, self.more))
        top.setStretch(0, 1)
        group = QButtonGroup(self)
        for button in (*self.tools.values(), self.shape.button):
            group.addButton(button)
        layout.addLayout(drawn := in_a_row(*self.tools.values(), self.shape))
        for place in range(drawn.count()):
            drawn.setStretch(place, 1)  # else Box takes what the words of the others need
        layout.addWidget(self.accept)
        layout.addLayout(in_a_row(self.reject, self.undo, self.redo))
        self.area.add_question(self.go_on, urgent=True)  # it decides what there is to ask about
        self.area.add_line(self.precompute)
        layout.addWidget(self.area)
        beside = QVBoxLayout()
        beside.addWidget(self.cycle)
        beside.addWidget(self.score, 1)
        layout.addLayout(masks := in_a_row(self.thumbnails))
        masks.addLayout(beside, 1)
        layout.addWidget(self.welcome, 1)
        layout.addWidget(self.objects, 1)

    def _options(self) -> QFrame:
        frame = QFrame()
        form = new_form()
        frame.setLayout(form)
        add_row(form, "&Model", self.model, self.model.list)
        add_row(form, "&Write to", self.labels)
        add_row(form, "&Device", self.device)
        self.choices.add_to(form, "rule")
        form.addRow(self.channels)
        form.addRow(self.objects.classes)
        self.choices.add_to(form, "outline", "hover", "embed_ahead")
        form.addRow(self.store)
        form.addRow(in_a_row(self.saved_work, self.methods))
        form.addRow(in_a_row(self.keys, self.report))
        return frame


def _button(text: str, action: str, tip: str) -> QPushButton:
    button = new_button("", tip)
    set_keyed_text(button, text, action)
    button.setAccessibleName(text)
    button.setStyleSheet(COMPACT)
    return button


def _tool(polarity: str, text: str, tip: str) -> QPushButton:
    button = _button(text, "polarity", tip)
    button.setCheckable(True)
    button.setStyleSheet(tool(COLOURS[polarity]))
    return button
