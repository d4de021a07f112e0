"""What the tab for the automatic mode looks like: widgets, names, hints and order. No logic."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.layers import Labels, Layer, Points, Shapes
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QProgressBar,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)
from superqt import QLabeledDoubleSlider

from napari_sam.inference.automatic.linking import GAP
from napari_sam.inference.automatic.presets import presets
from napari_sam.widgets.common.forms import (
    add_row,
    in_a_row,
    new_button,
    new_choice,
    new_fold,
    new_form,
    new_label,
    new_status,
)
from napari_sam.widgets.common.layer_choice import LayerChoice
from napari_sam.widgets.layers.image_stack import is_helper
from napari_sam.widgets.search.measures import MEASURES, Histogram, MeasureRow

__all__ = ["AutoControls"]

SEEDS = {
    "adaptive": "At spots, then between what was found",
    "maxima": "At bright or dark spots",
    "distance": "Deep inside of what a threshold finds",
    "grid": "On a grid",
}
CROPS = {0: "The picture as a whole", 1: "Also in 2 x 2 crops", 2: "Also in 4 x 4 crops"}
SAME = {"mask": "Their masks overlap", "box": "Their boxes overlap"}
ON_TOP = {"best": "Best score on top", "smaller": "Smaller on top", "larger": "Larger on top"}
FIRST = ("score", "area")  # of the measures; the others are folded away
FINEST = 256  # points per side


class AutoControls(QWidget):
    """All widgets of the tab, top to bottom in the order of use.

    Parameters
    ----------
    viewer : ViewerModel
        Whose Shapes layers can limit the search.

    Attributes
    ----------
    enough : int
        Points per side that would do, where the grid is too coarse.
    """

    def __init__(self, viewer: ViewerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.preset = QComboBox()
        for name, preset in presets().items():
            self.preset.addItem(preset.title, name)
            self.preset.setItemData(
                self.preset.count() - 1, preset.about, Qt.ItemDataRole.ToolTipRole
            )
        self.preset.setToolTip("Sets the grid, the filters and who is on top, as a start")
        self.points = QSpinBox()
        self.points.setRange(1, FINEST)
        self.points.setSuffix(" points per side")
        self.points.setToolTip("Small objects need a fine grid; time grows with its square")
        self.start = new_button("Find all objects", "On the slice in view; nothing is written yet")
        self.start.setStyleSheet("QPushButton:enabled { font-weight: bold; padding: 7px; }")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("How far the search is")
        self.cancel = new_button("Cancel", "Stop here; what was found stays")
        self.min_score = _floor("What the model is less sure of is never shown")
        self.min_stability = _floor("Masks that depend more on the threshold are never shown")
        self.seeds = new_choice(
            SEEDS, "Where the model is asked; in large pictures always on a grid"
        )
        self.at = LayerChoice(viewer, _says_where, "Where the model suggests")
        self.at.setToolTip("Ask at your points, or in the middle of each object of rough labels")
        self.crops = new_choice(CROPS, "Crops are enlarged: for small objects in large pictures")
        self.same = new_choice(SAME, "When two masks are the same object; the better one is kept")
        self.inside = LayerChoice(viewer, _is_drawn, "The whole slice")
        self.inside.setToolTip("Draw shapes into a Shapes layer to search only inside of them")
        self.link = QCheckBox("Link objects through the stack")
        self.link.setToolTip("Those that overlap from slice to slice become one object")
        self.link.setChecked(True)
        self.gap = QSpinBox()
        self.gap.setRange(0, 9)
        self.gap.setValue(GAP)
        self.gap.setSuffix(" slices")
        self.gap.setToolTip("An object that is missed on so many slices goes on after them")
        self.faint = QCheckBox("Show faintly what is left out")
        self.faint.setChecked(True)
        self.status = new_status(lines=4)
        self.remark = new_label("Remark")
        self.remark.setTextFormat(Qt.TextFormat.PlainText)
        self.advice = new_label("Advice on the grid")
        self.advice.setTextFormat(Qt.TextFormat.PlainText)
        self.finer = new_button("", "Set the grid so that hardly an object lies between its points")
        self.histogram = Histogram()
        self.rows = {measure.name: MeasureRow(measure) for measure in MEASURES}
        self.no_edge = QCheckBox("Leave out those at the edge of the picture")
        self.on_top = new_choice(ON_TOP, "Who has the pixels where found objects overlap")
        self.where = new_choice({False: "This slice", True: ""}, "What the buttons below work on")
        self.propose = new_button(
            "Put into the list to review", "As proposals, most useful first; one undo takes it back"
        )
        self.propose.setStyleSheet("QPushButton:enabled { font-weight: bold; }")
        self.accept = new_button(
            "Accept all", "Write all that is kept into the labels, as one step"
        )
        self.certain = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.certain.setRange(0, 1)
        self.certain.setToolTip("Predicted IoU from which on an object needs no look")
        self.fill = new_button(
            "",
            "Accept what is certain; the doubtful go into the list, most useful first",
        )
        self.forget = new_button("Forget these", "Take the preview away; no label changes")
        self.undo = new_button("Take all of it back", "Undo this step, all objects at once")
        self.teach = new_button(
            "Retrain on accepted objects, find again",
            "Teach the model what is accepted (decoder only, some minutes), use the new model and "
            "search what is left; accepted objects stay as they are",
        )
        self._lay_out()
        self.show_certain(0)
        self.show_slices(1)

    def show_certain(self, count: int | None) -> None:
        """Say how many objects are certain, where it is known."""
        self.fill.setText("Fill in what is certain" + ("" if count is None else f": {count:,}"))

    def show_slices(self, count: int) -> None:
        """Offer what can be done with so many slices."""
        self.where.setItemText(1, f"All {count:,} slices")
        if count < 2:
            self.where.setCurrentIndex(0)
        self.where_form.setRowVisible(self.where, count > 1)
        for row in (self.link, self.gap):
            self.form.setRowVisible(row, count > 1)

    def show_work(self, busy: bool) -> None:
        """Show what belongs to a search under way, or what does not."""
        self.bar.setVisible(busy)
        self.cancel.setVisible(busy)
        self.start.setVisible(not busy)
        for widget in (self.preset, self.points, self.options, self.finer):
            widget.setEnabled(not busy)

    def show_remark(self, text: str) -> None:
        """Say what came of a key; empty takes it away."""
        self.remark.setText(text)
        self.remark.setVisible(bool(text))

    def show_coarse(self, text: str, points: int = 0) -> None:
        """Say that the grid is too coarse and how many points would do; empty if it is not."""
        self.advice.setText(text)
        self.advice.setVisible(bool(text))
        self.enough = points
        self.finer.setText(f"Use {points} points per side")
        self.finer.setVisible(bool(text))

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(8)
        form = new_form()
        add_row(form, "&Kind", self.preset)
        add_row(form, "&Grid", self.points)
        layout.addLayout(form)
        layout.addWidget(self.start)
        layout.addLayout(in_a_row(self.bar, self.cancel))
        self.options = self._options()
        self.more = new_fold("More settings", self.options)
        layout.addWidget(self.more)
        layout.addWidget(self.options)
        layout.addWidget(self.status)
        layout.addWidget(self.remark)
        layout.addWidget(self.advice)
        layout.addWidget(self.finer)
        self.tuning = self._tuning()
        layout.addWidget(self.tuning)
        layout.addWidget(self.undo)
        layout.addWidget(self.teach)
        layout.addStretch()
        for widget in (self.tuning, self.undo, self.teach):
            widget.hide()
        self.show_work(False)
        self.show_coarse("")
        self.show_remark("")

    def _options(self) -> QFrame:
        frame = QFrame()
        form = new_form(frame)
        add_row(form, "Only &inside", self.inside)
        add_row(form, "Min &score", self.min_score)
        add_row(form, "Min s&tability", self.min_stability)
        add_row(form, "&Ask", self.seeds)
        add_row(form, "Ask a&t", self.at)
        add_row(form, "&Look at", self.crops)
        add_row(form, "&Same object", self.same)
        form.addRow(self.link)
        add_row(form, "Ga&p", self.gap)
        form.addRow(self.faint)
        self.form = form
        return frame

    def _tuning(self) -> QFrame:
        frame, folded = QFrame(), QFrame()
        column = QVBoxLayout(frame)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.histogram)
        for name in FIRST:
            column.addWidget(self.rows[name])
        below = QVBoxLayout(folded)
        below.setContentsMargins(0, 0, 0, 0)
        for name, row in self.rows.items():
            if name not in FIRST:
                below.addWidget(row)
        below.addWidget(self.no_edge)
        form = new_form()
        add_row(form, "&Overlap", self.on_top)
        below.addLayout(form)
        below.addWidget(self.forget)
        column.addWidget(new_fold("More filters", folded))
        column.addWidget(folded)
        self.where_form = new_form()
        add_row(self.where_form, "&Where", self.where)
        column.addLayout(self.where_form)
        column.addWidget(self.propose)
        column.addWidget(self.accept)
        sure = new_form()
        add_row(sure, "&Certain from", self.certain)
        column.addLayout(sure)
        column.addWidget(self.fill)
        return frame


def _is_drawn(layer: Layer) -> bool:
    return isinstance(layer, Shapes) and not is_helper(layer)


def _says_where(layer: Layer) -> bool:
    return isinstance(layer, Points | Labels) and not is_helper(layer)


def _floor(tip: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(0, 0.99)
    box.setSingleStep(0.01)
    box.setSpecialValueText("As the model says")
    box.setToolTip(tip)
    return box
