"""Distributed data parallel (DDP) training under ``torchrun``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn

__all__ = ["DDP"]


@dataclass(frozen=True)
class DDP:
    """Process of a data-parallel run; a single process by default.

    All of them hold the same weights. Each works on its share of a step's batches, the gradients
    are added up, and all take the same step.

    Parameters
    ----------
    rank, size : int
        Number of this process, from 0, and how many there are.
    """

    rank: int = 0
    size: int = 1

    @classmethod
    def join(cls) -> DDP:
        """Join the process group of ``torchrun``; without one, return a single process."""
        if "WORLD_SIZE" not in os.environ:
            return cls()
        distributed.init_process_group("gloo")
        return cls(distributed.get_rank(), distributed.get_world_size())

    def numbers(self, first: int, last: int) -> range:
        """Return this process's share of the batches `first` to `last` - 1.

        Examples
        --------
        >>> list(DDP(rank=1, size=2).numbers(4, 10))
        [5, 7, 9]
        """
        return range(first + self.rank, last, self.size)

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """All-reduce the gradients: every process gets their sum."""
        if self.size == 1:
            return
        members = list(parameters)
        given = torch.tensor([float(p.grad is not None) for p in members])
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in members]
        total = torch.cat([given, *(part.flatten() for part in parts)])
        distributed.all_reduce(total)
        counts, *sums = total.split([len(members), *(p.numel() for p in members)])
        for parameter, count, part in zip(members, counts.tolist(), sums, strict=True):
            parameter.grad = part.view_as(parameter) if count else None

    def average_buffers(self, model: nn.Module) -> None:
        """All-reduce batch normalisation's statistics: every process gets their mean."""
        if self.size == 1:
            return
        kept: list[Tensor] = [b for b in model.buffers() if b.is_floating_point()]
        mean = torch.cat([b.flatten() for b in kept])
        distributed.all_reduce(mean)
        for buffer, part in zip(kept, mean.split([b.numel() for b in kept]), strict=True):
            buffer.copy_(part.view_as(buffer) / self.size)
