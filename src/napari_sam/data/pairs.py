"""Pairs of image and label files, and rules of known open data sets."""

from __future__ import annotations

import csv
import tomllib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cache
from glob import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from napari_sam.errors import InputError
from napari_sam.io.images.find import KNOWN, find_images, folder_of, name_of, whole_name_of

__all__ = [
    "LABELS",
    "DataSetRules",
    "FilePair",
    "data_set_rules",
    "file_pair",
    "find_pairs",
    "labels_beside",
]

LABELS = "_labels"  # after the name of a picture, as `napari-sam segment` calls them


@dataclass(frozen=True)
class FilePair:
    """Paths of an image and its labels.

    Parameters
    ----------
    dataset, source : str
        Data set (or a stratum of it) and sample.
    image, labels : Path, optional
        None if it is missing.
    """

    dataset: str
    source: str
    image: Path | None
    labels: Path | None


def file_pair(image: Path, labels: Path) -> FilePair:
    """Return the pair of an image and its labels; the image's folder is the data set.

    Examples
    --------
    >>> file_pair(Path("day1/cells.tif"), Path("drawn/cells.png")).source
    'day1/cells'
    """
    folder = image.resolve().parent.name
    return FilePair(folder, f"{folder}/{name_of(image)}", image, labels)


def labels_beside(image: Path) -> Path:
    """Return the labels beside an image: ``labels`` for ``image``, ``cells_labels`` for ``cells``.

    Raises
    ------
    InputError
        If there are none.
    """
    names = [whole_name_of(image) + LABELS, name_of(image) + LABELS]
    if image.stem == "image":
        names.insert(0, "labels")
    for name in names:
        files = sorted(folder_of(image).glob(f"{escape(name)}.*"))
        if readable := [file for file in files if file.suffix.lower() in KNOWN]:
            return readable[0]
    name = "labels" if image.stem == "image" else names[-1]
    raise InputError(f"there are no labels beside it, such as {name}.tif")


def find_pairs(folder: Path, on_bad: Callable[[str, str], None] | None = None) -> list[FilePair]:
    """Return the pairs of image and label files in a folder, at any depth.

    A sample is a folder with an ``image`` and a ``labels``, or a picture such as ``cells.tif`` with
    ``cells_labels.tif`` beside it. The labels of ``image`` may be called ``image_labels``, too, and
    those of ``cells.tif`` ``cells.tif_labels``, as `napari-sam segment` does. The first folder
    below `folder` is the data set; a sample's source is its path, always with the data set's name,
    so that a set has the same sources whether it is read alone or with others.

    Parameters
    ----------
    folder : Path
    on_bad : callable, optional
        Called with the path and the reason for what cannot be looked into.
    """
    folder = folder.resolve()
    kinds = _modalities(folder)
    pairs = []
    for place, members in sorted(_places(folder, on_bad).items()):
        parts = place.relative_to(folder).parts
        source = "/".join(parts if len(parts) > 1 else place.parts[-2:])
        dataset, _, sample = source.partition("/")
        stratum = data_set_rules(dataset).stratum(kinds.get((dataset, sample), ""))
        name = f"{dataset}, {stratum}" if stratum else dataset
        pairs.append(FilePair(name, source, members.get("image"), members.get("labels")))
    return pairs


def _places(folder: Path, on_bad: Callable[[str, str], None] | None) -> dict[Path, dict[str, Path]]:
    """Return the image and the labels of each sample, by its folder or the picture's bare name."""
    try:
        files = find_images([folder], on_bad)
    except InputError:  # it holds none
        return {}
    places: dict[Path, dict[str, Path]] = defaultdict(dict)
    named = {path.with_suffix(""): path for path in reversed(files)}  # the first of several
    for path in files:
        own = path.with_name(path.name + LABELS)
        if own in named:
            places[path] = {"image": path, "labels": named[own]}
    for name, path in named.items():
        beside = name.with_name(name.name + LABELS)
        if name.name in ("image", "labels"):
            places[name.parent][name.name] = path
        elif beside in named and path not in places:
            places[name] = {"image": path, "labels": named[beside]}
    for place, sample in places.items():
        beside = place / f"image{LABELS}"
        if "image" in sample and beside in named:
            sample.setdefault("labels", named[beside])
    return places


def _modalities(folder: Path) -> dict[tuple[str, str], str]:
    """Return each sample's modality from ``manifest.csv`` of a collection, if there is one."""
    for file in (folder / "manifest.csv", folder.parent / "manifest.csv"):
        if file.is_file():
            with file.open(newline="", encoding="utf-8") as lines:
                rows = list(csv.DictReader(lines))
            return {(r.get("dataset", ""), r.get("name", "")): r.get("modality", "") for r in rows}
    return {}


@dataclass(frozen=True)
class DataSetRules:
    """Rules of one open data set beyond the general ones; none by default.

    Parameters
    ----------
    train : list of str
        Patterns of samples that are trained on and never scored.
    hold : list of str
        Patterns of samples that are scored and never trained on: those of one movie or animal.
    blocks : list of [first plane, one past the last]
        Of a single volume: the planes to train on, and those to score on.
    strata : dict
        How a modality in ``manifest.csv`` begins, and the name of that part of the set.
    reason : str
        Why, in a few words.
    """

    train: list[str] = field(default_factory=list)
    hold: list[str] = field(default_factory=list)
    blocks: list[tuple[int, int]] = field(default_factory=list)
    strata: dict[str, str] = field(default_factory=dict)
    reason: str = ""

    def only_trained_on(self, sample: str) -> bool:
        """Return whether a sample is for training only, never scored."""
        return any(fnmatch(sample, pattern) for pattern in self.train)

    def only_scored(self, sample: str) -> bool:
        """Return whether a sample is for scoring only, never trained on."""
        return any(fnmatch(sample, pattern) for pattern in self.hold)

    def stratum(self, modality: str) -> str | None:
        """Return the subset (stratum) of a modality, None for the whole set."""
        names = [name for begin, name in self.strata.items() if modality.startswith(begin)]
        return names[0] if names else None


def data_set_rules(dataset: str) -> DataSetRules:
    """Return the rules of a data set by the name of its folder.

    Examples
    --------
    >>> data_set_rules("omnipose_samples").only_trained_on("caulo_15")
    True
    >>> data_set_rules("my own cells")
    DataSetRules(train=[], hold=[], blocks=[], strata={}, reason='')
    """
    return DataSetRules(**_table().get(dataset, {}))


@cache
def _table() -> dict[str, dict[str, Any]]:
    return tomllib.loads(files(__package__).joinpath("open_data.toml").read_text("utf-8"))
