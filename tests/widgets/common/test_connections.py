"""Connections that end together, of Qt's signals and psygnal's."""

from __future__ import annotations

import psygnal
from qtpy.QtCore import QObject, Signal

from napari_sam.widgets.common.connections import Connections


class Sender(QObject):
    of_qt = Signal(int)


class Model:
    of_psygnal = psygnal.Signal(int)


def test_all_end_together_and_others_stay():
    sender, model, heard, others = Sender(), Model(), [], []
    connections = Connections()
    for signal in (sender.of_qt, model.of_psygnal):
        signal.connect(others.append)
        connections.add(signal, heard.append)
        connections.add(signal, lambda number: heard.append(-number))
        signal.emit(1)
    assert heard == [1, -1, 1, -1]
    connections.close()
    connections.close()
    for signal in (sender.of_qt, model.of_psygnal):
        signal.emit(2)
    assert heard == [1, -1, 1, -1]
    assert others == [1, 1, 2, 2]
