"""What is true of an object of the open data, and captions that say it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.measure import regionprops

from napari_sam.text.crops import relative_sizes
from napari_sam.text.vocabulary import Vocabulary

__all__ = ["caption", "chosen", "traits_of"]

ROUND, LONG = 0.65, 0.88  # eccentricities
SOLID, CONCAVE = 0.92, 0.85  # share of the convex hull that is filled
SMALL, LARGE = 0.75, 1.33  # medians of the picture's diameters
DIM, BRIGHT = 0.25, 0.5  # mean of the stretched picture, 0 to 1


def traits_of(rgb: NDArray[np.uint8], labels: NDArray[np.integer]) -> dict[int, frozenset[str]]:
    """Return by id what each object shows: its shape, its brightness, its size beside the others.

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
    return {int(one.label): _traits(one, size) for one, size in zip(found, sizes, strict=True)}


def _traits(one: Any, size: float) -> frozenset[str]:
    eccentricity, solidity, mean = one.eccentricity, one.solidity, one.intensity_mean
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


def chosen(facts: frozenset[str], words: Vocabulary, rng: np.random.Generator) -> frozenset[str]:
    """Choose what to say of an object: mostly its kind, some traits, where and how seldom."""
    share = {"kind": 0.85, "trait": 0.3, "method": 0.35, "origin": 0.25}
    said = [fact for fact in sorted(facts) if rng.random() < share[words.role[fact]]]
    traits = [fact for fact in said if words.role[fact] == "trait"]
    dropped = set(rng.permutation(traits)[2:])
    said = [fact for fact in said if fact not in dropped]
    return frozenset(said) or frozenset({sorted(facts)[rng.integers(len(facts))]})


def caption(facts: frozenset[str], words: Vocabulary, rng: np.random.Generator) -> str:
    """Say some facts in words; at most one of each role but traits, of which two.

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
