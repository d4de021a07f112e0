"""What the labels hold, how classes are called, and which one new objects get."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox, QLineEdit, QWidget

from napari_sam.session.session import Session
from napari_sam.widgets.forms import add_row, new_form

__all__ = ["ClassOptions"]


class ClassOptions(QWidget):
    """Choices for a session's classes; `wanted` carries them as `Session.configure` takes them."""

    wanted = Signal(bool, object, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._numbers: list[int] = [1]
        self._shown: object = None
        self.holds = QComboBox()
        self.holds.addItem("A number per object", False)
        self.holds.addItem("A number per class", True)
        self.holds.setToolTip("What the Labels layer shows; the objects stay what they are")
        self.names = QLineEdit()
        self.names.setToolTip("Names separated by commas; the first is class 1")
        self.new = QComboBox()
        self.new.setToolTip("The class that the next new object gets")
        form = new_form(self)
        add_row(form, "&Labels hold", self.holds)
        add_row(form, "Cl&asses", self.names)
        add_row(form, "New o&bjects", self.new)
        self.holds.currentIndexChanged.connect(self._tell)
        self.names.editingFinished.connect(self._tell)
        self.new.currentIndexChanged.connect(self._tell)

    def show_session(self, session: Session | None, anew: bool = False) -> None:
        """Show how a session is configured; `anew`: also if it is as it was shown."""
        self.setEnabled(session is not None)
        if session is None:
            return
        how = session, session.semantic, dict(session.classes), session.new_class
        if how == self._shown and not anew:
            return
        self._shown = how
        blockers = [QSignalBlocker(widget) for widget in (self.holds, self.names, self.new)]
        self.holds.setCurrentIndex(int(session.semantic))
        self._numbers = sorted(session.classes)
        self.names.setText(", ".join(session.classes[number] for number in self._numbers))
        self.new.clear()
        for number in self._numbers:
            self.new.addItem(session.classes[number], number)
        self.new.setCurrentIndex(self._numbers.index(session.new_class))
        for blocker in blockers:
            blocker.unblock()

    def _tell(self) -> None:
        self.wanted.emit(self.holds.currentData(), self._classes(), self.new.currentData())

    def _classes(self) -> Mapping[int, str]:
        """Keep the numbers of those that were there; a new name gets the next one."""
        names = [name.strip() for name in self.names.text().split(",") if name.strip()]
        more = range(max(self._numbers) + 1, max(self._numbers) + 1 + len(names))
        return dict(zip([*self._numbers, *more], names, strict=False))
