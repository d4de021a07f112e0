"""Single-shot Qt timers."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer

__all__ = ["new_timer"]


def new_timer(
    milliseconds: int, call: Callable[[], object], parent: QObject | None = None
) -> QTimer:
    """Return a single-shot Qt timer; each `start` restarts the delay (debounce)."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(call)
    return timer
