"""Sampling weights that balance data sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_sam.data.samples import LabelledImage

__all__ = ["sampling_weights"]

FEW = 150  # objects; smaller data sets are seen as if they had so many
MOST = 0.25  # of all draws; where there are fewer than four data sets, an equal share


def sampling_weights(images: Sequence[LabelledImage]) -> NDArray[np.float64]:
    """Return the images' sampling probabilities, (n,), which add up to one.

    Data sets share by the cube root of their objects, with a floor and a cap; within a set
    all pictures are equal.
    """
    objects: Counter[str] = Counter()
    for image in images:
        objects[image.dataset] += len(image.ids)
    names, which = np.unique([p.dataset for p in images], return_inverse=True)
    share = np.cbrt(np.maximum([objects[name] for name in names], FEW))
    share = _capped(share / share.sum(), max(MOST, 1 / len(names)))
    chance: NDArray[np.float64] = (share / np.bincount(which))[which]
    return chance / chance.sum()


def _capped(share: NDArray[np.float64], max_share: float) -> NDArray[np.float64]:
    """Cap the shares, and give what is over to the others in proportion."""
    capped = np.zeros(len(share), bool)
    while (over := (share > max_share + 1e-9) & ~capped).any():
        capped |= over
        share = np.where(capped, max_share, share)
        rest = share[~capped]
        share[~capped] = rest * (1 - max_share * capped.sum()) / rest.sum()
    return share
