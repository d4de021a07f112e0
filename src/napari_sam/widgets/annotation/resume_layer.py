"""Choice of the Labels layer in which to resume a session: the one that shows its objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from napari.layers import Labels, Layer

from napari_sam.arrays import LazyArray
from napari_sam.io.label_stores.levels import LabelLevels
from napari_sam.planes import Plane
from napari_sam.session.session import Session
from napari_sam.widgets.layers.channel_mix import finest, levels_of
from napari_sam.widgets.layers.image_stack import OURS, ImageStack, is_helper
from napari_sam.widgets.layers.labels_target import store_of, stored_labels, why_not

__all__ = ["STORE", "layer_on_disk", "layer_to_resume_in", "name_as_before"]

STORE = "labels_on_disk"
"""In a session's view: where its labels are, if on disk."""

LEFT_ALONE = (
    "'{}' holds other labels than your saved objects, and stays as it is: they are in '{}'."
)


@dataclass(frozen=True)
class _Shown:
    """Read-only access to the labels of a layer; implements `Readable` by shape."""

    layer: Labels

    def read(self, plane: Plane) -> LazyArray:
        return LabelLevels(levels_of(self.layer)).plane(plane)


def layer_to_resume_in(
    layers: Iterable[Layer], picture: ImageStack, session: Session, chosen: Labels | None
) -> Labels | None:
    """Return the layer in which to resume a saved session; None if a new one is needed.

    That is the one which the user has chosen, if it holds the session's objects or nothing in
    their place; else one that holds them all, first the one of the name that it had.
    """
    labels = (layer for layer in layers if isinstance(layer, Labels) and not is_helper(layer))
    usable = [one for one in labels if not why_not(one, picture) and _has_room(one, session)]
    if chosen in usable and (session.labels.fits(_Shown(chosen)) or _was_torn(chosen, session)):
        return chosen
    if not session.objects:
        return None
    same = [layer for layer in usable if session.labels.shown_in(_Shown(layer))]
    return max(same, key=lambda layer: (_was(layer, session), _is_ours(layer)), default=None)


def layer_on_disk(picture: ImageStack, session: Session) -> Labels | None:
    """Return a layer of the labels on disk that a session has written to; None if not as it left.

    Objects of the last step may be missing in them: they are written when the session goes on.
    """
    path = session.view.get(STORE)
    if not isinstance(path, str):
        return None
    layer = stored_labels(picture, Path(path), _name(session) or picture.layer.name)
    if layer is None or why_not(layer, picture) or not _has_room(layer, session):
        return None
    shown = _Shown(layer)
    right = session.labels.fits(shown) or session.labels.shown_but_last(shown)
    return layer if right else None


def _was_torn(layer: Labels, session: Session) -> bool:
    """Tell whether labels on disk lack no more than the last step of a session that wrote them."""
    stored = store_of(layer)
    was = stored is not None and session.view.get(STORE) == str(stored)
    return was and session.labels.shown_but_last(_Shown(layer))


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
    return max(labels, default=0) <= np.iinfo(finest(layer).dtype).max


def _name(session: Session) -> str:
    """Return what the layer was called; empty if nobody has written that down."""
    name = session.view.get("labels")
    return name if isinstance(name, str) else ""


def _was(layer: Labels, session: Session) -> bool:
    return bool(layer.name == _name(session))


def _is_ours(layer: Labels) -> bool:
    return bool(layer.metadata.get(OURS) == "objects")
