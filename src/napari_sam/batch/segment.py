"""Automatic mask generation for a file: a task of one part for each slice or tile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import Array, ContrastRange
from napari_sam.batch.alike import Alike, Examples
from napari_sam.batch.label_output import LabelTask
from napari_sam.batch.slices import (
    Runs,
    SeedsOf,
    label_slices,
    runs,
    seeds_of,
    stack_contrast,
)
from napari_sam.batch.words import WordMatches, Words
from napari_sam.errors import InputError
from napari_sam.files import Json
from napari_sam.inference.automatic.settings import SearchSettings, way_of
from napari_sam.inference.automatic.tiles import (
    Tile,
    TileStore,
    Tiling,
    tile_hash,
    weights_hash,
)
from napari_sam.inference.sampling import sample_image
from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import EmbeddingStore, open_store
from napari_sam.io.images.read import LazyPlane, open_image
from napari_sam.io.label_stores.chunks import largest
from napari_sam.progress import Progress
from napari_sam.results import SearchResult
from napari_sam.serving.segmenter import StoredSegmenter

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor
    from napari_sam.io.images.pixels import LazyImage
    from napari_sam.results import Proposal

__all__ = ["SegmentTask"]

Part = tuple[tuple[int, ...], int | None]
"""A slice, and which of its tiles if it is cut."""


@dataclass(frozen=True)
class SegmentTask(LabelTask):
    """Task of `napari-sam segment` for one image.

    Parameters
    ----------
    source : Path
        The picture.
    target : LabelOutput
        Where its labels go.
    settings : GridSettings or InstanceSettings
        How it is searched.
    seeds : str, optional
        A file of points or labels to ask at.
    gap : int
        Slices in a row that an object may be missed on.
    link : bool
        Whether the slices' objects are linked.
    words : Words, optional
        Only what fits them is kept.
    examples : Examples, optional
        Only what is like them is kept.
    """

    settings: SearchSettings
    seeds: str | None = None
    gap: int = 1
    link: bool = True
    words: Words | None = None
    examples: Examples | None = None

    @contextmanager
    def opened(self, predictor: Predictor) -> Iterator[_OpenSegment]:
        """Open the image and the file of seeds."""
        # Each slice is looked at once, so nothing is kept in memory.
        store = EmbeddingStore(MemoryStore(0), open_store().disk)
        with (
            open_image(self.source) as data,
            seeds_of(self.seeds, data.plain_shape) as seeds,
        ):
            yield _OpenSegment(self, predictor, data, seeds, store)


@dataclass(frozen=True, eq=False)
class _OpenSegment:
    """Open image in which all objects are segmented."""

    task: SegmentTask
    predictor: Predictor
    data: LazyImage
    seeds: SeedsOf
    store: EmbeddingStore

    @property
    def parts(self) -> list[Part]:
        """Indices of all slices, or of the tiles of large ones."""
        *planes, height, width = self.data.plain_shape
        cut = Tiling().cuts((height, width)) and not self._semantic
        tiles = range(len(Tiling().tiles((height, width)))) if cut else [None]
        return [(plane, tile) for plane in np.ndindex(*planes) for tile in tiles]

    def do(self, part: Part) -> Iterator[float]:
        """Segment a slice or a tile, unless its result is cached in the folder."""
        from napari_sam.inference.automatic.tiled import search_tile

        plane, tile = part
        if self._semantic:
            if self.store.disk is not None:  # where finish finds it
                self._segmenter.keep(self.data[plane], self._stacked)
        elif tile is not None and self.seeds(plane) is None:
            there, folder = LazyPlane(self.data, plane), self._folder(plane)
            search_tile(self.predictor, there, tile, self.task.settings, folder, self._tiled)
        else:
            for step in self._steps(plane):
                yield step.done / max(step.total, 1)

    def finish(self) -> Json:
        """Merge all parts and write the labels; return a report with the number of objects."""
        task, shape = self.task, self.data.plain_shape
        spacing = task.spacing(len(shape))
        along = spacing.along if task.link and not self._semantic else None
        order = runs(shape[:-2], along)
        report: Json = {
            "objects": 0,
            "way": None if self._semantic else way_of(task.settings),
            "linked": None if along is None else spacing.axes[along],
            "anisotropy": spacing.anisotropy,
            "channels": dict(zip(spacing.axes, shape, strict=True)).get("c", 1),
        }
        with task.target.room(shape) as labels:
            if task.examples is not None:
                alike, thin = self._label_alike(task.examples, labels, order, spacing.anisotropy)
                report["alike"] = alike
            elif task.words is None:
                thin = label_slices(labels, order, self._find, task.gap, spacing.anisotropy)
            else:
                words, thin = self._label_words(task.words, labels, order, spacing.anisotropy)
                report["words"] = words
            report["too_thin"] = thin  # pixels between objects
            report["objects"] = largest(labels)
            task.target.write(labels, spacing, self.predictor.model.entry, report)
        task.target.clean()
        return report

    def _label_alike(
        self, examples: Examples, labels: NDArray[np.int32], order: Runs, anisotropy: float
    ) -> tuple[Json, int]:
        """Label what is like the examples; return their count, and what `label_slices` does."""
        alike = Alike(examples, self._segmenter, self._search)

        def find(plane: tuple[int, ...]) -> list[Proposal]:
            return alike.keep(self.data[plane], self._find(plane), self._stacked)

        thin = label_slices(labels, order, find, self.task.gap, anisotropy)
        return alike.count._asdict(), thin

    def _search(self, image: Array, contrast: ContrastRange | None) -> list[Proposal]:
        """Return everything that is found in an image, also in one that is not the task's."""
        from napari_sam.inference.automatic.search import iter_proposals

        steps = iter_proposals(
            self.predictor, image, self.task.settings, contrast=contrast, store=self.store
        )
        return [one for step in steps for one in step.result.kept or ()]

    def _label_words(
        self, words: Words, labels: NDArray[np.int32], order: Runs, anisotropy: float
    ) -> tuple[dict[int, str], int]:
        """Label what fits the words; return each label's words, and what `label_slices` does."""
        matches = WordMatches(words)
        if words.semantic:
            for [plane] in order:
                pixels = self.data[plane]
                labels[plane] = matches.map(self._segmenter, pixels, self._stacked)
                matches.note(labels[plane], labels[plane])
            return matches.report(), 0

        def find(plane: tuple[int, ...]) -> list[Proposal]:
            pixels = self.data[plane]
            return matches.keep(pixels, self._find(plane), self._stacked)

        thin = label_slices(labels, order, find, self.task.gap, anisotropy, matches)
        return matches.report(), thin

    def _find(self, plane: tuple[int, ...]) -> list[Proposal]:
        """Return the objects of a slice, from the folder if they are kept there."""
        found: list[Proposal] = []
        for step in self._steps(plane):
            found = step.result.kept or found
        return found

    def _steps(self, plane: tuple[int, ...]) -> Iterator[Progress[SearchResult]]:
        """Search a slice, unless it is kept what was found there; in tiles if it is large."""
        from napari_sam.inference.automatic.search import iter_proposals
        from napari_sam.inference.automatic.tiled import iter_tiles

        there, points, settings = LazyPlane(self.data, plane), self.seeds(plane), self.task.settings
        if Tiling().cuts(there.shape):
            if points is not None:
                raise InputError(
                    f"seeds from a file are for pictures of up to {Tiling().alone} pixels a side; "
                    f"this one has {there.shape[:2]}: cut it, or leave --seeds out"
                )
            folder = self._folder(plane)
            yield from iter_tiles(
                self.predictor, there, settings, contrast=self._tiled, folder=folder
            )
            return
        pixels, kept = there[:, :], TileStore(self._folder(plane))
        height, width = there.shape[:2]
        whole = Tile((0, 0, height, width), (0, 0, height, width))
        weights = weights_hash(self.predictor.model.entry, settings)
        model = f"{weights} {None if points is None else points.tolist()}"
        mark = tile_hash(pixels, whole, settings, self._stacked or (0, 0), model)
        found = kept.read(whole, mark)
        if found is not None:
            yield Progress(1, 1, SearchResult([], found))
            return
        found = []
        for step in iter_proposals(
            self.predictor, pixels, settings, seeds=points, contrast=self._stacked, store=self.store
        ):
            found = step.result.kept or found
            yield step
        kept.write(whole, mark, found)

    def _folder(self, plane: tuple[int, ...]) -> Path:
        return self.task.target.scratch / "-".join(map(str, plane))

    @property
    def _semantic(self) -> bool:
        return self.task.words is not None and self.task.words.semantic

    @cached_property
    def _segmenter(self) -> StoredSegmenter:
        return StoredSegmenter(self.predictor, self.store)

    @cached_property
    def _stacked(self) -> ContrastRange | None:
        """One contrast for all slices of a stack."""
        return stack_contrast(self.data, self.predictor.model.entry.intensity)

    @cached_property
    def _tiled(self) -> ContrastRange:
        """One contrast for all tiles."""
        return self._stacked or self._segmenter.contrast(sample_image(LazyPlane(self.data, ())))
