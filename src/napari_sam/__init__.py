"""Point at a cell and get its mask: Segment Anything for microscopy, in napari and without it."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_sam import text
    from napari_sam.inference.automatic.linking import link_slices
    from napari_sam.inference.automatic.search import propose_grid
    from napari_sam.inference.automatic.selection import Selection, proposals_to_labels
    from napari_sam.inference.automatic.settings import GridSettings
    from napari_sam.inference.mask_prompts import PromptRule
    from napari_sam.inference.predictor import Predictor
    from napari_sam.inference.propagation.propagate import propagate
    from napari_sam.inference.propagation.settings import PropagateSettings
    from napari_sam.inference.refinement.refine import refine
    from napari_sam.model.load import load_model
    from napari_sam.prompts import ABSENT, Prompts
    from napari_sam.results import Prediction, Proposal, Step

__all__ = [
    "ABSENT",
    "GridSettings",
    "Prediction",
    "Predictor",
    "PromptRule",
    "Prompts",
    "PropagateSettings",
    "Proposal",
    "Selection",
    "Step",
    "__version__",
    "link_slices",
    "load_model",
    "propagate",
    "proposals_to_labels",
    "propose_grid",
    "refine",
    "text",
]

# Threads that wait shall sleep, not spin: beside a busy program two spinning threads made one click
# four to nine times slower than one thread, two sleeping ones did not. Torch reads it as it loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__: str
# Loaded when first asked for, so that importing the package stays quick.
HOMES = {
    "ABSENT": "napari_sam.prompts",
    "GridSettings": "napari_sam.inference.automatic.settings",
    "Prediction": "napari_sam.results",
    "Predictor": "napari_sam.inference.predictor",
    "PromptRule": "napari_sam.inference.mask_prompts",
    "Prompts": "napari_sam.prompts",
    "PropagateSettings": "napari_sam.inference.propagation.settings",
    "Proposal": "napari_sam.results",
    "Selection": "napari_sam.inference.automatic.selection",
    "Step": "napari_sam.results",
    "link_slices": "napari_sam.inference.automatic.linking",
    "load_model": "napari_sam.model.load",
    "propagate": "napari_sam.inference.propagation.propagate",
    "proposals_to_labels": "napari_sam.inference.automatic.selection",
    "propose_grid": "napari_sam.inference.automatic.search",
    "refine": "napari_sam.inference.refinement.refine",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        from napari_sam.errors import DISTRIBUTION

        return version(DISTRIBUTION)
    if name == "text":
        return import_module("napari_sam.text")
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
