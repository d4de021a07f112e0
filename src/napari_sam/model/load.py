"""Load models by name or file, and pick the device."""

from __future__ import annotations

import difflib
import hashlib
from contextlib import suppress
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_sam.errors import CheckpointError, DeviceError, InputError
from napari_sam.files import file_hash
from napari_sam.model.build import SIZES, build
from napari_sam.model.config import CONFIGS, SamConfig
from napari_sam.model.instances.load import (
    build_decoder,
    check_encoder,
    check_whole,
    decoder_digest,
    decoder_file,
    find_beside,
)
from napari_sam.model.lora import apply_adapters
from napari_sam.model.precision import has_matrix_units
from napari_sam.model.sam import Sam
from napari_sam.model.text_decoder import TextDecoder
from napari_sam.model.weights.checkpoint import (
    differences,
    first_few,
    misfits,
    read_checkpoint,
    recognise,
    split_decoder,
)
from napari_sam.settings import default_threads, load_settings
from napari_sam.zoo import catalogue
from napari_sam.zoo.own_models import own_folder, own_models, read_header

__all__ = [
    "Header",
    "available_devices",
    "digests",
    "known_decoder",
    "load_model",
    "load_text",
    "pick_device",
    "read_text",
    "unknown_model",
]

Header = dict[str, Any]
BUILT_IN_TEXT = "cells_tiny_text.safetensors"
NO_NAME = OSError, RuntimeError, ValueError  # too long, another user's home, not allowed


def load_model(
    name_or_path: str | Path, device: str = "auto", *, decoder: str | Path | None = None
) -> Sam:
    """Load a model, after downloading it where needed.

    Sets the number of torch's threads to the user's setting, else to `default_threads`; and on a
    processor whether embeddings are computed in bfloat16, by the setting `precision`.

    Parameters
    ----------
    name_or_path : str or Path
        A name of the zoo, the name of a model that you trained, or a file of your own: safetensors
        or a state dict of torch, recognised by its keys.
    device : str
        ``"auto"`` (cuda, then mps, then cpu), ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
    decoder : str or Path, optional
        An instance decoder of micro-sam's: a file, or a name of the zoo. A file that holds an
        encoder beside it replaces the model's encoder, too. None takes the one that belongs to the
        model: from its own file, from ``<name>_decoder`` beside it, or from the zoo.

    Returns
    -------
    Sam
        In evaluation mode, without gradients, float32. Its `entry` says where the weights are
        from and how pictures must be normalised for them; its `instance_decoder` is None where
        there is none.

    Raises
    ------
    InputError
        For a name that is neither in the zoo nor a file.
    CheckpointError
        For a file that is unsafe, damaged, of another architecture or not what it claims to be.
    DownloadError
        When the weights cannot be downloaded.
    DeviceError
        When the device is missing, or too small for the model.

    Examples
    --------
    >>> model = load_model("cells_tiny", device="cpu")
    >>> model.entry.name, model.training
    ('cells_tiny', False)
    """
    where = pick_device(device)
    settings = load_settings()
    torch.set_num_threads(settings.threads or default_threads())
    model = _load(str(name_or_path), with_decoder=decoder is None)
    if decoder is not None:
        _add_decoder(model, decoder_file(decoder))
    try:
        model.to(where)
    except torch.cuda.OutOfMemoryError as error:
        raise DeviceError(
            f"{where} has no room for {model.entry.name}: {error}. Close other programs that use "
            'it, take a smaller model, or device="cpu"'
        ) from error
    if where.type == "cpu":
        asked = settings.precision
        low = has_matrix_units() if asked == "auto" else asked == "bfloat16"
        model.cpu_dtype = torch.bfloat16 if low else torch.float32
    return model.eval().requires_grad_(False)


def available_devices() -> tuple[str, ...]:
    """Return the names of all devices that a model can run on here, the fastest first."""
    here = ["cpu"]
    if torch.backends.mps.is_available():
        here.insert(0, "mps")
    if torch.cuda.is_available():
        here = ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count())), *here]
    return tuple(here)


def pick_device(device: str = "auto") -> torch.device:
    """Return the torch device of a name; "auto" takes cuda, then mps, then cpu.

    Raises
    ------
    DeviceError
        When this machine, or this build of torch, has no such device.
    """
    here = available_devices()
    if device == "auto":
        return torch.device(here[0])
    if device not in here:
        raise DeviceError(
            f"there is no device {device!r} here; choose one of auto, {', '.join(here)}"
        )
    return torch.device(device)


def _load(name: str, with_decoder: bool = True) -> Sam:
    """Load a model; with the instance decoder that belongs to it but is not in its file, if any."""
    if name in catalogue.entries():
        return _from_zoo(catalogue.lookup(name), with_decoder)
    trained = own_models().get(name)
    path = trained.path if trained else _here(name)
    if path is None:
        raise unknown_model(name)
    return _from_file(path, with_decoder)


