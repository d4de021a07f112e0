"""What the panel says is not lost while nobody sees it: napari tells of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari.utils.notifications import show_info

if TYPE_CHECKING:
    from napari_sam.serving.precompute import Progress
    from napari_sam.widgets.panel import Panel

__all__ = ["Away"]


class Away:
    """Says in notifications of napari what came of long work, while a panel is out of sight.

    Parameters
    ----------
    panel : Panel
        Whose work goes on; all of it is connected already.
    unseen : callable
        Tells whether the panel is out of sight.
    """

    def __init__(self, panel: Panel, unseen: Callable[[], bool]) -> None:
        self._unseen = unseen
        self._told = ""
        stack, auto, text, train = panel.stack, panel.auto, panel.text, panel.training
        for what, ended, label in (
            ("Stack", stack.work.ended, stack.controls.status),
            ("Auto", auto.work.ended, auto.controls.status),
            ("Auto", auto.stack.ended, auto.controls.status),
            ("Auto", auto.loop.ended, auto.controls.status),
            ("Text", text.work.ended, text.controls.status),
            ("Train", train.work.ended, train.controls.status),
            ("Refine labels", panel.refining.ended, panel.controls.refine.text),
        ):
            ended.connect(lambda *_, what=what, label=label: self.tell(f"{what}: {label.text()}"))
        panel.precompute.progressed.connect(self._tell_embedded)
        panel.precompute.stopped.connect(self._tell_stopped)
        panel.prompting.remarked.connect(self.tell)

    def tell(self, text: str) -> None:
        """Tell something once, unless the panel shows it; an empty text is nothing."""
        if text and text != self._told and self._unseen():
            self._told = text
            show_info(f"napari-sam: {text}")

    def forget(self) -> None:
        """Tell the same again."""
        self._told = ""

    def _tell_embedded(self, progress: Progress) -> None:
        if progress.done == progress.total:
            self.tell(f"All {progress.total} slices are embedded.")

    def _tell_stopped(self, why: str) -> None:
        self.tell(why and f"⚠ Not all slices are embedded: {why}")
