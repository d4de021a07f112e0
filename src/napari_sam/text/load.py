"""Load dual encoders by name."""

from __future__ import annotations

import math
from importlib.resources import as_file, files
from pathlib import Path

import torch

from napari_sam.errors import CheckpointError
from napari_sam.model.weights.checkpoint import first_few, misfits, read_checkpoint
from napari_sam.text import BUILT_IN
from napari_sam.text.builtin import BuiltInEncoder
from napari_sam.text.clip import load_clip
from napari_sam.text.encoder import Encoder
from napari_sam.text.image_tower import ImageTower
from napari_sam.zoo.own_models import read_header

__all__ = ["BUILT_IN", "load_encoder", "read_tower"]


def load_encoder(name: str = BUILT_IN) -> Encoder:
    """Load the built-in encoder, or a CLIP-like one that `transformers` can read.

    Parameters
    ----------
    name : str
        ``"words_tiny"``; else the folder of a model with its processor, or its name on the Hugging
        Face hub if it was downloaded before.

    Raises
    ------
    InputError
        If the extra ``text`` is not installed, or there is no such model here.
    """
    if name != BUILT_IN:
        return load_clip(name)
    with as_file(files(__package__) / "pretrained" / f"{BUILT_IN}.safetensors") as path:
        return read_tower(path)


def read_tower(path: Path) -> BuiltInEncoder:
    """Load the built-in encoder's weights: image tower, bridge and threshold of familiarity.

    Raises
    ------
    CheckpointError
        If the file is damaged, or holds something else.
    """
    state, _ = read_checkpoint(path)
    tower = ImageTower()
    bridge = torch.zeros(BuiltInEncoder.width, BuiltInEncoder.width)
    min_familiarity = read_header(path).get("least")
    wrong = misfits({**tower.state_dict(), "bridge": bridge}, state)
    if wrong or not (isinstance(min_familiarity, float) and math.isfinite(min_familiarity)):
        why = first_few(wrong) or f"the least similarity of known words is {min_familiarity!r}"
        raise CheckpointError(f"{path} holds no encoder of words: {why}")
    weights = {name: value.float() for name, value in state.items()}
    bridge = weights.pop("bridge")
    tower.load_state_dict(weights)
    return BuiltInEncoder(tower.eval().requires_grad_(False), bridge.numpy(), min_familiarity)
