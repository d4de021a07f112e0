"""Coarser answers that are right, too: an object together with those it touches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["whole_of"]

CONTACT = 0.1  # share of the object's outline along which a neighbour must touch it


def whole_of(labels: NDArray[np.integer], i: int) -> NDArray[np.bool_] | None:
    """Return the union of an object and its touching neighbours, or None where it stands alone.

    Parameters
    ----------
    labels : (H, W) int
        0 is background.
    i : int
        The object. A neighbour touches it along at least 10 % of its outline, counted in sides of
        pixels; the picture's border is no outline.

    Returns
    -------
    (H, W) bool or None

    Examples
    --------
    >>> whole_of(np.array([[1, 1, 2, 2, 0, 3]]), 1)
    array([[ True,  True,  True,  True, False, False]])
    >>> whole_of(np.array([[1, 1, 2, 2, 0, 3]]), 3) is None
    True
    """
    mask = labels == i
    across = []  # what lies on the other side of each pixel side of the outline
    for here, there in (((..., np.s_[:-1]), (..., np.s_[1:])), ((np.s_[:-1],), (np.s_[1:],))):
        across.append(labels[there][mask[here] & ~mask[there]])
        across.append(labels[here][mask[there] & ~mask[here]])
    outline = np.concatenate(across)
    ids, sides = np.unique(outline, return_counts=True)
    touching = ids[(ids > 0) & (sides >= CONTACT * len(outline))]
    return mask | np.isin(labels, touching) if len(touching) else None
