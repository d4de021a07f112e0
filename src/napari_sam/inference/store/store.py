"""Content-addressed store of embeddings, in memory and on disk. Loads torch late."""

from __future__ import annotations

import hashlib
import logging
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from numpy.typing import ArrayLike

from napari_sam.arrays import ContrastRange
from napari_sam.inference.store.beside import run_beside
from napari_sam.inference.store.disk import DiskStore
from napari_sam.inference.store.memory import MemoryStore, trim_heap
from napari_sam.model.config import key_text
from napari_sam.progress import Pause
from napari_sam.settings import Settings, load_settings

if TYPE_CHECKING:
    from napari_sam.inference.embedding import Embedding
    from napari_sam.inference.predictor import Predictor

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
        image: ArrayLike,
        contrast: ContrastRange | None = None,
        pause: Pause | None = None,
    ) -> Embedding:
        """Return the embedding of an image; compute and store it if it is not stored.

        Parameters
        ----------
        predictor : Predictor
            Whose embedding is wanted. Nothing is kept for a model whose weights have no known
            hash.
        image, contrast, pause
            Intensities that become black and white; None takes the model's own rule.

        Raises
        ------
        InputError, DeviceError
            As `Predictor.embed`.
        """
        key = _key(predictor, image, contrast)
        embedding = self._find(key)
        if embedding is None:
            embedding = self._make(predictor, image, contrast, pause)
            if key:
                self._write(key, embedding, pause)
        embedding = embedding.to(predictor.model.device)
        if key:
            self.memory.put(key, embedding)
        return embedding

    def keep(
        self,
        predictor: Predictor,
        image: ArrayLike,
        contrast: ContrastRange | None = None,
        pause: Pause | None = None,
    ) -> int:
        """Embed an image and store the result for later, unless it is stored already.

        In memory nothing is forgotten for it.

        Returns
        -------
        int
            Bytes of the embedding; 0 if it could not be kept.
        """
        key = _key(predictor, image, contrast)
        embedding = self._find(key)
        if embedding is not None:
            return embedding.nbytes
        embedding = self._make(predictor, image, contrast, pause)
        if not key:
            return 0
        on_disk = self._write(key, embedding, pause)
        in_memory = self.memory.put(key, embedding, push=False)
        return embedding.nbytes if on_disk or in_memory else 0

    def has(
        self, predictor: Predictor, image: ArrayLike, contrast: ContrastRange | None = None
    ) -> bool:
        """Return whether the embedding is stored, whole and undamaged."""
        return self._find(_key(predictor, image, contrast)) is not None

    @property
    def size(self) -> int:
        """Size on disk in bytes."""
        return 0 if self.disk is None else self.disk.nbytes

    def clear(self) -> None:
        """Delete all embeddings from memory and disk, of all images and models."""
        self.memory.clear()
        if self.disk is not None:
            self.disk.clear()

    def _make(
        self,
        predictor: Predictor,
        image: ArrayLike,
        contrast: ContrastRange | None,
        pause: Pause | None,
    ) -> Embedding:
        embedding = predictor.embed(image, contrast, pause, compact=True)
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


def _key(predictor: Predictor, image: ArrayLike, contrast: ContrastRange | None) -> str:
    """Return the name of an embedding; empty if nobody knows the model's weights."""
    from napari_sam.inference.image import bounds, check_image

    entry = predictor.model.entry
    if not (entry.sha256 or entry.xxh128):
        return ""
    image = check_image(image)
    rule: object = entry.intensity
    if contrast is not None:
        rule = [bound.tolist() for bound in bounds(contrast)]
    about = f"{entry.digest!r}, {rule!r}, {image.shape!r}, {image.dtype.name!r}"
    head = f"({FORMAT}, {key_text(predictor.config)}, {about})"
    digest = hashlib.blake2b(head.encode(), digest_size=20)
    native = image.astype(image.dtype.newbyteorder("="), order="C", copy=False)
    digest.update(native.data)
    return digest.hexdigest()
