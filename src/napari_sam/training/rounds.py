"""Interactive training: rounds of prompts and corrections, each backpropagated at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_sam.data.deepest import bounding_slices
from napari_sam.inference.embedding import map_features
from napari_sam.model.sam import Features, Sam
from napari_sam.training.amp import mixed
from napari_sam.training.augment import TrainingCrop
from napari_sam.training.losses import best_of_three, dice_loss, focal_loss, logits_iou
from napari_sam.training.recipe import Recipe
from napari_sam.training.simulated_prompts import (
    SURE,
    SimulatedPrompts,
    corrections,
    first_prompt,
    lone_clicks,
    next_clicks,
    with_neighbour,
)

__all__ = [
    "RoundReport",
    "area_fractions",
    "box_weight",
    "interactive_rounds",
    "round_loss",
    "trainable_objects",
]


@dataclass(frozen=True)
class RoundReport:
    """Report of one round: kind of prompt, loss and mean true IoU of the returned masks.

    After clicks on nothing the mean IoU that was predicted, as every true one is 0.
    """

    kind: str
    loss: float
    iou: float


def interactive_rounds(
    model: Sam,
    features: Features,
    crops: Sequence[TrainingCrop],
    recipe: Recipe,
    ramp: float,
    rng: np.random.Generator,
) -> Iterator[RoundReport]:
    """Train on sampled objects of each crop in rounds of simulated prompts and corrections.

    Gradients arrive at the model's free weights and at `features`, where these ask for them.

    Parameters
    ----------
    features : Features
        Of these crops, (G, ...).
    crops : sequence of G TrainingCrop
        All of their objects get prompts of the same kind.
    ramp : float
        See `round_loss`.
    """
    stride = model.config.mask_stride
    masks, places, merged = [], [], []
    for place, crop in enumerate(crops):
        grid = crop.labels[stride // 2 :: stride, stride // 2 :: stride]
        for i in rng.permutation(trainable_objects(crop, stride))[: recipe.objects]:
            masks.append(area_fractions(crop.labels == i, stride))
            places.append(place)
            merged.append(with_neighbour(grid, int(i)) if rng.random() < recipe.merged else None)
    soft, which = np.stack(masks), torch.tensor(places)
    truth = soft > 0.5
    device = features.embedding.device
    target = torch.from_numpy(soft)[:, None].to(device)
    weight = torch.from_numpy(np.stack([box_weight(t) for t in truth]))[:, None].to(device)
    given = first_prompt(truth, stride, rng)
    turns = [True, *corrections(int(rng.choice(recipe.clicks)), rng)]
    for turn, prompted in enumerate(turns):
        if given.masks is not None and turn and prompted:
            given.add(*next_clicks(truth, given.masks > 0, stride, rng))
        logits, predicted = _decode(model, _of_objects(features, which), given)
        loss, actual = round_loss(logits, predicted, target, weight, given.is_lone_point, ramp)
        (loss * len(crops) / (recipe.pictures * recipe.accumulate)).backward()
        yield RoundReport(_kind(given, turn), float(loss.detach()), float(actual.mean()))
        if given.is_lone_point and rng.random() < recipe.nothing:
            yield from _nothing(model, features, crops, recipe, rng)
        seen = logits.detach()[_picked(predicted, given.is_lone_point)]
        given.masks = seen.float().cpu().numpy()
        if turn == 0:
            for mask, both in zip(given.masks, merged, strict=True):
                if both is not None:
                    mask[:] = np.where(both, SURE, -SURE)


def _nothing(
    model: Sam,
    features: Features,
    crops: Sequence[TrainingCrop],
    recipe: Recipe,
    rng: np.random.Generator,
) -> Iterator[RoundReport]:
    """Click where no object is, as a grid does: every candidate's IoU is 0, its shape is free."""
    stride = model.config.mask_stride
    start = stride // 2
    empty = [
        (crop.valid & (crop.labels == 0))[start::stride, start::stride]
        for crop in crops
        if not crop.partial
    ]
    places = [place for place, crop in enumerate(crops) if not crop.partial]
    chosen = [k for k, region in enumerate(empty) if region.any() for _ in range(recipe.objects)]
    if not chosen:
        return
    given = lone_clicks(np.stack([empty[k] for k in chosen]), stride, rng)
    which = torch.tensor([places[k] for k in chosen])
    predicted = _decode(model, _of_objects(features, which), given)[1].float()
    loss = (predicted**2).sum(dim=1).mean()
    (loss * len(crops) / (recipe.pictures * recipe.accumulate)).backward()
    yield RoundReport("nothing", float(loss.detach()), float(predicted.detach().mean()))


def _of_objects(features: Features, which: Tensor) -> Features:
    """Repeat each crop's features for its objects, `which` (B,); those of one crop serve all."""
    if len(features.embedding) == 1:
        return features
    which = which.to(features.embedding.device)
    return map_features(lambda part: part[which], features)


