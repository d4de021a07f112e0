"""Precompute embeddings of a stack, the nearest plane first. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

import numpy as np

from napari_sam.errors import InputError
from napari_sam.planes import Plane
from napari_sam.progress import Estimate, Progress

__all__ = ["Precomputed", "embed_stack"]

Seen = TypeVar("Seen", bound=Plane)
Pixels = TypeVar("Pixels")


class Precomputed(NamedTuple):
    """State of a precomputation: bytes stored, whether the store is full, the latest problem.

    Parameters
    ----------
    nbytes : int
        Of the embeddings of the planes that are done.
    full : bool
        True if it ends here because the store has no room for more.
    problem : str
        Why the latest plane could not be embedded; empty if it was.
    """

    nbytes: int = 0
    full: bool = False
    problem: str = ""


def embed_stack(
    keep: Callable[[Pixels], int],
    read: Callable[[Seen], Pixels],
    planes: Iterable[Seen],
    current: Callable[[], Seen | None],
    budget: float = float("inf"),
) -> Iterator[Progress[Precomputed]]:
    """Embed one plane at each step, always the one nearest to the plane in view.

    To stop, ask for no further step.

    Parameters
    ----------
    keep : callable
        Takes pixels, embeds them for later unless that was done before, and returns the bytes of
        the embedding, 0 if it could not be kept; see `EmbeddingStore.keep`. A plane for which it
        raises `InputError` is left out.
    read : callable
        Reads the pixels of a plane, or returns what else `keep` takes.
    planes : iterable of Plane
        An index, or None, for every axis.
    current : callable
        Returns the plane that the user looks at now; None keeps to the last one.
    budget : float
        Most bytes that all planes together may take, so that the last do not push out the first.

    Yields
    ------
    Progress of Precomputed
        After each plane, and once before the first.

    Examples
    --------
    >>> order = []
    >>> steps = embed_stack(lambda z: order.append(z) or 8, lambda plane: plane[0],
    ...                     [(z,) for z in range(5)], lambda: (3,), budget=32)
    >>> [(step.done, step.result.full) for step in steps]
    [(0, False), (1, False), (2, False), (3, False), (4, True)]
    >>> order
    [3, 2, 4, 1]
    """
    left = list(planes)
    positions = np.array([[i or 0 for i in plane] for plane in left])
    total, used, size, place = len(left), 0, 1, left[0] if left else ()
    estimate, problem = Estimate(), ""
    while True:
        done = total - len(left)
        full = bool(left) and (size == 0 or used + size > budget)
        yield Progress(done, total, Precomputed(used, full, problem), estimate.left(done, total))
        if full or not left:
            return
        place = current() or place
        nearest = int(np.abs(positions - [i or 0 for i in place]).sum(axis=1).argmin())
        problem = ""
        try:
            size = keep(read(left[nearest]))
        except InputError as error:  # the others may do
            problem = str(error)
        else:
            used += size
        if size:
            del left[nearest]
            positions = np.delete(positions, nearest, axis=0)
