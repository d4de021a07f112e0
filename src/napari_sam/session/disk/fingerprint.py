"""Knows a picture again by its content, wherever the file has gone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

__all__ = ["Fingerprint", "Match"]


class Match(Enum):
    """How a picture compares with the one that a session was made on."""

    SAME = "same"
    MISSING = "missing"
    RESHAPED = "another shape or type"
    CHANGED = "other pixels"


@dataclass(frozen=True)
class Fingerprint:
    """What a picture is known by.

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
        """Take a fingerprint.

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

    def compare(self, now: Fingerprint | None) -> Match:
        """Compare with the picture as it is now; None if there is none."""
        if now is None:
            return Match.MISSING
        if (self.shape, self.dtype) != (now.shape, now.dtype):
            return Match.RESHAPED
        return Match.SAME if self.digest == now.digest else Match.CHANGED
