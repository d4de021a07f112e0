"""Pictures that are opened while another one is annotated: worked on at once, or offered."""

from __future__ import annotations

from collections.abc import Callable

from napari.layers import Image, Layer

from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.annotation.queries import Answer, Query
from napari_sam.widgets.layers.channel_mix import finest
from napari_sam.widgets.layers.image_stack import is_helper

__all__ = ["greet"]

GESTURE = "gesture"


def greet(annotation: Annotation, layer: Layer, take: Callable[[Image], object]) -> None:
    """Take up a picture that was just opened, or offer it.

    It is taken up at once if nothing has been drawn in the other one. It is only offered if there
    is work in that, or if both may be channels of one picture.

    Parameters
    ----------
    annotation : Annotation
        Of the picture that is annotated.
    layer : Layer
        What was opened, of any kind.
    take : callable
        Changes to a picture.
    """
    now = annotation.picture.layer
    if not isinstance(layer, Image) or is_helper(layer) or layer is now:
        return
    session = annotation.session
    untouched = session.draft.is_empty and not session.objects and not session.can_redo
    alike = finest(layer).shape == finest(now).shape and layer.rgb == now.rgb
    if untouched and not alike:
        take(layer)
        return
    text = f"Clicks go to '{now.name}', not to '{layer.name}'."
    answer = Answer(
        f"Work on '{layer.name}'", lambda: take(layer), "What you did so far stays in its labels"
    )
    annotation.queries.ask(Query(GESTURE, text, (answer,)))
