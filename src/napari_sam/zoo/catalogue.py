"""Catalogue of weights: name, file, hash, licence, credit and terms of each. Imports no torch."""

from __future__ import annotations

import difflib
import logging
import os
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

import platformdirs

from napari_sam.errors import CheckpointError, DownloadError, InputError
from napari_sam.settings import load_settings
from napari_sam.zoo.download import OnBytes, download, has_hash, matched_before, megabytes, remember

__all__ = [
    "Entry",
    "decoder_of",
    "entries",
    "fetch",
    "fetch_decoder",
    "lookup",
    "models_folder",
    "places",
    "ready",
    "status",
    "verify",
]

logger = logging.getLogger(__name__)
HERE = Path(__file__).parent
MODELS = HERE.parent / "model" / "pretrained"
# Bytes of a float32 file where none were published; "decoder" is micro-sam's instance decoder.
TYPICAL_SIZES = {
    "vit_t": 40_700_000,
    "vit_b": 375_000_000,
    "vit_l": 1_249_500_000,
    "vit_h": 2_564_500_000,
    "sam2_tiny": 155_900_000,
    "sam2_small": 184_300_000,
    "sam2_base_plus": 323_500_000,
    "sam2_large": 897_900_000,
    "decoder": 38_400_000,
}


@dataclass(frozen=True)
class Entry:
    """Catalogue entry: source, licence and preprocessing of model weights.

    Parameters
    ----------
    name : str
        Name in the catalogue, or of the user's own file.
    config : str
        Key of `napari_sam.model.build.SIZES`; ``"decoder"`` for an instance decoder, which is
        loaded with its model.
    title, purpose : str
        Whose model it is, and what for; the latter empty where title and name say it.
    url, filename : str
        Download address and name in the models folder; no address for weights that are built in
        or the user's own.
    size : int
        In bytes; 0 when it was not published.
    sha256, xxh128 : str
        Hexadecimal hashes of the file; empty when unknown.
    licence, citation : str
        Terms and credit.
    intensity : {"percentile", "min_max"}
        How a picture's values become the model's: robust percentiles, or minimum to maximum per
        picture and channel.
    iou_threshold, stability_threshold : float
        Lowest predicted IoU and stability score of an automatic proposal.
    decoder : str
        Digest of the instance decoder that is a file of its own; empty if there is none.
    """

    name: str
    config: str
    title: str = ""
    purpose: str = ""
    url: str = ""
    filename: str = ""
    size: int = 0
    sha256: str = ""
    xxh128: str = ""
    licence: str = ""
    citation: str = ""
    intensity: Literal["percentile", "min_max"] = "percentile"
    iou_threshold: float = 0.88
    stability_threshold: float = 0.95
    decoder: str = ""

    @property
    def loadable(self) -> bool:
        """False for instance decoders, which are no models by themselves."""
        return self.config != "decoder"

    @property
    def digest(self) -> str:
        """Strongest known hash, prefixed with its algorithm: the identity of the weights."""
        return f"sha256:{self.sha256}" if self.sha256 else f"xxh128:{self.xxh128}"


@cache
def entries() -> dict[str, Entry]:
    """Return all catalogue entries by name, our own model first.

    Examples
    --------
    >>> entries()["vit_b_lm"].intensity
    'min_max'
    """
    groups = tomllib.loads((HERE / "zoo.toml").read_text(encoding="utf-8"))["group"]
    found = {model["name"]: _entry(group, model) for group in groups for model in group["models"]}
    for name, entry in found.items():
        if decoder := found.get(f"{name}_decoder"):
            found[name] = replace(entry, decoder=decoder.digest)
    return found


def decoder_of(entry: Entry) -> Entry | None:
    """Return the entry of a model's instance decoder; None if none was published.

    Examples
    --------
    >>> decoder_of(lookup("vit_b_lm")).name
    'vit_b_lm_decoder'
    """
    return entries().get(f"{entry.name}_decoder")


def _entry(group: dict[str, str], model: dict[str, str | int]) -> Entry:
    common = {key: value for key, value in group.items() if key not in ("models", "url")}
    own = {key: value for key, value in model.items() if key != "file"}
    if "url" not in group:
        return Entry(**common, **own, filename=f"{model['name']}.safetensors")  # type: ignore[arg-type]
    file = str(model["file"])
    # Names like vit_b.pt are used for many models: only Meta's and MobileSAM's tell them apart.
    filename = file if "." in file and "/" not in file else f"{model['name']}.pt"
    return Entry(**common, **own, url=group["url"].format(file=file), filename=filename)  # type: ignore[arg-type]


