"""Train `cells_tiny` from scratch: the stages, the schedule, one step, the run that resumes."""

from __future__ import annotations

import copy
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from napari_sam.files import replacing
from napari_sam.inference.image import normalise
from napari_sam.model.config import CONFIGS
from napari_sam.model.sam import Features, Sam
from napari_sam.training.annotator import Annotation, first_prompt, next_click
from napari_sam.training.data import Crop, Picture, random_crop
from napari_sam.training.dense_head import DenseHead, dense_targets
from napari_sam.training.losses import best_of_three, dice_loss, focal_loss, iou

__all__ = ["Recipe", "Trainer"]

DECAY = 0.4  # share of the steps over which the learning rate falls


@dataclass(frozen=True)
class Recipe:
    """How long, how much and how fast.

    Parameters
    ----------
    pretrain, train : int
        Steps of the two stages: dense head alone, then prompts.
    pictures, objects : int
        Crops of one frame per step, and objects per crop.
    rounds : tuple of int
        A crop's objects are prompted this often, one of these at random; the paper's 11 rounds
        cost more than two cores give in an hour.
    rate, decay : float
        AdamW's learning rate (linear decay over the last 40 %) and weight decay.
    average : float
        Decay of the moving average of the weights; the average is what ships.
    seed : int
    """

    pretrain: int = 600
    train: int = 1700
    pictures: int = 8
    objects: int = 4
    rounds: tuple[int, ...] = (1, 1, 2, 3)
    rate: float = 1.5e-3
    decay: float = 0.05
    average: float = 0.998
    seed: int = 0

    @property
    def steps(self) -> int:
        """Steps in all."""
        return self.pretrain + self.train


