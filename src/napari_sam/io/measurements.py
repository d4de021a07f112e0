"""Measurements of objects in physical units, as rows of a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_sam.arrays import Array, LazyArray, is_held
from napari_sam.errors import InputError
from napari_sam.files import replacing
from napari_sam.io.label_stores.objects import object_windows
from napari_sam.io.spacing import NO_UNIT, SYMBOLS, Spacing
from napari_sam.numbering import check_numbers, ranked

__all__ = ["common_unit", "measure", "write_measurements"]

INTENSITIES = ("intensity_mean", "intensity_min", "intensity_max", "intensity_std")
ASCII = {"µm": "um", "Å": "angstrom"}  # every table program reads these
MeasurementRow = dict[str, float | int | str]


def measure(
    labels: LazyArray,
    spacing: Spacing | None = None,
    image: LazyArray | None = None,
    classes: Mapping[int, str] | None = None,
    certainty: Mapping[int, float] | None = None,
) -> Iterator[MeasurementRow]:
    """Yield a row per object: 3-D if there is a z axis, separately per time point and channel.

    Parameters
    ----------
    labels : (..., Y, X) int
        The objects; what is no numpy array is read in windows, so that it may be of any size.
    spacing : Spacing, optional
        Names and distances of the axes; where those of z, rows and columns are not all in one unit
        it is measured in pixels.
    image : array, optional
        Of the labels' shape, or with the channels in one more axis, last or first of all.
    classes : mapping of int to str, optional
        Name of each object's class.
    certainty : mapping of int to float, optional
        How certain the class of an object is, 0 to 1; empty in the table for those without.

    Yields
    ------
    dict
        Names of columns end in their unit, such as ``area_um2``; those of a channel's brightness
        in its number.

    Raises
    ------
    InputError
        If the picture has another shape, or the labels are no whole numbers from 0 on.

    Examples
    --------
    >>> spacing = Spacing.of(2, {"scale": (0.5, 0.5), "units": ("micrometer", "micrometer")})
    >>> row = next(measure(np.ones((4, 2), int), spacing, np.arange(8).reshape(4, 2)))
    >>> row["area_um2"], row["centroid_y_um"], row["intensity_mean"]
    (2.0, 0.75, 3.5)
    """
    if is_held(labels):
        labels = check_numbers(np.asanyarray(labels))
    spacing = spacing or Spacing.usual(len(labels.shape))
    axes = spacing.axes
    bright = None if image is None else _Brightness(labels.shape, image)
    inside = [axis for axis, letter in enumerate(axes) if letter in "zyx"]
    outside = [axis for axis in range(len(axes)) if axis not in inside]
    steps, unit = common_unit(spacing, inside)
    letters = "".join(axes[axis] for axis in inside)
    for index, part, pixels, corner in _parts(labels, outside, bright):
        where = {axes[axis]: place for axis, place in zip(outside, index, strict=True)}
        for row in _rows(part, steps, unit, letters, pixels, corner):
            label = int(row["label"])
            kind: MeasurementRow = {"class": classes.get(label, "")} if classes else {}
            if certainty:
                kind["class_certainty"] = certainty.get(label, "")
            yield {"label": row.pop("label"), **kind, **where, **row}


def write_measurements(
    path: Path,
    labels: LazyArray,
    spacing: Spacing | None = None,
    image: LazyArray | None = None,
    classes: Mapping[int, str] | None = None,
    certainty: Mapping[int, float] | None = None,
) -> None:
    """Write the rows of `measure` to a CSV file, atomically; by time or channel, then by label."""
    rows = list(measure(labels, spacing, image, classes, certainty))
    rows.sort(key=lambda row: (row.get("t", 0), row.get("c", 0), row["label"]))
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, rows[0] if rows else ["label"])
        table.writeheader()
        table.writerows(rows)


def common_unit(spacing: Spacing, inside: list[int]) -> tuple[tuple[float, ...], str]:
    """Return distances and the one unit of these axes; pixels where they have none in common.

    Examples
    --------
    >>> spacing = Spacing.of(2, {"scale": (0.5, 0.5), "units": ("micrometer", "micrometer")})
    >>> common_unit(spacing, [0, 1])
    ((0.5, 0.5), 'um')
    """
    steps = tuple(spacing.scale[axis] for axis in inside)
    units = {spacing.units[axis] for axis in inside}
    unit = units.pop()
    if units or unit == NO_UNIT or min(steps) <= 0:
        return (1.0,) * len(inside), "px"
    symbol = SYMBOLS.get(unit, unit)
    return steps, ASCII.get(symbol, symbol)


class _Brightness:
    """A picture that fits labels; what is indexed is read, with the channels as its last axis."""

    def __init__(self, shape: tuple[int, ...], image: LazyArray) -> None:
        self._image = image
        self._first = image.shape[1:] == shape and image.shape[:-1] != shape
        if not self._first and shape not in (image.shape, image.shape[:-1]):
            raise InputError(
                f"a picture of shape {image.shape} does not fit labels of shape {shape}; "
                "it may have one more axis of channels, first or last"
            )

    def __getitem__(self, index: tuple[Any, ...]) -> Array:
        if not self._first:
            return np.asarray(self._image[index])
        return np.moveaxis(np.asarray(self._image[(slice(None), *index)]), 0, -1)


def _parts(
    labels: LazyArray, outside: list[int], bright: _Brightness | None
) -> Iterator[tuple[tuple[int, ...], Array, Array | None, tuple[int, ...]]]:
    """Yield where along the axes outside, labels, the picture there, and where they begin."""
    if not is_held(labels):
        for one in object_windows(labels, outside):
            pixels = None if bright is None else bright[one.block]
            if pixels is not None:
                pixels = pixels.reshape(*one.pixels.shape, *pixels.shape[len(one.block) :])
            yield one.place, one.pixels, pixels, one.corner
        return
    for index in np.ndindex(*(labels.shape[axis] for axis in outside)):
        cut: list[Any] = [slice(None)] * len(labels.shape)
        for axis, place in zip(outside, index, strict=True):
            cut[axis] = place
        part = np.asarray(labels[tuple(cut)])
        yield index, part, None if bright is None else bright[tuple(cut)], (0,) * part.ndim


def _rows(
    labels: Array,
    steps: tuple[float, ...],
    unit: str,
    letters: str,
    image: Array | None,
    corner: tuple[int, ...],
) -> Iterator[MeasurementRow]:
    from skimage.measure import regionprops_table

    flat = labels.ndim == 2
    size = "area" if flat else "volume"
    names = {
        "label": "label",
        "num_pixels": "pixels",
        "area": f"{size}_{unit}{labels.ndim}",
        "equivalent_diameter_area": f"equivalent_diameter_{unit}",
        "extent": "extent",
    }
    if flat:
        names |= {
            "axis_major_length": f"axis_major_length_{unit}",
            "axis_minor_length": f"axis_minor_length_{unit}",
            "eccentricity": "eccentricity",
        }
        if steps[0] == steps[1]:  # skimage knows a perimeter of square pixels only
            names["perimeter"] = f"perimeter_{unit}"
    names |= {
        f"centroid-{axis}": f"centroid_{letter}_{unit}" for axis, letter in enumerate(letters)
    }
    if image is not None:
        channels = range(image.shape[-1]) if image.ndim > labels.ndim else None
        for name in INTENSITIES:
            names |= (
                {name: name}
                if channels is None
                else {f"{name}-{c}": f"{name}_c{c}" for c in channels}
            )
    ids, ranks = ranked(labels)
    table = regionprops_table(
        ranks,
        image,
        properties=list(dict.fromkeys(name.split("-")[0] for name in names)),
        spacing=steps,
    )
    table["label"] = ids[table["label"] - 1]
    for axis, start in enumerate(corner):
        table[f"centroid-{axis}"] = table[f"centroid-{axis}"] + start * steps[axis]
    for place in range(len(table["label"])):
        yield {shown: table[name][place].item() for name, shown in names.items()}
