"""Warnings about typed words that the text encoder does not know."""

from __future__ import annotations

from napari_sam.serving.host import HostedModel
from napari_sam.widgets.text.controls import TextControls
from napari_sam.widgets.text.work import TextWorker

__all__ = ["UnknownWords"]


class UnknownWords:
    """Cache of the warnings for each text.

    Parameters
    ----------
    controls : TextControls
        Where it is typed, and shown.
    work : TextWorker
        Looks texts up.
    """

    def __init__(self, controls: TextControls, work: TextWorker) -> None:
        self._controls, self._work = controls, work
        self._remarks: dict[str, str] = {}  # of a text, empty if it is known or asked about
        controls.choices.changed.connect(self._show)
        work.remarked.connect(self._take)

    def check(self, model: HostedModel | None) -> None:
        """Check the typed texts in the model's thread, unless cached."""
        if model is None or self._work.reader.missing:
            return
        new = [text for text in self._controls.said if text not in self._remarks]
        if new:
            self._remarks |= dict.fromkeys(new, "")
            self._work.ask(model, new)

    def _take(self, remarks: dict[str, str]) -> None:
        self._remarks |= remarks
        self._show()

    def _show(self) -> None:
        said = self._controls.said
        self._controls.show_unknown([text for one in said if (text := self._remarks.get(one))])
