"""Checkpoint files: read without running anything in them, and recognised by their keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import safetensors
import torch
from torch import Tensor

from napari_sam.errors import CheckpointError
from napari_sam.model.build import SIZES, build
from napari_sam.model.config import SamConfig
from napari_sam.model.weights.tensors import content_hash, fault, kind, misplaced
from napari_sam.model.weights.torch_files import damaged, first_bytes, read_torch

__all__ = [
    "DECODER",
    "differences",
    "first_few",
    "misfits",
    "read_checkpoint",
    "recognise",
    "split_decoder",
]

WRAPPERS = "model_state", "state_dict", "model"  # micro-sam's, and two that are common elsewhere
DECODER_STATE = "decoder_state"  # beside the first of them
DECODER = "instance_decoder."  # before the keys of an instance decoder, wherever they stood
# micro-sam's decoder beside an encoder, or alone: the first key is no other network's.
MARK = "decoder.samplers."
UNETR = re.compile(r"(deconv\d|base|decoder|deconv_out|decoder_head|out_conv)\.")
PREFIXES = "module.", "sam."
SAM2 = re.compile(r"sam_(?=prompt_encoder\.|mask_decoder\.)")  # only some of its keys have it
LONGEST = 100  # characters of a key that are repeated
MOST_SHARED = 2  # times the size of the file: tensors may share what is in it
# What models of others have that no SAM has, so that the message can name them.
RELATIVES = {
    "SAM-HQ": ("mask_decoder.hf_token.",),
    "EfficientSAM": ("prompt_encoder.bbox_top_left_embeddings.",),
    "the transformers package's SAM": ("vision_encoder.",),
}


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a checkpoint's state dict and metadata.

    Parameters
    ----------
    path : Path
        Safetensors, or what `torch.save` wrote: a state dict, bare or wrapped as
        ``{"model_state": ...}``, with or without the prefix ``sam.``; an instance decoder as
        ``"decoder_state"`` beside it, among its keys, or alone.

    Returns
    -------
    state : dict of str to Tensor
        In the precision of the file, on the CPU, under SAM's keys; those of an instance decoder
        begin with ``instance_decoder.``.
    metadata : dict of str to str
        The header of a safetensors file; the intensity rule of micro-sam's finetuned files.

    Raises
    ------
    CheckpointError
        For a file that is damaged, unsafe or holds no weights, or weights that are not finite.
    """
    state: object
    if first_bytes(path)[8:] == b"{":
        state, metadata = _read_safetensors(path)
    else:
        state = read_torch(path, (*WRAPPERS, DECODER_STATE))
        of_micro_sam = isinstance(state, Mapping) and "model_state" in state
        metadata = {"intensity": "min_max"} if of_micro_sam else {}
    bare = _checked(_bare(state, path), path)
    written = metadata.get("content")  # of `napari_sam.training.weights`
    if written and written != content_hash(metadata.get("napari_sam", ""), bare):
        raise damaged(path, "its content is not what was written")
    return bare, metadata


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except Exception as error:  # of kinds of numbers that torch has not anything may be raised
        raise damaged(path, error) from error


def _bare(state: object, path: Path) -> dict[str, Tensor]:
    """Return the state dict without wrappers and prefixes."""
    decoder: dict[str, Tensor] = {}
    if isinstance(state, Mapping) and DECODER_STATE in state:
        decoder = _named(state[DECODER_STATE], f"{path}, as the instance decoder,")
        state = {key: value for key, value in state.items() if key != DECODER_STATE} or decoder
    for wrapper in WRAPPERS:
        if isinstance(state, Mapping) and isinstance(state.get(wrapper), Mapping):
            state = state[wrapper]
    bare = _named(state, str(path))
    for prefix in PREFIXES:
        if all(key.startswith(prefix) for key in bare):
            bare = {key.removeprefix(prefix): value for key, value in bare.items()}
    bare = {SAM2.sub("", key, count=1) if SAM2.match(key) else key: bare[key] for key in bare}
    if any(key.startswith(MARK) for key in bare):
        bare = {_of_unetr(key): value for key, value in bare.items()}
    return bare | {f"{DECODER}{key}": value for key, value in decoder.items()}


