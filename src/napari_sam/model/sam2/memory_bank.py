"""Memory bank: what is known of one object in the slices of a stack, and what a slice looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from napari_sam.model.sam2.config import MAPS, POINTERS
from napari_sam.model.sam2.sam2 import Answer

__all__ = ["Known", "MemoryBank"]


@dataclass
class Known:
    """An answer in one slice, and what is remembered of it once others look at it."""

    answer: Answer
    memory: Tensor | None = None  # (1, 64, h, w)


@dataclass
class MemoryBank:
    """What is known of one object.

    Parameters
    ----------
    count : int
        Slices in the stack; object pointers know their distance as a part of it in a short one.
    pending : dict of int to Known
        By slice, where somebody points at the object just now: no other slice looks at it, and
        neither does the next click in the same slice, until the object is followed.
    marked : dict of int to Known
        By slice, where somebody pointed at the object; in the order in which it was done.
    followed : dict of int to Known
        By slice, where the model found the object by itself.
    visited : dict of int to bool
        Slices that were gone through, and whether on the way back.
    """

    count: int
    pending: dict[int, Known] = field(default_factory=dict)
    marked: dict[int, Known] = field(default_factory=dict)
    followed: dict[int, Known] = field(default_factory=dict)
    visited: dict[int, bool] = field(default_factory=dict)

    def at(self, index: int) -> Known | None:
        """Return what is known of a slice; None if nothing is."""
        return self.pending.get(index) or self.marked.get(index) or self.followed.get(index)

    def maps(self, index: int, back: bool) -> list[tuple[int, Tensor]]:
        """Return the maps that a slice looks at, as `Sam2.gather` takes them.

        Of all slices that were pointed at, and of the last six on the way, farthest first.
        """
        found = [(-1, known.memory) for known in self.marked.values()]
        for distance in range(MAPS - 1, 0, -1):
            known = self.followed.get(self._before(index, distance, back))
            if known is not None:
                found.append((distance - 1, known.memory))
        return [(place, memory) for place, memory in found if memory is not None]

    def pointers(self, index: int, back: bool) -> list[tuple[float, Tensor]]:
        """Return the object pointers that a slice looks at, as `Sam2.gather` takes them.

        Of slices that were pointed at only those on the way, then of the last ones followed.
        """
        most = min(self.count, POINTERS)
        longest = max(1, most - 1)
        found = []
        for at, known in self.marked.items():
            passed = at - index if back else index - at
            if passed >= 0:
                found.append((passed / longest, known.answer.pointer))
        for distance in range(1, most):
            known_here = self.followed.get(self._before(index, distance, back))
            if known_here is not None:
                found.append((distance / longest, known_here.answer.pointer))
        return found

    def mark(self, index: int, answer: Answer) -> None:
        """Keep the answer to somebody's prompts until they are done with."""
        self.pending[index] = Known(answer)

    def settle(self, remember: Callable[[int, Answer], Tensor]) -> None:
        """Let what was pending count, with the memory that is made of it.

        What was found close by no longer counts.
        """
        for index, known in self.pending.items():
            known.memory = remember(index, known.answer)
            self.marked[index] = known
            for at in [at for at in self.followed if abs(at - index) <= MAPS]:
                del self.followed[at]
        self.pending.clear()

    def unmark(self, index: int) -> None:
        """Forget a slice that was pointed at."""
        self.pending.pop(index, None)
        self.marked.pop(index, None)
        self.visited.pop(index, None)

    def trim(self, *places: int) -> None:
        """Forget what no slice on the way from these looks at.

        However long the stack is, what is kept grows with the number of places only.
        """
        for at in list(self.followed):
            near = min(abs(at - place) for place in places)
            if near >= POINTERS:
                del self.followed[at]
            elif near >= MAPS:
                self.followed[at].memory = None

    @staticmethod
    def _before(index: int, distance: int, back: bool) -> int:
        return index + distance if back else index - distance
