"""Point at a cell and get its mask: Segment Anything for microscopy, in napari and without it."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor
    from napari_sam.model.load import load_model
    from napari_sam.prompts import Prompts
    from napari_sam.results import Prediction

__all__ = ["Prediction", "Predictor", "Prompts", "__version__", "load_model"]

# Threads that wait shall sleep, not spin: beside a busy program two spinning threads made one click
# four to nine times slower than one thread, two sleeping ones did not. Torch reads it as it loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__: str
# Loaded when first asked for, so that importing the package stays quick.
HOMES = {
    "Prediction": "napari_sam.results",
    "Predictor": "napari_sam.inference.predictor",
    "Prompts": "napari_sam.prompts",
    "load_model": "napari_sam.model.load",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("napari-sam")
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
