"""Follow objects through a stack with SAM 2's memory."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator

import torch
from torch import Tensor

from napari_sam.errors import InputError
from napari_sam.model.sam import Features
from napari_sam.model.sam2.memory_bank import Known, MemoryBank
from napari_sam.model.sam2.sam2 import CLAMP, Answer, Sam2, corners_as_points

__all__ = ["Tracker"]


class Tracker:
    """The memory of one stack: objects, what was pointed at, and what was found.

    Objects know nothing of each other: one more disturbs none that are there.

    Parameters
    ----------
    model : Sam2
        In evaluation mode.
    features : callable
        Returns the features of a slice, as `Sam2.encode` makes them; it is called when they are
        needed, and may keep them.
    count : int
        Number of slices.
    """

    def __init__(self, model: Sam2, features: Callable[[int], Features], count: int) -> None:
        self.model = model
        self.features = features
        self.count = count
        self.banks: dict[Hashable, MemoryBank] = {}

    @torch.inference_mode()
    def prompt(
        self,
        key: Hashable,
        index: int,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        box: Tensor | None = None,
    ) -> Answer:
        """Point at an object in a slice, and return its mask there.

        An earlier answer of the slice goes in with the prompts. Where the object was followed to
        this slice, its memory takes part as it was then: answers count, and what was found close
        by is forgotten, once the object is followed again.

        Parameters
        ----------
        key : hashable
            The object; a new one is added.
        index : int
            The slice.
        points, labels : (1, N, 2) float, (1, N) int
            All clicks in this slice: (x, y) in frame pixels; 1 foreground, 0 background.
        box : (1, 4) float
            x0, y0, x1, y1 in frame pixels.

        Raises
        ------
        InputError
            If the slice lies outside the stack, or there is no prompt.
        """
        self._check(index)
        prompts = corners_as_points(points, labels, box)
        if prompts is None:
            raise InputError("point at the object with clicks or a box; got neither")
        bank, features = self._bank(key), self.features(index)
        before = bank.at(index)
        image = self._image(bank, index, features)
        masks = None if before is None else before.answer.logits.clamp(-CLAMP, CLAMP)
        answer = self.model.answer(image, features.skips, *prompts, masks)
        bank.mark(index, answer)
        return answer

    @torch.inference_mode()
    def prompt_mask(self, key: Hashable, index: int, mask: Tensor) -> Answer:
        """Take a mask (1, 1, frame, frame) of zeros and ones as an object's mask in a slice.

        Raises
        ------
        InputError
            If the slice lies outside the stack.
        """
        self._check(index)
        bank = self._bank(key)
        answer = self.model.answer_mask(self.features(index), mask)
        bank.mark(index, answer)
        return answer

    def unmark(self, key: Hashable, index: int) -> None:
        """Forget that somebody pointed at an object in a slice."""
        self.banks[key].unmark(index)

    def remove(self, key: Hashable) -> None:
        """Forget an object."""
        del self.banks[key]

    @torch.inference_mode()
    def follow(
        self, start: int | None = None, end: int | None = None, *, back: bool = False
    ) -> Iterator[tuple[int, dict[Hashable, Answer]]]:
        """Follow all objects, a slice at a time.

        Slices that were pointed at keep their masks; all others are found anew.

        Parameters
        ----------
        start, end : int, optional
            The first slice, and the last one. None: the earliest that was pointed at, and that at
            the end of the stack.
        back : bool
            Whether to go towards the first slice.

        Yields
        ------
        int, dict
            The slice, and the answer of each object.

        Raises
        ------
        InputError
            If an object was nowhere pointed at, or a slice lies outside the stack.
        """
        for key in self.banks:
            self.settle(key)
        missing = [key for key, bank in self.banks.items() if not bank.marked]
        if missing or not self.banks:
            raise InputError(f"point at each object in at least one slice; missing: {missing}")
        if start is None:
            start = min(at for bank in self.banks.values() for at in bank.marked)
        if end is None:
            end = 0 if back else self.count - 1
        for index in (start, end):
            self._check(index)
        for index in range(start, end - 1, -1) if back else range(start, end + 1):
            answers = {}
            for key, bank in self.banks.items():
                answers[key] = self.step(key, index, back)
                bank.trim(index, *bank.marked)
            yield index, answers

    @torch.inference_mode()
    def settle(self, key: Hashable) -> None:
        """Let what was pointed at count in other slices from here on."""
        self.banks[key].settle(self._remember)

    @torch.inference_mode()
    def step(self, key: Hashable, index: int, back: bool) -> Answer:
        """Return an object's answer in a slice, found with what counts of the slices before.

        Parameters
        ----------
        key : hashable
            An object that was pointed at, and settled.
        index : int
            The slice.
        back : bool
            Whether on the way to the first slice.
        """
        bank, known = self.banks[key], self.banks[key].marked.get(index)
        if known is None:
            features = self.features(index)
            image = self._remembering(bank, index, features, back)
            answer = self.model.answer(image, features.skips)
            memory = self._compact(self.model.remember(features, answer, clicked=False))
            bank.followed[index] = known = Known(answer, memory)
        bank.visited[index] = back
        return known.answer

    def _image(self, bank: MemoryBank, index: int, features: Features) -> Tensor:
        """Return the image embedding for prompts: with memory only where the object came by."""
        if index not in bank.visited or not bank.marked:
            return self.model.without_memory(features)
        return self._remembering(bank, index, features, bank.visited[index])

    def _remembering(self, bank: MemoryBank, index: int, features: Features, back: bool) -> Tensor:
        memories = self.model.gather(bank.maps(index, back), bank.pointers(index, back))
        return self.model.with_memory(features, memories)

    def _remember(self, index: int, answer: Answer) -> Tensor:
        return self._compact(self.model.remember(self.features(index), answer, clicked=True))

    def _compact(self, memory: Tensor) -> Tensor:
        """Return a memory as it is kept: in bfloat16, unless more than float32 was asked for."""
        return memory.bfloat16() if memory.dtype == torch.float32 else memory

    def _bank(self, key: Hashable) -> MemoryBank:
        return self.banks.setdefault(key, MemoryBank(self.count))

    def _check(self, index: int) -> None:
        if not 0 <= index < self.count:
            raise InputError(f"slice {index} lies outside the stack of {self.count} slices")
