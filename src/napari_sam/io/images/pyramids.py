"""Levels of a pyramid: where they lie in the finest, by OME-Zarr's words or by their shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.levels import CoarserLevel, usual_first, usual_steps

if TYPE_CHECKING:
    import zarr

__all__ = ["ome_levels", "shaped_levels"]

DIGITS = 3  # of steps and places, in pixels of the finest level: what is less was rounded

Place = tuple[NDArray[np.float64], NDArray[np.float64] | None]
"""Distance of pixels, and where the first one lies if it is said."""


def ome_levels(node: zarr.Group, scales: Mapping[str, Any]) -> list[CoarserLevel]:
    """Return the coarser levels of an OME-Zarr picture, with the axes as they are stored.

    Parameters
    ----------
    node : zarr.Group
        Of the picture.
    scales : mapping
        The first of its "multiscales".

    Returns
    -------
    list of CoarserLevel
        Where no level says where it lies, a pixel shows the block that it stands for. Levels that
        cannot be opened, or are of another kind than the finest, are left out.
    """
    finest, *others = scales["datasets"]
    array: Any = node[finest["path"]]
    origin = _place(finest, array.ndim)
    placed = any(_place(one, array.ndim)[1] is not None for one in scales["datasets"])
    levels = []
    for one in others:
        try:
            level: Any = node[one["path"]]
        except KeyError:
            continue
        if level.ndim == array.ndim and level.dtype == array.dtype:
            steps = usual_steps(array.shape, level.shape)
            levels.append(_level(level, steps, origin, _place(one, level.ndim), placed))
    return levels


def shaped_levels(finest: Sequence[int], others: Sequence[Any]) -> list[CoarserLevel]:
    """Return the coarser levels of a picture of which only the shapes are known.

    Parameters
    ----------
    finest : sequence of int
        Shape of the finest level.
    others : sequence of array-like
        The coarser ones; those with other axes are left out.

    Examples
    --------
    >>> shaped_levels((8, 8), [np.zeros((4, 4))])[0].first
    (0.5, 0.5)
    """
    fitting = [one for one in others if len(one.shape) == len(finest)]
    steps = [usual_steps(finest, one.shape) for one in fitting]
    return [CoarserLevel(*one, usual_first(one[1])) for one in zip(fitting, steps, strict=True)]


def _level(
    level: Any, steps: Sequence[float], origin: Place, place: Place, placed: bool
) -> CoarserLevel:
    (unit, start), (scale, shift) = origin, place
    said = np.round(scale / unit, DIGITS).tolist()
    if np.allclose(said, steps, rtol=0.1):  # some writers say the same of all levels
        steps = tuple(said)
    if not placed:
        return CoarserLevel(level, tuple(steps), usual_first(steps))
    away = (0.0 if shift is None else shift) - (0.0 if start is None else start)
    return CoarserLevel(level, tuple(steps), tuple(np.round(away / unit, DIGITS).tolist()))


def _place(dataset: Mapping[str, Any], ndim: int) -> Place:
    """Return what a level says of itself; a scale of 1 where that cannot be used."""
    said = {one.get("type"): one for one in dataset.get("coordinateTransformations") or ()}
    scale = _numbers(said.get("scale", {}).get("scale"), ndim)
    shift = _numbers(said.get("translation", {}).get("translation"), ndim)
    return np.ones(ndim) if scale is None or not (scale > 0).all() else scale, shift


def _numbers(said: object, ndim: int) -> NDArray[np.float64] | None:
    try:
        numbers = np.asarray(said, float)
    except (TypeError, ValueError):
        return None
    return numbers if numbers.shape == (ndim,) and np.isfinite(numbers).all() else None
