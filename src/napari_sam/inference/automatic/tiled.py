"""Find everything in a picture of any size, tile by tile, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import plain
from napari_sam.errors import InputError
from napari_sam.inference.automatic.nms import suppress
from napari_sam.inference.automatic.points import inside
from napari_sam.inference.automatic.proposals import NEAR, near_edge
from napari_sam.inference.automatic.search import SearchResult, search
from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.inference.automatic.tiles import (
    Tile,
    TileStore,
    Tiling,
    lattice,
    sample_picture,
    stamp,
)
from napari_sam.inference.image import check_image, pixel_range
from napari_sam.inference.predictor import Predictor
from napari_sam.masks import CroppedMask, shifted, slices
from napari_sam.progress import Progress
from napari_sam.results import Proposal

__all__ = ["iter_tiles", "search_tile"]


def iter_tiles(
    predictor: Predictor,
    picture: Any,
    settings: GridSettings | None = None,
    *,
    tiling: Tiling | None = None,
    where: NDArray[np.bool_] | None = None,
    contrast: tuple[Any, Any] | None = None,
    folder: Path | None = None,
    pause: Callable[[], None] | None = None,
) -> Iterator[Progress[SearchResult]]:
    """Find everything in a large picture.

    Points lie on one lattice over the whole picture, and each is asked about in the tile whose core
    it lies in, which shows a halo around it; so an object at a seam is found whole from both
    sides, and the better answer stays. Cores of one single value are passed over.

    Parameters
    ----------
    predictor : Predictor
        What looks.
    picture : (H, W), (H, W, 3) or (H, W, 4) array-like
        numpy, zarr, dask: one tile is read at a time.
    settings : GridSettings, optional
        Its `points_per_side` counts for each core; there are no layers of crops. Points lie on a
        lattice whatever its `seeds`: then neighbours agree on them.
    tiling : Tiling, optional
        How it is cut.
    where : (H, W) bool, optional
        Points elsewhere are not asked about; what is kept in the folder does not count then.
    contrast : (low, high), optional
        As in `Predictor.embed`; None finds one for the whole picture from a sample.
    folder : Path, optional
        Keeps what was found in each tile, so that a run that was cut short goes on; a tile with
        other pixels, settings or model is searched anew.
    pause : callable, optional
        As in `napari_sam.inference.automatic.search.iter_proposals`.

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
    settings, tiling = settings or GridSettings(), tiling or Tiling()
    contrast = _checked(predictor, picture, settings, contrast)
    entry = predictor.model.entry
    known = entry.sha256 or entry.xxh128  # else nobody could tell this model from another one
    keeps = folder is not None and known and where is None
    store = TileStore(folder) if folder is not None and keeps else None
    return _tiles(predictor, picture, settings, tiling, where, contrast, store, pause)


def search_tile(
    predictor: Predictor,
    picture: Any,
    number: int,
    settings: GridSettings,
    folder: Path,
    contrast: tuple[Any, Any] | None = None,
) -> None:
    """Search one tile, unless the folder knows it, so that `iter_tiles` finds it there.

    Parameters
    ----------
    predictor, picture, settings, folder, contrast
        As in `iter_tiles`.
    number : int
        Which of ``Tiling().tiles(picture.shape[:2])``.

    Raises
    ------
    InputError, DeviceError
        As `iter_tiles`.
    """
    contrast = _checked(predictor, picture, settings, contrast)
    tiling = Tiling()
    tile = tiling.tiles(picture.shape[:2])[number]
    _look(predictor, picture, tile, settings, tiling, None, contrast, TileStore(folder), None)


def _checked(
    predictor: Predictor, picture: Any, settings: GridSettings, contrast: tuple[Any, Any] | None
) -> tuple[Any, Any]:
    """Return the contrast of a picture that can be searched in tiles."""
    if settings.crop_layers:
        raise InputError(
            "a picture that is searched in tiles has no layers of crops; ask for more points"
        )
    colours = picture.shape[2:]
    if len(picture.shape) not in (2, 3) or (colours and colours[0] not in (3, 4)):
        raise InputError(
            f"a picture must have shape (H, W), (H, W, 3) or (H, W, 4); got {picture.shape}"
        )
    return contrast or pixel_range(sample_picture(picture), predictor.model.entry.intensity)


def _tiles(
    predictor: Predictor,
    picture: Any,
    settings: GridSettings,
    tiling: Tiling,
    where: NDArray[np.bool_] | None,
    contrast: tuple[Any, Any],
    store: TileStore | None,
    pause: Callable[[], None] | None,
) -> Iterator[Progress[SearchResult]]:
    tiles = tiling.tiles(picture.shape[:2])
    everything: list[Proposal] = []
    for done, tile in enumerate(tiles, 1):
        found = _look(predictor, picture, tile, settings, tiling, where, contrast, store, pause)
        everything += found
        yield Progress(done, len(tiles), SearchResult(found))
    kept = _one_of_each(everything, tiling, settings)
    yield Progress(len(tiles), len(tiles), SearchResult([], kept))


def _look(
    predictor: Predictor,
    picture: Any,
    tile: Tile,
    settings: GridSettings,
    tiling: Tiling,
    where: NDArray[np.bool_] | None,
    contrast: tuple[Any, Any],
    store: TileStore | None,
    pause: Callable[[], None] | None,
) -> list[Proposal]:
    """Return what is whole in a tile: known from the store, or found now."""
    points = [
        inside(lattice(step * tiling.side / settings.points_per_side, tile.core), where)
        for step in (1, 2)
    ]
    pixels = plain(picture[slices(tile.seen)], "the picture")
    if _is_flat(pixels, tile) or len(points[0]) == 0:
        return []
    mark = stamp(pixels, tile, settings, contrast, predictor.model.entry.digest)
    found = None if store is None else store.read(tile, mark)
    if found is None:
        grids = [some - tile.seen[:2] for some in points]
        kept = _search(predictor, pixels, grids, settings, contrast, pause)
        found = _whole(kept, picture.shape[:2], tile, settings)
        if store is not None:
            store.write(tile, mark, found)
    return found


def _is_flat(pixels: NDArray[Any], tile: Tile) -> bool:
    """Tell whether the core of what was read has one single value."""
    core = pixels[slices(tile.core, tile.seen)]
    return bool(core.min() == core.max())


def _search(
    predictor: Predictor,
    pixels: NDArray[Any],
    grids: list[NDArray[np.float64]],
    settings: GridSettings,
    contrast: tuple[Any, Any],
    pause: Callable[[], None] | None,
) -> list[Proposal]:
    kept: list[Proposal] = []
    part, (points, coarser) = check_image(pixels), grids
    for step in search(predictor, part, points, coarser, settings, contrast, pause):
        kept = step.result.kept or kept
    return kept


def _whole(
    proposals: list[Proposal], shape: tuple[int, int], tile: Tile, settings: GridSettings
) -> list[Proposal]:
    """Return those that the tile does not cut, as proposals of the whole picture."""
    return [
        one
        for one in (_moved(one, shape, tile) for one in proposals)
        if not near_edge(one.cropped.box, tile.seen, (0, 0, *shape), NEAR)
        and (settings.largest is None or one.area < settings.largest * shape[0] * shape[1])
    ]


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


def _one_of_each(
    proposals: list[Proposal], tiling: Tiling, settings: GridSettings
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
    stay = suppress(seam, scores, settings.overlap, settings.max_overlap)
    return sorted([*inner, *(seam[i] for i in stay)], key=lambda one: -one.score)
