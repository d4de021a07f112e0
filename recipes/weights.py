"""The files that ship: weights of a run with a header that says what they are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sam.data.samples import LabelledImage, data_digest
from napari_sam.errors import CheckpointError
from napari_sam.model.config import CONFIGS
from napari_sam.model.load import Header, digests
from napari_sam.model.sam import Sam
from napari_sam.model.text_decoder import TextDecoder
from napari_sam.model.weights.checkpoint import DECODER
from napari_sam.model.weights.torch_files import read_torch
from napari_sam.text.image_tower import ImageTower
from napari_sam.training.weights import about_file, about_model, save_weights
from napari_sam.zoo.own_models import VERSION

__all__ = ["export", "save_text", "save_tower"]


def export(
    checkpoint: Path,
    output: Path,
    images: Sequence[LabelledImage] = (),
    figures: Mapping[str, object] | None = None,
) -> None:
    """Write the averaged weights of a `cells_tiny` run as the file that ships.

    Of a run that trained the instance head alone, the head alone, for the model that ships.

    Parameters
    ----------
    checkpoint : Path
        Of `Trainer.save`.
    output : Path
    images : sequence of LabelledImage
        That it was trained on; their hash and their data sets go into the header.
    figures : mapping, optional
        How good it is, as `napari-sam evaluate --json` prints it.
    """
    state = read_torch(checkpoint)
    if not (isinstance(state, dict) and {"step", "average"} <= state.keys()):
        raise CheckpointError(f"{checkpoint} is no checkpoint of a run")
    alone = all(name.startswith(DECODER) for name in state["average"])
    header = about_model(CONFIGS["cells_tiny"], "cells_tiny", "decoder" if alone else "full") | {
        "what": "instances" if alone else "everything",
        "steps": state["step"],
        "figures": figures or {},
    }
    if alone:
        header["base"] = {"name": "cells_tiny", "digest": digests("cells_tiny")[0]}
    header |= _made_of(images)
    save_weights(output, state["average"], header)


def save_text(
    file: Path, decoder: TextDecoder, model: Sam, encoder: str, images: Sequence[LabelledImage]
) -> None:
    """Write a text decoder, with the names of the model and the encoder that it works with."""
    base = {"name": model.entry.name, "digest": model.entry.digest}
    about = {"base": base, "encoder": encoder, "width": decoder.width} | _made_of(images)
    save_weights(
        file, decoder.state_dict(), about_model(model.config, model.entry.name, "text") | about
    )


def save_tower(
    file: Path,
    tower: ImageTower,
    bridge: NDArray[np.float32],
    least: float,
    images: Sequence[LabelledImage],
) -> None:
    """Write an image tower with what else a `BuiltInEncoder` is made of."""
    about = {"version": VERSION, "name": "words_tiny", "kind": "words", "least": least}
    state = tower.state_dict() | {"bridge": torch.from_numpy(bridge)}
    save_weights(file, state, about | _made_of(images) | about_file())


def _made_of(images: Sequence[LabelledImage]) -> Header:
    datasets = sorted({image.dataset for image in images})
    return {"data": data_digest(images), "datasets": datasets}
