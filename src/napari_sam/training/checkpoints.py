"""Reader of a run's checkpoint; all of it is validated before any is used."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from napari_sam.errors import CheckpointError
from napari_sam.model.weights.checkpoint import first_few, misfits
from napari_sam.model.weights.tensors import fault
from napari_sam.model.weights.torch_files import read_torch

__all__ = ["fit_optimiser", "read_run"]

Checkpoint = dict[str, Any]
WEIGHTS = "model", "average", "weights"


def read_run(file: Path, ours: Mapping[str, Tensor]) -> Checkpoint:
    """Return a checkpoint of `Trainer.save`, on the CPU; `ours` are the weights in training.

    Raises
    ------
    CheckpointError
        If the file is damaged, of a run that trained other weights, or holds values that are not
        finite.
    """
    state = copy.deepcopy(read_torch(file))  # what it gives lies in the file
    if not (isinstance(state, dict) and {"step", "model", "average"} <= state.keys()):
        raise CheckpointError("it is no checkpoint of a run")
    for part in WEIGHTS:
        wrong = misfits(ours, state.get(part, ours))
        if wrong:
            raise CheckpointError(f"it trained other weights: {first_few(wrong)}")
    if type(state["step"]) is not int or state["step"] < 0:
        raise CheckpointError(f"it counts {state['step']!r} steps")
    for value in _leaves(state):
        wrong_value = fault("it", value) if isinstance(value, Tensor) else ""
        if wrong_value:
            raise CheckpointError(wrong_value)
    return state


def fit_optimiser(optimiser: Optimizer, state: Checkpoint) -> None:
    """Load an optimiser's state after validation.

    Raises
    ------
    CheckpointError
        If it belongs to other weights, or holds numbers that are not finite.
    """
    if not all(math.isfinite(value) for value in _leaves(state) if isinstance(value, float)):
        raise CheckpointError("its optimiser holds values that are not finite")
    optimiser.load_state_dict(state)
    for weight, known in optimiser.state.items():
        for name, value in known.items():
            if name != "step" and isinstance(value, Tensor) and value.shape != weight.shape:
                raise CheckpointError(
                    f"its optimiser's {name} has shape {tuple(value.shape)} instead of "
                    f"{tuple(weight.shape)}"
                )


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            yield from _leaves(part)
    else:
        yield value
