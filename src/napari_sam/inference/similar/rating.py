"""Rating of objects by examples: similarity from 0 to 1, a count, and classes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.inference.similar.features import Described, Features

__all__ = ["WEIGHTS", "Classes", "Count", "Likeness", "count"]

# What each group of features counts for, measured by benchmarks/similar.py.
WEIGHTS: Mapping[str, float] = {"intensity": 1.4, "shape": 1.0, "crop": 1.5, "embedding": 1.0}
# Deviations of each feature that are usual in a picture with two kinds (the median of mosaics). To
# take those of the picture itself was no better, and of a handful of objects nobody can tell them.
USUAL: Mapping[str, float | tuple[float, ...]] = {
    "intensity": (32, 11, 34, 26, 4.4, 10, 10),
    "shape": (1.0, 0.12, 0.4, 0.06),
    "crop": 0.026,
    "embedding": 0.25,
}
FARTHEST = 5.0  # standard deviations
# The chance that an object of a closeness is of the kind, fitted to mosaics: how steep it is, and
# where it is even, with one example; with more of them (up to MOST) both grow with their logarithm.
STEEP, STEEPER = 0.9, 0.3
EVEN, LATER = -3.5, 0.55
MOST = 10
DOUBT = 0.25, 0.75  # similarities between which nobody can tell


class Space:
    """Space in which the distances of objects are what the groups of features count for.

    Parameters
    ----------
    population : Described
        What is in the picture; the mean of it is the origin.
    weights : mapping of str to float
        By group; 0 leaves one out.
    """

    def __init__(self, population: Described, weights: Mapping[str, float] = WEIGHTS) -> None:
        self._weights = weights
        self._means = {name: values.mean(axis=0) for name, values in population.groups.items()}

    def vectors(self, some: Described) -> Features:
        """Return vectors (N, D)."""
        parts = []
        for name, mean in self._means.items():
            scaled = (some.groups[name] - mean) / np.asarray(USUAL[name])
            width = self._weights[name] / math.sqrt(scaled.shape[1])
            parts.append(np.clip(scaled, -FARTHEST, FARTHEST) * width)
        return np.concatenate(parts, axis=1)


class Examples:
    """Examples of one kind, as vectors (n, D)."""

    def __init__(self, vectors: Features) -> None:
        self._vectors = vectors
        self._mean = _unit(vectors.mean(axis=0))
        self._steep, self._even = _calibration(len(vectors))

    def evidence(self, vectors: Features) -> NDArray[np.float64]:
        """Return log odds (N,) that objects are of this kind: near one of them, and its way."""
        apart = np.stack([np.linalg.norm(vectors - one, axis=1) for one in self._vectors])
        close = _unit(vectors) @ self._mean - apart.min(axis=0)
        odds: NDArray[np.float64] = self._steep * (close - self._even)
        return odds


def _calibration(examples: int) -> tuple[float, float]:
    more = math.log(min(examples, MOST))
    return STEEP + STEEPER * more, EVEN + LATER * more


def _unit(vectors: Features) -> Features:
    scaled: Features = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return scaled


class Likeness:
    """Similarity with examples, and not with counter-examples.

    Fitted once, it rates objects of any slice of the stack on the same scale.

    Parameters
    ----------
    population : Described
        Of the objects among which to tell, those of the examples' slice.
    examples : Described
        One or more.
    against : Described, optional
        Of what is not meant.

    Attributes
    ----------
    examples : Described
        As given.

    Raises
    ------
    InputError
        If there is no example.

    Examples
    --------
    >>> some = Described({"crop": np.repeat([[0.0, 0.0], [1.0, 1.0]], 5, axis=0)})
    >>> rated = Likeness(some, some.only([0])).rate(some)
    >>> bool(rated[:5].min() > rated[5:].max())
    True
    """

    def __init__(
        self,
        population: Described,
        examples: Described,
        against: Described | None = None,
        weights: Mapping[str, float] = WEIGHTS,
    ) -> None:
        if not len(examples):
            raise InputError("an example is needed of what to look for: take an accepted object")
        self.examples = examples
        some = [examples] if against is None or not len(against) else [examples, against]
        everything = population
        for one in some:
            everything = everything.joined(one)
        self._space = Space(everything, weights)
        kinds = [Examples(self._space.vectors(one)) for one in some]
        self._meant, self._others = kinds[0], kinds[1:]

    def rate(self, some: Described) -> NDArray[np.float64]:
        """Return the similarity (N,) of objects, from 0 to 1."""
        if not len(some):
            return np.zeros(0)
        vectors = self._space.vectors(some)
        meant = self._meant.evidence(vectors)
        others = [np.zeros_like(meant), *(one.evidence(vectors) for one in self._others)]
        rated: NDArray[np.float64] = np.exp(meant - np.logaddexp.reduce([meant, *others], axis=0))
        return rated


class Count(NamedTuple):
    """How many objects are of the kind: at a similarity of one half, at least and at most."""

    likely: int
    least: int
    most: int

    def __str__(self) -> str:
        if self.least == self.most:
            return f"{self.likely:,}"
        return f"about {self.likely:,} ({self.least:,} to {self.most:,})"


def count(similarity: Sequence[float] | NDArray[np.floating]) -> Count:
    """Count objects by their similarity.

    Between the least and the most lie those of which nobody can tell, at 0.25 to 0.75.

    Examples
    --------
    >>> print(count([0.9, 0.8, 0.6, 0.3, 0.1]))
    about 3 (2 to 4)
    """
    values = np.asarray(similarity)
    low, high = DOUBT
    likely, least, most = (int((values >= bound).sum()) for bound in (0.5, high, low))
    return Count(likely, least, most)


@dataclass(frozen=True, eq=False)
class Classes:
    """Class of each of N objects by examples, and how certain it is.

    Parameters
    ----------
    numbers : (N,) int
        Of the classes.
    certainty : (N,) float
        0 to 1; among K classes at least 1 / K.
    """

    numbers: NDArray[np.int64]
    certainty: NDArray[np.float64]

    @classmethod
    def by_example(cls, objects: Described, examples: Mapping[int, Sequence[int]]) -> Classes:
        """Give each object the class of the examples that it is most like.

        Parameters
        ----------
        objects : Described
            All, also the examples.
        examples : mapping of int to sequence of int
            By class the indices of objects that somebody has named.

        Raises
        ------
        InputError
            If not at least two classes have an example.

        Examples
        --------
        >>> some = Described({"crop": np.array([[0.0], [0.1], [1.0], [0.9], [0.5]])})
        >>> given = Classes.by_example(some, {1: [0], 2: [2]})
        >>> given.numbers[[1, 3]].tolist(), bool(given.certainty[4] < given.certainty[1])
        ([1, 2], True)
        """
        named = {number: some for number, some in examples.items() if len(some)}
        if len(named) < 2:
            raise InputError("name at least one object of each of two classes first")
        vectors = Space(objects).vectors(objects)
        evidence = np.stack(
            [Examples(vectors[list(some)]).evidence(vectors) for some in named.values()]
        )
        chance = np.exp(evidence - np.logaddexp.reduce(evidence, axis=0))
        best = chance.argmax(axis=0)
        return cls(np.array(list(named))[best], chance.max(axis=0))
