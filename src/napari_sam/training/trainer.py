"""Training loop with checkpoints from which a run resumes."""

from __future__ import annotations

import shutil
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from napari_sam.errors import CheckpointError, InputError
from napari_sam.files import replacing
from napari_sam.model.sam import Features, Sam
from napari_sam.training.augment import TrainingCrop
from napari_sam.training.checkpoints import Checkpoint, fit_optimiser, read_run
from napari_sam.training.ddp import DDP
from napari_sam.training.instances.teach import maps_loss
from napari_sam.training.optim import EMA, parameter_groups, set_trainable
from napari_sam.training.recipe import Recipe
from napari_sam.training.rounds import interactive_rounds
from napari_sam.training.views import Views

__all__ = ["StepReport", "Trainer"]

StepReport = dict[str, float]
ALONE = DDP()


class Trainer:
    """Training loop of one run: model, optimiser, EMA and current step.

    With the same seed, pictures and versions, a run on a processor gives the same bits, stopped
    and resumed or not.

    Parameters
    ----------
    model : Sam
        Is changed in place.
    recipe : Recipe
    views : Views
        The pictures.
    ddp : DDP
        The processes that share the work.

    Raises
    ------
    InputError
        If the batches of a step cannot be shared equally.
    """

    def __init__(self, model: Sam, recipe: Recipe, views: Views, ddp: DDP = ALONE) -> None:
        if recipe.accumulate % ddp.size:
            raise InputError(
                f"{ddp.size} processes cannot share {recipe.accumulate} batches a step equally; "
                "accumulate a multiple of their number"
            )
        self.model, self.recipe, self.views, self.ddp = model, recipe, views, ddp
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            set_trainable(model, recipe)
        self.ema = EMA(model, recipe.average, recipe.batch_statistics)
        self.optimiser = torch.optim.AdamW(parameter_groups(model, recipe))
        self.step = 0

    def run(self) -> Iterator[StepReport]:
        """Run the remaining steps; yield each one's mean losses and IoU.

        Keys: step, seconds, norm (of the gradient), and where they occurred: loss, instances, and
        the mean IoU after a click, a box, a mask and a correction; nothing, the IoU predicted
        after clicks where no object is.
        """
        recipe = self.recipe
        first, last = self.step * recipe.accumulate, recipe.steps * recipe.accumulate
        parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
        start = time.perf_counter()
        sums: dict[str, list[float]] = defaultdict(list)
        self._learn()
        numbers = self.ddp.numbers(first, last)
        batches = self.views.batches(self.model, numbers)
        for number, (crops, features) in zip(numbers, batches, strict=True):
            for name, value in self._batch(crops, features, number):
                sums[name].append(value)
            if number % recipe.accumulate < recipe.accumulate - self.ddp.size:
                continue
            self.ddp.sum_gradients(parameters)
            self.ddp.average_buffers(self.model)
            for group in self.optimiser.param_groups:
                group["lr"] = group["share"] * recipe.rate_at(self.step)
            sums["norm"].append(float(nn.utils.clip_grad_norm_(parameters, recipe.clip)))
            self.optimiser.step()
            self.optimiser.zero_grad(set_to_none=True)
            self.ema.update(self.step)
            self.step += 1
            seconds = time.perf_counter() - start
            means = {name: float(np.mean(values)) for name, values in sums.items()}
            sums.clear()
            yield {"step": self.step, "seconds": seconds, **means}
            self._learn()  # whoever looked at it may have changed it
            start = time.perf_counter()

    def _learn(self) -> None:
        """Let batch normalisation take its statistics from the batch, where it is trained."""
        for part in self.model.children():
            free = any(p.requires_grad for p in part.parameters())
            part.train(self.recipe.batch_statistics and free)

    def save(self, file: Path, **more: object) -> None:
        """Write a checkpoint atomically; `more` is stored with it.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        state = {
            "step": self.step,
            "model": self.ema.current(),
            "average": self.ema.values,
            "optimiser": self.optimiser.state_dict(),
            **more,
        }
        with replacing(file) as part:
            try:
                torch.save(state, part)
            except RuntimeError as error:  # whatever a disk refuses, torch says no more than this
                free = shutil.disk_usage(part.parent).free
                raise OSError(
                    f"{file} cannot be written; is the disk full? {free / 1e6:,.1f} MB are free"
                ) from error

    def load(self, file: Path) -> Checkpoint:
        """Resume from a checkpoint of `save`; return all of its content.

        Raises
        ------
        CheckpointError
            If the file is damaged, of a run that trained other weights, or holds values that are
            not finite.
        """
        try:
            state = read_run(file, self.ema.values)
            fit_optimiser(self.optimiser, state["optimiser"])
        except Exception as error:  # of a damaged file anything may be raised
            raise CheckpointError(
                f"{file} cannot be resumed ({error}); move it away to start anew"
            ) from error
        self.ema.write(state["model"])
        self.ema.values = {
            name: value.to(self.model.device) for name, value in state["average"].items()
        }
        self.step = state["step"]
        return state

    def _batch(
        self, crops: Sequence[TrainingCrop], features: Features, number: int
    ) -> Iterator[tuple[str, float]]:
        """Backpropagate the losses of one batch; yield their names and values."""
        recipe = self.recipe
        maps = [features.embedding, *(features.skips or ())]
        outputs: list[Tensor] = [m for m in maps if m.requires_grad]
        grads: list[Tensor | None] = []
        if self.step >= recipe.pretrain:
            # The decoder runs on a few crops (small batches fit the cache) and leaves its gradients
            # on copies of their features; all are passed back through the encoder once.
            parts, few = [], recipe.together
            for i in range(0, len(crops), few):
                part = [m[i : i + few].detach().requires_grad_(m.requires_grad) for m in maps]
                parts.append(part)
                mine = Features(part[0], (part[1], part[2]) if len(part) > 1 else None)
                rng = np.random.default_rng((recipe.seed, number, i))
                ramp = recipe.ramp_at(self.step)
                for turn in interactive_rounds(
                    self.model, mine, crops[i : i + few], recipe, ramp, rng
                ):
                    yield "loss", turn.loss
                    yield turn.kind, turn.iou
            if outputs:
                grads = [torch.cat([x.grad for x in leaves]) for leaves in zip(*parts, strict=True)]
        else:
            outputs = []
        if recipe.instances:
            instances = maps_loss(self.model, features, crops)
            yield "instances", float(instances.detach())
            weight = recipe.instances if self.step >= recipe.pretrain else 1.0
            outputs, grads = [*outputs, weight * instances / recipe.accumulate], [*grads, None]
        if outputs:
            torch.autograd.backward(outputs, grads)
