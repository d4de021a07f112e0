"""napari notifications of the panel's messages while nobody looks at the panel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from napari.utils.notifications import show_info
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QLabel

from napari_sam.progress import Progress
from napari_sam.serving.precompute import Precomputed

__all__ = ["Notices"]


class _Signal(Protocol):
    def connect(self, slot: Callable[..., object], /) -> object: ...


class Notices:
    """Shows the results of long work as napari notifications while nobody looks at the panel.

    That is while it is hidden, and for the end of long work while another program is in front, too:
    the window asks for attention then, and the notification stays until somebody is back.

    Parameters
    ----------
    is_unseen : callable
        Tells whether the panel is out of sight.
    works : iterable of (str, signal, QLabel)
        What work is called, the signal of its end, and the label that says then what came of it:
        whoever writes there is connected already.
    """

    def __init__(
        self, is_unseen: Callable[[], bool], works: Iterable[tuple[str, _Signal, QLabel]]
    ) -> None:
        self._is_unseen = is_unseen
        self._told = ""
        for what, ended, label in works:
            ended.connect(
                lambda *_, what=what, label=label: self.tell_end(f"{what}: {label.text()}")
            )

    def tell(self, text: str) -> None:
        """Show a notification once, unless the panel is visible or the text is empty."""
        self._tell(text, self._is_unseen())

    def tell_end(self, text: str) -> None:
        """Show a notification of the end of long work, unless somebody has seen it in the panel."""
        away = is_away()
        if away and text:
            for window in QApplication.topLevelWidgets():
                QApplication.alert(window)
        self._tell(text, away or self._is_unseen())

    def forget(self) -> None:
        """Allow the last notification to be repeated."""
        self._told = ""

    def tell_embedded(self, progress: Progress[Precomputed]) -> None:
        """Notify that all slices are embedded, once they are."""
        if progress.done == progress.total:
            self.tell_end(f"All {progress.total} slices are prepared.")

    def tell_stopped(self, why: str) -> None:
        """Notify why embedding stopped early; do nothing if the text is empty."""
        self.tell_end(why and f"⚠ Not all slices are prepared: {why}")

    def _tell(self, text: str, unseen: bool) -> None:
        if text and text != self._told and unseen:
            self._told = text
            show_info(f"napari-sam: {text}")


def is_away() -> bool:
    """Return whether the windows of another program are in front."""
    return bool(QApplication.applicationState() != Qt.ApplicationState.ApplicationActive)