def _kind(given: SimulatedPrompts, turn: int) -> str:
    if turn:
        return "correction"
    return "click" if given.is_lone_point else "mask" if given.boxes is None else "box"


def _picked(predicted: Tensor, is_lone_point: bool) -> tuple[Tensor, Tensor]:
    """Return the indices of the masks that the annotator sees: a lone point's best, else mask 0."""
    objects = torch.arange(len(predicted), device=predicted.device)
    best = 1 + predicted[:, 1:].argmax(1) if is_lone_point else torch.zeros_like(objects)
    return objects, best


def _decode(model: Sam, features: Features, given: SimulatedPrompts) -> tuple[Tensor, Tensor]:
    def to(array: NDArray[np.generic] | None) -> Tensor | None:
        return None if array is None else torch.from_numpy(array).to(features.embedding.device)

    clicks = given.points.shape[1] > 0
    with mixed(model.device):
        return model.decode(
            features,
            to(given.points) if clicks else None,
            to(given.labels) if clicks else None,
            to(given.boxes),
            None if given.masks is None else to(given.masks[:, None]),
        )


def round_loss(
    logits: Tensor,
    predicted: Tensor,
    target: Tensor,
    weight: Tensor,
    is_lone_point: bool,
    ramp: float,
) -> tuple[Tensor, Tensor]:
    """Return the loss of one round, and the true IoU of the masks that it returns.

    Mask 0 learns from every prompt; masks 1 to 3 from a lone point, where only the best of them
    is passed back (paper, section 3). The predicted IoU is compared for every mask in use.

    Parameters
    ----------
    logits, predicted : (B, 4, h, w), (B, 4) float
        What the decoder gave.
    target, weight : (B, 1, h, w) float
        Covered share of each cell; 1 where the focal loss counts.
    is_lone_point : bool
        Whether the prompt was one point and nothing else.
    ramp : float
        0 to 1: focal to dice rises from 1 : 1 to the paper's 20 : 1 and, by half-way, alpha falls
        from 0.75 to 0.5. With the final weights from the start a small network learns to say
        "nothing". With the usual final alpha, 0.25, a pixel counts as the object's from a chance
        of three in four on only: on objects of ten pixels the doubtful rim is a third of them, and
        masks come out too small.

    Returns
    -------
    loss : () float
    actual : (B,) float
        IoU of mask 0, or of the candidate with the best prediction for a lone point.
    """
    logits, predicted = logits.float(), predicted.float()
    focal = focal_loss(logits, target, weight, alpha=max(0.5, 0.75 - 0.5 * ramp))
    mask_loss = (1 + 19 * ramp) * focal + dice_loss(logits, target, torch.ones_like(weight))
    actual = logits_iou(logits.detach(), target)
    squared = (predicted - actual) ** 2
    loss = mask_loss[:, 0] + squared[:, 0]
    if is_lone_point:
        others_weight = 0.05 if ramp < 0.2 else 0.0  # so that no candidate starves at first
        loss = loss + best_of_three(mask_loss[:, 1:], others_weight) + squared[:, 1:].sum(dim=1)
    return loss.mean(), actual[_picked(predicted, is_lone_point)]


def area_fractions(mask: NDArray[np.bool_], stride: int) -> NDArray[np.float32]:
    """Return the covered share of each cell: (H, W) bool to (H / stride, W / stride) float32."""
    h, w = mask.shape[0] // stride, mask.shape[1] // stride
    covered: NDArray[np.float32] = mask.reshape(h, stride, w, stride).mean(
        axis=(1, 3), dtype=np.float32
    )
    return covered


def trainable_objects(crop: TrainingCrop, stride: int) -> NDArray[np.int64]:
    """Return the ids of objects within the range of trainable sizes."""
    counts = np.bincount(crop.labels.ravel())
    counts[0] = 0
    fits = np.flatnonzero((counts >= 10 * stride**2) & (counts < 0.6 * crop.labels.size))
    # A thin object may cover no cell by half; who covers more is a cell's median, too.
    h, w = crop.labels.shape[0] // stride, crop.labels.shape[1] // stride
    cells = crop.labels.reshape(h, stride, w, stride).swapaxes(1, 2).reshape(h * w, stride**2)
    middle = np.partition(cells, stride**2 // 2, axis=1)[:, stride**2 // 2]
    most = np.count_nonzero(cells == middle[:, None], axis=1) > stride**2 / 2
    covered = np.bincount(middle[most], minlength=len(counts))
    return fits[covered[fits] >= 8]


def box_weight(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return 1 inside the mask's box, enlarged three times, and 0 elsewhere: (h, w) float32."""
    weight = np.zeros(mask.shape, np.float32)
    if mask.any():
        rows, columns = (
            slice(max(0, 2 * side.start - side.stop), 2 * side.stop - side.start)
            for side in bounding_slices(mask)
        )
        weight[rows, columns] = 1
    return weight
