"""The optimiser of words: AdamW with one cycle of its rate, and an average of the weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

__all__ = ["OneCycleAdamW"]


class OneCycleAdamW:
    """AdamW with a rate that rises and falls; at the end the weights are their moving average."""

    def __init__(self, module: nn.Module, rate: float, steps: int) -> None:
        self.module = module
        self.optimiser = torch.optim.AdamW(module.parameters(), rate, weight_decay=0.05)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, rate, steps, pct_start=0.1
        )
        self.average = AveragedModel(
            module, multi_avg_fn=get_ema_multi_avg_fn(0.99), use_buffers=True
        )

    def __enter__(self) -> OneCycleAdamW:
        return self

    def __exit__(self, *_: object) -> None:
        self.module.load_state_dict(self.average.module.state_dict())

    def step(self, loss: Tensor) -> float:
        """Go one step; return the loss."""
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), 1.0)
        self.optimiser.step()
        self.schedule.step()
        self.average.update_parameters(self.module)
        return float(loss.detach())
