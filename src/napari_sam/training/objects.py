"""Crops of objects of labelled pictures, by chance, with what is true of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from napari_sam.errors import InputError
from napari_sam.text.crops import ObjectCrop
from napari_sam.training.intensity import relit
from napari_sam.training.samples import Picture
from napari_sam.training.sampling import sampling
from napari_sam.training.scenes import Scene

__all__ = ["BACKGROUND", "Objects"]

BACKGROUND = frozenset({"background"})
EMPTY = 1 / 12  # of the crops show no object
CLEAR = 0.02  # most of a place without an object that labels may cover
TRIES = 10


class Objects:
    """Draws crops from pictures.

    Parameters
    ----------
    pictures : sequence of Picture
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
        self, pictures: Sequence[Picture], sets: Mapping[str, Sequence[str]], side: int
    ) -> None:
        self.side = side
        scenes = [
            Scene.of(p.rgb, p.labels, dict.fromkeys(p.ids.tolist(), sets.get(p.dataset, [])))
            for p in pictures
        ]
        usable = [(p, scene) for p, scene in zip(pictures, scenes, strict=True) if scene.facts]
        if not usable:
            raise InputError("nothing can be said in words of any object of these pictures")
        self.complete = [not picture.partial for picture, _ in usable]
        self.scenes = [scene for _, scene in usable]
        self.chance = sampling([picture for picture, _ in usable])

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
                return scene.cut(label, (top, left), self.side, rng)
        return None


def _varied(crop: ObjectCrop, rng: np.random.Generator) -> ObjectCrop:
    """Turn and flip, and change the contrast a little: not so much that a fact becomes untrue."""
    turns, flip = int(rng.integers(4)), 1 - 2 * int(rng.integers(2))
    rgb, mask = np.rot90(crop.rgb, turns)[:, ::flip], np.rot90(crop.mask, turns)[:, ::flip]
    return ObjectCrop(relit(rgb, rng), np.ascontiguousarray(mask), crop.size)
