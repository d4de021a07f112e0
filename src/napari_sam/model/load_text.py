"""The weights with which a model understands words: small files beside those of the model."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

import torch

from napari_sam.errors import CheckpointError
from napari_sam.model.checkpoint import misfits, read_checkpoint, summary
from napari_sam.model.config import CONFIGS
from napari_sam.model.sam import Sam
from napari_sam.model.text_decoder import TextDecoder
from napari_sam.own_models import read_header

__all__ = ["load_text", "read_text"]

BUILT_IN = "cells_tiny_text.safetensors"


def load_text(model: Sam) -> TextDecoder | None:
    """Return what answers prompts with words, in evaluation mode; None if nothing was trained.

    That which comes with the package belongs to the built-in model and to no other: it was trained
    on what that model's encoders see.
    """
    shipped = files(__package__) / "pretrained" / BUILT_IN
    if not shipped.is_file():
        return None
    with as_file(shipped) as path:
        if read_header(path).get("base", {}).get("digest") != model.entry.digest:
            return None
        return read_text(path).to(model.device)


def read_text(path: Path) -> TextDecoder:
    """Read a text decoder from a file that `napari_sam.training` wrote.

    Raises
    ------
    CheckpointError
        If the file is damaged, or holds something else.
    """
    state, metadata = read_checkpoint(path)
    header = read_header(path) if "napari_sam" in metadata else {}
    if header.get("kind") != "text":
        raise CheckpointError(f"{path} holds no weights for text prompts")
    try:
        with torch.device("meta"):  # a file may say any width; what it holds decides
            decoder = TextDecoder(CONFIGS[header["config"]["name"]], header["width"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} does not describe its weights: {error!r}") from error
    wrong = misfits(decoder.state_dict(), state)
    if wrong:
        raise CheckpointError(f"{path} does not fit its own description: {summary(wrong)}")
    decoder.load_state_dict({name: value.float() for name, value in state.items()}, assign=True)
    return decoder.eval().requires_grad_(False)