class Trainer:
    """Everything that a run needs to go on from where it was."""

    def __init__(self, recipe: Recipe, pictures: list[Picture]) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.pictures = recipe, pictures
        self.chance = sampling(pictures)
        self.config = CONFIGS["cells_tiny"]
        self.model = Sam(self.config)
        initialise(self.model)
        self.head = DenseHead(self.config)
        self.average = copy.deepcopy(self.model).eval()
        modules = nn.ModuleList([self.model, self.head])
        decayed = [p for p in modules.parameters() if p.ndim > 1]
        rest = [p for p in modules.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": recipe.decay},
                {"params": rest, "weight_decay": 0.0},
            ],
            lr=recipe.rate,
        )
        self.step = 0

    def run(self) -> Iterator[dict[str, float]]:
        """Do the remaining steps, one a yield, with the means of each loss."""
        while self.step < self.recipe.steps:
            rng = np.random.default_rng((self.recipe.seed, self.step))
            start = time.perf_counter()
            for group in self.optimiser.param_groups:
                group["lr"] = self.recipe.rate * self._rate()
            report = self._one_step(rng)
            parameters = [p for g in self.optimiser.param_groups for p in g["params"]]
            report["norm"] = float(nn.utils.clip_grad_norm_(parameters, 1.0))
            self.optimiser.step()
            self.optimiser.zero_grad(set_to_none=True)
            self._update_average()
            self.step += 1
            yield {"step": self.step, "seconds": time.perf_counter() - start, **report}

    def save(self, file: Path) -> None:
        """Write a checkpoint to a temporary name and rename it."""
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "head": self.head.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        with replacing(file) as part:
            torch.save(state, part)

    def load(self, file: Path) -> None:
        """Go on from a checkpoint of `save`."""
        state: dict[str, Any] = torch.load(file, weights_only=True)
        self.step = state["step"]
        for name in ("model", "head", "average", "optimiser"):
            getattr(self, name).load_state_dict(state[name])

    def _rate(self) -> float:
        steps = self.recipe.steps
        return min((self.step + 1) / 100, 1.0, max(0.02, (steps - self.step) / (DECAY * steps)))

    def _update_average(self) -> None:
        keep = min(self.recipe.average, (self.step + 1) / (self.step + 10))
        new = self.model.state_dict()
        with torch.no_grad():
            for name, value in self.average.state_dict().items():
                if value.dtype.is_floating_point:
                    value.lerp_(new[name], 1 - keep)
                else:
                    value.copy_(new[name])

    def _one_step(self, rng: np.random.Generator) -> dict[str, float]:
        recipe, step = self.recipe, self.step
        crops = self._crops(rng)
        self.model.train()
        pixels = torch.cat([self._pixels(crop) for crop in crops])
        features = self.model.encode(pixels.contiguous(memory_format=torch.channels_last))
        targets = np.stack(
            [dense_targets(c.labels, c.valid, self.config.mask_stride) for c in crops]
        )
        dense = self.head.loss(features, torch.from_numpy(targets))
        report = {"dense": float(dense.detach())}
        maps = [features.embedding, *(features.skips or ())]
        if step < recipe.pretrain:
            dense.backward()
            return report
        # The decoder runs crop by crop (small batches fit the cache) and leaves its gradients
        # on copies of the features, which are passed back through the encoder once.
        leaves = [m.detach().requires_grad_() for m in maps]
        progress = (step - recipe.pretrain) / recipe.train
        sums: dict[str, list[float]] = defaultdict(list)
        for i, crop in enumerate(crops):
            part = [leaf[i : i + 1] for leaf in leaves]
            mine = Features(part[0], (part[1], part[2]))
            for name, value in self._objects(mine, crop, progress, rng):
                sums[name].append(value)
        torch.autograd.backward([0.2 * dense, *maps], [None, *(leaf.grad for leaf in leaves)])
        return report | {name: float(np.mean(values)) for name, values in sums.items()}

    def _crops(self, rng: np.random.Generator) -> list[Crop]:
        crops: list[Crop] = []
        while len(crops) < self.recipe.pictures:
            picture = self.pictures[rng.choice(len(self.pictures), p=self.chance)]
            crop = random_crop(picture, self.config.frame, rng)
            if len(whole_objects(crop, self.config.mask_stride)):
                crops.append(crop)
        return crops

    def _pixels(self, crop: Crop) -> Tensor:
        return normalise(crop.rgb, 1) * torch.from_numpy(crop.valid)

    def _objects(
        self, features: Features, crop: Crop, progress: float, rng: np.random.Generator
    ) -> Iterator[tuple[str, float]]:
        """Annotate some objects of one crop in rounds; pass each round's loss back."""
        stride = self.config.mask_stride
        ids = whole_objects(crop, stride)
        ids = rng.choice(ids, min(self.recipe.objects, len(ids)), replace=False)
        soft = np.stack([shrink(crop.labels == i, stride) for i in ids])
        truth = soft > 0.5
        target = torch.from_numpy(soft)[:, None]
        weight = torch.from_numpy(np.stack([enlarged_box(t) for t in truth]))[:, None]
        given = first_prompt(truth, stride, rng)
        rounds = int(rng.choice(self.recipe.rounds))
        for turn in range(rounds):
            logits, predicted = self._decode(features, given)
            loss, actual = objective(logits, predicted, target, weight, given.lone_point, progress)
            (loss / self.recipe.pictures).backward()
            # what the annotator sees: the best candidate of a lone point, else mask 0
            with torch.no_grad():
                pick = (
                    1 + predicted[:, 1:].argmax(1)
                    if given.lone_point
                    else torch.zeros(len(ids), dtype=torch.long)
                )
                chosen = logits[torch.arange(len(ids)), pick]
                score = actual[torch.arange(len(ids)), pick]
            kind = (
                "click"
                if given.lone_point
                else "other"
                if turn
                else "box"
                if given.boxes is not None
                else "mask"
            )
            yield "loss", float(loss.detach())
            yield kind, float(score.mean())
            given.masks = chosen.numpy()
            if turn and rng.random() < 0.2:
                continue  # a round without a new prompt: the mask alone gets better
            given.add(*next_click(truth, given.masks > 0, stride, rng))

    def _decode(self, features: Features, given: Annotation) -> tuple[Tensor, Tensor]:
        clicks = given.points.shape[1] > 0
        return self.model.decode(
            features,
            torch.from_numpy(given.points) if clicks else None,
            torch.from_numpy(given.labels) if clicks else None,
            None if given.boxes is None else torch.from_numpy(given.boxes),
            None if given.masks is None else torch.from_numpy(given.masks)[:, None],
        )


