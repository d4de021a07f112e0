"""Content-addressed store of embeddings, in memory and on disk. Loads torch late."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import platformdirs
from numpy.typing import ArrayLike

from napari_sam.arrays import Array, ContrastRange, LazyArray, lazy
from napari_sam.inference.pyramid import PyramidTile, is_large, tiles_of
from napari_sam.inference.sampling import sample_image
from napari_sam.inference.store.beside import run_beside
from napari_sam.inference.store.disk import DiskStore
from napari_sam.inference.store.memory import MemoryStore, trim_heap
from napari_sam.model.config import key_text
from napari_sam.progress import Pause
from napari_sam.settings import Settings, load_settings

if TYPE_CHECKING:
    from napari_sam.inference.embedding import Embedding
    from napari_sam.inference.predictor import Predictor
    from napari_sam.inference.tiled_embedding import TiledEmbedding

__all__ = ["EmbeddingStore", "embeddings_folder", "open_store"]

logger = logging.getLogger(__name__)
FORMAT = 1  # to be raised when the same pixels, weights and contrast become another embedding
MEGABYTE = 1_000_000
MEMORY_SHARE = 0.5  # of the memory; what it takes to make, write and read embeddings needs the rest


class EmbeddingStore:
    """Content-addressed cache of embeddings, in memory and on disk.

    An embedding is known by a hash of the pixels, the model's weights and the contrast, whatever
    the picture is called and wherever it lies. What the store gives is float16, the first time,
    too. Several threads and programs may use the same folder.

    Parameters
    ----------
    memory : MemoryStore
        Where the latest are at hand.
    disk : DiskStore, optional
        Where all are kept; None keeps nothing beyond the life of the process.

    Attributes
    ----------
    made : int
        How many embeddings had to be made.
    """

    def __init__(self, memory: MemoryStore, disk: DiskStore | None = None) -> None:
        self.memory = memory
        self.disk = disk
        self.made = 0
        self._being_written: dict[str, Embedding] = {}

    @property
    def budget(self) -> int:
        """Budget in bytes for a whole stack: on disk, or in memory if there is no disk store."""
        return self.memory.budget if self.disk is None else self.disk.budget

    def get(
        self,
        predictor: Predictor,
        image: LazyArray | ArrayLike,
        contrast: ContrastRange | None = None,
        pause: Pause | None = None,
    ) -> Embedding | TiledEmbedding:
        """Return the embedding of an image; compute and store it if it is not stored.

        A picture of more than 2,048 x 2,048 pixels is not embedded yet: its tiles are, and stored,
        when prompts ask for them.

        Parameters
        ----------
        predictor : Predictor
            Whose embedding is wanted. Nothing is kept for a model whose weights have no known
            hash.
        image, contrast, pause
            As `Predictor.embed`; a large picture may be of dask or zarr, and is not read.

        Raises
        ------
        InputError, DeviceError
            As `Predictor.embed`.
        """
        pixels = lazy(image, "the picture")
        if is_large(pixels.shape):
            return self._tiled(predictor, pixels, contrast)
        return self._get(_Asked(predictor, image, contrast), pause)

    def whole(
        self,
        predictor: Predictor,
        image: ArrayLike,
        contrast: ContrastRange | None = None,
        pause: Pause | None = None,
    ) -> Embedding:
        """Do as `get`, but embed a large picture in one piece, too: for a search all over it."""
        return self._get(_Asked(predictor, image, contrast), pause)

    def keep(
        self,
        predictor: Predictor,
        image: LazyArray | ArrayLike,
        contrast: ContrastRange | None = None,
        pause: Pause | None = None,
    ) -> int:
        """Embed an image and store the result for later, unless it is stored already.

        Of a large picture these are all tiles at its own scale. In memory nothing is forgotten for
        it.

        Returns
        -------
        int
            Bytes of the embedding; 0 if it could not be kept.
        """
        pixels = lazy(image, "the picture")
        if not is_large(pixels.shape):
            return self._keep(_Asked(predictor, image, contrast), pause)
        tiled = self._tiled(predictor, pixels, contrast)
        sizes = []
        for tile in tiles_of(tiled.shape):
            sizes.append(self.keep_tile(predictor, tiled, tile, pause))
            if sizes[-1] == 0:
                return 0
        return sum(sizes)

    def keep_tile(
        self,
        predictor: Predictor,
        tiled: TiledEmbedding,
        tile: PyramidTile,
        pause: Pause | None = None,
    ) -> int:
        """Do as `keep` for one tile of a large picture; `tiled` came from `get`."""
        return self._keep(_Asked(predictor, *tile.read(tiled.image, tiled.contrast), True), pause)

    def has(
        self, predictor: Predictor, image: ArrayLike, contrast: ContrastRange | None = None
    ) -> bool:
        """Return whether the embedding is stored, whole and undamaged; not of a large picture."""
        return self._find(_Asked(predictor, image, contrast).key) is not None

    @property
    def size(self) -> int:
        """Size on disk in bytes."""
        return 0 if self.disk is None else self.disk.nbytes

    def clear(self) -> None:
        """Delete all embeddings from memory and disk, of all images and models."""
        self.memory.clear()
        if self.disk is not None:
            self.disk.clear()

    def _tiled(
        self, predictor: Predictor, image: LazyArray, contrast: ContrastRange | None
    ) -> TiledEmbedding:
        from napari_sam.inference.image import check_form, pixel_range
        from napari_sam.inference.tiled_embedding import TiledEmbedding

        check_form(image)
        if contrast is None:
            contrast = pixel_range(sample_image(image), predictor.model.entry.intensity)

        def embed(pixels: Array, contrast: ContrastRange, pause: Pause | None) -> Embedding:
            return self._get(_Asked(predictor, pixels, contrast, True), pause)

        return TiledEmbedding(image, contrast, embed)

    def _get(self, asked: _Asked, pause: Pause | None) -> Embedding:
        key = asked.key
        embedding = self._find(key)
        if embedding is None:
            embedding = self._make(asked, pause)
            if key:
                self._write(key, embedding, pause)
        embedding = embedding.to(asked.predictor.model.device)
        if key:
            self.memory.put(key, embedding)
        return embedding

    def _keep(self, asked: _Asked, pause: Pause | None) -> int:
        key = asked.key
        embedding = self._find(key)
        if embedding is not None:
            return embedding.nbytes
        embedding = self._make(asked, pause)
        if not key:
            return 0
        on_disk = self._write(key, embedding, pause)
        in_memory = self.memory.put(key, embedding, push=False)
        return embedding.nbytes if on_disk or in_memory else 0

    def _make(self, asked: _Asked, pause: Pause | None) -> Embedding:
        embedding = asked.predictor.embed(
            asked.image, asked.contrast, pause, sizes=asked.sizes, compact=True
        )
        self.made += 1
        trim_heap()
        return embedding

    def _write(self, key: str, embedding: Embedding, pause: Pause | None) -> bool:
        if self.disk is None:
            return False
        self._being_written[key] = embedding  # whoever goes first meanwhile may want this very one
        try:
            return run_beside(partial(self.disk.put, key, embedding), pause)
        finally:
            self._being_written.pop(key, None)

    def _find(self, key: str) -> Embedding | None:
        embedding = self.memory.get(key) or self._being_written.get(key)
        if embedding is None and key and self.disk is not None:
            embedding = self.disk.get(key)
        return embedding


def open_store(settings: Settings | None = None) -> EmbeddingStore:
    """Open the embedding store that the user's settings describe."""
    settings = settings or load_settings()
    memory = MemoryStore(int(MEMORY_SHARE * settings.embeddings_memory_mb * MEGABYTE))
    if settings.embeddings_disk_mb == 0:
        return EmbeddingStore(memory)
    folder = embeddings_folder(settings)
    return EmbeddingStore(memory, DiskStore(folder, settings.embeddings_disk_mb * MEGABYTE))


