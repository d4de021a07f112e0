"""Fingerprint that identifies an image by its content, wherever its file is."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import LazyArray

__all__ = ["Fingerprint", "Match"]

SIDE = 64  # pixels per axis of a sampled plane
HUGE, FEW = 2**28, 8  # pixels of a plane from which on every pixel is in a chunk of its own


class Match(Enum):
    """Result of comparing an image with the one that a session was made on."""

    SAME = "same"
    MISSING = "missing"
    RESHAPED = "another shape or type"
    CHANGED = "other pixels"


@dataclass(frozen=True)
class Fingerprint:
    """Identity of an image: shape, dtype, and a SHA-256 digest of some of its pixels.

    Parameters
    ----------
    shape : tuple of int
        Of the whole picture.
    dtype : str
        Of its pixels.
    digest : str
        Hash of shape, type and some of its pixels.
    """

    shape: tuple[int, ...]
    dtype: str
    digest: str

    @classmethod
    def of(cls, shape: Sequence[int], pixels: NDArray[np.generic]) -> Fingerprint:
        """Compute the fingerprint of an image.

        Parameters
        ----------
        shape : sequence of int
            Of the whole picture.
        pixels : ndarray
            Some of its pixels, always the same ones.

        Examples
        --------
        >>> picture = np.arange(12).reshape(3, 4)
        >>> Fingerprint.of(picture.shape, picture).compare(None)
        <Match.MISSING: 'missing'>
        """
        size, dtype = tuple(int(n) for n in shape), pixels.dtype.str
        digest = hashlib.sha256(f"{size} {dtype} {pixels.shape}".encode())
        digest.update(np.ascontiguousarray(pixels).tobytes())
        return cls(size, dtype, digest.hexdigest())

    @classmethod
    def sampled(cls, data: LazyArray, ndim: int) -> Fingerprint:
        """Compute the fingerprint of an image from coarse first, middle and last planes.

        Parameters
        ----------
        data : array-like
            The picture; rows and columns are the last two of its `ndim` axes, behind which colours
            may stand.
        ndim : int
            How many axes it has without its colours.

        Examples
        --------
        >>> Fingerprint.sampled(np.zeros((3, 400, 500, 3)), 3).shape
        (3, 400, 500, 3)
        """
        side = SIDE if math.prod(data.shape[ndim - 2 : ndim]) <= HUGE else FEW
        counts = [2] * (ndim - 2) + [side, side]
        steps = [max(1, (n - 1) // count) for n, count in zip(data.shape, counts, strict=False)]
        index = tuple(slice(None, None, step) for step in steps)
        return cls.of(data.shape, np.asarray(data[index]))

    def compare(self, now: Fingerprint | None) -> Match:
        """Compare with the fingerprint of the image as it is now; None if there is no image."""
        if now is None:
            return Match.MISSING
        if (self.shape, self.dtype) != (now.shape, now.dtype):
            return Match.RESHAPED
        return Match.SAME if self.digest == now.digest else Match.CHANGED
