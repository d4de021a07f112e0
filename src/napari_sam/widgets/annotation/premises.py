"""Preconditions of a step that is written over many slices: the same session, labels and model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_sam.serving.host import HostedModel

if TYPE_CHECKING:
    from napari_sam.widgets.annotation.annotation import Annotation

__all__ = ["Premises"]

UNDONE = "it was taken back"
CHANGED = "the picture, the model or the Labels layer is another one now"


class Premises:
    """Snapshot of what a long step began with, to be compared before each write.

    Parameters
    ----------
    annotation : Annotation
        Whose session and labels are written to.
    model : HostedModel
        The model that does the work.
    """

    def __init__(self, annotation: Annotation, model: HostedModel) -> None:
        self._annotation, self._model = annotation, model
        self._session, self._target = annotation.session, annotation.target

    def why_over(self, is_open: bool) -> str:
        """Return why nothing more may be written; empty if it may.

        Parameters
        ----------
        is_open : bool
            Whether the undo step still takes masks.
        """
        now = self._annotation
        if not is_open:
            return UNDONE
        same = now.session is self._session and now.target is self._target
        return "" if same and now.model is self._model else CHANGED