def embeddings_folder(settings: Settings | None = None) -> Path:
    """Return the folder of the embeddings on disk.

    ``NAPARI_SAM_EMBEDDINGS``, else the user's setting, else the user's cache folder.
    """
    settings = settings or load_settings()
    chosen = os.environ.get("NAPARI_SAM_EMBEDDINGS") or settings.embeddings_folder
    if chosen:
        return Path(chosen).expanduser()
    return Path(platformdirs.user_cache_dir("napari-sam", appauthor=False)) / "embeddings"


@dataclass(frozen=True, eq=False)
class _Asked:
    """An embedding that is wanted: of a whole picture, or of a tile at its own scale."""

    predictor: Predictor
    image: Any
    contrast: ContrastRange | None
    is_tile: bool = False

    @property
    def sizes(self) -> list[tuple[int, int]] | None:
        """Sizes of the levels in model pixels; None where they are the usual ones."""
        if not self.is_tile:
            return None
        height, width = np.shape(self.image)[:2]
        sizes = self.predictor.tile_scales((height, width))
        return None if sizes == self.predictor.scales((height, width)) else sizes

    @cached_property
    def key(self) -> str:
        """Name of the embedding; empty if nobody knows the model's weights."""
        from napari_sam.inference.image import bounds, check_image

        entry, sizes = self.predictor.model.entry, self.sizes
        if not (entry.sha256 or entry.xxh128):
            return ""
        image = check_image(self.image)
        rule: object = entry.intensity
        if self.contrast is not None:
            rule = [bound.tolist() for bound in bounds(self.contrast)]
        about = f"{entry.digest!r}, {rule!r}, {image.shape!r}, {image.dtype.name!r}"
        if sizes is not None:
            about += f", {sizes!r}"
        head = f"({FORMAT}, {key_text(self.predictor.config)}, {about})"
        digest = hashlib.blake2b(head.encode(), digest_size=20)
        native = image.astype(image.dtype.newbyteorder("="), order="C", copy=False)
        digest.update(native.data)
        return digest.hexdigest()
