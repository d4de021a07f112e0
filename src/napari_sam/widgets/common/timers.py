"""Timers for what is done a moment later, once."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer

__all__ = ["new_timer"]


def new_timer(
    milliseconds: int, call: Callable[[], object], parent: QObject | None = None
) -> QTimer:
    """Return a timer of Qt that calls once, so long after its last `start`."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(call)
    return timer
