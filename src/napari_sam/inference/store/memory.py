"""Memory store: the latest embeddings, within a budget of bytes."""

from __future__ import annotations

import ctypes
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_sam.inference.embedding import Embedding


__all__ = ["MemoryStore", "trim_heap"]


class MemoryStore:
    """LRU cache of embeddings in memory: evicts the least recently used over the budget.

    Parameters
    ----------
    budget : int
        Most bytes that the features of all embeddings may take.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._kept: OrderedDict[str, Embedding] = OrderedDict()
        self._lock = Lock()

    @property
    def nbytes(self) -> int:
        """Size of all stored features in bytes."""
        return sum(embedding.nbytes for embedding in list(self._kept.values()))

    def get(self, key: str) -> Embedding | None:
        """Return an embedding, or None if it is not stored."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: str, embedding: Embedding, push: bool = True) -> bool:
        """Store an embedding and return True, or False if there is no room for it.

        Parameters
        ----------
        push : bool
            Whether others may be forgotten for it.
        """
        with self._lock:
            others = self.nbytes - (self._kept[key].nbytes if key in self._kept else 0)
            room = self.budget if push else self.budget - others
            if embedding.nbytes > room:
                return False
            self._kept[key] = embedding
            self._kept.move_to_end(key)
            full = self.nbytes > self.budget
            while self.nbytes > self.budget:
                self._kept.popitem(last=False)
        if full:
            trim_heap()
        return True

    def clear(self) -> None:
        """Drop all embeddings."""
        with self._lock:
            self._kept.clear()


def trim_heap() -> None:
    """Return the C library's freed heap memory to the system.

    glibc keeps hundreds of megabytes once an image encoder has run. A few milliseconds, without
    Python's lock; other C libraries return large blocks by themselves, and there this does nothing.
    """
    if (trim := _trim()) is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
        return trim
    except (OSError, TypeError, AttributeError):  # TypeError: Windows wants a name
        return None