def objective(
    logits: Tensor, predicted: Tensor, target: Tensor, weight: Tensor, lone: bool, progress: float
) -> tuple[Tensor, Tensor]:
    """Return the loss of one round and the true IoU of all four masks (B, 4).

    Focal to dice rises from 1 : 1 to the paper's 20 : 1 over the first half, and alpha falls from
    0.75 to 0.25: with the final weights from the start a small network learns to say "nothing".
    """
    ramp = min(1.0, progress / 0.5)
    focal = focal_loss(logits, target, weight, alpha=0.75 - 0.5 * ramp)
    mask_loss = (1 + 19 * ramp) * focal + dice_loss(logits, target, torch.ones_like(weight))
    actual = iou(logits.detach(), target)
    squared = (predicted - actual) ** 2
    loss = mask_loss[:, 0] + squared[:, 0]
    if lone:
        others = 0.05 if progress < 0.1 else 0.0
        loss = loss + best_of_three(mask_loss[:, 1:], others) + squared[:, 1:].sum(dim=1)
    return loss.mean(), actual


def initialise(model: Sam) -> None:
    """Start the cross-attentions local: equal queries and keys, fine positions, small tokens."""
    with torch.no_grad():
        model.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix.mul_(3)
        transformer = model.mask_decoder.transformer
        attentions: list[Any] = [transformer.final_attn_token_to_image]
        for layer in transformer.layers:
            attentions += [layer.cross_attn_token_to_image, layer.cross_attn_image_to_token]
        shared = torch.empty_like(attentions[0].q_proj.weight)
        nn.init.orthogonal_(shared, gain=2.0)
        for attention in attentions:
            attention.q_proj.weight.copy_(shared)
            attention.k_proj.weight.copy_(shared)
        tokens = [model.mask_decoder.iou_token, model.mask_decoder.mask_tokens]
        tokens += [*model.prompt_encoder.point_embeddings, model.prompt_encoder.not_a_point_embed]
        for token in tokens:
            token.weight.mul_(0.3)


def sampling(pictures: list[Picture]) -> np.ndarray:
    """Return each picture's chance: sets by the square root of their objects, dsb at most 40 %."""
    objects: dict[str, int] = defaultdict(int)
    for picture in pictures:
        objects[picture.dataset] += len(picture.diameters)
    share = {name: np.sqrt(n) for name, n in objects.items()}
    total = sum(share.values())
    share = {name: min(s / total, 0.4) for name, s in share.items()}
    planes = {name: sum(p.dataset == name for p in pictures) for name in objects}
    chance = np.array([share[p.dataset] / planes[p.dataset] for p in pictures])
    return chance / chance.sum()


def shrink(mask: np.ndarray, stride: int) -> np.ndarray:
    """Return the covered share of each cell: (H, W) bool to (H / stride, W / stride) float32."""
    h, w = mask.shape[0] // stride, mask.shape[1] // stride
    return mask.reshape(h, stride, w, stride).mean(axis=(1, 3), dtype=np.float32)


def whole_objects(crop: Crop, stride: int) -> np.ndarray:
    """Return the ids of objects that are large enough to be seen and small enough to be objects."""
    counts = np.bincount(crop.labels.ravel())
    counts[0] = 0
    cells = np.bincount(crop.labels[::stride, ::stride].ravel(), minlength=len(counts))
    return np.flatnonzero((counts >= 40) & (cells >= 8) & (counts < 0.6 * crop.labels.size))


def enlarged_box(mask: np.ndarray) -> np.ndarray:
    """Return the mask's box, three times as large, as (h, w) float32."""
    weight = np.zeros(mask.shape, np.float32)
    if mask.any():
        bounds = []
        for axis in (1, 0):
            where = np.flatnonzero(mask.any(axis=axis))
            side = where[-1] + 1 - where[0]
            bounds.append(slice(max(0, where[0] - side), where[-1] + 1 + side))
        weight[tuple(bounds)] = 1
    return weight
