"""Validation during training: one-click IoU, F1 of the instances, and the best weights so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_sam.data.deepest import deepest_point
from napari_sam.data.samples import LabelledImage, evenly_spaced
from napari_sam.evaluation.evaluate import mask_iou
from napari_sam.evaluation.matching import f1, pairwise_iou
from napari_sam.inference.automatic.instances.from_maps import find_instances
from napari_sam.inference.automatic.settings import InstanceSettings
from napari_sam.inference.embedding import Embedding
from napari_sam.inference.object_maps import predict_maps
from napari_sam.inference.predictor import Predictor
from napari_sam.masks import slices
from napari_sam.model.instances.head import rating_of
from napari_sam.model.sam import Sam
from napari_sam.model.weights.checkpoint import DECODER
from napari_sam.prompts import Prompts

__all__ = ["BestWeights", "Validation", "ValidationPreview"]

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

    def everything(self) -> float:
        """Return the mean F1 of the instances that the maps show, at an IoU of 0.5.

        Of a partially labelled picture only those count that lie on labelled objects.
        """
        self.predictor.model.eval()
        scores, model = [], self.predictor.model
        for number, image in enumerate(self.images):
            maps = predict_maps(model, self._embedding(number))
            instances = find_instances(maps, InstanceSettings(), rating_of(model.instance_decoder))
            found = np.zeros_like(image.labels)
            for label, one in enumerate(instances, 1):
                place, mask = slices(one.cropped.box), one.cropped.crop()
                if not image.partial or (image.labels[place][mask] > 0).mean() > 0.5:
                    found[place][mask] = label
            truth = np.where(np.isin(image.labels, image.ids), image.labels, 0)
            scores.append(f1(pairwise_iou(truth, found)))
        return float(np.mean(scores))

    def _embedding(self, number: int) -> Embedding:
        if number in self._kept:
            return self._kept[number]
        embedding = self.predictor.embed(self.images[number].rgb, contrast=(0, 255))
        if self.cache_embeddings:
            self._kept[number] = embedding
        return embedding


class BestWeights:
    """Weights with the best scores on the validation images so far.

    Parameters
    ----------
    weights : dict of str to Tensor
        To begin with.
    apart : bool
        Whether the instance decoder shares no weight that learns with the answers to prompts: then
        each is kept at its own best, else at the best mean of both scores.
    """

    def __init__(self, weights: dict[str, Tensor], apart: bool) -> None:
        self.weights, self.apart = weights, apart
        self.scores: dict[str, float] = {}
        self.waited = 0
        """How often in a row nothing was better."""

    def take(self, weights: Mapping[str, Tensor], click: float, everything: float | None) -> None:
        """Keep what is better of new weights, by their one-click IoU and F1 of instances."""
        apart = self.apart and everything is not None
        both = click if everything is None else (click + everything) / 2
        scores = {"prompts": click, "maps": everything} if apart else {"all": both}
        better = {
            part: score
            for part, score in scores.items()
            if score is not None and score > self.scores.get(part, -1)
        }
        for name, value in weights.items():
            part = "maps" if name.startswith(DECODER) else "prompts"
            if (part if apart else "all") in better:
                self.weights[name] = value
        self.scores |= better
        self.waited = 0 if better else self.waited + 1
