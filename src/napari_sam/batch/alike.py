"""Examples of what to find: keep the objects of any picture that are like them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_sam.batch.slices import stack_contrast
from napari_sam.batch.words import reader_of
from napari_sam.errors import InputError
from napari_sam.io.images.read import open_image
from napari_sam.io.labels import open_labels
from napari_sam.masks import cropped_masks
from napari_sam.text import BUILT_IN

if TYPE_CHECKING:
    from napari_sam.arrays import Array, ContrastRange
    from napari_sam.inference.similar.features import Described
    from napari_sam.inference.similar.rating import Count, Likeness
    from napari_sam.masks import CroppedMask
    from napari_sam.results import Proposal
    from napari_sam.serving.segmenter import StoredSegmenter

    Find = Callable[[Array, ContrastRange | None], Sequence[Proposal]]

__all__ = ["Alike", "Examples"]


@dataclass(frozen=True)
class Examples:
    """Files with examples of what to find, and how like them an object has to be.

    Parameters
    ----------
    labels : Path
        Each object in it is an example.
    picture : Path
        That the labels belong to.
    similarity : float
        0 to 1.
    """

    labels: Path
    picture: Path
    similarity: float = 0.5


class Alike:
    """Keeps the objects of one file that are like the examples.

    Parameters
    ----------
    examples : Examples
    segmenter : StoredSegmenter
        Embeds the pictures.
    find : callable
        Finds everything in a slice of the examples' picture, given its pixels and contrast.
    """

    def __init__(self, examples: Examples, segmenter: StoredSegmenter, find: Find) -> None:
        self._examples, self._segmenter, self._find = examples, segmenter, find
        self._reader = reader_of(BUILT_IN)
        self._likeness: Likeness | None = None
        self._rated: list[float] = []  # of all objects so far

    def keep(
        self, image: Array, found: Sequence[Proposal], contrast: ContrastRange | None
    ) -> list[Proposal]:
        """Return the proposals of an image that are similar enough, the most similar first.

        Where nothing was found and the image is like the examples, the model is asked once more.
        """
        if self._likeness is None:
            self._likeness = self._learn()
        more = self._reader.unfound(
            *(self._segmenter, image, self._likeness.examples, found, None, contrast, _go_on)
        )
        found = [*found, *more]
        known = self._describe(image, [one.cropped for one in found], contrast)
        rated = self._likeness.rate(known)
        self._rated += rated.tolist()
        order = np.argsort(-rated, kind="stable")
        return [found[i] for i in order if rated[i] >= self._examples.similarity]

    @property
    def count(self) -> Count:
        """How many of the objects so far are of the examples' kind."""
        from napari_sam.inference.similar.rating import count

        return count(self._rated)

    def _learn(self) -> Likeness:
        """Fit the rating to the examples on all slices of their picture.

        Raises
        ------
        InputError
            If the labels do not fit their picture, or hold no object.
        """
        from napari_sam.inference.similar.rating import Likeness

        shown = population = None
        for image, masks, contrast in self._slices():
            some = self._describe(image, masks, contrast)
            shown = some if shown is None else shown.joined(some)
            if population is None:
                found = [one.cropped for one in self._find(image, contrast)]
                population = self._describe(image, [*found, *masks], contrast)
        if shown is None or population is None:
            raise InputError(f"{self._examples.labels} holds no object that could be an example")
        return Likeness(population, shown)

    def _slices(self) -> Iterator[tuple[Array, list[CroppedMask], ContrastRange | None]]:
        """Yield the pixels, the examples and the contrast of each slice that has some."""
        given, rule = self._examples, self._segmenter.predictor.model.entry.intensity
        with open_image(given.picture) as data, open_labels(given.labels) as labels:
            if labels.shape != data.plain_shape:
                raise InputError(
                    f"the examples in {given.labels} have shape {labels.shape}, their picture "
                    f"{given.picture} has {data.plain_shape}"
                )
            contrast = stack_contrast(data, rule)
            for plane in np.ndindex(*labels.shape[:-2]):
                masks = list(cropped_masks(np.asarray(labels[plane])).values())
                if masks:
                    yield data[plane], masks, contrast

    def _describe(
        self, image: Array, masks: Sequence[CroppedMask], contrast: ContrastRange | None
    ) -> Described:
        return self._reader.describe(self._segmenter, image, masks, contrast, _go_on)


def _go_on() -> None:
    """Nothing waits for a command."""
