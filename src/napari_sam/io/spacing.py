"""What the axes of labels are called, and how far apart their pixels lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from napari_sam.errors import InputError

__all__ = ["MOST_AXES", "NO_UNIT", "ORDER", "Spacing"]

NAMES = {"t": "t", "time": "t", "c": "c", "channel": "c", "channels": "c", "z": "z"}
ORDER = "tczyx"  # as is usual, and as OME-Zarr asks for
MOST_AXES = len(ORDER)
NO_UNIT = "pixel"


@dataclass(frozen=True)
class Spacing:
    """Names, distances, origin and units, one for each axis; the last two are rows and columns.

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
        """Return the spacing of labels of which nothing is known."""
        return cls.of(ndim, {})

    @classmethod
    def of(cls, ndim: int, layer: Mapping[str, Any]) -> Spacing:
        """Return the spacing of a napari layer, from what it is made of (its state).

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
    def axes(self) -> str:
        """One letter of "tczyx" for each axis, each at most once.

        Raises
        ------
        InputError
            If there are more than five axes.
        """
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