def _here(name: str) -> Path | None:
    """Return the file of that name; None if there is none, or it cannot be one's name."""
    try:
        path = Path(name).expanduser()
        return path if path.is_file() else None
    except NO_NAME:
        return None


def _from_zoo(entry: catalogue.Entry, with_decoder: bool) -> Sam:
    if not entry.loadable:
        raise CheckpointError(
            f"{entry.name} is an instance decoder and no model by itself; "
            f"use {entry.name.removesuffix('_decoder')}, with which it is loaded"
        )
    path = catalogue.ready(entry) or catalogue.fetch(entry.name)
    if not entry.url:  # what is built in has no published hash
        entry = replace(entry, sha256=file_hash(path, "sha256"))
    state, _ = read_checkpoint(path)
    model = _build(SIZES[entry.config], state, replace(entry, decoder=""), path)
    decoder = catalogue.decoder_of(entry) if with_decoder else None
    if decoder is not None:
        beside = catalogue.ready(decoder) or catalogue.fetch_decoder(entry)
        if beside is not None:
            _add_decoder(model, beside)
    return model if entry.url or not with_decoder else _with_neighbour(model, path)


def _from_file(path: Path, with_decoder: bool) -> Sam:
    state, metadata = read_checkpoint(path)
    check_whole(state, path)
    published = _published(path)
    if published is not None:
        model = _build(SIZES[published.config], state, replace(published, decoder=""), path)
        return _with_neighbour(model, path) if with_decoder else model
    # What `napari_sam.training` wrote about its weights; nothing for other files.
    header = read_header(path) if "napari_sam" in metadata else {}
    if header.get("kind") == "adapters":
        return _adapted(path, state, header, metadata, with_decoder)
    try:
        config = recognise(split_decoder(state)[0])
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    model = _build(config, state, _own_entry(path, config, header, metadata), path)
    return _with_neighbour(model, path) if with_decoder and not header else model


def _with_neighbour(model: Sam, path: Path) -> Sam:
    """Return the model with the instance decoder beside its file, if there is one."""
    beside = find_beside(path) if model.instance_decoder is None else None
    if beside is not None:
        _add_decoder(model, beside)
    return model


def _add_decoder(model: Sam, path: Path) -> None:
    """Give a model the instance decoder of a file; and the encoder, if the file holds one."""
    state, metadata = read_checkpoint(path)
    encoder, decoder = split_decoder(state)
    if not decoder:
        raise CheckpointError(
            f"{path} holds no instance decoder; name a file like micro-sam's vit_b_decoder.pt"
        )
    if any(not key.startswith("image_encoder.") for key in encoder):
        raise CheckpointError(
            f"{path} is a model with an instance decoder of its own; load it by itself, without "
            "decoder="
        )
    check_encoder(model, encoder, path)
    model.instance_decoder = build_decoder(model.config, decoder, path)
    if encoder:
        weights = {key.removeprefix("image_encoder."): value for key, value in encoder.items()}
        model.image_encoder.load_state_dict(weights)
        # What micro-sam trains looks at pictures by its own rule.
        own = _own_entry(path, model.config, {}, {"intensity": "min_max", **metadata})
        both = hashlib.sha256(f"{model.entry.digest} {own.digest}".encode())
        model.entry = replace(own, sha256=both.hexdigest())
    else:
        model.entry = replace(model.entry, decoder=decoder_digest(path))


def _adapted(
    path: Path,
    state: dict[str, Tensor],
    header: Header,
    metadata: dict[str, str],
    with_decoder: bool,
) -> Sam:
    """Load the base model of adapters, merge them into it, and add their instance decoder."""
    base = header.get("base", {})
    name, digest = str(base.get("name")), str(base.get("digest"))
    here = digests(name)
    if digest not in here:
        other = f"the {name} that is here is another one ({here[0]})" if here else "it is not here"
        raise CheckpointError(
            f"{path} holds adapters, which work only with the model they were trained on: {name} "
            f"({digest}); {other}. Put its file into {own_folder()}, take the version of the "
            f"package that wrote them ({header.get('package', 'unknown')}), or train again"
        )
    adapters, decoder = split_decoder(state)
    model = _load(name, with_decoder and not decoder)
    try:
        apply_adapters(model, adapters)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    own = _own_entry(path, model.config, header, metadata)
    model.entry = replace(own, decoder=model.entry.decoder)
    if decoder:  # that of the base, as it learned with the adapters
        model.instance_decoder = build_decoder(model.config, decoder, path)
        model.entry = own
    return model


