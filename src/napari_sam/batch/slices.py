"""Slices of an image: their seed points, the order in which they are linked, and their labels."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import ContrastRange
from napari_sam.errors import InputError

if TYPE_CHECKING:
    from napari_sam.batch.words import WordMatches
    from napari_sam.io.images.pixels import LazyImage
    from napari_sam.results import Proposal

__all__ = ["Runs", "SeedsOf", "label_slices", "runs", "seeds_of", "stack_contrast"]

Runs = list[list[tuple[int, ...]]]
"""Planes, each run of them in order."""


logger = logging.getLogger(__name__)

SeedsOf = Callable[[tuple[int, ...]], NDArray[np.float64] | None]


@contextmanager
def seeds_of(how: str | None, shape: tuple[int, ...]) -> Iterator[SeedsOf]:
    """Yield a function that returns the seed points (N, 2) of a plane, or None without seeds.

    Raises
    ------
    InputError
        If the file cannot be read, its labels have another shape than the picture, or none of its
        points lies in the picture.
    """
    from napari_sam.inference.automatic.settings import SEEDS

    if how is None or how in SEEDS:
        yield lambda plane: None
    elif Path(how).suffix.lower() == ".csv":
        from napari_sam.io.tables import read_points

        points = _within(read_points(Path(how), len(shape)), shape, how)
        yield lambda plane: points[(np.rint(points[:, :-2]) == plane).all(axis=1), -2:]
    else:
        from napari_sam.inference.automatic.seeds import deepest_points
        from napari_sam.io.labels import open_labels

        with open_labels(Path(how)) as labels:
            if labels.shape != shape:
                raise InputError(
                    f"the labels in {how} have shape {labels.shape}; those of the picture must "
                    f"have {shape}"
                )
            yield lambda plane: deepest_points(np.asarray(labels[plane]))


def _within(points: NDArray[np.float64], shape: tuple[int, ...], name: str) -> NDArray[np.float64]:
    """Return the points (N, ndim) that lie in a picture, and say how many do not."""
    slices, places = np.rint(points[:, :-2]), points[:, -2:]
    inside = ((slices >= 0) & (slices < shape[:-2])).all(axis=1)
    inside &= ((places >= -0.5) & (places <= np.array(shape[-2:]) - 0.5)).all(axis=1)
    if not inside.all():
        words = (
            f"{(~inside).sum()} of the {len(points)} points in {name} lie outside of the picture"
        )
        if not inside.any():
            raise InputError(f"{words} of shape {shape}; do they belong to another one?")
        logger.warning("%s of shape %s and were left out", words, shape)
    return points[inside]


def stack_contrast(data: LazyImage, rule: str) -> ContrastRange | None:
    """Return one contrast range for all slices of a stack; None for a single slice."""
    from napari_sam.inference.image import pixel_range
    from napari_sam.inference.sampling import sample_stack

    ndim = len(data.plain_shape)
    return pixel_range(sample_stack(data, ndim), rule) if ndim > 2 else None


def runs(shape: tuple[int, ...], along: int | None) -> Runs:
    """Return runs of planes to be linked, in order; without `along` each plane is its own run."""
    if along is None:
        return [[plane] for plane in np.ndindex(*shape)]
    return [
        [(*other[:along], at, *other[along:]) for at in range(shape[along])]
        for other in np.ndindex(*shape[:along], *shape[along + 1 :])
    ]


def label_slices(
    labels: NDArray[np.int32],
    order: Runs,
    find: Callable[[tuple[int, ...]], list[Proposal]],
    gap: int,
    anisotropy: float,
    matches: WordMatches | None = None,
) -> int:
    """Write the labels of all slices into a zero array, linked within each run of `runs`.

    With words, their matches are told which label is what. Returns how many pixels were left out
    as rests of overlaps that are too thin; see `proposals_to_labels`.
    """
    from napari_sam.inference.automatic.linking import link_slices
    from napari_sam.inference.automatic.selection import arrange

    kinds: dict[tuple[int, ...], NDArray[np.int32]] = {}  # of slices that are being linked
    last = thin = 0

    def found(plane: tuple[int, ...]) -> NDArray[np.int32]:
        nonlocal thin
        kept = find(plane)
        some = arrange(kept, shape=labels.shape[-2:])
        thin += some.thin
        if matches:
            kinds[plane] = matches.kinds([kept[i] for i in some.shown])[some.labels]
        return some.labels

    for run in order:
        if len(run) == 1 and not matches:  # nothing to link, and the slice may be very large
            kept, there = find(run[0]), labels[run[0]]
            written = arrange(kept, shape=there.shape, out=there, first=last + 1)
            last, thin = last + len(written.shown), thin + written.thin
            continue
        linked = link_slices(map(found, run), gap=gap, anisotropy=anisotropy)
        for plane, some in zip(run, linked, strict=True):
            labels[plane] = np.where(some > 0, some + last, 0)
            if matches:
                matches.note(labels[plane], kinds.pop(plane))
        last = max([last, *(int(labels[plane].max()) for plane in run)])
    return thin
