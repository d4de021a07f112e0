"""Axis names, pixel size, origin and units of an image."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from napari_sam.errors import InputError

__all__ = ["MOST_AXES", "NO_UNIT", "ORDER", "SYMBOLS", "Spacing"]

NAMES = {"t": "t", "time": "t", "c": "c", "channel": "c", "channels": "c", "z": "z"}
ORDER = "tczyx"  # as is usual, and as OME-Zarr asks for
MOST_AXES = len(ORDER)
NO_UNIT = "pixel"
SYMBOLS = {
    "picometer": "pm",
    "nanometer": "nm",
    "micrometer": "µm",
    "millimeter": "mm",
    "centimeter": "cm",
    "meter": "m",
    "angstrom": "Å",
    "millisecond": "ms",
    "second": "s",
    "minute": "min",
    "hour": "h",
    "day": "d",
}


@dataclass(frozen=True)
class Spacing:
    """Axis names, pixel size, origin and units, one for each axis; rows and columns are last.

    Parameters
    ----------
    names : tuple of str
        As somebody has called the axes; what that leaves open is z, of two time and z.
    scale, translate : tuple of float
        Distance of two pixels, and where the first one lies.
    units : tuple of str
        Such as "micrometer" or "second"; "pixel" where nobody said.

    Examples
    --------
    >>> Spacing.usual(3).axes
    'zyx'
    >>> Spacing.of(3, {"axis_labels": ("time", "y", "x")}).axes
    'tyx'
    """

    names: tuple[str, ...]
    scale: tuple[float, ...]
    translate: tuple[float, ...]
    units: tuple[str, ...]

    @classmethod
    def usual(cls, ndim: int) -> Spacing:
        """Return the default spacing of an array without metadata."""
        return cls.of(ndim, {})

    @classmethod
    def of(cls, ndim: int, layer: Mapping[str, Any]) -> Spacing:
        """Return the spacing of a napari layer, from its state.

        Rotation, shear and affine are no matter of spacing and are left out.
        """

        def get(name: str, usual: Any) -> Sequence[Any]:
            value = layer.get(name)
            return [usual] * ndim if value is None else list(value)

        return cls(
            tuple(map(str, get("axis_labels", ""))),
            tuple(map(float, get("scale", 1))),
            tuple(map(float, get("translate", 0))),
            tuple(map(str, get("units", NO_UNIT))),
        )

    @property
    def known(self) -> tuple[str, ...]:
        """Letter of each axis that is named as time, channels or depth; empty for the others.

        Examples
        --------
        >>> Spacing.of(4, {"axis_labels": ("Time", "-3", "y", "x")}).known
        ('t', '', '', '')
        """
        said = [NAMES.get(name.lower(), "") for name in self.names]
        return tuple(letter if said.count(letter) == 1 else "" for letter in said)

    @property
    def measured(self) -> bool:
        """Whether the distance of pixels is known in a unit of length."""
        return self.units[-1] != NO_UNIT and self.units[-2] != NO_UNIT

    def completed(self, other: Spacing) -> Spacing:
        """Return the spacing with names and distances of another one where this says nothing.

        Distances are said by a unit, or by any scale but 1; a scale without a unit gets that of the
        other where both are the same.

        Examples
        --------
        >>> file = Spacing.of(2, {"scale": (0.5, 0.5), "units": ("micrometer", "micrometer")})
        >>> Spacing.usual(2).completed(file) == file
        True
        >>> Spacing.of(2, {"scale": (3, 3)}).completed(file).units
        ('pixel', 'pixel')
        """
        names = (
            mine if letter or not known else its
            for mine, letter, its, known in zip(
                self.names, self.known, other.names, other.known, strict=True
            )
        )
        told = {*self.units} != {NO_UNIT}
        alike = all(map(partial(math.isclose, rel_tol=1e-3), self.scale, other.scale))
        if told or not (alike or {*self.scale} == {1.0}):
            return replace(self, names=tuple(names))
        return replace(self, names=tuple(names), scale=other.scale, units=other.units)

    def named(self, letters: str) -> Spacing:
        """Return the spacing with other names: a letter of "tczyx" for each axis.

        Raises
        ------
        InputError
            If these are not as many letters, others, twice the same, or y and x not the last.

        Examples
        --------
        >>> Spacing.usual(3).named("TYX").axes
        'tyx'
        """
        small = letters.lower()
        known = set(small) <= set(ORDER) and len(set(small)) == len(small)
        if not known or len(small) != len(self.names) or small[-2:] != "yx":
            raise InputError(
                f"axes must be {len(self.names)} different letters of {ORDER}, with yx the last; "
                f"got {letters!r}"
            )
        return replace(self, names=tuple(small))

    def taken(self, axes: Sequence[int]) -> Spacing:
        """Return the spacing of these axes alone, in this order."""
        return Spacing(
            tuple(self.names[axis] for axis in axes),
            tuple(self.scale[axis] for axis in axes),
            tuple(self.translate[axis] for axis in axes),
            tuple(self.units[axis] for axis in axes),
        )

    @property
    def axes(self) -> str:
        """Axis letters of "tczyx", one for each axis, each at most once."""
        if len(self.names) > MOST_AXES:
            raise InputError(
                f"labels with {len(self.names)} axes cannot be saved like this; "
                f"save {MOST_AXES} axes or less, or a .tif"
            )
        said = [NAMES.get(name.lower()) for name in self.names[:-2]]
        wanted = [letter if said.count(letter) == 1 else None for letter in said]
        free = [letter for letter in "ztc" if letter not in wanted][: wanted.count(None)]
        given = iter(sorted(free, key=ORDER.index))
        return "".join(letter or next(given) for letter in wanted) + "yx"

    @property
    def along(self) -> int | None:
        """Axis along which slices follow each other: z, else time; None if there is none.

        Examples
        --------
        >>> Spacing.usual(3).along, Spacing.usual(4).along, Spacing.usual(2).along
        (0, 1, None)
        """
        if len(self.names) > MOST_AXES:
            return None
        return next((self.axes.index(letter) for letter in "zt" if letter in self.axes), None)

    @property
    def anisotropy(self) -> float:
        """Ratio of z-step to pixel size; 1 along time, or if unknown.

        Examples
        --------
        >>> Spacing.of(3, {"scale": (2, 0.5, 0.5)}).anisotropy
        4.0
        """
        axis = self.along
        if axis is None or self.axes[axis] != "z" or self.units[axis] != self.units[-1]:
            return 1.0
        ratio = self.scale[axis] / self.scale[-1] if self.scale[-1] else 0.0
        return ratio if 0 < ratio < math.inf else 1.0
