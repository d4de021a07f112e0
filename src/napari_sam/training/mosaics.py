"""Views with several data sets in one, so that words have something to tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from napari_sam.training.augment import Crop, random_crop
from napari_sam.training.intensity import relit
from napari_sam.training.samples import Picture
from napari_sam.training.sampling import sampling
from napari_sam.training.scenes import Scene

__all__ = ["Mosaics", "mosaic"]

SINGLE = 0.4  # of the views show one picture only
SMALLEST = 12  # pixels; what is cut to fewer is no object any more


class Mosaics:
    """Draws views from pictures.

    Parameters
    ----------
    pictures : sequence of Picture
    sets : mapping
        By data set the facts that hold for all of its objects.
    size : int
        Pixels a side of a view.
    single : float
        Share of the views that show one picture; the others show two halves or four quarters.
    """

    def __init__(
        self,
        pictures: Sequence[Picture],
        sets: Mapping[str, Sequence[str]],
        size: int,
        single: float = SINGLE,
    ) -> None:
        self.pictures, self.sets, self.size, self.single = pictures, sets, size, single
        self.chance = sampling(pictures)

    def draw(self, rng: np.random.Generator) -> Scene:
        """Return one view that holds an object."""
        while True:
            count = 1 if rng.random() < self.single else int(rng.choice([2, 4]))
            chosen = rng.choice(len(self.pictures), count, p=self.chance)
            crops = [random_crop(self.pictures[i], self.size, rng, relit) for i in chosen]
            scene = mosaic(crops, [self.sets.get(self.pictures[i].dataset, []) for i in chosen])
            if scene.facts:
                return scene


def mosaic(crops: Sequence[Crop], known: Sequence[Sequence[str]]) -> Scene:
    """Put one crop, the halves of two or the quarters of four into one view.

    Parameters
    ----------
    crops : sequence of 1, 2 or 4 Crop
        Of one size; each keeps its place: left, right, or upper left, upper right and so on.
    known : sequence of sequences of str
        For each, what is true of all its objects.
    """
    size = len(crops[0].labels)
    low, high, whole = slice(0, size // 2), slice(size // 2, size), slice(0, size)
    places = {
        1: [(whole, whole)],
        2: [(whole, low), (whole, high)],
        4: [(low, low), (low, high), (high, low), (high, high)],
    }[len(crops)]
    rgb, labels = np.zeros((size, size, 3), np.uint8), np.zeros((size, size), np.int32)
    facts: dict[int, Sequence[str]] = {}
    for crop, its, place in zip(crops, known, places, strict=True):
        shown = crop.labels[place]
        large = np.flatnonzero(np.bincount(shown.ravel()) >= SMALLEST)
        kept = np.isin(shown, large[large > 0])
        first = max(facts, default=0)
        labels[place] = np.where(kept, shown + first, 0)
        rgb[place] = crop.rgb[place]
        facts |= {int(i): its for i in np.unique(labels[place]) if i}
    return Scene.of(rgb, labels, facts)
