"""Precompute the image embeddings of a file: a task of one part for each slice or tile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from napari_sam.arrays import ContrastRange
from napari_sam.batch.slices import stack_contrast
from napari_sam.errors import InputError
from napari_sam.files import Json
from napari_sam.inference.pyramid import is_large, tiles_of
from napari_sam.inference.store.disk import DiskStore
from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.io.images.read import LazyPlane, open_image
from napari_sam.serving.segmenter import StoredSegmenter

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor
    from napari_sam.inference.tiled_embedding import TiledEmbedding
    from napari_sam.io.images.pixels import LazyImage

__all__ = ["EmbedTask", "ImageParts"]

NOTHING = 1  # said of a tile of one single value, of which no embedding is kept

Part = tuple[int, ...]
"""Index of a slice; of a large one that of a tile behind it."""


class ImageParts:
    """Slices of an open image, large ones cut to tiles, to be embedded one by one.

    Parameters
    ----------
    predictor : Predictor
        What embeds them.
    data : LazyImage
        The image; one slice or tile is read at a time.
    store : EmbeddingStore
        Where they are kept.
    """

    def __init__(self, predictor: Predictor, data: LazyImage, store: EmbeddingStore) -> None:
        self._predictor, self._data = predictor, data
        self._segmenter = StoredSegmenter(predictor, store)
        self._tiled: tuple[Part, TiledEmbedding] | None = None
        *self._planes, height, width = data.plain_shape
        self.tiles = tiles_of((height, width)) if is_large((height, width)) else []

    @property
    def unit(self) -> str:
        """What the parts are: "slices" or "tiles"."""
        return "tiles" if self.tiles else "slices"

    @property
    def indices(self) -> list[Part]:
        """Indices of all parts."""
        return list(np.ndindex(*self._planes, *([len(self.tiles)] if self.tiles else [])))

    def keep(self, part: Part) -> int:
        """Embed a part unless that was done before; return its bytes, 0 if it was not kept.

        A tile of one single value, as where nothing was recorded, is passed over.

        Raises
        ------
        InputError, DeviceError
            If it cannot be read or embedded.
        """
        if not self.tiles:
            return self._segmenter.keep(self._data[part], self._contrast)
        tiled, tile = self._of_plane(part[:-1]), self.tiles[part[-1]]
        pixels, _ = tile.read(tiled.image, tiled.contrast)
        if pixels.min() == pixels.max():
            return NOTHING
        return self._segmenter.keep_tile(tiled, tile)

    def _of_plane(self, plane: Part) -> TiledEmbedding:
        if self._tiled is None or self._tiled[0] != plane:
            there = LazyPlane(self._data, plane)
            embedding = self._segmenter.embed(there, self._contrast)
            self._tiled = plane, cast("TiledEmbedding", embedding)
        return self._tiled[1]

    @cached_property
    def _contrast(self) -> ContrastRange | None:
        return stack_contrast(self._data, self._predictor.model.entry.intensity)


@dataclass(frozen=True)
class EmbedTask:
    """Task of `napari-sam embed` for one image.

    Parameters
    ----------
    source, folder : Path
        The picture, and where embeddings are kept.
    budget : int
        Most bytes that they may take.
    """

    source: Path
    folder: Path
    budget: int

    @contextmanager
    def opened(self, predictor: Predictor) -> Iterator[_OpenEmbed]:
        """Open the image."""
        with open_image(self.source) as data:
            disk = DiskStore(self.folder, self.budget)
            pieces = ImageParts(predictor, data, EmbeddingStore(MemoryStore(0), disk))
            yield _OpenEmbed(self, pieces, disk)


@dataclass(frozen=True, eq=False)
class _OpenEmbed:
    """Open image whose slices or tiles are embedded."""

    task: EmbedTask
    pieces: ImageParts
    disk: DiskStore

    @property
    def parts(self) -> list[Part]:
        """Indices of all slices, or of the tiles of large ones."""
        return self.pieces.indices

    def do(self, part: Part) -> Iterator[float]:
        """Embed a part, unless the store holds the embedding of the same content.

        Raises
        ------
        InputError
            If it cannot be read, or there is no room: many machines at once would push out one
            another's.
        """
        size = self.pieces.keep(part)
        if size == 0 or self.disk.nbytes + size > self.task.budget:
            raise InputError(
                f"{self.task.folder} has no room for more: {self.task.budget / 1e6:,.0f} MB; raise "
                "embeddings_disk_mb in your settings, or delete all with --clear"
            )
        yield 1.0

    def finish(self) -> Json:
        """Return the report; it does not tell which parts were embedded before."""
        count, unit = len(self.parts), self.pieces.unit
        return {"slices": count, "unit": unit, "kept": count, "embedded": count, "bytes": 0}