def digests(name: str) -> list[str]:
    """Return the digests of a model of the zoo, one that you trained, or a file.

    As `Entry.digest`; empty if there is no model of that name.
    """
    entry = catalogue.entries().get(name)
    if entry is not None and entry.url:
        return [entry.digest, *([f"xxh128:{entry.xxh128}"] if entry.xxh128 else [])]
    built_in = entry and catalogue.ready(entry)
    trained = own_models().get(name)
    path = built_in or (trained.path if trained else _here(name))
    if path is None:
        return []
    published = None if built_in or trained else _published(path)
    return [published.digest if published else f"sha256:{file_hash(path, 'sha256')}"]


def known_decoder(name: str) -> str | None:
    """Return the digest of the instance decoder that a model is loaded with; None without one.

    As `Entry.decoder`: empty where the model's own file holds it. Loads and downloads nothing.

    Raises
    ------
    InputError, CheckpointError
        As `load_model`, for what is no model, and for a file that cannot be read.
    """
    entry = catalogue.entries().get(name)
    if entry is not None and entry.url:
        return entry.decoder or None
    trained = own_models().get(name)
    built_in = entry and catalogue.ready(entry)
    path = built_in or (trained.path if trained else _here(name))
    if path is None:
        raise unknown_model(name)
    state, metadata = read_checkpoint(path)
    if split_decoder(state)[1]:
        return ""
    ours = "napari_sam" in metadata and not built_in
    header = read_header(path) if ours and _published(path) is None else {}
    if header.get("kind") == "adapters":
        return known_decoder(str(header.get("base", {}).get("name")))
    beside = None if header else find_beside(path)
    return None if beside is None else decoder_digest(beside)


def unknown_model(name: str) -> InputError:
    """Return the error for what is neither a file nor a model's name; it offers the nearest."""
    more = "`napari-sam models list` shows all names"
    if not name.strip():
        return InputError(f"the name of the model is empty; {more}")
    with suppress(*NO_NAME):
        if Path(name).expanduser().is_dir():
            return InputError(
                f"{name!r} is a folder; name the file of weights in it, or a model; {more}"
            )
    near = difflib.get_close_matches(
        Path(name).name.strip(), [*catalogue.entries(), *own_models()], n=3, cutoff=0.4
    )
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return InputError(f"{name!r} is neither a file nor a model's name; {hint}{more}")


def _published(path: Path) -> catalogue.Entry | None:
    """Return the entry whose file this is, under whatever name: it knows the intensity rule."""
    found = file_hash(path, "xxh128")
    loadable = (entry for entry in catalogue.entries().values() if entry.loadable)
    return next((entry for entry in loadable if entry.xxh128 == found), None)


def _own_entry(
    path: Path, config: SamConfig, header: Header, metadata: dict[str, str]
) -> catalogue.Entry:
    intensity = metadata.get("intensity", "percentile")
    if intensity not in ("percentile", "min_max"):
        raise CheckpointError(f"{path} asks for the unknown intensity rule {intensity!r}")
    about = {**metadata, **header}
    alike = catalogue.lookup(
        config.name
    )  # automatic proposals of its size have the same thresholds
    return catalogue.Entry(
        str(about.get("name", path.stem)),
        config.name,
        title="trained by you" if "base" in header else "a file of your own",
        size=path.stat().st_size,
        sha256=file_hash(path, "sha256"),
        licence=str(about.get("licence", "")),
        citation=str(about.get("citation", "")),
        intensity="min_max" if intensity == "min_max" else "percentile",
        iou_threshold=alike.iou_threshold,
        stability_threshold=alike.stability_threshold,
    )


def _build(config: SamConfig, state: dict[str, Tensor], entry: catalogue.Entry, path: Path) -> Sam:
    sam, decoder = split_decoder(state)
    wrong = differences(config, sam)
    if wrong:
        raise CheckpointError(f"{path} does not fit {config.name}: {first_few(wrong)}")
    with torch.device("meta"):
        model = build(config)
    # Half-precision files are small; processors want float32.
    sam = {k: v.float() if v.is_floating_point() else v for k, v in sam.items()}
    model.load_state_dict(sam, assign=True)
    if decoder:
        model.instance_decoder = build_decoder(config, decoder, path)
    model.entry = entry
    return model


def load_text(model: Sam) -> TextDecoder | None:
    """Return the text decoder of a model, in evaluation mode; None if there is none.

    That which comes with the package belongs to the built-in model and to no other: it was trained
    on what that model's encoders see.
    """
    shipped = files(__package__) / "pretrained" / BUILT_IN_TEXT
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
        raise CheckpointError(f"{path} does not fit its own description: {first_few(wrong)}")
    decoder.load_state_dict({name: value.float() for name, value in state.items()}, assign=True)
    return decoder.eval().requires_grad_(False)
