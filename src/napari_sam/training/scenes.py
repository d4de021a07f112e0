"""A labelled picture with what is true of each object in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from napari_sam.text.crops import ObjectCrop, cut, relative_sizes
from napari_sam.training.captions import traits_of

__all__ = ["Scene"]


@dataclass(frozen=True, eq=False)
class Scene:
    """What is seen, and what can be said of it.

    Parameters
    ----------
    rgb : (H, W, 3) uint8
    labels : (H, W) int32
        0 is background.
    facts : dict
        By label, what is true of the object.
    boxes : dict
        By label, where it lies.
    sizes : dict
        By label, its diameter in medians of all.
    """

    rgb: NDArray[np.uint8]
    labels: NDArray[np.int32]
    facts: dict[int, frozenset[str]]
    boxes: dict[int, tuple[slice, slice]]
    sizes: dict[int, float]

    @classmethod
    def of(
        cls,
        rgb: NDArray[np.uint8],
        labels: NDArray[np.int32],
        known: Mapping[int, Sequence[str]],
    ) -> Scene:
        """Look at every object; `known` holds what else is true of those that are to count.

        Objects of which nothing can be said are left out.
        """
        traits = traits_of(rgb, labels)
        ids = [i for i in known if i in traits and (traits[i] or known[i])]
        areas = np.bincount(labels.ravel())[ids]
        boxes = find_objects(labels)
        return cls(
            rgb,
            labels,
            {i: traits[i].union(known[i]) for i in ids},
            {i: boxes[i - 1] for i in ids},
            dict(zip(ids, relative_sizes(areas).tolist(), strict=True)),
        )

    def fitting(self, said: frozenset[str]) -> list[int]:
        """Return the labels of all objects of which everything `said` is true."""
        return [i for i, facts in self.facts.items() if said <= facts]

    def patch(self, label: int) -> NDArray[np.bool_]:
        """Return an object inside of its box."""
        patch: NDArray[np.bool_] = self.labels[self.boxes[label]] == label
        return patch

    def crop(self, label: int, side: int, rng: np.random.Generator) -> ObjectCrop:
        """Cut an object out: its box enlarged by 1 to 2, half of them alone (appendix D.5)."""
        rows, columns = self.boxes[label]
        return self.cut(label, (rows.start, columns.start), side, rng)

    def cut(
        self, label: int, corner: tuple[int, int], side: int, rng: np.random.Generator
    ) -> ObjectCrop:
        """Cut out the object's shape at some place."""
        crop = cut(
            self.rgb,
            self.patch(label),
            corner,
            side,
            size=self.sizes[label],
            enlarged=rng.uniform(1, 2),
        )
        return crop.alone() if rng.random() < 0.5 else crop
