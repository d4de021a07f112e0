"""Parent OME-Zarr image of labels, whose group "labels" lists them."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from napari_sam.errors import InputError
from napari_sam.files import Json, replacing

__all__ = ["VERSIONS", "ParentImage", "listing", "parent_at", "parent_of"]

FOLDER = "labels"
VERSIONS = {2: "0.4", 3: "0.5"}  # of OME-Zarr, by that of zarr

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ParentImage:
    """OME-Zarr image that has labels in its group "labels".

    Parameters
    ----------
    path : Path
        Its group.
    zarr_format : int
        Version of zarr in which it is written, 2 or 3.
    levels : tuple of mapping
        Of each level its pixels along each axis, by the names of axes.
    """

    path: Path
    zarr_format: Literal[2, 3]
    levels: tuple[Mapping[str, int], ...]

    @property
    def version(self) -> str:
        """OME-Zarr version in which its labels are written."""
        return VERSIONS[self.zarr_format]

    @property
    def folder(self) -> Path:
        """Path of the group "labels"."""
        return self.path / FOLDER


def parent_of(path: Path) -> ParentImage | None:
    """Return the OME-Zarr image whose group "labels" holds a path, at any depth, or None."""
    for folder in path.absolute().parents:
        if folder.name == FOLDER and (parent := parent_at(folder.parent)):
            return parent
    return None


def parent_at(folder: Path) -> ParentImage | None:
    """Return the OME-Zarr image whose group a folder is, or None."""
    import zarr

    try:
        group = zarr.open_group(folder, mode="r", use_consolidated=False)
        about: Any = group.attrs.asdict()
        scales = about.get("ome", about)["multiscales"][0]
        axes = [one if isinstance(one, str) else one["name"] for one in scales.get("axes", "tczyx")]
        arrays: list[Any] = [group[one["path"]] for one in scales["datasets"]]
        levels = tuple(dict(zip(axes, one.shape, strict=False)) for one in arrays)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None  # no group, no picture, or one that nobody can read
    zarr_format = group.metadata.zarr_format
    version = about.get("ome", scales).get("version", VERSIONS[zarr_format])
    if version != VERSIONS[zarr_format]:
        logger.warning(
            "%s is a picture of OME-Zarr %s; its labels are written as %s, which its readers may "
            "not find", folder, version, VERSIONS[zarr_format],
        )  # fmt: skip
    return ParentImage(folder, zarr_format, levels)


@contextmanager
def listing(path: Path, parent: ParentImage) -> Iterator[None]:
    """Context that adds labels to their image's list once they are written without an error."""
    file = parent.folder / (".zattrs" if parent.zarr_format == 2 else "zarr.json")
    _list_in(file, parent.zarr_format)  # refused before anything is written
    yield
    whole, names = _list_in(file, parent.zarr_format)  # others may have written meanwhile
    name = path.absolute().relative_to(parent.folder)
    names += [] if name.as_posix() in names else [name.as_posix()]
    with replacing(file) as part:
        part.write_text(json.dumps(whole, indent=2), encoding="utf-8")
    for between in (parent.folder, *(parent.folder / one for one in name.parents)):
        _make_group(between, parent.zarr_format)
    _consolidate(parent.folder)


def _list_in(file: Path, zarr_format: int) -> tuple[Json, list[Any]]:
    """Return what a file of metadata holds, and in it the list of labels, made where it is not."""
    try:
        whole = json.loads(file.read_text("utf-8")) if file.exists() else {}
        about = whole
        if zarr_format == 3:
            whole = {"zarr_format": 3, "node_type": "group"} | whole
            about = whole.setdefault("attributes", {}).setdefault("ome", {})
            about.setdefault("version", VERSIONS[zarr_format])
        names = about.setdefault("labels", [])
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{file} cannot be read: {error}; mend it, or delete it") from error
    if not isinstance(names, list) or whole.get("node_type", "group") != "group":
        raise InputError(f"{file} holds no list of labels; mend it, or delete it")
    return whole, names


def _make_group(folder: Path, zarr_format: int) -> None:
    """Make a folder a zarr group if nothing says what it is."""
    file = folder / (".zgroup" if zarr_format == 2 else "zarr.json")
    if not file.exists():
        about = {"zarr_format": zarr_format} | ({} if zarr_format == 2 else {"node_type": "group"})
        with replacing(file) as part:
            part.write_text(json.dumps(about), encoding="utf-8")


def _consolidate(labels: Path) -> None:
    """Renew the copies of all metadata that groups around the labels keep, if they do."""
    import zarr

    for folder in (labels, *labels.parents):
        if (folder / ".zmetadata").exists():
            zarr_format: Literal[2, 3] = 2
        elif _keeps_copies(folder / "zarr.json"):
            zarr_format = 3
        else:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zarr's, that version 3 does not define them
            zarr.consolidate_metadata(str(folder), zarr_format=zarr_format)


def _keeps_copies(file: Path) -> bool:
    try:
        return bool(json.loads(file.read_text("utf-8")).get("consolidated_metadata"))
    except (OSError, AttributeError, ValueError):
        return False
