"""View of the tab Stack: widgets, names, tooltips and order. No logic."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_sam.widgets.common.button_flow import ButtonFlow
from napari_sam.widgets.common.choices import Choice, Choices
from napari_sam.widgets.common.drawer import Drawer
from napari_sam.widgets.common.forms import (
    add_row,
    in_a_row,
    in_place,
    new_button,
    new_form,
    new_label,
)
from napari_sam.widgets.common.keys import set_keyed_text
from napari_sam.widgets.common.status_area import StatusArea
from napari_sam.widgets.common.style import primary
from napari_sam.widgets.common.wording import RULES
from napari_sam.widgets.stack.by_hand_controls import ByHandControls
from napari_sam.widgets.stack.slices_list import Legend, SlicesList
from napari_sam.widgets.stack.strip import MissingStrip
from napari_sam.widgets.stack.tracks_controls import TracksControls

__all__ = ["StackControls"]

OPTIONS = (
    Choice(
        "objects",
        "&Follow",
        "Each is followed from every slice it is accepted on",
        entries={
            "here": "All accepted here",
            "last": "The object accepted last",
            "selected": "Those selected in the list",
        },
    ),
    Choice(
        "direction",
        "&Direction",
        "Between two accepted slices both ways in any case",
        entries={"both": "Both ways", "forward": "Forward", "backward": "Backward"},
    ),
    Choice(
        "rule",
        "&Overlap",
        "Who keeps the pixels where objects meet; locked ones always do",
        entries={name: text for name, text in RULES.items() if name != "ask"},
    ),
)


LINES = 5  # a hint, or a question with a line of buttons
ACTIONS = {
    "accept_slice": ("Accept {}", "Accept the selected object here, and go on"),
    "open": ("Correct", "Open the selected object here: click on what is missing or too much"),
    "accept_object": ("Accept object", "Accept the selected object wherever it is, and go on"),
}


class StackControls(QWidget):
    """All widgets of the tab Stack, top to bottom in the order of use.

    Attributes
    ----------
    choices : Choices
        What is remembered.
    list : SlicesList
        The objects with their slices.
    buttons : dict of str to QPushButton
        What can be done with the selected object, see `ACTIONS`.
    tracks : TracksControls
        What can be done with the tracks of a time series.
    strip : MissingStrip
        What is missing on the slice in view, and what is new there.
    by_hand : ByHandControls
        What is done slice by slice.
    wanted : Signal(str)
        Emitted with the name of an action for the selected object.
    """

    wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choices = Choices(OPTIONS, "stack")
        self.choices.recall()
        self.axis = QComboBox()
        self.axis.setToolTip("The axis to go along")
        self.first, self.last = QSpinBox(), QSpinBox()
        self.first.setToolTip("Go no further back than this")
        self.last.setToolTip("Go no further forward than this")
        self.start = new_button(
            "Follow through the stack", "Each slice appears as it is found; one undo takes all back"
        )
        self.start.setStyleSheet(primary())
        self.area = StatusArea(LINES)
        self.status, self.remark = self.area.status, self.area.remark
        self.bar = QProgressBar()
        keeps = self.bar.sizePolicy()
        keeps.setRetainSizeWhenHidden(True)
        self.bar.setSizePolicy(keeps)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("How far the objects are followed")
        self.cancel = new_button("Cancel", "Stop here; the slices that have come stay")
        self.undo = new_button(
            "Take it back", "Undo this following (propagation), all slices at once"
        )
        self.list = SlicesList()
        self.legend = Legend()
        self.strip = MissingStrip()
        self.missing = QWidget()
        in_a_row(QLabel("Missing\nor new"), self.strip, parent=self.missing).setStretch(1, 1)
        self.by_hand = ByHandControls()
        self.detail = new_label("The object and slice in view")
        self.detail.setTextFormat(Qt.TextFormat.PlainText)
        self.detail.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.detail.setMinimumHeight(3 * self.detail.fontMetrics().lineSpacing())
        self.accept_certain = new_button("", "Accept every mask that is sure, as one step")
        self.review = new_button("", "Go to the next one that somebody should look at")
        self.buttons = {name: self._action(name) for name in ACTIONS}
        self.again = new_button(
            "", "Follow the object that was corrected anew, from all slices that it is accepted on"
        )
        set_keyed_text(self.again, "Follow again", "follow")
        self._lay_out()

    def name_slices(self, noun: str, axes: Mapping[int, str], length: int) -> None:
        """Name the slices (or time points), the available axes, and the number of slices."""
        stack = "stack" if noun == "slice" else "time series"
        self.start.setText(f"Follow through the {stack}")
        self.limits_label.setText(f"{noun.capitalize()}s")
        text = ACTIONS["accept_slice"][0].format(noun)
        set_keyed_text(self.buttons["accept_slice"], text, "accept_slice")
        if list(axes) != [self.axis.itemData(i) for i in range(self.axis.count())]:
            self.axis.clear()
            for axis, name in axes.items():
                self.axis.addItem(name, axis)
            self.axis.setCurrentIndex(self.axis.count() - 1)
        self.form.setRowVisible(self.axis, len(axes) > 1)
        if self.last.maximum() != length - 1:
            for box, value in ((self.first, 0), (self.last, length - 1)):
                box.setRange(0, length - 1)
                box.setValue(value)

    def offer_tracks(self, on: bool) -> None:
        """Show the button of the drawer Tracks, or hide both."""
        if not on:
            self.more_tracks.setChecked(False)
        self.more_tracks.setVisible(on)

    def show_work(self, busy: bool) -> None:
        """Switch between the widgets of a running propagation and the idle ones."""
        self.bar.setVisible(busy)
        self.cancel.setVisible(busy)
        self.start.setVisible(not busy)
        self.choices.enable(not busy)
        for widget in (self.axis, self.first, self.last):
            widget.setEnabled(not busy)

    def show_list(self, row: bool, detail: str, busy: bool) -> None:
        """Show what can be done with the list, whether a row is selected, and what it says."""
        sure, look = self.list.slices.sure, self.list.slices.look
        some = self.list.slices.rowCount() > 0
        self.accept_certain.setText(f"Accept what is certain ({sure})")
        self.accept_certain.setEnabled(sure > 0 and not busy)
        self.review.setText(f"Review {look}")
        self.review.setEnabled(look > 0)
        for button in self.buttons.values():
            button.setEnabled(row)
        self.again.setEnabled(some and not busy)
        self.missing.setVisible(some)
        self.detail.setText(detail)

    def show_start(self) -> None:
        """Show that a propagation begins."""
        self.show_work(busy=True)
        self.undo.setEnabled(False)
        self.bar.setRange(0, 0)
        self.status.setText("Starting…")
        self.show_remark("")

    def show_remark(self, text: str) -> None:
        """Show the remark of a prompt shortcut, as these work in this tab as well."""
        self.area.show_remark(text)

    def _action(self, name: str) -> QPushButton:
        text, tip = ACTIONS[name]
        button = new_button("", tip)
        set_keyed_text(button, text.format("slice"), name)
        button.clicked.connect(lambda: self.wanted.emit(name))
        return button

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(8)
        top = new_form()
        self.choices.add_to(top, "objects")
        layout.addLayout(top)
        work = QWidget()
        in_a_row(self.bar, self.cancel, parent=work)
        begin = in_a_row(in_place(self.start, work), self.undo)
        begin.setStretch(0, 1)
        layout.addLayout(begin)
        layout.addWidget(self.area)
        layout.addLayout(_equal_row(self.accept_certain, self.review))
        layout.addWidget(self.list, 1)
        layout.addWidget(self.legend)
        layout.addWidget(self.missing)
        layout.addWidget(self.detail)
        b = self.buttons
        steps = ButtonFlow()
        steps.show_buttons((b["accept_slice"], b["open"], b["accept_object"], self.again))
        layout.addWidget(steps)
        self.options = QFrame()
        self._fill_options()
        self.tracks = TracksControls()
        self.more_tracks = Drawer("Tracks", self.tracks, self).button
        self.more_tracks.hide()  # until there is time
        more = Drawer("Direction, limits, overlap", self.options, self).button
        by_hand = Drawer("By hand", self.by_hand, self).button
        drawers = in_a_row(more, by_hand, self.more_tracks)
        drawers.addStretch(1)
        layout.addLayout(drawers)
        self.undo.setEnabled(False)
        self.show_list(False, "", False)
        self.show_work(busy=False)

    def _fill_options(self) -> None:
        self.form = new_form(self.options)
        add_row(self.form, "&Along", self.axis)
        self.choices.add_to(self.form, "direction")
        limits = QWidget()
        self.limits_label = new_label("Limits")
        self.first.setAccessibleName("From slice")
        self.last.setAccessibleName("To slice")
        for box in (self.first, self.last):
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        row = in_a_row(self.first, QLabel("to"), self.last, parent=limits)
        row.setStretch(0, 1)
        row.setStretch(2, 1)
        self.form.addRow(self.limits_label, limits)
        self.choices.add_to(self.form, "rule")


def _equal_row(*widgets: QWidget) -> QHBoxLayout:
    row = in_a_row(*widgets)
    for place in range(row.count()):
        row.setStretch(place, 1)
    return row
