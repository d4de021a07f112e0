"""Weights files: read without running anything that is in them, and recognised by their keys."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from torch import Tensor

from napari_sam.errors import CheckpointError
from napari_sam.model.config import CONFIGS, SamConfig
from napari_sam.model.sam import Sam

__all__ = ["differences", "read_checkpoint", "recognise"]

WRAPPERS = "model_state", "state_dict", "model"  # micro-sam's, and two that are common elsewhere
PREFIXES = "module.", "sam."
# What models of others have that no SAM has, so that the message can name them.
RELATIVES = {
    "SAM 2": ("image_encoder.trunk.", "memory_attention.", "sam_mask_decoder."),
    "SAM-HQ": ("mask_decoder.hf_token.",),
    "EfficientSAM": ("prompt_encoder.bbox_top_left_embeddings.",),
    "the transformers package's SAM": ("vision_encoder.",),
    "micro-sam's decoder for automatic segmentation": ("decoder.samplers.", "decoder.blocks."),
}


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read the weights and what the file says about itself.

    Parameters
    ----------
    path : Path
        Safetensors, or what `torch.save` wrote: a state dict, bare or wrapped as
        ``{"model_state": ...}``, with or without the prefix ``sam.``.

    Returns
    -------
    state : dict of str to Tensor
        As stored, on the CPU, under SAM's keys.
    metadata : dict of str to str
        The header of a safetensors file; the intensity rule of micro-sam's finetuned files.

    Raises
    ------
    CheckpointError
        For a file that is damaged, unsafe or holds no weights.
    """
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except OSError as error:
        raise CheckpointError(f"cannot read the weights {path}: {error.strerror}") from error
    if head[8:] == b"{":
        return _read_safetensors(path)
    saved = _read_torch(path, head)
    fits_micro_sam = isinstance(saved, Mapping) and "model_state" in saved
    return _bare(saved, path), {"intensity": "min_max"} if fits_micro_sam else {}


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except safetensors.SafetensorError as error:
        raise CheckpointError(_damaged(path, error)) from error


def _read_torch(path: Path, head: bytes) -> Any:
    if head.startswith(b"PK") and not zipfile.is_zipfile(path):
        raise CheckpointError(_damaged(path, "its end is missing"))
    if head.lstrip().startswith(b"<"):
        raise CheckpointError(f"{path} is a web page, not weights; download the file itself")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "Unsupported operand" in str(error):  # no pickle at all; the rest names a class
            raise CheckpointError(_damaged(path, "it does not start as one")) from error
        raise CheckpointError(
            f"{path} holds Python objects besides weights; loading them could run any code, so it "
            "is refused. If you trust its origin, save the bare weights where it was made: "
            "micro-sam's best.pt with micro_sam.util.export_custom_sam_model, others with "
            "`torch.save(torch.load(file, weights_only=False)['model_state'], 'weights.pt')`"
        ) from error
    except Exception as error:  # at damaged files torch raises whatever it stumbles over
        raise CheckpointError(_damaged(path, error)) from error


def _damaged(path: Path, reason: object) -> str:
    first = str(reason).splitlines()[0] if str(reason) else type(reason).__name__
    return (
        f"{path} ({path.stat().st_size} bytes) is damaged, incomplete or no weights file: "
        f"{first}. Download or copy it again"
    )


def _bare(state: Any, path: Path) -> dict[str, Tensor]:
    """Take off wrappers and prefixes."""
    for wrapper in WRAPPERS:
        if isinstance(state, Mapping) and isinstance(state.get(wrapper), Mapping):
            state = state[wrapper]
    if not (isinstance(state, Mapping) and state):
        raise CheckpointError(f"{path} holds no weights but {type(state).__name__}")
    strange = [key for key, value in state.items() if not isinstance(value, Tensor)]
    if strange:
        raise CheckpointError(f"{path} is no state dict: {strange[0]!r} is no tensor")
    for prefix in PREFIXES:
        if all(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    return dict(state)


def recognise(state: Mapping[str, Tensor]) -> SamConfig:
    """Tell a model's size by its keys and shapes.

    Raises
    ------
    CheckpointError
        For another architecture: its name where it is known, else what differs from the nearest.
    """
    for name, prefixes in RELATIVES.items():
        if any(key.startswith(prefixes) for key in state):
            raise CheckpointError(
                f"these are weights of {name}, which this version cannot use; "
                f"use weights of one of {', '.join(CONFIGS)}"
            )
    found = {config.name: differences(config, state) for config in CONFIGS.values()}
    nearest = min(found, key=lambda name: len(found[name]))
    if found[nearest]:
        raise CheckpointError(
            f"these weights fit no model of {', '.join(CONFIGS)}; the nearest is {nearest}: "
            + summary(found[nearest])
        )
    return CONFIGS[nearest]


def differences(config: SamConfig, state: Mapping[str, Tensor]) -> list[str]:
    """Return what keeps the state from loading into that model: one line a key."""
    with torch.device("meta"):  # shapes without memory
        ours = Sam(config).state_dict()
    return (
        [f"{key} is missing" for key in ours if key not in state]
        + [f"{key} is unknown" for key in state if key not in ours]
        + [
            f"{key} has shape {tuple(state[key].shape)} instead of {tuple(value.shape)}"
            for key, value in ours.items()
            if key in state and state[key].shape != value.shape
        ]
    )


def summary(lines: list[str], most: int = 4) -> str:
    """Join the first lines and count the rest.

    Examples
    --------
    >>> summary(["a is missing", "b is missing"], most=1)
    'a is missing; and 1 more'
    """
    rest = len(lines) - most
    return "; ".join(lines[:most]) + (f"; and {rest} more" if rest > 0 else "")
