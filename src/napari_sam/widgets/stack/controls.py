"""View of the tab Stack: widgets, names, tooltips and order. No logic."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QSpinBox,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from napari_sam.widgets.common.choices import Choice, Choices
from napari_sam.widgets.common.forms import (
    add_row,
    in_a_row,
    in_place,
    new_button,
    new_form,
    new_label,
)
from napari_sam.widgets.common.status_area import StatusArea
from napari_sam.widgets.common.style import primary
from napari_sam.widgets.common.wording import RULES
from napari_sam.widgets.stack.report import ObjectReport

__all__ = ["StackControls"]

OPTIONS = (
    Choice(
        "objects",
        "&Follow",
        "Each is followed from every slice it is accepted on",
        entries={
            "here": "All accepted on this slice",
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


class StackControls(QWidget):
    """All widgets of the tab Stack, top to bottom in the order of use.

    Attributes
    ----------
    choices : Choices
        What is remembered.
    """

    slice_wanted = Signal(int)  # somebody wants to see a slice of the latest report

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
        self.area = StatusArea()
        self.status, self.remark = self.area.status, self.area.remark
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.setAccessibleName("How far the objects are followed")
        self.cancel = new_button("Cancel", "Stop here; the slices that have come stay")
        self.undo = new_button("Take all of it back", "Undo this propagation, all slices at once")
        self.report = QTextBrowser()
        self.report.setOpenLinks(False)
        self.report.document().setDefaultStyleSheet("a { color: #5b8def; text-decoration: none; }")  # type: ignore[union-attr]
        self.report.setAccessibleName("What became of each object")
        self.report.setToolTip("Click on a line to see its slice")
        self.report.anchorClicked.connect(lambda url: self.slice_wanted.emit(int(url.path())))
        self._lay_out()

    def name_slices(self, noun: str, axes: Mapping[int, str], length: int) -> None:
        """Name the slices (or time points), the available axes, and the number of slices."""
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
        """Switch between the widgets of a running propagation and the idle ones."""
        self.bar.setVisible(busy)
        self.cancel.setVisible(busy)
        self.start.setVisible(not busy)
        self.choices.enable(not busy)
        for widget in (self.axis, self.first, self.last):
            widget.setEnabled(not busy)

    def show_start(self, noun: str) -> None:
        """Show that a propagation begins."""
        self.show_work(busy=True)
        self.undo.hide()
        self.bar.setRange(0, 0)
        self.status.setText("Starting…")
        self.show_remark("")
        self.show_report({}, noun)

    def show_remark(self, text: str) -> None:
        """Show the remark of a prompt shortcut, as these work in this tab as well."""
        self.area.show_remark(text)

    def show_report(self, objects: Mapping[int, ObjectReport], noun: str) -> None:
        """Show the result for each object; each entry links to a slice."""
        lines = []
        for number, one in objects.items():
            lines.append(f"<p><b>{_link(one.headline(number, noun), min(one.found))}</b>")
            lines += [f"<br>{_link(text, index)}" for index, text in one.remarks(noun)]
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
        self.choices.add_to(self.form, "objects")
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
        layout.addLayout(self.form)
        work = QWidget()
        in_a_row(self.bar, self.cancel, parent=work)
        layout.addWidget(in_place(self.start, work))
        layout.addWidget(self.area)
        layout.addWidget(self.report, 1)
        layout.addWidget(self.undo)
        layout.addStretch()
        self.report.hide()
        self.undo.hide()
        self.show_work(busy=False)


def _link(text: str, index: int) -> str:
    return f'<a href="{index}">{escape(text)}</a>'