def lookup(name: str) -> Entry:
    """Return the catalogue entry of a name.

    Raises
    ------
    InputError
        For an unknown name; the message offers the nearest ones.
    """
    if name not in entries():
        near = difflib.get_close_matches(name, entries(), n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else ""
        raise InputError(
            f"there is no model named {name!r}; {hint} `napari-sam models list` shows all names"
        )
    return entries()[name]


def models_folder() -> Path:
    """Return the folder for downloads.

    ``NAPARI_SAM_MODELS``, else the user's setting, else the user's cache folder.
    """
    chosen = os.environ.get("NAPARI_SAM_MODELS") or load_settings().models_folder
    if chosen:
        return Path(chosen).expanduser()
    return Path(platformdirs.user_cache_dir("napari-sam", appauthor=False)) / "models"


def places(entry: Entry) -> list[Path]:
    """Return the paths where an entry's file may be, our own folder first.

    The other places are those of micro-sam and of torch's hub, whose users need not download
    again. Older versions have no place of their own there.
    """
    if not entry.url:
        return [MODELS / entry.filename]
    cache_home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"  # torch's rule on every system
    torch_home = os.environ.get("TORCH_HOME") or f"{cache_home}/torch"
    micro_sam = os.environ.get("MICROSAM_CACHEDIR") or platformdirs.user_cache_dir("micro_sam")
    return [
        models_folder() / entry.filename,
        Path(micro_sam).expanduser() / "models" / entry.name,
        Path(torch_home).expanduser() / "hub" / "checkpoints" / entry.filename,
    ]


def status(entry: Entry) -> str:
    """Return "built in", "cached" or "will download N MB". Sizes are checked, hashes are not.

    A model counts with its instance decoder, but needs none to be cached.
    """
    if not entry.url:
        return "built in"
    if any(_whole(entry, path) for path in places(entry)):
        return "cached"
    parts = [entry, *filter(None, [decoder_of(entry)])]
    about = "" if all(part.size for part in parts) else "about "
    return f"will download {about}{megabytes(sum(map(_size, parts)))}"


def ready(entry: Entry) -> Path | None:
    """Return the verified file of an entry, or None if it must be downloaded.

    Raises
    ------
    CheckpointError
        When the file in our own folder is not the published one, or the package lacks its own.
    """
    own, *others = places(entry)
    if not entry.url:
        if own.exists():
            return own
        raise CheckpointError(f"{own} is missing: this installation is damaged, install it again")
    if own.exists():
        if not (_whole(entry, own) and _intact(entry, own)):
            raise CheckpointError(
                f"{own} ({own.stat().st_size} bytes) is not {entry.name} as published "
                f"({entry.size or 'size unknown'}, {entry.digest}): it is incomplete, damaged or "
                f"another file. `napari-sam models download {entry.name}` replaces it"
            )
        return own
    return next((path for path in others if _whole(entry, path) and _intact(entry, path)), None)


def verify(entry: Entry) -> dict[Path, bool]:
    """Hash every local file of an entry, ignoring cached results.

    Returns
    -------
    dict of Path to bool
        Whether it is the published file; empty when there is none.
    """
    here = [path for path in places(entry) if path.is_file()]
    return {path: not entry.url or _same(entry, path) for path in here}


def fetch(name: str, progress: OnBytes | None = None) -> Path:
    """Return the verified file of an entry; download it, and its instance decoder, if needed.

    Parameters
    ----------
    name : str
        A name of the catalogue.
    progress : callable, optional
        Called with the bytes that have arrived and the bytes in all. An exception that it raises
        stops the download; the next call goes on where it stopped.

    Raises
    ------
    InputError
        For an unknown name.
    DownloadError
        When the file cannot be downloaded or is not the published one.
    """
    entry = lookup(name)
    try:
        path = ready(entry)
    except CheckpointError as error:
        if not entry.url:
            raise
        logger.warning("%s", error)
        path = None
    if path is None:
        path = places(entry)[0]
        download(entry.url, path, entry.digest, entry.size, progress)
        remember(path, entry.digest, _record())
    fetch_decoder(entry, progress)
    return path


def fetch_decoder(entry: Entry, progress: OnBytes | None = None) -> Path | None:
    """Return the verified file of a model's instance decoder; download it if needed.

    None if none was published, or it cannot be had: whoever has the model goes on without it, and
    the log says why.
    """
    decoder = decoder_of(entry)
    if decoder is None:
        return None
    try:
        return fetch(decoder.name, progress)
    except DownloadError as error:
        logger.warning("%s is used without its instance decoder: %s", entry.name, error)
        return None


def _size(entry: Entry) -> int:
    return entry.size or TYPICAL_SIZES[entry.config]


def _whole(entry: Entry, path: Path) -> bool:
    """Whether the file is there with its published size, or about the usual one."""
    if not path.is_file():
        return False
    size = path.stat().st_size
    return size == entry.size if entry.size else size > 0.9 * _size(entry)


def _intact(entry: Entry, path: Path) -> bool:
    """Whether the hash is right; a file is hashed again only when its size or date has changed."""
    return matched_before(path, entry.digest, _record()) or _same(entry, path)


def _same(entry: Entry, path: Path) -> bool:
    same = has_hash(path, entry.digest)
    if same:
        remember(path, entry.digest, _record())
    return same


def _record() -> Path:
    return models_folder() / "verified.json"
