"""Crops of objects of labelled pictures, by chance, with what is true of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from napari_sam.data.samples import LabelledImage
from napari_sam.errors import InputError
from napari_sam.text.crops import ObjectCrop
from napari_sam.training.augment import TrainingCrop, random_crop, turn_and_flip
from napari_sam.training.balance import sampling_weights
from recipes.words.scenes import Scene

__all__ = ["BACKGROUND", "CropSampler", "Mosaics", "mosaic"]

BACKGROUND = frozenset({"background"})
EMPTY = 1 / 12  # of the crops show no object
CLEAR = 0.02  # most of a place without an object that labels may cover
TRIES = 10
SINGLE = 0.4  # of the views show one picture only
SMALLEST = 12  # pixels; what is cut to fewer is no object any more


class CropSampler:
    """Random crops of objects of labelled images, with the facts that hold for each.

    Parameters
    ----------
    images : sequence of LabelledImage
    sets : mapping
        By data set the facts that hold for all of its objects; the facts of others are what they
        show.
    side : int
        Pixels a side of a crop.

    Raises
    ------
    InputError
        If nothing can be said of any object.
    """

    def __init__(
        self, images: Sequence[LabelledImage], sets: Mapping[str, Sequence[str]], side: int
    ) -> None:
        self.side = side
        scenes = [
            Scene.of(p.rgb, p.labels, dict.fromkeys(p.ids.tolist(), sets.get(p.dataset, [])))
            for p in images
        ]
        usable = [(p, scene) for p, scene in zip(images, scenes, strict=True) if scene.facts]
        if not usable:
            raise InputError("nothing can be said in words of any object of these pictures")
        self.complete = [not image.partial for image, _ in usable]
        self.scenes = [scene for _, scene in usable]
        self.chance = sampling_weights([image for image, _ in usable])

    def draw(
        self, count: int, rng: np.random.Generator
    ) -> tuple[list[ObjectCrop], list[frozenset[str]]]:
        """Return crops, and what is true of each; some show no object."""
        crops: list[ObjectCrop] = []
        facts: list[frozenset[str]] = []
        while len(crops) < count:
            number = rng.choice(len(self.scenes), p=self.chance)
            scene = self.scenes[number]
            label = int(rng.choice(list(scene.facts)))
            if self.complete[number] and rng.random() < EMPTY:
                crop = self._empty(scene, label, rng)
                if crop is None:
                    continue
                facts.append(BACKGROUND)
            else:
                crop = scene.crop(label, self.side, rng)
                facts.append(scene.facts[label])
            crops.append(_varied(crop, rng))
        return crops, facts

    def _empty(self, scene: Scene, label: int, rng: np.random.Generator) -> ObjectCrop | None:
        """Cut an object's shape out where none is labelled; None where there is no room."""
        height, width = scene.patch(label).shape
        rows, columns = scene.labels.shape
        for _ in range(TRIES):
            top, left = int(rng.integers(rows - height + 1)), int(rng.integers(columns - width + 1))
            under = scene.labels[top : top + height, left : left + width]
            if (under > 0).mean() < CLEAR:
                return scene.crop_at(label, (top, left), self.side, rng)
        return None


def vary_lightly(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Change brightness and noise a little: not so much that words for them become untrue."""
    noise = rng.normal(0, rng.uniform(0, 6), rgb.shape)
    varied = np.clip(rgb * rng.uniform(0.9, 1.1) + noise, 0, 255).astype(np.uint8)
    varied[rgb.max(axis=2) == 0] = 0  # what was cut away, or never there, stays so
    return varied


def _varied(crop: ObjectCrop, rng: np.random.Generator) -> ObjectCrop:
    """Turn and flip, and change the contrast a little: not so much that a fact becomes untrue."""
    rgb, mask = turn_and_flip(rng, crop.rgb, crop.mask)
    return ObjectCrop(vary_lightly(rgb, rng), np.ascontiguousarray(mask), crop.size)


class Mosaics:
    """Random views of one, two or four labelled images side by side.

    Parameters
    ----------
    images : sequence of LabelledImage
    sets : mapping
        By data set the facts that hold for all of its objects.
    size : int
        Pixels a side of a view.
    single : float
        Share of the views that show one picture; the others show two halves or four quarters.
    """

    def __init__(
        self,
        images: Sequence[LabelledImage],
        sets: Mapping[str, Sequence[str]],
        size: int,
        single: float = SINGLE,
    ) -> None:
        self.images, self.sets, self.size, self.single = images, sets, size, single
        self.chance = sampling_weights(images)

    def draw(self, rng: np.random.Generator) -> Scene:
        """Return one view that holds an object."""
        while True:
            count = 1 if rng.random() < self.single else int(rng.choice([2, 4]))
            chosen = rng.choice(len(self.images), count, p=self.chance)
            crops = [random_crop(self.images[i], self.size, rng, vary_lightly) for i in chosen]
            scene = mosaic(crops, [self.sets.get(self.images[i].dataset, []) for i in chosen])
            if scene.facts:
                return scene


def mosaic(crops: Sequence[TrainingCrop], known: Sequence[Sequence[str]]) -> Scene:
    """Put one crop, the halves of two or the quarters of four into one view.

    Parameters
    ----------
    crops : sequence of 1, 2 or 4 TrainingCrop
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
