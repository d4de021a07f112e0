"""Automatic mask generation on large images, tile by tile, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import Array, ContrastRange, LazyArray, plain
from napari_sam.errors import InputError
from napari_sam.inference.automatic.instances.overview import Overview
from napari_sam.inference.automatic.nms import nms
from napari_sam.inference.automatic.points import points_inside
from napari_sam.inference.automatic.proposals import EDGE_MARGIN, near_edge
from napari_sam.inference.automatic.search import default_settings, iter_proposals, search
from napari_sam.inference.automatic.settings import (
    GridSettings,
    InstanceSettings,
    SearchSettings,
)
from napari_sam.inference.automatic.tiles import (
    Tile,
    TileStore,
    Tiling,
    lattice,
    tile_hash,
    weights_hash,
)
from napari_sam.inference.image import check_image, pixel_range
from napari_sam.inference.predictor import Predictor
from napari_sam.inference.sampling import sample_image
from napari_sam.masks import Box, CroppedMask, grown, shifted, slices
from napari_sam.progress import Pause, Progress
from napari_sam.results import Proposal, SearchResult

__all__ = ["iter_tiles", "search_tile"]

SEAM = 0.3  # IoU from which instances of two tiles are one


def iter_tiles(
    predictor: Predictor,
    image: LazyArray,
    settings: SearchSettings | None = None,
    *,
    tiling: Tiling | None = None,
    where: NDArray[np.bool_] | None = None,
    contrast: ContrastRange | None = None,
    folder: Path | None = None,
    pause: Pause | None = None,
) -> Iterator[Progress[SearchResult]]:
    """Segment everything in a large image, tile by tile.

    Points lie on one lattice over the whole picture, and each is asked about in the tile whose core
    it lies in, which shows a halo around it; so an object at a seam is found whole from both
    sides, and the better answer stays. So is an instance that reaches into the cores of both; what
    is longer than the halo is looked for in the whole picture, reduced. Cores of one single value
    are passed over.

    Parameters
    ----------
    predictor : Predictor
        What looks.
    image : (H, W), (H, W, 3) or (H, W, 4) array-like
        numpy, zarr, dask: one tile is read at a time.
    settings : GridSettings or InstanceSettings, optional
        As in `iter_proposals`. The `points_per_side` count for each core; there are no layers of
        crops. Points lie on a lattice whatever the `seeds`: then neighbours agree on them.
    tiling : Tiling, optional
        How it is cut.
    where : (H, W) bool, optional
        Points elsewhere are not asked about; what is kept in the folder does not count then.
    contrast : (low, high), optional
        Intensities that become black and white; None finds them from a sample of the picture.
    folder : Path, optional
        Keeps what was found in each tile, so that a run that was cut short goes on; a tile with
        other pixels, settings or model is searched anew.
    pause : callable, optional
        Called between batches and between the layers of the encoder: it may do other work with
        this model, or raise an exception to stop.

    Yields
    ------
    Progress of SearchResult
        After every tile; what lies at a seam may be found by its neighbours as well. The last one
        carries what is kept, one for each object of the whole picture.

    Raises
    ------
    InputError
        If this is no picture, or layers of crops are asked for.
    DeviceError
        If the device has no memory for a tile.
    """
    entry = predictor.model.entry
    known = entry.sha256 or entry.xxh128  # else nobody could tell this model from another one
    store = TileStore(folder) if folder is not None and known and where is None else None
    settings, tiling = settings or default_settings(predictor.model), tiling or Tiling()
    contrast = _check(predictor, image, settings, contrast)
    return _TiledSearch(predictor, image, settings, tiling, where, contrast, store, pause).run()


def search_tile(
    predictor: Predictor,
    image: LazyArray,
    number: int,
    settings: SearchSettings,
    folder: Path,
    contrast: ContrastRange | None = None,
) -> None:
    """Segment one tile, unless stored already, and store the result for `iter_tiles`.

    Parameters
    ----------
    predictor, image, settings, folder, contrast
        As in `iter_tiles`.
    number : int
        Which of ``Tiling().tiles(picture.shape[:2])``.

    Raises
    ------
    InputError, DeviceError
        As `iter_tiles`.
    """
    tiling, contrast = Tiling(), _check(predictor, image, settings, contrast)
    store = TileStore(folder)
    job = _TiledSearch(predictor, image, settings, tiling, None, contrast, store, None)
    job.search_in(tiling.tiles(image.shape[:2])[number])


def _check(
    predictor: Predictor,
    image: LazyArray,
    settings: SearchSettings,
    contrast: ContrastRange | None,
) -> ContrastRange:
    """Return the contrast of a picture that can be searched in tiles."""
    if isinstance(settings, GridSettings) and settings.crop_layers:
        raise InputError(
            "a picture that is searched in tiles has no layers of crops; ask for more points"
        )
    colours = image.shape[2:]
    if len(image.shape) not in (2, 3) or (colours and colours[0] not in (3, 4)):
        raise InputError(
            f"a picture must have shape (H, W), (H, W, 3) or (H, W, 4); got {image.shape}"
        )
    return contrast or pixel_range(sample_image(image), predictor.model.entry.intensity)


@dataclass(frozen=True, eq=False)
class _TiledSearch:
    """A search with what all of its tiles share; for the fields see `iter_tiles`."""

    predictor: Predictor
    image: LazyArray
    settings: SearchSettings
    tiling: Tiling
    where: NDArray[np.bool_] | None
    contrast: ContrastRange
    store: TileStore | None
    pause: Pause | None

    def run(self) -> Iterator[Progress[SearchResult]]:
        """Search all tiles."""
        tiles = self.tiling.tiles(self.image.shape[:2])
        everything: list[Proposal] = []
        overview = Overview((self.image.shape[0], self.image.shape[1]), self.tiling)
        for done, tile in enumerate(tiles, 1):
            found = self.search_in(tile, overview)
            everything += found
            yield Progress(done, len(tiles), SearchResult(found))
        kept = _deduplicated(everything, self.tiling, self.settings)
        if isinstance(self.settings, InstanceSettings):
            large = overview.find(self.predictor, self.settings, self.contrast, self.pause)
            kept = sorted([*kept, *self._wanted(large)], key=lambda one: -one.score)
        yield Progress(len(tiles), len(tiles), SearchResult([], kept))

    def _wanted(self, proposals: list[Proposal]) -> list[Proposal]:
        """Return those whose point lies where objects are looked for."""
        where = self.where
        if where is None:
            return proposals
        return [one for one in proposals if where[round(one.point[0]), round(one.point[1])]]

    def search_in(self, tile: Tile, overview: Overview | None = None) -> list[Proposal]:
        """Return what is whole in a tile: known from the store, or found now."""
        pixels = plain(self.image[slices(tile.seen)], "the picture")
        core = pixels[slices(tile.core, tile.seen)]
        if overview is not None:
            overview.add(tile.core, core)
        wanted = self.where is None or self.where[slices(tile.core)].any()
        if core.min() == core.max() or not wanted:
            return []
        model = weights_hash(self.predictor.model.entry, self.settings)
        mark = tile_hash(pixels, tile, self.settings, self.contrast, model)
        found = None if self.store is None else self.store.read(tile, mark)
        if found is None:
            found = self._whole(self._ask(check_image(pixels), tile), tile)
            if self.store is not None:
                self.store.write(tile, mark, found)
        return found

    def _ask(self, part: Array, tile: Tile) -> list[Proposal]:
        if isinstance(self.settings, GridSettings):
            apart = self.tiling.side / self.settings.points_per_side
            every = (points_inside(lattice(n * apart, tile.core), self.where) for n in (1, 2))
            fine, coarse = (some - tile.seen[:2] for some in every)
            steps = search(
                self.predictor, part, fine, coarse, self.settings, self.contrast, self.pause
            )
        else:
            # Two tiles may see the deepest place of an object apart by its length, which is at
            # most the halo: with half of that on each side of a seam at least one has it.
            height, width = self.image.shape[:2]
            near = grown(tile.core, -(-self.tiling.halo // 2), (height, width))
            where = np.zeros(part.shape[:2], bool)
            where[slices(near, tile.seen)] = (
                True if self.where is None else self.where[slices(near)]
            )
            steps = iter_proposals(
                self.predictor,
                part,
                self.settings,
                where=where,
                contrast=self.contrast,
                pause=self.pause,
            )
        kept: list[Proposal] = []
        for step in steps:
            kept = step.result.kept or kept
        return kept

    def _whole(self, proposals: list[Proposal], tile: Tile) -> list[Proposal]:
        """Return those that the tile answers for and does not cut, as proposals of the picture."""
        height, width = self.image.shape[:2]
        settings = self.settings
        most = settings.largest if isinstance(settings, GridSettings) else None
        at_points = isinstance(settings, GridSettings)
        return [
            one
            for one in (_moved(one, (height, width), tile) for one in proposals)
            if not near_edge(one.cropped.box, tile.seen, (0, 0, height, width), EDGE_MARGIN)
            and (most is None or one.area < most * height * width)
            and (at_points or _meet(one.cropped.box, tile.core))
        ]


def _meet(a: Box, b: Box) -> bool:
    """Return whether two boxes have pixels in common."""
    return all(a[i] < b[i + 2] and b[i] < a[i + 2] for i in (0, 1))


def _moved(one: Proposal, shape: tuple[int, int], tile: Tile) -> Proposal:
    """Return a proposal of a tile as one of the whole picture."""
    top, left = tile.seen[:2]
    box, bits = one.cropped.box, one.cropped.bits
    return replace(
        one,
        cropped=CroppedMask(shape, shifted(box, top, left), bits),
        point=(one.point[0] + top, one.point[1] + left),
        crop=tile.seen,
    )


def _deduplicated(
    proposals: list[Proposal], tiling: Tiling, settings: SearchSettings
) -> list[Proposal]:
    """Drop what two tiles have found; only what leaves the core that it was found from can be."""
    seam: list[Proposal] = []
    inner: list[Proposal] = []
    for one in proposals:
        box, point = one.cropped.box, one.point
        first, last = (
            np.floor_divide(at, tiling.side) for at in (box[:2], np.subtract(box[2:], 1))
        )
        home = np.floor_divide(point, tiling.side)
        (inner if (first == home).all() and (last == home).all() else seam).append(one)
    scores = [one.score for one in seam]
    if isinstance(settings, GridSettings):
        stay = nms(seam, scores, settings.overlap, settings.max_overlap)
    else:
        stay = nms(seam, scores, "mask", SEAM)
    return sorted([*inner, *(seam[i] for i in stay)], key=lambda one: -one.score)
