"""Choice of the Labels layer in which to resume a session: the one that shows its objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from napari.layers import Labels, Layer
from numpy.typing import NDArray

from napari_sam.planes import Plane
from napari_sam.session.session import Session
from napari_sam.widgets.layers.image_stack import OURS, ImageStack, is_helper, on_plane
from napari_sam.widgets.layers.labels_target import why_not

__all__ = ["layer_to_resume_in", "name_as_before"]

LEFT_ALONE = (
    "'{}' holds other labels than your saved objects, and stays as it is: they are in '{}'."
)


@dataclass(frozen=True)
class _Shown:
    """Read-only access to the labels of a layer; implements `Readable` by shape."""

    layer: Labels

    def read(self, plane: Plane) -> NDArray[np.integer]:
        return np.asarray(self.layer.data[on_plane(plane)])


def layer_to_resume_in(
    layers: Iterable[Layer], picture: ImageStack, session: Session, chosen: Labels | None
) -> Labels | None:
    """Return the layer in which to resume a saved session; None if a new one is needed.

    That is the one which the user has chosen, if it holds the session's objects or nothing in
    their place; else one that holds them all, first the one of the name that it had.
    """
    labels = (layer for layer in layers if isinstance(layer, Labels) and not is_helper(layer))
    usable = [one for one in labels if not why_not(one, picture) and _has_room(one, session)]
    if chosen in usable and session.labels.fits(_Shown(chosen)):
        return chosen
    if not session.objects:
        return None
    same = [layer for layer in usable if session.labels.shown_in(_Shown(layer))]
    return max(same, key=lambda layer: (_was(layer, session), _is_ours(layer)), default=None)


def name_as_before(
    layers: Iterable[Layer], session: Session, new: Labels, chosen: Labels | None
) -> str:
    """Name a new layer as before; return why the previous or chosen layer is not used."""
    others = (layer for layer in layers if isinstance(layer, Labels) and layer is not new)
    other = chosen or next((layer for layer in others if _was(layer, session)), None)
    new.name = _name(session) or new.name
    return "" if other is None else LEFT_ALONE.format(other.name, new.name)


def _has_room(layer: Labels, session: Session) -> bool:
    """Tell whether the labels of all objects fit a layer's type."""
    objects = session.objects.values()
    labels = [held.class_id if session.semantic else held.id for held in objects]
    return max(labels, default=0) <= np.iinfo(layer.data.dtype).max


def _name(session: Session) -> str:
    """Return what the layer was called; empty if nobody has written that down."""
    name = session.view.get("labels")
    return name if isinstance(name, str) else ""


def _was(layer: Labels, session: Session) -> bool:
    return bool(layer.name == _name(session))


def _is_ours(layer: Labels) -> bool:
    return bool(layer.metadata.get(OURS) == "objects")
