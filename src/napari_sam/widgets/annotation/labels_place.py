"""Offer to move the Labels layer along when the picture is moved or scaled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Labels
from napari.utils.events import Event

from napari_sam.widgets.annotation.queries import Answer, Query
from napari_sam.widgets.layers.transform import TRANSFORM, move

if TYPE_CHECKING:
    from napari_sam.widgets.annotation.annotation import Annotation

__all__ = ["LabelsPlace"]

KIND = "scale"


class LabelsPlace:
    """Asks what becomes of labels that lay on the picture and do not any more."""

    def __init__(self, annotation: Annotation, layer: Labels) -> None:
        self._annotation = annotation
        self._layer = layer
        self._picture = annotation.picture
        self._picture.on_move(self._compare)
        for name in TRANSFORM:
            getattr(layer.events, name).connect(self._compare)

    def close(self) -> None:
        """Disconnect from both layers, and ask no longer."""
        self._picture.on_move(self._compare, connect=False)
        for name in TRANSFORM:
            getattr(self._layer.events, name).disconnect(self._compare)
        self._annotation.queries.withdraw(KIND)

    def _compare(self, event: Event | None = None) -> None:
        queries, picture, labels = self._annotation.queries, self._picture, self._layer
        if picture.transform.is_of(labels):
            queries.withdraw(KIND)
            return
        text = (
            f"The scale or place of '{picture.layer.name}' has changed, and '{labels.name}' is "
            "where it was: nothing can be written to it there."
        )
        answers = (
            Answer("Move labels along", self._move, "Give them the picture's scale and place"),
            Answer("Leave them", lambda: None, "They can be written to when both fit again"),
        )
        queries.ask(Query(KIND, text, answers))

    def _move(self) -> None:
        move(self._layer, self._picture.transform.arguments)
