"""Precompute the image embeddings of a file: a task of one part for each slice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_sam.arrays import ContrastRange
from napari_sam.batch.slices import stack_contrast
from napari_sam.errors import InputError
from napari_sam.files import Json
from napari_sam.inference.store.disk import DiskStore
from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.io.images.read import open_image
from napari_sam.serving.segmenter import StoredSegmenter

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor
    from napari_sam.io.images.pixels import LazyImage

__all__ = ["EmbedTask"]


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
            yield _OpenEmbed(self, predictor, data)


@dataclass(frozen=True, eq=False)
class _OpenEmbed:
    """Open image whose slices are embedded."""

    task: EmbedTask
    predictor: Predictor
    data: LazyImage

    @property
    def parts(self) -> list[tuple[int, ...]]:
        """Indices of all slices."""
        return list(np.ndindex(*self.data.plain_shape[:-2]))

    def do(self, part: tuple[int, ...]) -> Iterator[float]:
        """Embed a slice, unless the store holds the embedding of the same content.

        Raises
        ------
        InputError
            If the slice cannot be read, or there is no room: many machines at once would push out
            one another's.
        """
        folder, budget = self.task.folder, self.task.budget
        disk = DiskStore(folder, budget)
        segmenter = StoredSegmenter(self.predictor, EmbeddingStore(MemoryStore(0), disk))
        size = segmenter.keep(self.data[part], self._contrast)
        if size == 0 or disk.nbytes + size > budget:
            raise InputError(
                f"{folder} has no room for more: {budget / 1e6:,.0f} MB; raise "
                "embeddings_disk_mb in your settings, or delete all with --clear"
            )
        yield 1.0

    def finish(self) -> Json:
        """Return the report; it does not tell which slices were embedded before."""
        slices = len(self.parts)
        return {"slices": slices, "kept": slices, "embedded": slices, "bytes": 0}

    @cached_property
    def _contrast(self) -> ContrastRange | None:
        return stack_contrast(self.data, self.predictor.model.entry.intensity)
