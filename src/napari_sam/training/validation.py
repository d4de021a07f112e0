"""Validation during training: one-click IoU on held-out images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_sam.data.deepest import deepest_point
from napari_sam.data.samples import LabelledImage, evenly_spaced
from napari_sam.evaluation.evaluate import mask_iou
from napari_sam.inference.embedding import Embedding
from napari_sam.inference.predictor import Predictor
from napari_sam.model.sam import Sam
from napari_sam.prompts import Prompts

__all__ = ["Validation", "ValidationPreview"]

IMAGES, OBJECTS = 6, 20  # looked at now and then; more would hold up the training


@dataclass(frozen=True, eq=False)
class ValidationPreview:
    """A validation image with true and predicted labels.

    Parameters
    ----------
    rgb : (H, W, 3) uint8
    truth, predicted : (H, W) int32
        The labels, and each object's mask from one click at its deepest point.
    """

    rgb: NDArray[np.uint8]
    truth: NDArray[np.int32]
    predicted: NDArray[np.int32]


class Validation:
    """One-click validation on a few objects of a few images.

    Parameters
    ----------
    model : Sam
        As it is at each `score`.
    images : sequence of LabelledImage
        Up to six of them are taken, with up to 20 objects each, evenly spaced.
    cache_embeddings : bool
        Whether the image encoder stays as it is, so that each picture is embedded only once.
    """

    def __init__(self, model: Sam, images: Sequence[LabelledImage], cache_embeddings: bool) -> None:
        self.predictor = Predictor(model)
        self.images = [images[i] for i in evenly_spaced(len(images), IMAGES)]
        self.cache_embeddings = cache_embeddings
        self._kept: dict[int, Embedding] = {}

    def score(self) -> tuple[float, ValidationPreview]:
        """Return the mean IoU after one point prompt, and a preview of the first image."""
        self.predictor.model.eval()
        scores: list[float] = []
        for number, image in enumerate(self.images):
            ids = image.ids[evenly_spaced(len(image.ids), OBJECTS)]
            masks = [image.labels == i for i in ids]
            prompts = [Prompts([deepest_point(mask)], [1]) for mask in masks]
            found = self.predictor.predict_batch(self._embedding(number), prompts)
            scores += [mask_iou(one.masks[0], mask) for one, mask in zip(found, masks, strict=True)]
            if number == 0:
                predicted = np.zeros_like(image.labels)
                for one, i in zip(found, ids, strict=True):
                    predicted[one.masks[0]] = i
                preview = ValidationPreview(image.rgb, image.labels, predicted)
        return float(np.mean(scores)), preview

    def _embedding(self, number: int) -> Embedding:
        if number in self._kept:
            return self._kept[number]
        embedding = self.predictor.embed(self.images[number].rgb, contrast=(0, 255))
        if self.cache_embeddings:
            self._kept[number] = embedding
        return embedding
