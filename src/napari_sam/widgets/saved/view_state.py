"""View state of the viewer: saved as JSON, and restored."""

from __future__ import annotations

from collections.abc import Mapping

from napari.components import ViewerModel

from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.annotation.resume_layer import STORE
from napari_sam.widgets.layers.labels_target import store_of
from napari_sam.widgets.layers.prompt_layers import Tool

__all__ = ["restore_view", "view_state"]

FAR = 1e15


def view_state(
    viewer: ViewerModel, annotation: Annotation, settings: Mapping[str, object]
) -> dict[str, object]:
    """Return the camera and dims, the model, the tool and the name of the Labels layer.

    With the settings in force, which are not restored: they tell how objects were made.
    """
    dims, camera, layer = viewer.dims, viewer.scene.camera, annotation.picture.layer
    stored = store_of(annotation.target)
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
        "settings": dict(settings),
        STORE: None if stored is None else str(stored),
    }


def restore_view(view: Mapping[str, object], viewer: ViewerModel, annotation: Annotation) -> None:
    """Restore the view state; skip values that do not fit the image."""
    dims, camera, layer = viewer.dims, viewer.scene.camera, annotation.picture.layer
    order, point = (_numbers(view.get(key), dims.ndim) for key in ("order", "point"))
    center, angles = (_numbers(view.get(key), 3) for key in ("center", "angles"))
    zoom, contrast = _numbers([view.get("zoom")], 1), _numbers(view.get("contrast"), 2)
    if point and sorted(order) == list(range(dims.ndim)):
        dims.ndisplay = 3 if view.get("ndisplay") == 3 else 2
        dims.order = tuple(int(axis) for axis in order)
        dims.set_point(range(dims.ndim), point)
        camera.angles, camera.center = angles or camera.angles, center or camera.center
        camera.zoom = zoom[0] if zoom and zoom[0] > 0 else camera.zoom
    if contrast and contrast[0] < contrast[1] and not layer.rgb:
        layer.contrast_limits = contrast
    tool = view.get("tool")
    if isinstance(tool, str) and tool in Tool.__members__:
        annotation.arm(Tool[tool])


def _numbers(value: object, count: int) -> tuple[float, ...]:
    """Return so many finite numbers; none if this is anything else."""
    if not isinstance(value, list | tuple) or len(value) != count:
        return ()
    right = all(isinstance(one, int | float) and abs(one) < FAR for one in value)
    return tuple(value) if right else ()