def _named(state: object, where: str) -> dict[str, Tensor]:
    """Return a state dict, once it is known to be one."""
    if not (isinstance(state, Mapping) and state):
        raise CheckpointError(f"{where} holds no weights but {type(state).__name__}")
    for key, value in state.items():
        if not isinstance(key, str):
            raise CheckpointError(f"{where} is no state dict: its keys are no names")
        if not isinstance(value, Tensor):
            raise CheckpointError(f"{where} is no state dict: {key[:LONGEST]!r} is no tensor")
    return dict(state)


def _of_unetr(key: str) -> str:
    """Return our key for one of a network that is an encoder of SAM and micro-sam's decoder."""
    if UNETR.match(key):
        return DECODER + key
    return f"image_{key}" if key.startswith("encoder.") else key


def split_decoder(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the state dicts of a SAM and of its instance decoder, which may be empty.

    Examples
    --------
    >>> _, decoder = split_decoder({"instance_decoder.out_conv.bias": torch.zeros(3)})
    >>> list(decoder)
    ['out_conv.bias']
    """
    sam = {key: value for key, value in state.items() if not key.startswith(DECODER)}
    decoder = {key.removeprefix(DECODER): state[key] for key in state if key not in sam}
    return sam, decoder


def _checked(state: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Return copies that lie in memory as models want them, once all are known to be weights."""
    faults = [misplaced(key[:LONGEST], value) for key, value in state.items()]
    size = sum(value.numel() * value.element_size() for value in state.values())
    if not any(faults) and size > MOST_SHARED * path.stat().st_size:
        faults = ["its tensors are the same numbers many times over"]
    if not any(faults):
        faults = [fault(key[:LONGEST], value) for key, value in state.items()]
    faults = [one for one in faults if one]
    if faults:
        raise CheckpointError(
            f"{path} holds no weights that can be used: {first_few(faults)}. It was damaged, its "
            "training went astray, or it is made for something else; take another file"
        )
    return {
        key: value.detach().clone(memory_format=torch.contiguous_format)
        for key, value in state.items()
    }


def recognise(state: Mapping[str, Tensor]) -> SamConfig:
    """Return the configuration that a state dict's keys and shapes fit.

    Raises
    ------
    CheckpointError
        For another architecture: its name where it is known, else what differs from the nearest.
    """
    for name, prefixes in RELATIVES.items():
        if any(key.startswith(prefixes) for key in state):
            raise CheckpointError(
                f"these are weights of {name}, which this version cannot use; "
                f"use weights of one of {', '.join(SIZES)}"
            )
    found = {config.name: differences(config, state) for config in SIZES.values()}
    nearest = min(found, key=lambda name: len(found[name]))
    if found[nearest]:
        raise CheckpointError(
            f"these weights fit no model of {', '.join(SIZES)}; the nearest is {nearest}: "
            + first_few(found[nearest])
        )
    return SIZES[nearest]


def differences(config: SamConfig, state: Mapping[str, Tensor]) -> list[str]:
    """Return why a state dict does not fit a configuration: one line a key."""
    return misfits(_shapes(config), state)


@cache
def _shapes(config: SamConfig) -> dict[str, Tensor]:
    with torch.device("meta"):  # shapes without memory
        return build(config).state_dict()


def misfits(ours: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> list[str]:
    """Return why a state dict does not fit another's keys and shapes: one line a key.

    Examples
    --------
    >>> misfits({"a": torch.zeros(2)}, {"a": torch.zeros(3), "b": torch.zeros(1)})
    ['b is unknown', 'a has shape (3,) instead of (2,)']
    """
    both = [(key, value, state[key]) for key, value in ours.items() if key in state]
    return (
        [f"{key} is missing" for key in ours if key not in state]
        + [f"{key} is unknown" for key in state if key not in ours]
        + [
            f"{key} has shape {tuple(theirs.shape)} instead of {tuple(value.shape)}"
            for key, value, theirs in both
            if theirs.shape != value.shape
        ]
        + [
            f"{key} holds whole numbers ({kind(theirs)})"
            for key, value, theirs in both
            if value.is_floating_point() and not theirs.is_floating_point()
        ]
    )


def first_few(lines: list[str], max_lines: int = 4) -> str:
    """Join the first few lines and count the rest.

    Examples
    --------
    >>> first_few(["a is missing", "b is missing"], max_lines=1)
    'a is missing; and 1 more'
    """
    rest = len(lines) - max_lines
    return "; ".join(lines[:max_lines]) + (f"; and {rest} more" if rest > 0 else "")
