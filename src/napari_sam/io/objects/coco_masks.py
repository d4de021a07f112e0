"""Decode COCO segmentations to masks; pycocotools gets only data that was checked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.io.objects.instances import formats_extra
from napari_sam.io.objects.outlines import (
    MAX_COORDINATE,
    Polygon,
    Raster,
    clipped_bounds,
    numbers_of,
    rasterise,
)
from napari_sam.io.objects.run_lengths import decode_counts, parse_counts
from napari_sam.numbering import whole_number

__all__ = ["mask_of"]

MAX_COCO_PIXELS = 2**32  # pixels that COCO's library can count
MAX_COCO_LENGTH = 2**22  # pixels of an outline; COCO's library keeps five points of each


def mask_of(segmentation: object, size: tuple[int, int]) -> Raster:
    """Return the mask of a COCO segmentation.

    Parameters
    ----------
    segmentation : list or dict
        Polygons, or run lengths.
    size : (H, W)
        Of the picture.

    Examples
    --------
    >>> raster = mask_of([[2, 1, 5, 1, 5, 3, 2, 3]], (6, 8))
    >>> raster.corner, raster.mask.shape, raster.cut
    ((1, 2), (2, 3), False)
    """
    if isinstance(segmentation, list) and segmentation:
        return _of_polygons([_ring(one) for one in segmentation], size)
    if not isinstance(segmentation, dict):
        raise InputError("it has no outline, neither polygons nor run lengths")
    said = segmentation.get("size")
    if not isinstance(said, list) or [whole_number(one) for one in said] != list(size):
        raise InputError("its run lengths are for a picture of another size")
    return _of_counts(parse_counts(segmentation.get("counts"), size), size, cut=False)


def _of_counts(counts: NDArray[np.int64], size: tuple[int, int], cut: bool) -> Raster:
    found = decode_counts(counts, size[0])
    if found is None:
        raise InputError("it has no pixels")
    return Raster(*found, cut)


def _of_polygons(rings: Sequence[NDArray[np.float64]], size: tuple[int, int]) -> Raster:
    """Fill polygons as COCO does, or by their pixels' centres where they are too much for COCO."""
    _, _, cut = clipped_bounds(np.concatenate(rings), size)
    reach = max(float(np.abs(ring).max()) for ring in rings)
    length = sum(float(np.abs(np.diff(ring, axis=0, append=ring[:1])).sum()) for ring in rings)
    if size[0] * size[1] >= MAX_COCO_PIXELS or reach > 2 * max(size) or length > MAX_COCO_LENGTH:
        return rasterise([Polygon([ring]) for ring in rings], size)
    with formats_extra():
        import pycocotools.mask as rle
    coded = rle.merge(rle.frPyObjects([ring.ravel().tolist() for ring in rings], *size))
    return _of_counts(parse_counts(coded["counts"], size), size, cut)


def _ring(polygon: object) -> NDArray[np.float64]:
    """Return a polygon (N, 2) in x, y."""
    numbers = numbers_of(polygon)
    if numbers.ndim != 1 or len(numbers) % 2 or len(numbers) < 6:
        raise InputError("a polygon of it must be a list of x, y, x, y ... of three points or more")
    if not (np.abs(numbers) <= MAX_COORDINATE).all():
        raise InputError(
            f"its outline must be finite and no further off than {MAX_COORDINATE:,} pixels"
        )
    return numbers.reshape(-1, 2)
