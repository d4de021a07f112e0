"""From a training checkpoint to a weights file that can be shipped."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from napari_sam.files import replacing

__all__ = ["export"]


def export(checkpoint: Path, output: Path) -> None:
    """Write the averaged weights in half precision, with a header that says what they are.

    Batch normalisation's running statistics stay in single precision: their range is the data's.
    """
    state = torch.load(checkpoint, weights_only=True)
    weights = {
        name: value.half() if value.is_floating_point() and "running_" not in name else value
        for name, value in state["average"].items()
    }
    header = {"config": "cells_tiny", "intensity": "percentile", "steps": str(state["step"])}
    with replacing(output) as part:
        save_file({k: v.contiguous() for k, v in weights.items()}, part, metadata=header)
