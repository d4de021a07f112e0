"""Instances of a volume in which the maps of three directions agree.

Slices along one axis say little of where an object ends along it. Seen from all three, the pole of
a ball is the middle of a disc once and a rim twice; so the mean of the maps is a map in 3D, and one
watershed on it needs no linking.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import label
from skimage.segmentation import relabel_sequential, watershed

from napari_sam.arrays import Array, ContrastRange, LazyArray
from napari_sam.errors import InputError
from napari_sam.inference.automatic.instances.from_maps import BEST, SMOOTHING, find_instances
from napari_sam.inference.automatic.settings import InstanceSettings
from napari_sam.inference.object_maps import predict_maps
from napari_sam.inference.predictor import Predictor
from napari_sam.inference.stack import Stack
from napari_sam.model.instances.head import rating_of
from napari_sam.progress import Pause, Progress

__all__ = ["VolumeMaps", "iter_volume", "segment_volume"]

LOOKS = 5  # slices from which the usual diameter is taken
FINEST = 1.0  # cells per pixel
SMALLEST = 27  # cells of an object


class VolumeMaps(NamedTuple):
    """Mean maps of three directions, each (d, h, w) float32, on one grid of cubic cells."""

    foreground: NDArray[np.float32]
    boundary: NDArray[np.float32]
    depth: NDArray[np.float32]


def iter_volume(
    predictor: Predictor,
    volume: LazyArray,
    settings: InstanceSettings | None = None,
    *,
    anisotropy: float = 1.0,
    contrast: ContrastRange | None = None,
    pause: Pause | None = None,
) -> Iterator[Progress[NDArray[np.int32] | None]]:
    """Segment everything in a volume from three directions; yield after each slice.

    Slices along all three axes are looked at on one scale: the one that shows objects of the usual
    diameter best, which is `settings.diameter`, or the median of what a few slices show.

    Parameters
    ----------
    predictor : Predictor
        Of our own model, with its instance decoder.
    volume : (Z, Y, X) or (Z, Y, X, 3) array-like
        Is read whole, and the maps have three numbers for each cell of the grid.
    settings : InstanceSettings, optional
        `quality` is the least mean foreground within an object times its height; sizes are in
        voxels.
    anisotropy : float
        Distance of two slices, in pixels.
    contrast : (low, high), optional
        Of all slices; None finds one for all.
    pause : callable, optional
        Called between slices: it may do other work with this model, or raise to stop.

    Yields
    ------
    Progress of (Z, Y, X) int32, or None
        The last one carries the labels.

    Raises
    ------
    InputError
        For another shape, a distance that is none, or a model without our instance decoder.

    Examples
    --------
    >>> import napari_sam as ns
    >>> z, y, x = np.indices((24, 40, 40))
    >>> ball = np.sqrt((z - 12) ** 2 + (y - 20) ** 2 + (x - 20) ** 2) < 8
    >>> predictor = ns.Predictor(ns.load_model("cells_tiny"))
    >>> *_, end = iter_volume(predictor, np.where(ball, 200, 20).astype(np.uint8))
    >>> int(end.result[12, 20, 20]), int(end.result[0, 0, 0])
    (1, 0)
    """
    settings = settings or InstanceSettings()
    stack = Stack(volume)
    if not (np.isfinite(anisotropy) and anisotropy > 0):
        raise InputError(f"the distance of two slices must be above 0 pixels; got {anisotropy}")
    if not predictor.config.dense or predictor.model.instance_decoder is None:
        raise InputError(
            f"{predictor.model.entry.name} cannot look from three directions; take cells_tiny"
        )
    pixels = np.asarray(stack.data[:])
    if contrast is None:
        contrast = stack.contrast(predictor.model.entry.intensity)
    return _segmented(predictor, pixels, settings, anisotropy, contrast, pause)


def _segmented(
    predictor: Predictor,
    pixels: Array,
    settings: InstanceSettings,
    anisotropy: float,
    contrast: ContrastRange,
    pause: Pause | None,
) -> Iterator[Progress[NDArray[np.int32] | None]]:
    diameter = settings.diameter or _usual_diameter(predictor, pixels, contrast, pause)
    if diameter is None:
        yield Progress(1, 1, np.zeros(pixels.shape[:3], np.int32))
        return
    scale = min(FINEST, BEST / diameter)
    lengths = np.multiply(pixels.shape[:3], (anisotropy, 1, 1)) * scale
    grid: tuple[int, int, int] = tuple(np.maximum(1, np.ceil(lengths)).astype(int).tolist())
    places = [_nearest(cells, size) for cells, size in zip(grid, pixels.shape, strict=False)]
    total = sum(len(np.unique(some)) for some in places)
    maps = VolumeMaps(*(np.zeros(grid, np.float32) for _ in VolumeMaps._fields))
    done = 0
    for axis, along in enumerate(places):
        for index in np.unique(along).tolist():
            plane = np.take(pixels, index, axis)
            seen = _look(predictor, plane, np.delete(grid, axis), contrast, pause)
            for cell in np.flatnonzero(along == index):
                for mean, part in zip(maps, seen, strict=True):
                    np.moveaxis(mean, axis, 0)[cell] += part / 3
            done += 1
            yield Progress(done, total, None)
    labels = segment_volume(maps, settings)
    whole = labels[np.ix_(*(_nearest(n, g) for n, g in zip(pixels.shape, grid, strict=False)))]
    areas = np.bincount(whole.ravel())
    whole[~((settings.smallest <= areas) & (areas <= settings.largest))[whole]] = 0
    yield Progress(total, total, relabel_sequential(whole)[0].astype(np.int32))


def segment_volume(maps: VolumeMaps, settings: InstanceSettings) -> NDArray[np.int32]:
    """Return the instances (d, h, w) of mean maps, as `level_instances` makes them in 2D."""
    foreground = maps.foreground > settings.foreground
    height = ndimage.gaussian_filter(maps.depth * (1 - maps.boundary / 2), SMOOTHING)
    seeds = label((height > settings.split) & foreground, connectivity=1)
    labels = watershed(-height, seeds, mask=foreground).astype(np.int32)
    flat = labels.ravel()
    sizes = np.bincount(flat)
    sure = np.bincount(flat, maps.foreground.ravel()) / np.maximum(sizes, 1)
    top = np.zeros(len(sizes))
    np.maximum.at(top, flat, height.ravel())
    labels[((sure * top < settings.quality) | (sizes < SMALLEST))[labels]] = 0
    return labels


def _usual_diameter(
    predictor: Predictor, pixels: Array, contrast: ContrastRange, pause: Pause | None
) -> float | None:
    """Return the median diameter in pixels of the objects that a few slices show, by area."""
    found, rating = [], rating_of(predictor.model.instance_decoder)
    for index in np.unique(np.linspace(0, len(pixels) - 1, LOOKS + 2)[1:-1].astype(int)):
        embedding = predictor.embed(pixels[index], contrast, pause)
        levels = predict_maps(predictor.model, embedding, pause)
        some = find_instances(levels, InstanceSettings(), rating)
        found += [one.cropped.area for one in some]
    if not found:
        return None
    areas = np.sort(found)
    middle = areas[np.searchsorted(np.cumsum(areas), areas.sum() / 2)]
    return float(2 * np.sqrt(middle / np.pi))


def _look(
    predictor: Predictor,
    plane: Array,
    grid: NDArray[np.int64],
    contrast: ContrastRange,
    pause: Pause | None,
) -> tuple[NDArray[np.float32], ...]:
    """Return foreground, boundary and depth of a slice, with one value for each cell."""
    rows, columns = (int(n) * predictor.config.mask_stride for n in grid)
    embedding = predictor.embed(plane, contrast, pause, sizes=[(rows, columns)])
    [maps] = predict_maps(predictor.model, embedding, pause)
    assert maps.depth is not None
    return maps.foreground, maps.boundary, maps.depth


def _nearest(count: int, size: int) -> NDArray[np.int64]:
    """Return the index among `size` places that lies nearest to each of `count`, on one length."""
    return np.minimum(((np.arange(count) + 0.5) * size / count).astype(np.int64), size - 1)
