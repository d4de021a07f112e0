"""Fingerprint that identifies an image by its content, wherever its file is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

__all__ = ["Fingerprint", "Match"]


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

    def compare(self, now: Fingerprint | None) -> Match:
        """Compare with the fingerprint of the image as it is now; None if there is no image."""
        if now is None:
            return Match.MISSING
        if (self.shape, self.dtype) != (now.shape, now.dtype):
            return Match.RESHAPED
        return Match.SAME if self.digest == now.digest else Match.CHANGED
