"""AdamW's parameter groups, and the exponential moving average (EMA) of the weights."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from napari_sam.errors import InputError
from napari_sam.model.lora import add_adapters
from napari_sam.model.sam import Sam
from napari_sam.training.plan import WHAT
from napari_sam.training.recipe import Recipe

__all__ = ["EMA", "parameter_groups", "set_trainable"]

# The number of a layer in the names of the three encoders' weights.
LAYER = re.compile(r"image_encoder\.(?:blocks|layers|down)\.(\d+)\.")


def set_trainable(model: Sam, recipe: Recipe) -> None:
    """Set `requires_grad` for the weights to train only.

    Raises
    ------
    InputError
        For another choice than those of `WHAT`, and "instances", the instance decoder alone.
    """
    what = recipe.what
    if what not in (*WHAT, "instances"):
        raise InputError(f"what to train must be one of {', '.join(WHAT)}; got {what!r}")
    if what == "adapters":
        add_adapters(model)
        if model.instance_decoder is not None:
            model.instance_decoder.requires_grad_(recipe.instances > 0)
        return
    for name, parameter in model.named_parameters():
        part = name.partition(".")[0]
        if part == "instance_decoder":
            parameter.requires_grad_(recipe.instances > 0)
        elif part == "image_encoder":
            parameter.requires_grad_(what == "everything")
        else:
            parameter.requires_grad_(what != "instances")


def parameter_groups(model: Sam, recipe: Recipe) -> list[dict[str, object]]:
    """Return AdamW's parameter groups: no decay for biases and norms, slower early layers.

    Each group carries its share of the learning rate as ``"share"``.
    """
    named = list(model.named_parameters())
    layers = [int(m[1]) for name, _ in named if (m := LAYER.match(name))]
    last = max(layers, default=0)
    groups: dict[tuple[float, float], list[Tensor]] = defaultdict(list)
    for name, parameter in named:
        if parameter.requires_grad:
            below = last + 1 - _layer(name, last)
            key = recipe.layer_decay**below, recipe.decay if parameter.ndim > 1 else 0.0
            groups[key].append(parameter)
    return [
        {"params": members, "share": share, "weight_decay": decay}
        for (share, decay), members in groups.items()
    ]


def _layer(name: str, last: int) -> int:
    """Return the layer of a weight: -1 for the patch embedding, above `last` behind the layers."""
    if found := LAYER.match(name):
        return int(found[1])
    first = name.startswith(("image_encoder.patch_embed", "image_encoder.pos_embed"))
    return -1 if first else last + 1


class EMA:
    """Exponential moving average (EMA) of trained parameters and, optionally, buffers.

    Parameters
    ----------
    model : Sam
        After `set_trainable`.
    decay : float
        How much of the average is kept at each step, less at first.
    with_buffers : bool
        Whether batch normalisation's statistics change, too.
    """

    def __init__(self, model: Sam, decay: float, with_buffers: bool) -> None:
        self.model, self.decay, self.with_buffers = model, decay, with_buffers
        self.values = self.current()

    def current(self) -> dict[str, Tensor]:
        """Return a copy of the current weights."""
        return {name: value.detach().clone() for name, value in self._changing()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Update the average after a step, counted from 0."""
        keep = min(self.decay, (step + 1) / (step + 10))
        for name, value in self._changing():
            if value.is_floating_point():
                self.values[name].lerp_(value, 1 - keep)
            else:
                self.values[name].copy_(value)

    @torch.no_grad()
    def write(self, values: dict[str, Tensor]) -> None:
        """Copy weights into the model."""
        for name, value in self._changing():
            value.copy_(values[name])

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Context in which the model has the averaged weights."""
        own = self.current()
        self.write(self.values)
        try:
            yield
        finally:
            self.write(own)

    def _changing(self) -> Iterator[tuple[str, Tensor]]:
        parameters = dict(self.model.named_parameters())
        trained = {name for name, one in parameters.items() if one.requires_grad}
        parts = {name.partition(".")[0] for name in trained}
        for name, value in self.model.state_dict().items():
            buffer = name not in parameters and name.partition(".")[0] in parts
            if name in trained or (buffer and self.with_buffers):
                yield name, value
