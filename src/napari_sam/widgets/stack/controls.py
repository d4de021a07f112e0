"""What the stack tab looks like: its widgets, their names, hints and order. No logic."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from napari_sam.widgets.common.forms import add_row, new_choice, new_form, new_label, new_status
from napari_sam.widgets.common.wording import RULES
from napari_sam.widgets.stack.order import Account

__all__ = ["StackControls"]

OBJECTS = {
    "here": "All accepted on this slice",
    "last": "The object accepted last",
    "selected": "Those selected in the list",
}
DIRECTIONS = {"both": "Both ways", "forward": "Forward", "backward": "Backward"}


class StackControls(QWidget):
    """All widgets of the stack tab, top to bottom in the order of use."""

    slice_wanted = Signal(int)  # somebody wants to see a slice of the latest report

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.objects = new_choice(OBJECTS, "Each is followed from every slice it is accepted on")
        self.axis = QComboBox()
        self.axis.setToolTip("The axis to go along")
        self.direction = new_choice(DIRECTIONS, "Between two accepted slices both ways in any case")
        self.first, self.last = QSpinBox(), QSpinBox()
        self.first.setToolTip("Go no further back than this")
        self.last.setToolTip("Go no further forward than this")
        rules = {name: text for name, text in RULES.items() if name != "ask"}
        self.rule = new_choice(
            rules, "Who keeps the pixels where objects meet; locked ones always do"
        )
        self.start = QPushButton("Follow through the stack")
        self.start.setToolTip("Each slice appears as it is found; one undo takes all back")
        self.start.setStyleSheet("QPushButton:enabled { font-weight: bold; }")
        self.status = new_status()
        self.remark = new_label("Remark")
        self.remark.setTextFormat(Qt.TextFormat.PlainText)
        self.remark.hide()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("How far the objects are followed")
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop here; the slices that have come stay")
        self.undo = QPushButton("Take all of it back")
        self.undo.setToolTip("Undo this propagation, all slices at once")
        self.report = QTextBrowser()
        self.report.setOpenLinks(False)
        self.report.document().setDefaultStyleSheet("a { color: #5b8def; text-decoration: none; }")  # type: ignore[union-attr]
        self.report.setAccessibleName("What became of each object")
        self.report.setToolTip("Click on a line to see its slice")
        self.report.anchorClicked.connect(lambda url: self.slice_wanted.emit(int(url.path())))
        self._lay_out()

    def name_slices(self, noun: str, axes: Mapping[int, str], length: int) -> None:
        """Speak of slices, or of time points; offer these axes, and slices up to this number."""
        stack = "stack" if noun == "slice" else "time series"
        self.start.setText(f"Follow through the {stack}")
        self.limits_label.setText(f"{noun.capitalize()}s from")
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

    def show_work(self, busy: bool) -> None:
        """Show what belongs to a propagation under way, or what does not."""
        self.bar.setVisible(busy)
        self.cancel.setVisible(busy)
        self.start.setVisible(not busy)
        for widget in (self.objects, self.axis, self.direction, self.first, self.last, self.rule):
            widget.setEnabled(not busy)

    def show_remark(self, text: str) -> None:
        """Say what came of the keys of the prompt tab, which work here, too."""
        self.remark.setText(text)
        self.remark.setVisible(bool(text))

    def show_report(self, objects: Mapping[int, Account], noun: str) -> None:
        """List what became of each object; every line leads to a slice."""
        lines = []
        for number, account in objects.items():
            lines.append(f"<p><b>{_link(account.headline(number, noun), min(account.found))}</b>")
            lines += [f"<br>{_link(text, index)}" for index, text in account.remarks(noun)]
            lines.append("</p>")
        bar = self.report.verticalScrollBar()
        place = bar.value()  # type: ignore[union-attr]
        self.report.setHtml("".join(lines))
        bar.setValue(place)  # type: ignore[union-attr]
        self.report.setVisible(bool(objects))

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(8)
        self.form = new_form()
        add_row(self.form, "&Follow", self.objects)
        add_row(self.form, "&Along", self.axis)
        add_row(self.form, "&Direction", self.direction)
        limits = QWidget()
        row = QHBoxLayout(limits)
        row.setContentsMargins(0, 0, 0, 0)
        self.limits_label = new_label("Limits")
        self.first.setAccessibleName("From slice")
        self.last.setAccessibleName("To slice")
        for box in (self.first, self.last):
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        row.addWidget(self.first, 1)
        row.addWidget(QLabel("to"))
        row.addWidget(self.last, 1)
        self.form.addRow(self.limits_label, limits)
        add_row(self.form, "&Overlap", self.rule)
        layout.addLayout(self.form)
        layout.addWidget(self.start)
        layout.addWidget(self.status)
        layout.addWidget(self.remark)
        layout.addWidget(self.bar)
        layout.addWidget(self.cancel)
        layout.addWidget(self.report, 1)
        layout.addWidget(self.undo)
        layout.addStretch()
        self.report.hide()
        self.undo.hide()
        self.show_work(busy=False)


def _link(text: str, index: int) -> str:
    return f'<a href="{index}">{escape(text)}</a>'
