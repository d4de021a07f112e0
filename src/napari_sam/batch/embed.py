"""Embedding a picture file ahead of need as work in parts, one for each slice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sam.batch.slices import axes
from napari_sam.errors import InputError
from napari_sam.inference.store.disk import DiskStore
from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.serving.segmenter import Segmenter

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor

__all__ = ["EmbedWork"]


@dataclass(frozen=True)
class EmbedWork:
    """What `napari-sam embed` does to a picture.

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
    def opened(self, predictor: Predictor) -> Iterator[_Embedding]:
        """Open the picture."""
        from napari_sam.io.pictures import open_picture

        with open_picture(self.source) as data:
            yield _Embedding(self, predictor, data)


@dataclass(frozen=True, eq=False)
class _Embedding:
    """A picture that is open to be embedded."""

    work: EmbedWork
    predictor: Predictor
    data: Any

    @property
    def parts(self) -> list[tuple[int, ...]]:
        """All slices."""
        return list(np.ndindex(*self.data.shape[: axes(self.data) - 2]))

    def do(self, part: tuple[int, ...]) -> Iterator[float]:
        """Embed a slice; what is there by its content is not made again.

        Raises
        ------
        InputError
            If the slice cannot be read, or there is no room: many machines at once would push out
            one another's.
        """
        from napari_sam.io.pictures import read_plane

        folder, budget = self.work.folder, self.work.budget
        disk = DiskStore(folder, budget)
        segmenter = Segmenter(self.predictor, EmbeddingStore(MemoryStore(0), disk))
        size = segmenter.keep(read_plane(self.data, part), self._contrast)
        if size == 0 or disk.nbytes + size > budget:
            raise InputError(
                f"{folder} has no room for more: {budget / 1e6:,.0f} MB; raise "
                "embeddings_disk_mb in your settings, or delete all with --clear"
            )
        yield 1.0

    def finish(self) -> dict[str, Any]:
        """Return what the command reports; nobody counts which of them were there before."""
        slices = len(self.parts)
        return {"slices": slices, "kept": slices, "embedded": slices, "bytes": 0}

    @cached_property
    def _contrast(self) -> tuple[Any, Any] | None:
        from napari_sam.inference.image import pixel_range
        from napari_sam.inference.sampling import sample_stack

        ndim = axes(self.data)
        rule = self.predictor.model.entry.intensity
        return pixel_range(sample_stack(self.data, ndim), rule) if ndim > 2 else None
