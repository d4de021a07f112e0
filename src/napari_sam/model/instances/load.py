"""Instance decoders from files: of micro-sam or our own, with their model or beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from napari_sam.errors import CheckpointError, InputError
from napari_sam.files import file_hash
from napari_sam.model.config import CONFIGS, SamConfig
from napari_sam.model.instances.head import RATING, InstanceHead, is_own
from napari_sam.model.instances.rating import CandidateRating
from napari_sam.model.instances.unetr_decoder import WIDTH, UnetrDecoder, is_transposed
from napari_sam.model.sam import Sam
from napari_sam.model.weights.checkpoint import (
    first_few,
    misfits,
    read_checkpoint,
    split_decoder,
)
from napari_sam.zoo import catalogue

__all__ = [
    "build_decoder",
    "check_encoder",
    "check_whole",
    "decoder_digest",
    "decoder_file",
    "find_beside",
    "own_decoder",
]

ENCODER = "image_encoder."


def build_decoder(config: SamConfig, state: Mapping[str, Tensor], path: Path) -> nn.Module:
    """Return the instance decoder of a state dict, in float32.

    Raises
    ------
    CheckpointError
        If a key or shape is not what the decoder has, or a model of this size cannot have it.
    """
    own = is_own(state)
    if own and not config.dense:
        raise CheckpointError(
            f"{path} holds the instance head of cells_tiny, which cannot read what {config.name} "
            "sees"
        )
    if not own and config.width != WIDTH:
        raise CheckpointError(
            f"{path} holds micro-sam's instance decoder, which takes embeddings of {WIDTH} "
            f"channels; those of {config.name} have {config.width}. Use it with a model of "
            + ", ".join(one.name for one in CONFIGS.values() if one.width == WIDTH)
        )
    with torch.device("meta"):
        rating = CandidateRating() if any(key.startswith(RATING) for key in state) else None
        decoder = InstanceHead(config, rating) if own else UnetrDecoder(is_transposed(state))
    wrong = misfits(decoder.state_dict(), state)
    if wrong:
        name = "the instance head of cells_tiny" if own else "micro-sam's instance decoder"
        raise CheckpointError(f"{path} does not fit {name}: {first_few(wrong)}")
    state = {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
    decoder.load_state_dict(state, assign=True)
    return decoder


def check_whole(state: Mapping[str, Tensor], path: Path) -> None:
    """Check that a file with an instance decoder is a model, too.

    Raises
    ------
    CheckpointError
        If it lacks all of a SAM, or all but the encoder: what to load it with.
    """
    sam, decoder = split_decoder(state)
    if not decoder or any(not key.startswith(ENCODER) for key in sam):
        return
    held = "an image encoder and an instance decoder" if sam else "an instance decoder"
    raise CheckpointError(
        f"{path} holds {held}, but no mask decoder; load it onto the model it was made from, as in "
        f"load_model('vit_b_lm', decoder={path.name!r})"
    )


def decoder_file(name_or_path: str | Path) -> Path:
    """Return the file of an instance decoder, after downloading it where needed.

    Raises
    ------
    InputError
        If it is neither a file nor a decoder of the zoo.
    """
    name = str(name_or_path)
    entry = catalogue.entries().get(name)
    if entry is not None and not entry.loadable:
        return catalogue.ready(entry) or catalogue.fetch(name)
    path = Path(name).expanduser()
    if path.is_file():
        return path
    raise InputError(
        f"the instance decoder {name!r} is neither a file nor one of "
        + ", ".join(one.name for one in catalogue.entries().values() if not one.loadable)
    )


def check_encoder(model: Sam, encoder: Mapping[str, Tensor], path: Path) -> None:
    """Check that a decoder was made for the encoder of this model, as far as its file tells.

    Parameters
    ----------
    model : Sam
        To which the decoder is given.
    encoder : mapping of str to Tensor
        The encoder's weights in the decoder's file, if it has any.
    path : Path

    Raises
    ------
    CheckpointError
        If it belongs to another encoder.
    """
    here, published = model.entry, _published(path)
    owner = published and catalogue.entries().get(published.name.removesuffix("_decoder"))
    if owner and (owner.config != here.config or (here.url and owner.name != here.name)):
        raise CheckpointError(
            f"{path} is the instance decoder of {owner.name} ({owner.config}); it cannot read the "
            f"embeddings of {here.name} ({here.config})"
        )
    ours = {k: v for k, v in model.state_dict().items() if k.startswith(ENCODER)}
    wrong = misfits(ours, encoder) if encoder else []
    if wrong:
        raise CheckpointError(
            f"{path} holds an instance decoder with another encoder than that of {here.name} "
            f"({here.config}): {first_few(wrong)}"
        )


def decoder_digest(path: Path) -> str:
    """Return the digest of a decoder's file, as `Entry.digest`."""
    published = _published(path)
    return published.digest if published else f"sha256:{file_hash(path, 'sha256')}"


def own_decoder(name: str) -> str:
    """Return the digest of the decoder file that a model of the zoo brings; empty if none."""
    entry = catalogue.entries().get(name)
    if entry is None or entry.url:
        return entry.decoder if entry else ""
    built_in = catalogue.ready(entry)
    beside = find_beside(built_in) if built_in else None
    return decoder_digest(beside) if beside else ""


def _published(path: Path) -> catalogue.Entry | None:
    found = file_hash(path, "xxh128")
    decoders = (entry for entry in catalogue.entries().values() if not entry.loadable)
    return next((entry for entry in decoders if entry.xxh128 == found), None)


def find_beside(path: Path) -> Path | None:
    """Return the file of an instance decoder beside a model's: vit_b_decoder.pt beside vit_b.pt.

    Raises
    ------
    CheckpointError
        If the file of that name is damaged.
    """
    beside = path.with_name(f"{path.stem}_decoder{path.suffix}")
    if not beside.is_file():
        return None
    sam, decoder = split_decoder(read_checkpoint(beside)[0])
    return beside if decoder and not sam else None  # else a model that happens to be called so
