"""Choice of the device that a model runs on: of this machine, or a cluster by its address."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QInputDialog, QWidget

from napari_sam.batch.remote.host import is_address
from napari_sam.settings import load_settings, save_settings
from napari_sam.widgets.common.forms import narrow

__all__ = ["DeviceChoice"]

ASK = "a cluster…"
TIP = (
    "Where the model looks at pictures; auto takes the fastest there is. A cluster is a dask "
    "scheduler, whose workers prepare pictures; clicks are answered here"
)
TITLE = "Prepare pictures on a cluster"
LABEL = (
    "Address of the dask scheduler, such as tcp://host:8786 (`dask scheduler` prints it).\n"
    "Its workers need this version of napari-sam; pictures travel to them as they are."
)


class DeviceChoice(QComboBox):
    """List of devices, with an entry that asks for the address of a cluster.

    Attributes
    ----------
    device : str
        The chosen one: ``"auto"``, ``"cpu"``, ``"cuda:0"`` or ``tcp://host:8786``.
    changed : Signal()
        Emitted when another is chosen.
    chosen_again : Signal()
        Emitted when the cluster that is chosen is chosen once more.
    """

    changed = Signal()
    chosen_again = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.addItems(["auto", "cpu"])
        self.device = self._shown = "auto"
        known = os.environ.get("NAPARI_SAM_SCHEDULER") or load_settings().scheduler
        if is_address(known):
            self.addItem(known)
        self.addItem(ASK)
        self.setToolTip(TIP)
        narrow(self)
        self.currentIndexChanged.connect(self._choose)
        self.activated.connect(self._choose_again)

    def showPopup(self) -> None:
        """Open the list, and note what is chosen until then."""
        self._shown = self.device
        super().showPopup()

    @property
    def local(self) -> str:
        """The chosen device of this machine; auto while it is a cluster."""
        return "auto" if is_address(self.device) else self.device

    def offer(self, devices: Iterable[str]) -> None:
        """Add the devices that are not in the list yet."""
        for device in devices:
            if self.findText(device) < 0:
                self.insertItem(self.findText(ASK), device)

    def _choose(self) -> None:
        """Take over the choice, or ask for an address."""
        wanted = self.currentText()
        if wanted == ASK:
            wanted = self._ask()
            blocked = self.blockSignals(True)
            self.offer([wanted])
            self.setCurrentText(wanted)
            self.blockSignals(blocked)
        if wanted != self.device:
            self.device = wanted
            self.changed.emit()

    def _choose_again(self) -> None:
        if self.device == self._shown and is_address(self.currentText()):
            self.chosen_again.emit()

    def _ask(self) -> str:
        """Return the address that is typed in, and remember it; else what was chosen before."""
        known = load_settings().scheduler
        text, ok = QInputDialog.getText(self, TITLE, LABEL, text=known)
        text = text.strip()
        if not (ok and text):
            return self.device
        address = text if is_address(text) else f"tcp://{text}"
        save_settings(replace(load_settings(), scheduler=address))
        return address
