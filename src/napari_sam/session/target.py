"""Where accepted objects go, one picture plane at a time."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_sam.planes import Plane

__all__ = ["Readable", "Target"]


class Readable(Protocol):
    """A labels array that can be read plane by plane."""

    def read(self, plane: Plane) -> NDArray[np.integer[Any]]:
        """Return the (H, W) labels of one plane."""


class Target(Readable, Protocol):
    """One that can be written as well."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Integer type of the labels."""

    def write(
        self,
        plane: Plane,
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
        values: NDArray[np.integer[Any]],
    ) -> None:
        """Set the pixels (rows[i], columns[i]) of one plane to values[i]."""
