"""Trained weights as files: safetensors with a header that says what they are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

import napari_sam
from napari_sam.data.samples import Picture, data_digest
from napari_sam.errors import CheckpointError
from napari_sam.files import replacing
from napari_sam.inference.embedding import to_half
from napari_sam.inference.image import MEAN, STD
from napari_sam.model.checkpoint import summary
from napari_sam.model.config import CONFIGS, SamConfig
from napari_sam.model.load import digests
from napari_sam.model.lora import adapter_state, merged_state
from napari_sam.model.sam import Sam
from napari_sam.model.tensors import content_hash, fault
from napari_sam.model.text_decoder import TextDecoder
from napari_sam.model.torch_files import read_torch
from napari_sam.text.image_tower import ImageTower
from napari_sam.zoo.catalogue import Entry
from napari_sam.zoo.own_models import VERSION, own_file

__all__ = ["export", "save_own", "save_weights"]


def save_own(
    model: Sam,
    name: str,
    *,
    base: Entry,
    what: str,
    steps: int,
    seed: int,
    data: str,
    figures: Mapping[str, Any],
) -> Path:
    """Write a fine-tuned model into the user's own models.

    Parameters
    ----------
    model : Sam
        With the weights to keep. Of adapters only these are written, if the base can be found by
        its name when they are loaded, else the whole model.
    name : str
        For the lists of models.
    base : Entry
        What it was trained from.
    what : {"decoder", "adapters", "everything"}
    steps, seed : int
    data : str
        Hash of the pictures and labels.
    figures : mapping
        How good it is, as JSON.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the name is taken or no name.
    """
    path = own_file(name)
    # A base that is only a file somewhere would not be found again when adapters are loaded.
    findable = base.digest in digests(base.name)
    kind = "adapters" if what == "adapters" and findable else "full"
    header = _header(model.config, name.strip(), kind) | {
        "base": {"name": base.name, "digest": base.digest},
        "what": what,
        "steps": steps,
        "seed": seed,
        "data": data,
        "figures": figures,
        "licence": base.licence,
        "citation": base.citation,
    }
    state = adapter_state(model) if kind == "adapters" else merged_state(model)
    save_weights(path, state, header)
    return path


def export(
    checkpoint: Path, output: Path, pictures: Sequence[Picture] = (), figures: Any = None
) -> None:
    """Write the averaged weights of a `cells_tiny` run as the file that ships.

    Parameters
    ----------
    checkpoint : Path
        Of `Trainer.save`.
    output : Path
    pictures : sequence of Picture
        That it was trained on; their hash and their data sets go into the header.
    figures : JSON values, optional
        How good it is, as `napari-sam evaluate --json` prints it.
    """
    state = read_torch(checkpoint)
    if not (isinstance(state, dict) and {"step", "average"} <= state.keys()):
        raise CheckpointError(f"{checkpoint} is no checkpoint of a run")
    header = _header(CONFIGS["cells_tiny"], "cells_tiny", "full") | {
        "what": "everything",
        "steps": state["step"],
        "figures": figures or {},
    }
    header |= _made_of(pictures)
    save_weights(output, state["average"], header)


def save_text(
    file: Path, decoder: TextDecoder, model: Sam, encoder: str, pictures: Sequence[Picture]
) -> None:
    """Write a text decoder, with the names of the model and the encoder that it works with."""
    base = {"name": model.entry.name, "digest": model.entry.digest}
    about = {"base": base, "encoder": encoder, "width": decoder.width} | _made_of(pictures)
    save_weights(
        file, decoder.state_dict(), _header(model.config, model.entry.name, "text") | about
    )


def save_tower(
    file: Path,
    tower: ImageTower,
    bridge: NDArray[np.float32],
    least: float,
    pictures: Sequence[Picture],
) -> None:
    """Write an image tower with what else a `BuiltIn` encoder is made of."""
    about = {"version": VERSION, "name": "words_tiny", "kind": "words", "least": least}
    state = tower.state_dict() | {"bridge": torch.from_numpy(bridge)}
    save_weights(file, state, about | _made_of(pictures) | _written())


def save_weights(file: Path, state: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write weights in half precision, complete or not at all.

    Batch normalisation's running statistics stay in single precision: their range is the data's.

    Parameters
    ----------
    file : Path
    state : mapping of str to Tensor
    header : mapping
        Goes into the file as JSON under ``napari_sam``; beside it a hash of all.

    Raises
    ------
    CheckpointError
        For weights that are not finite.
    """
    faults = [wrong for name, value in state.items() if (wrong := fault(name, value.cpu()))]
    if faults:
        raise CheckpointError(
            f"{file.name} is not written: {summary(faults)}. The training went astray; start it "
            "anew with a lower rate"
        )
    kept = {name: _halved(name, value).cpu().contiguous() for name, value in state.items()}
    about = json.dumps(header)
    metadata = {"napari_sam": about, "content": content_hash(about, kept)}
    if "config" in header:
        metadata["config"] = str(header["config"]["name"])
        metadata["intensity"] = str(header["normalisation"]["intensity"])
    with replacing(file) as part:
        try:
            save_file(kept, part, metadata)
        except SafetensorError as error:  # of a full disk, too, which it names in its words only
            raise OSError(f"{file} cannot be written: {error}") from error


def _halved(name: str, value: Tensor) -> Tensor:
    value = value.detach()
    return to_half(value) if value.is_floating_point() and "running_" not in name else value


def _header(config: SamConfig, name: str, kind: str) -> dict[str, Any]:
    return {
        "version": VERSION,
        "name": name,
        "kind": kind,
        "config": asdict(config),
        # Training pictures are stretched by percentiles, whatever the base's rule was.
        "normalisation": {"intensity": "percentile", "mean": MEAN, "std": STD},
    } | _written()


def _made_of(pictures: Sequence[Picture]) -> dict[str, Any]:
    datasets = sorted({picture.dataset for picture in pictures})
    return {"data": data_digest(pictures), "datasets": datasets}


def _written() -> dict[str, Any]:
    return {
        "package": f"napari-sam {napari_sam.__version__}",
        "created": datetime.now(UTC).date().isoformat(),
    }
