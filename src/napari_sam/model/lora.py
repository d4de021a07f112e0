"""Adapters: low-rank additions to attention's projections (LoRA, Hu et al. 2021).

A frozen weight W (out, in) becomes W + B A with A (rank, in) and B (out, rank). B starts at zero,
so that the model's answers are those of its base until something is learned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from napari_sam.errors import CheckpointError
from napari_sam.model.sam import Sam
from napari_sam.model.weights.checkpoint import first_few

__all__ = ["adapter_state", "add_adapters", "apply_adapters", "merged_state"]

RANK = 8
ATTENTION = re.compile(
    r"image_encoder\..*attn\.(qkv|proj)$"
    r"|mask_decoder\.transformer\..*attn\w*\.([qkv]|out)_proj$"
)


class LowRank(nn.Module):
    """Low-rank addition to one weight, as a parametrization of it."""

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        n_out, n_in = weight.shape
        self.lora_a = nn.Parameter(torch.randn(rank, n_in).to(weight) * n_in**-0.5)
        self.lora_b = nn.Parameter(weight.new_zeros(n_out, rank))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.lora_b @ self.lora_a


def add_adapters(model: Sam, rank: int = RANK) -> None:
    """Freeze a model and add trainable adapters to all of its attention.

    That is the image encoder's and the mask decoder's. The encoder of `cells_tiny` is
    convolutional: there the decoder alone adapts.

    Parameters
    ----------
    model : Sam
        Is changed in place; adapters that it has already are kept.
    rank : int
        Rank of the additions.
    """
    model.requires_grad_(False)
    for _, module in list(_projections(model)):
        if not parametrize.is_parametrized(module, "weight"):
            addition = LowRank(module.weight, rank)
            parametrize.register_parametrization(module, "weight", addition)
        for parameter in _addition(module).parameters():
            parameter.requires_grad_(True)


def adapter_state(model: Sam) -> dict[str, Tensor]:
    """Return the adapters after `add_adapters`: ``<projection>.lora_a`` and ``.lora_b``."""
    return {
        f"{path}.{name}": value.detach().clone()
        for path, module in _projections(model)
        for name, value in _addition(module).named_parameters()
    }


@torch.no_grad()
def merged_state(model: Sam) -> dict[str, Tensor]:
    """Return the state dict after `add_adapters` as if there were none: all in the weights."""
    merged = {f"{path}.weight": module.weight for path, module in _projections(model)}
    rest = {k: v for k, v in model.state_dict().items() if ".parametrizations." not in k}
    return rest | merged


@torch.no_grad()
def apply_adapters(model: Sam, state: Mapping[str, Tensor]) -> None:
    """Merge saved adapters into a model's weights, where they cost nothing.

    Parameters
    ----------
    model : Sam
        The base they were trained on, without adapters of its own; is changed in place.
    state : mapping of str to Tensor
        All of `adapter_state`, in any precision and of any rank.

    Raises
    ------
    CheckpointError
        If they belong to a model of another size, or give it values that are not finite; the model
        is as it was.
    """
    weights = {path: module.weight for path, module in _projections(model)}
    wrong = _misfits(weights, state)
    if wrong:
        raise CheckpointError(f"these adapters do not fit {model.config.name}: {first_few(wrong)}")
    merged = {}
    for path, weight in weights.items():
        a, b = (state[f"{path}.lora_{part}"].to(weight) for part in "ab")
        merged[path] = weight + b @ a
        if not torch.isfinite(merged[path]).all():
            raise CheckpointError(f"these adapters give {path} values that are not finite")
    for path, weight in weights.items():
        weight.copy_(merged[path])


def _misfits(weights: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> list[str]:
    """Return why adapters do not fit: one line a key."""
    keys = [f"{path}.lora_{part}" for path in weights for part in "ab"]
    lines = [f"{key} is missing" for key in keys if key not in state]
    lines += [f"{key} is unknown" for key in state if key not in keys]
    for path, weight in weights.items():
        a, b = (state.get(f"{path}.lora_{part}") for part in "ab")
        if a is None or b is None:
            continue
        if not (a.is_floating_point() and b.is_floating_point()):
            lines.append(f"{path} has additions of whole numbers")
        ours, theirs = tuple(weight.shape), (*b.shape[:-1], *a.shape[1:])
        if theirs != ours or b.shape[-1:] != a.shape[:1]:
            shapes = f"{tuple(b.shape)} and {tuple(a.shape)}"
            lines.append(f"{path} has shape {ours}, its additions {shapes}")
    return lines


def _projections(model: Sam) -> Iterator[tuple[str, nn.Linear]]:
    for path, module in model.named_modules():
        if isinstance(module, nn.Linear) and ATTENTION.match(path):
            yield path, module


def _addition(module: nn.Module) -> nn.Module:
    additions = module.get_submodule("parametrizations.weight")
    return additions.get_submodule("0")
