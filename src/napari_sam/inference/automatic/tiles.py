"""Overlapping tiles of large images, and a store of their proposals on disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from napari_sam.arrays import Array, ContrastRange
from napari_sam.errors import InputError
from napari_sam.files import replacing
from napari_sam.inference.automatic.settings import GridSettings, SearchSettings
from napari_sam.masks import Box, CroppedMask, grown
from napari_sam.results import Proposal
from napari_sam.zoo.catalogue import Entry

__all__ = [
    "Tile",
    "TileStore",
    "Tiling",
    "lattice",
    "tile_hash",
    "weights_hash",
]

MEASURED = "score", "stability", "point", "crop", "area", "roundness", "intensity"
WRITTEN = "shape", "corner", "size", *MEASURED, "touches_edge"  # keys of the files


@dataclass(frozen=True)
class Tile:
    """Tile of an image: its core, and the larger box that the model sees.

    Parameters
    ----------
    core : Box
        What it answers for; the cores of all tiles are the picture.
    seen : Box
        What the model sees for that: the core and a halo around it.
    """

    core: Box
    seen: Box


@dataclass(frozen=True)
class Tiling:
    """Tile size and overlap for images that are too large for one pass.

    Parameters
    ----------
    side : int
        Of a core, in pixels.
    halo : int
        Pixels around it that are seen, too. An object that is longer than the halo may be cut by
        every tile, and is left out then.

    Raises
    ------
    InputError
        If a value makes no sense.

    Examples
    --------
    >>> [tile.seen for tile in Tiling(100, 20).tiles((100, 150))]
    [(0, 0, 100, 120), (0, 80, 100, 150)]
    """

    side: int = 768
    halo: int = 128

    def __post_init__(self) -> None:
        if self.side < 1 or self.halo < 0:
            raise InputError(
                f"tiles need a side of at least 1 and a halo of at least 0 pixels; got side "
                f"{self.side} and halo {self.halo}"
            )

    @property
    def alone(self) -> int:
        """Longest side of an image that is processed in one pass, in pixels."""
        return 2 * (self.side + 2 * self.halo)

    def cuts(self, shape: Sequence[int]) -> bool:
        """Return whether an image (H, W) is large enough to be tiled."""
        return max(shape[:2]) > self.alone

    def spread(self, shape: Sequence[int]) -> int:
        """Return the length in pixels along which the points per side of a grid are spread.

        The longer side of a picture (H, W) that is searched as a whole, else the side of a core.

        Examples
        --------
        >>> Tiling().spread((512, 1024)), Tiling().spread((512, 20_000))
        (1024, 768)
        """
        return self.side if self.cuts(shape) else max(shape[:2])

    def tiles(self, shape: Sequence[int]) -> list[Tile]:
        """Return the tiles of an image (H, W), in row-major order."""
        found = []
        for top, left in product(*(range(0, size, self.side) for size in shape)):
            bottom, right = min(top + self.side, shape[0]), min(left + self.side, shape[1])
            core = top, left, bottom, right
            found.append(Tile(core, grown(core, self.halo, (shape[0], shape[1]))))
        return found


def lattice(step: float, core: Box) -> NDArray[np.float64]:
    """Return the points of an image-wide lattice that lie in a tile's core: (N, 2).

    Examples
    --------
    >>> lattice(4, (0, 4, 8, 12)).tolist()
    [[2.0, 6.0], [2.0, 10.0], [6.0, 6.0], [6.0, 10.0]]
    """
    lines = []
    for low, high in zip(core[:2], core[2:], strict=True):
        steps = np.arange(np.floor(low / step), np.ceil(high / step))
        line = (steps + 0.5) * step
        lines.append(line[(line >= low) & (line < high)])
    rows, columns = np.meshgrid(*lines, indexing="ij")
    return np.stack([rows.ravel(), columns.ravel()], axis=1)


def tile_hash(
    pixels: Array,
    tile: Tile,
    settings: SearchSettings,
    contrast: ContrastRange,
    model: str,
) -> str:
    """Return a hash of everything that determines the result of a tile."""
    low, high = (np.asarray(end, float).tolist() for end in contrast)
    said = [asdict(tile), asdict(settings), low, high, model, pixels.shape, pixels.dtype.str]
    digest = xxhash.xxh128(json.dumps(said).encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.hexdigest()


def weights_hash(entry: Entry, settings: SearchSettings) -> str:
    """Return the identity of the weights that a search asks; of instances the decoder's, too."""
    decoder = "" if isinstance(settings, GridSettings) else entry.decoder
    return f"{entry.digest} {decoder}".strip()


class TileStore:
    """Store of tile results on disk: one file per tile, written atomically.

    Parameters
    ----------
    folder : Path
        Where.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, tile: Tile, mark: str) -> list[Proposal] | None:
        """Return the proposals of a tile; None if the hash differs or the file cannot be read."""
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
        """Write the proposals of a tile.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        said = json.dumps([{name: getattr(one, name) for name in WRITTEN} for one in found])
        bits = [one.cropped.bits for one in found]
        packed, lengths = np.frombuffer(b"".join(bits), np.uint8), list(map(len, bits))
        with replacing(self._path(tile)) as part, part.open("wb") as file:
            np.savez_compressed(file, mark=mark, said=said, bits=packed, lengths=lengths)

    def _path(self, tile: Tile) -> Path:
        return self._folder / f"tile-{tile.core[0]:06}-{tile.core[1]:06}.npz"


def _proposal(bits: NDArray[np.uint8], said: dict[str, Any]) -> Proposal:
    values: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in said.items()
    }
    (top, left), (height, width) = values.pop("corner"), values.pop("size")
    box = top, left, top + height, left + width
    cropped = CroppedMask(values.pop("shape"), box, bits.tobytes())
    return Proposal(cropped, **{name: values[name] for name in MEASURED})
