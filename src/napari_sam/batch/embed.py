"""Embedding a picture file ahead of need as work in parts, one for each slice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sam.batch.slices import axes
from napari_sam.errors import InputError
from napari_sam.inference.disk_store import DiskStore
from napari_sam.inference.embeddings import EmbeddingStore
from napari_sam.inference.memory_store import MemoryStore
from napari_sam.inference.segmenter import Segmenter

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

    def parts(self) -> list[tuple[int, ...]]:
        """Return all slices."""
        from napari_sam.io.pictures import open_picture

        with open_picture(self.source) as data:
            return list(np.ndindex(*data.shape[: axes(data) - 2]))

    def do(self, part: tuple[int, ...], predictor: Predictor) -> None:
        """Embed a slice; what is there by its content is not made again.

        Raises
        ------
        InputError
            If the slice cannot be read, or there is no room: many machines at once would push out
            one another's.
        """
        from napari_sam.inference.sampling import sample_stack
        from napari_sam.io.pictures import open_picture, read_plane

        disk = DiskStore(self.folder, self.budget)
        segmenter = Segmenter(predictor, EmbeddingStore(MemoryStore(0), disk))
        with open_picture(self.source) as data:
            ndim = axes(data)
            contrast = segmenter.contrast(sample_stack(data, ndim)) if ndim > 2 else None
            size = segmenter.keep(read_plane(data, part), contrast)
        if size == 0 or disk.nbytes + size > self.budget:
            raise InputError(
                f"{self.folder} has no room for more: {self.budget / 1e6:,.0f} MB; raise "
                "embeddings_disk_mb in your settings, or delete all with --clear"
            )

    def finish(self, predictor: Predictor) -> dict[str, Any]:
        """Return what the command reports; nobody counts which of them were there before."""
        slices = len(self.parts())
        return {"slices": slices, "kept": slices, "embedded": slices, "bytes": 0}
