"""What was found in the tiles of a picture, kept in a folder until all are done."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from napari_sam.files import replacing
from napari_sam.inference.grid_settings import GridSettings
from napari_sam.inference.tiling import Tile
from napari_sam.results import Proposal

__all__ = ["TileStore", "stamp"]


def stamp(
    pixels: NDArray[Any],
    tile: Tile,
    settings: GridSettings,
    contrast: tuple[Any, Any],
    model: str,
) -> str:
    """Return a hash of all that decides what is found in a tile."""
    low, high = (np.asarray(end, float).tolist() for end in contrast)
    said = [asdict(tile), asdict(settings), low, high, model, pixels.shape, pixels.dtype.str]
    digest = xxhash.xxh128(json.dumps(said).encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.hexdigest()


class TileStore:
    """One file for each tile, written complete or not at all.

    Parameters
    ----------
    folder : Path
        Where.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, tile: Tile, mark: str) -> list[Proposal] | None:
        """Return what was found in a tile; None if it has another mark or cannot be read."""
        try:
            with (
                self._path(tile).open("rb") as content,  # numpy leaves a damaged one open
                np.load(content, allow_pickle=False) as file,
            ):
                if str(file["mark"]) != mark:
                    return None
                bits = np.split(file["bits"], np.cumsum(file["lengths"]))[:-1]
                said = json.loads(str(file["said"]))
            return [_proposal(own, one) for own, one in zip(bits, said, strict=True)]
        except Exception:  # of a damaged file anything may be raised
            return None

    def write(self, tile: Tile, mark: str, found: list[Proposal]) -> None:
        """Keep what was found in a tile.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        names = [field.name for field in fields(Proposal) if field.name != "bits"]
        said = json.dumps([{name: getattr(one, name) for name in names} for one in found])
        bits = np.concatenate([np.zeros(0, np.uint8), *(one.bits for one in found)])
        with replacing(self._path(tile)) as part, part.open("wb") as file:
            lengths = [len(one.bits) for one in found]
            np.savez_compressed(file, mark=mark, said=said, bits=bits, lengths=lengths)

    def _path(self, tile: Tile) -> Path:
        return self._folder / f"tile-{tile.core[0]:06}-{tile.core[1]:06}.npz"


def _proposal(bits: NDArray[np.uint8], said: dict[str, Any]) -> Proposal:
    values: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in said.items()
    }
    return Proposal(bits=bits, **values)
