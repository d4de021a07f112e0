"""Window with the rules of shape. No logic."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QHideEvent
from qtpy.QtWidgets import QDialog, QDoubleSpinBox, QVBoxLayout, QWidget

from napari_sam.inference.edit.clean import CleanSettings
from napari_sam.widgets.common.choices import Choice, Choices
from napari_sam.widgets.common.forms import in_a_row, new_button, new_form, new_label
from napari_sam.widgets.common.style import primary

__all__ = ["CleanDialog"]

MOST = 1000.0  # of a length
RULES = (
    Choice("largest", "Keep the largest part only", "Of objects in several parts", False),
    Choice(
        "min_part",
        "&Drop parts below",
        "Specks beside an object; its largest part always stays",
        0.0,
        limits=(0, 1e6),
        lowest="none",
    ),
    Choice("fill_holes", "Fill holes", "What an object encloses becomes part of it", False),
    Choice(
        "smooth",
        "&Smooth by",
        "Radius of a disc: spikes and notches that are narrower go",
        0.0,
        limits=(0, MOST),
        lowest="none",
    ),
    Choice(
        "grow",
        "&Grow by",
        "How far the border moves outwards; below zero inwards",
        0.0,
        limits=(-MOST, MOST),
    ),
    Choice("convex", "Make convex", "Fill up to the convex hull", False),
)
SCOPE = (
    Choice("physical", "&Lengths in", "", entries={False: "pixels", True: "units"}),
    Choice(
        "which",
        "&Clean",
        "Locked objects, and pixels of others, always stay",
        entries={
            "selected": "selected objects",
            "slice": "all on this slice",
            "all": "all on all slices",
        },
    ),
    Choice(
        "always",
        "At each accept, too",
        "New masks are cleaned by these rules before you see them; the button Accept says so",
        False,
    ),
)
LENGTHS = "smooth", "grow"


class CleanDialog(QDialog):
    """The rules, for which objects, what would change, and the buttons.

    Attributes
    ----------
    choices : Choices
        All that can be chosen.
    status : QLabel
        What would change on the slice in view.
    clean, stop : QPushButton
        Clean; stop while it works.
    opened : Signal(bool)
        Emitted when it is shown or hidden.
    """

    opened = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Clean objects")
        self.choices = Choices((*RULES, *SCOPE))
        self.status = new_label("What would change")
        self.status.setMinimumHeight(3 * self.status.fontMetrics().lineSpacing())
        self.status.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.clean = new_button("Clean", "Write it, as one step; Undo takes it back")
        self.clean.setStyleSheet(primary())
        self.stop = new_button("Stop", "Change nothing")
        close = new_button("Close", "Change nothing more; a rule at each accept goes on")
        close.clicked.connect(self.close)
        layout = QVBoxLayout(self)
        form = new_form()
        self.choices.add_to(form)
        layout.addLayout(form)
        layout.addWidget(self.status)
        layout.addStretch()
        layout.addLayout(in_a_row(self.clean, self.stop, close))
        self.show_unit("")

    @property
    def settings(self) -> CleanSettings:
        """The rules that are chosen."""
        values = self.choices.values
        return CleanSettings(**{rule.name: values[rule.name] for rule in RULES})

    def show_unit(self, unit: str) -> None:
        """Offer lengths in a unit, such as "µm"; empty if the size of a pixel is unknown."""
        box = self.choices["physical"]
        box.native.setItemText(1, unit or "no unit is known")
        box.enabled = bool(unit)
        if not unit:
            self.choices.put({"physical": False})
        shown = unit if box.value else "px"
        for name in (*LENGTHS, "min_part"):
            number = self.choices[name].native
            assert isinstance(number, QDoubleSpinBox)
            number.setSuffix(f" {shown}" if name in LENGTHS else f" {shown}²")

    def show_work(self, busy: bool) -> None:
        """Show which button is of use."""
        self.clean.setEnabled(not busy)
        self.stop.setEnabled(busy)

    def showEvent(self, event: object) -> None:
        """Tell that it is open."""
        super().showEvent(event)  # type: ignore[arg-type]
        self.opened.emit(True)

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Tell that it is closed."""
        super().hideEvent(event)
        self.opened.emit(False)
