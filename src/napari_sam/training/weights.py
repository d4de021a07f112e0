"""Writer of trained weights: safetensors with a metadata header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

import napari_sam
from napari_sam.errors import CheckpointError
from napari_sam.files import replacing
from napari_sam.inference.embedding import to_half
from napari_sam.inference.image import MEAN, STD
from napari_sam.model.config import SamConfig
from napari_sam.model.instances.load import own_decoder
from napari_sam.model.load import Header, digests
from napari_sam.model.lora import adapter_state, merged_state
from napari_sam.model.sam import Sam
from napari_sam.model.weights.checkpoint import DECODER, first_few
from napari_sam.model.weights.tensors import content_hash, fault
from napari_sam.zoo.catalogue import Entry
from napari_sam.zoo.own_models import VERSION, own_file

__all__ = ["about_file", "about_model", "save_own", "save_weights"]


def save_own(
    model: Sam,
    name: str,
    *,
    base: Entry,
    what: str,
    steps: int,
    seed: int,
    data: str,
    figures: Mapping[str, object],
) -> Path:
    """Save a fine-tuned model among the user's own; return its path.

    Parameters
    ----------
    model : Sam
        With the weights to keep. Of adapters only these are written, and the instance decoder if it
        learned with them, where the base can be found by its name when they are loaded, else the
        whole model.
    name : str
        For the lists of models.
    base : Entry
        What it was trained from.
    what, steps, seed
        Which weights were trained, for how many steps, from which seed.
    data : str
        Hash of the images and labels.
    figures : mapping
        How good it is, as JSON.

    Raises
    ------
    InputError
        If the name is taken or no name.
    """
    path = own_file(name)
    decoder = _learned_decoder(model)
    # A base that is only a file somewhere would not be found again when adapters are loaded; nor
    # would an instance decoder that was named beside it.
    findable = base.digest in digests(base.name) and (
        bool(decoder) or base.decoder == own_decoder(base.name)
    )
    kind = "adapters" if what == "adapters" and findable else "full"
    header = about_model(model.config, name.strip(), kind) | {
        "base": {"name": base.name, "digest": base.digest},
        "what": what,
        "steps": steps,
        "seed": seed,
        "data": data,
        "figures": figures,
        "licence": base.licence,
        "citation": base.citation,
    }
    state = adapter_state(model) | decoder if kind == "adapters" else merged_state(model)
    save_weights(path, state, header)
    return path


def _learned_decoder(model: Sam) -> dict[str, Tensor]:
    """Return the instance decoder under the keys of a model's file; empty if it did not learn."""
    decoder = model.instance_decoder
    if decoder is None or not any(p.requires_grad for p in decoder.parameters()):
        return {}
    return {DECODER + name: value for name, value in decoder.state_dict().items()}


def save_weights(file: Path, state: Mapping[str, Tensor], header: Header) -> None:
    """Write weights in half precision, atomically.

    Batch normalisation's running statistics stay in single precision: their range is the data's.
    The header goes into the file as JSON under ``napari_sam``; beside it a hash of all.

    Raises
    ------
    CheckpointError
        For weights that are not finite.
    """
    faults = [wrong for name, value in state.items() if (wrong := fault(name, value.cpu()))]
    if faults:
        raise CheckpointError(
            f"{file.name} is not written: {first_few(faults)}. The training went astray; start it "
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


def about_model(config: SamConfig, name: str, kind: str) -> Header:
    """Return the header entries on the model and on the software that wrote it."""
    return {
        "version": VERSION,
        "name": name,
        "kind": kind,
        "config": asdict(config),
        # Training pictures are stretched by percentiles, whatever the base's rule was.
        "normalisation": {"intensity": "percentile", "mean": MEAN, "std": STD},
    } | about_file()


def about_file() -> Header:
    """Return the header entries on the software that wrote the file, and the date."""
    return {
        "package": f"napari-sam {napari_sam.__version__}",
        "created": datetime.now(UTC).date().isoformat(),
    }
