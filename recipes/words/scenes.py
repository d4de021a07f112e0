"""A labelled picture with what is true of each object in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects
from skimage.measure import regionprops

from napari_sam.text.crops import ObjectCrop, crop_object, relative_sizes
from napari_sam.text.vocabulary import Vocabulary

__all__ = ["Scene", "caption", "chosen_facts", "traits_of"]

ROUND, LONG = 0.65, 0.88  # eccentricities
SOLID, CONCAVE = 0.92, 0.85  # share of the convex hull that is filled
SMALL, LARGE = 0.75, 1.33  # medians of the picture's diameters
DIM, BRIGHT = 0.25, 0.5  # mean of the stretched picture, 0 to 1


@dataclass(frozen=True, eq=False)
class Scene:
    """An image with its objects, and the facts that hold for each.

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
        """Measure the traits of every object, and add what is `known` of those that are to count.

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
        return self.crop_at(label, (rows.start, columns.start), side, rng)

    def crop_at(
        self, label: int, corner: tuple[int, int], side: int, rng: np.random.Generator
    ) -> ObjectCrop:
        """Cut out the object's shape at some place."""
        crop = crop_object(
            self.rgb,
            self.patch(label),
            corner,
            side,
            size=self.sizes[label],
            enlarged=rng.uniform(1, 2),
        )
        return crop.alone() if rng.random() < 0.5 else crop


def traits_of(rgb: NDArray[np.uint8], labels: NDArray[np.integer]) -> dict[int, frozenset[str]]:
    """Return by id the traits of each object: shape, brightness, size relative to the others.

    Parameters
    ----------
    rgb : (H, W, 3) uint8
        The picture as the model sees it.
    labels : (H, W) int
        0 is background.
    """
    grey = rgb.mean(axis=2, dtype=np.float32) / 255
    found = regionprops(labels, grey)
    sizes = relative_sizes([one.area for one in found])
    return {
        int(one.label): _traits(one.eccentricity, one.solidity, one.intensity_mean, size)
        for one, size in zip(found, sizes, strict=True)
    }


def _traits(eccentricity: float, solidity: float, mean: float, size: float) -> frozenset[str]:
    said = {
        "round": eccentricity < ROUND and solidity > SOLID,
        "elongated": eccentricity > LONG,
        "irregular": solidity < CONCAVE,
        "small": size < SMALL,
        "large": size > LARGE,
        "dim": mean < DIM,
        "bright": mean > BRIGHT,
    }
    return frozenset(fact for fact, true in said.items() if true)


def chosen_facts(
    facts: frozenset[str], words: Vocabulary, rng: np.random.Generator
) -> frozenset[str]:
    """Choose what to say of an object: mostly its kind, some traits, where and how seldom."""
    share = {"kind": 0.85, "trait": 0.3, "method": 0.35, "origin": 0.25}
    said = [fact for fact in sorted(facts) if rng.random() < share[words.role[fact]]]
    traits = [fact for fact in said if words.role[fact] == "trait"]
    dropped = set(rng.permutation(traits)[2:])
    said = [fact for fact in said if fact not in dropped]
    return frozenset(said) or frozenset({sorted(facts)[rng.integers(len(facts))]})


def caption(facts: frozenset[str], words: Vocabulary, rng: np.random.Generator) -> str:
    """Return a caption of some facts; at most one of each role but traits, of which two.

    Examples
    --------
    >>> from napari_sam.text.vocabulary import vocabulary
    >>> rng = np.random.default_rng(0)
    >>> caption(frozenset({"round", "nucleus"}), vocabulary(), rng)
    'a picture of disc-like Hoechst-stained nuclei'
    """
    by_role: dict[str, list[str]] = {}
    for fact in sorted(facts):
        phrase = words.phrases[fact][rng.integers(len(words.phrases[fact]))]
        by_role.setdefault(words.role[fact], []).append(phrase)
    traits = list(rng.permutation(by_role.get("trait", [])))
    noun = by_role.get("kind", ["objects"])[0]
    noun = " ".join([*traits, noun.removeprefix("a ").removeprefix("an ") if traits else noun])
    places = {"noun": noun}
    places |= {role: by_role[role][0] for role in ("method", "origin") if role in by_role}
    fitting = [
        t for t in words.templates
        if all((f"{{{role}}}" in t) == (role in by_role) for role in ("method", "origin"))
    ]  # fmt: skip
    return fitting[rng.integers(len(fitting))].format(**places)
