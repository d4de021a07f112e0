"""Batches of training crops with their image embeddings, fresh or cached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from napari_sam.data.samples import LabelledImage
from napari_sam.errors import InputError
from napari_sam.inference.embedding import map_features
from napari_sam.inference.image import normalise
from napari_sam.model.config import SamConfig
from napari_sam.model.sam import Features, Sam
from napari_sam.training.amp import mixed
from napari_sam.training.augment import TrainingCrop, random_crop, whole_view
from napari_sam.training.balance import sampling_weights
from napari_sam.training.recipe import Recipe
from napari_sam.training.rounds import trainable_objects

__all__ = [
    "CachedViews",
    "FreshViews",
    "TrainingBatch",
    "Views",
    "features_to",
    "stack_features",
]

TrainingBatch = tuple[list[TrainingCrop], Features]
TRIES = 100  # crops without a usable object, one after the other


class Views(Protocol):
    """Source of a run's training batches, deterministic in their numbers."""

    def batches(self, model: Sam, numbers: range) -> Iterator[TrainingBatch]:
        """Yield the batches with these numbers."""
        ...


class CropDataset(Dataset[list[TrainingCrop]]):
    """Dataset of random crops: batches by number."""

    def __init__(self, images: Sequence[LabelledImage], config: SamConfig, recipe: Recipe) -> None:
        self.images, self.config, self.recipe = images, config, recipe
        self.chance = sampling_weights(images)

    def __getitem__(self, number: int) -> list[TrainingCrop]:
        rng = np.random.default_rng((self.recipe.seed, number))
        return [self.crop(rng) for _ in range(self.recipe.pictures)]

    def crop(self, rng: np.random.Generator) -> TrainingCrop:
        """Return a random crop that holds an object.

        Raises
        ------
        InputError
            If none is found: all objects are too small or too large for the model.
        """
        # Our own model looks through windows at several scales; SAM's sizes see whole pictures.
        cut = random_crop if self.config.dense else whole_view
        size = round(self.config.frame * self.recipe.crop / 32) * 32
        for _ in range(TRIES):
            image = self.images[rng.choice(len(self.images), p=self.chance)]
            crop = cut(image, size, rng)
            if len(trainable_objects(crop, self.config.mask_stride)):
                return crop
        raise InputError(
            f"none of {TRIES} crops of these pictures held an object that {self.config.name} can "
            f"see: objects must cover about {10 * self.config.mask_stride**2} pixels in a picture "
            f"shown at {self.config.frame} pixels, and at most 60 % of it"
        )


class FreshViews:
    """Batches of new crops, embedded with gradients."""

    def __init__(self, images: Sequence[LabelledImage], config: SamConfig, recipe: Recipe) -> None:
        self.crops = CropDataset(images, config, recipe)

    def batches(self, model: Sam, numbers: range) -> Iterator[TrainingBatch]:
        """Yield the batches with these numbers."""
        loader = DataLoader(
            self.crops,
            batch_size=None,
            sampler=numbers,
            num_workers=self.crops.recipe.workers,
            collate_fn=lambda crops: crops,
        )
        for crops in loader:
            with mixed(model.device):
                features = model.encode(batch_pixels(crops, model.device))
            yield crops, features


class CachedViews:
    """Batches of a fixed set of crops, embedded once: for runs with a frozen image encoder.

    Parameters
    ----------
    count : int
        How many crops.
    """

    def __init__(
        self, images: Sequence[LabelledImage], config: SamConfig, recipe: Recipe, count: int
    ) -> None:
        self.source = CropDataset(images, config, recipe)
        self.count = count
        self.views: list[tuple[TrainingCrop, Features]] = []

    @torch.no_grad()
    def fill(self, model: Sam) -> Iterator[int]:
        """Cut and embed the crops; yield after each. Features are stored in half precision."""
        rng = np.random.default_rng((self.source.recipe.seed, 0))
        while len(self.views) < self.count:
            crop = self.source.crop(rng)
            features = model.encode(batch_pixels([crop], model.device))
            self.views.append((crop, features_to(features, torch.device("cpu"), torch.float16)))
            yield len(self.views)

    def batches(self, model: Sam, numbers: range) -> Iterator[TrainingBatch]:
        """Yield the batches with these numbers."""
        for number in numbers:
            rng = np.random.default_rng((self.source.recipe.seed, number))
            take = min(self.source.recipe.pictures, len(self.views))
            chosen = [self.views[i] for i in rng.choice(len(self.views), take, replace=False)]
            features = stack_features([features for _, features in chosen])
            yield [crop for crop, _ in chosen], features_to(features, model.device, torch.float32)


def batch_pixels(crops: Sequence[TrainingCrop], device: torch.device) -> Tensor:
    """Return the model's input (B, 3, S, S), zero-padded."""
    shown = [normalise(crop.rgb, 1) * torch.from_numpy(crop.valid) for crop in crops]
    return torch.cat(shown).contiguous(memory_format=torch.channels_last).to(device)


def features_to(features: Features, device: torch.device, dtype: torch.dtype) -> Features:
    """Return features moved to a device and cast to a dtype."""
    return map_features(lambda part: part.to(device, dtype), features)


def stack_features(features: Sequence[Features]) -> Features:
    """Stack the features of single crops into a batch."""
    embedding = torch.cat([f.embedding for f in features])
    skips = [f.skips for f in features if f.skips is not None]
    if not skips:
        return Features(embedding)
    return Features(embedding, (torch.cat([s[0] for s in skips]), torch.cat([s[1] for s in skips])))
