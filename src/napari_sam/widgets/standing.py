"""How a view stands: written down as JSON, and put back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari.components import ViewerModel

from napari_sam.widgets.annotation import Annotation
from napari_sam.widgets.prompt_layers import Tool

__all__ = ["put_back", "standing"]


def standing(viewer: ViewerModel, annotation: Annotation) -> dict[str, Any]:
    """Return the view, the model, the tool and the name of the labels."""
    dims, camera, layer = viewer.dims, viewer.scene.camera, annotation.picture.layer
    return {
        "point": [float(at) for at in dims.point],
        "order": [int(axis) for axis in dims.order],
        "ndisplay": int(dims.ndisplay),
        "center": [float(at) for at in camera.center],
        "zoom": float(camera.zoom),
        "angles": [float(angle) for angle in camera.angles],
        "contrast": None if layer.rgb else [float(at) for at in layer.contrast_limits],
        "model": None if annotation.model is None else annotation.model.name,
        "tool": annotation.tool.name,
        "labels": None if annotation.target is None else annotation.target.name,
    }


def put_back(view: Mapping[str, Any], viewer: ViewerModel, annotation: Annotation) -> None:
    """Make the viewer show what it showed; what does not fit it any more is left alone."""
    dims, camera = viewer.dims, viewer.scene.camera
    if sorted(view.get("order", [])) == list(range(dims.ndim)):
        dims.ndisplay = view["ndisplay"]
        dims.order = tuple(view["order"])
        dims.set_point(range(dims.ndim), view["point"])
        camera.angles, camera.zoom = tuple(view["angles"]), view["zoom"]
        camera.center = tuple(view["center"])
    if view.get("contrast") and not annotation.picture.layer.rgb:
        annotation.picture.layer.contrast_limits = view["contrast"]
    if view.get("tool") in Tool.__members__:
        annotation.arm(Tool[view["tool"]])
