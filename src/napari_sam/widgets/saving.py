"""What a picture is known by, without reading all of it."""

from __future__ import annotations

import numpy as np

from napari_sam.session.fingerprint import Fingerprint
from napari_sam.widgets.picture import Picture

__all__ = ["fingerprint_of"]

SIDE = 64  # pixels per axis of a sampled plane


def fingerprint_of(picture: Picture) -> Fingerprint:
    """Return the fingerprint of a picture: of its first, middle and last planes, coarsely."""
    data, ndim = picture.data, picture.layer.ndim
    counts = [2] * (ndim - 2) + [SIDE, SIDE]
    steps = [max(1, (n - 1) // count) for n, count in zip(data.shape, counts, strict=False)]
    index = tuple(slice(None, None, step) for step in steps)
    return Fingerprint.of(data.shape, np.asarray(data[index]))
