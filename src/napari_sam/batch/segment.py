"""Finding all objects of a picture file as work in parts: one for each slice or tile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.batch.slices import (
    SeedsOf,
    axes,
    label_slices,
    runs,
    scratch,
    search_slice,
    seeds_of,
)
from napari_sam.inference.embeddings import EmbeddingStore, open_store
from napari_sam.inference.grid_settings import GridSettings
from napari_sam.inference.segmenter import Segmenter
from napari_sam.inference.tile_store import TileStore, stamp

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor
    from napari_sam.io.spacing import Spacing
    from napari_sam.results import Proposal
    from napari_sam.zoo import Entry

__all__ = ["SegmentWork"]

Part = tuple[tuple[int, ...], int | None]
"""A slice, and which of its tiles if it is cut."""


@dataclass(frozen=True)
class SegmentWork:
    """What `napari-sam segment` does to a picture.

    Parameters
    ----------
    source, output : Path
        The picture, and where its labels go.
    settings : GridSettings
        How it is searched.
    seeds : str, optional
        A file of points or labels to ask at.
    gap : int
        As in `link_slices`.
    link : bool
        Whether the slices' objects are linked.
    """

    source: Path
    output: Path
    settings: GridSettings
    seeds: str | None = None
    gap: int = 1
    link: bool = True

    @property
    def folder(self) -> Path:
        """Where it writes."""
        return self.output.parent

    def parts(self) -> list[Part]:
        """Return all slices, or their tiles where they are large."""
        from napari_sam.inference.tiling import Tiling
        from napari_sam.io.pictures import open_picture

        with open_picture(self.source) as data:
            shape = data.shape[: axes(data)]
        count = len(Tiling().tiles(shape[-2:])) if Tiling().cuts(shape[-2:]) else 0
        tiles = range(count) if count else [None]
        return [(plane, tile) for plane in np.ndindex(*shape[:-2]) for tile in tiles]

    def do(self, part: Part, predictor: Predictor) -> None:
        """Search a slice or a tile; what is kept of it already is not searched again."""
        from napari_sam.inference.tiled import search_tile
        from napari_sam.io.pictures import Plane

        plane, tile = part
        with self._search(predictor) as search:
            if tile is None or search.seeds(plane) is not None:  # which a large slice refuses
                search.find(plane)
                return
            there, folder = Plane(search.data, plane), scratch(self.output, plane)
            search_tile(predictor, there, tile, self.settings, folder, search.contrast)

    def finish(self, predictor: Predictor) -> tuple[Entry, int, Spacing]:
        """Put all together, write the labels; return the model, how many objects, the axes."""
        from napari_sam.io.export import write_objects
        from napari_sam.io.scale import read_spacing

        left = scratch(self.output)  # also what a worker left that was killed
        left.mkdir(parents=True, exist_ok=True)
        with self._search(predictor) as search, TemporaryDirectory(dir=left) as room:
            shape = search.data.shape[: axes(search.data)]
            spacing = read_spacing(self.source, len(shape))
            along = spacing.along if self.link else None
            labels: NDArray[np.int32] = np.lib.format.open_memmap(
                Path(room) / "labels.npy", "w+", np.int32, shape
            )
            order = runs(shape[:-2], along)
            label_slices(labels, order, search.find, self.gap, spacing.anisotropy)
            objects = int(labels.max())
            write_objects(self.output, labels, spacing)
        rmtree(left, ignore_errors=True)
        for part in self.folder.glob(f"{escape(self.output.name)}.*.part"):
            part.unlink(missing_ok=True)
        return predictor.model.entry, objects, spacing

    @contextmanager
    def _search(self, predictor: Predictor) -> Iterator[_Search]:
        from napari_sam.inference.sampling import sample_stack
        from napari_sam.io.pictures import open_picture

        with open_picture(self.source) as data, ExitStack() as held:
            ndim = axes(data)
            store = open_store()
            contrast = None
            if ndim > 2:
                contrast = Segmenter(predictor, store).contrast(sample_stack(data, ndim))
            seeds = held.enter_context(seeds_of(self.seeds, data.shape[:ndim]))
            yield _Search(self, predictor, data, contrast, seeds, store)


@dataclass(frozen=True, eq=False)
class _Search:
    """A picture that is open to be searched."""

    work: SegmentWork
    predictor: Predictor
    data: Any
    contrast: tuple[Any, Any] | None
    seeds: SeedsOf
    store: EmbeddingStore

    def find(self, plane: tuple[int, ...]) -> list[Proposal]:
        """Return the objects of a slice, from the folder if they are kept there."""
        from napari_sam.inference.tiling import Tile, Tiling
        from napari_sam.io.pictures import Plane

        there, points = Plane(self.data, plane), self.seeds(plane)
        folder, settings = scratch(self.work.output, plane), self.work.settings
        kept: TileStore | None = None
        if not Tiling().cuts(there.shape):
            pixels, kept = there[:, :], TileStore(folder)
            height, width = there.shape[:2]
            whole = Tile((0, 0, height, width), (0, 0, height, width))
            model = (
                f"{self.predictor.model.entry.digest} {None if points is None else points.tolist()}"
            )
            mark = stamp(pixels, whole, settings, self.contrast or (0, 0), model)
            known = kept.read(whole, mark)
            if known is not None:
                return known
        found: list[Proposal] = []
        for step in search_slice(
            self.predictor, there, settings, points, self.contrast, self.store, folder
        ):
            found = step.kept or found
        if kept is not None:
            kept.write(whole, mark, found)
        return found
