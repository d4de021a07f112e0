"""What is known of the last few pictures that were searched for instances. Loads torch late."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np

from napari_sam.arrays import Array, ContrastRange

if TYPE_CHECKING:
    from napari_sam.inference.automatic.instances.search import Dense

__all__ = ["KeptMaps"]

MOST = 4  # pictures
MOST_BYTES = 256 * 2**20


class KeptMaps:
    """Maps of the last pictures that one model has seen, so that a threshold needs no model run.

    A picture is known by its pixels and its contrast: one that was changed in place is another one.
    All of it is used in the model's thread; for another model make another one.

    Parameters
    ----------
    most_bytes : int
        Of all maps together; those of the latest picture are kept whatever their size.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, Dense] = OrderedDict()

    def of(self, image: Array, contrast: ContrastRange | None) -> Dense:
        """Return what is known of a picture (H, W) or (H, W, C), for a search to add to."""
        from napari_sam.inference.automatic.instances.search import Dense

        key = _key(image, contrast)
        known = self._kept.setdefault(key, Dense())
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and (len(self._kept) > MOST or self.nbytes > self._most_bytes):
            self._kept.popitem(last=False)
        return known

    @property
    def nbytes(self) -> int:
        """Bytes of all maps."""
        return sum(_nbytes(known) for known in self._kept.values())


def _key(image: Array, contrast: ContrastRange | None) -> str:
    bounds = None if contrast is None else [np.asarray(bound, float).tolist() for bound in contrast]
    digest = hashlib.blake2b(f"{image.shape}, {image.dtype}, {bounds}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()


def _nbytes(known: Dense) -> int:
    levels = known.levels
    parts = (
        part
        for one in levels
        for part in (one.foreground, one.boundary, one.depth, one.diameter, one.centre)
    )
    return sum(part.nbytes for part in parts if part is not None)
