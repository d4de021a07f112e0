"""Sliding-window prediction over a whole image, for prompts without a position."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor

from napari_sam.inference.embedding import Embedding
from napari_sam.inference.windows import MIN_SCALE, View, Window
from napari_sam.model.config import SamConfig
from napari_sam.results import Prediction

__all__ = ["SlidingWindow", "sliding_windows"]


def sliding_windows(embedding: Embedding, config: SamConfig) -> list[Window]:
    """Return half-overlapping windows that cover the level nearest to the image's own scale.

    A finer one would show a few cells at a time, a coarser one loses small ones.
    """
    scales = [max(level.shape) / max(embedding.shape) for level in embedding.levels]
    level = max((i for i, scale in enumerate(scales) if scale >= MIN_SCALE), default=0)
    tokens = embedding.levels[level].features.embedding.shape[-2:]
    rows, columns = (_starts(size, config.grid) for size in tokens)
    return [(level, row, column) for row, column in itertools.product(rows, columns)]


def _starts(size: int, grid: int) -> list[int]:
    last = max(0, size - grid)
    count = -(-last // (grid // 2)) + 1
    return np.linspace(0, last, count).round().astype(int).tolist()


class SlidingWindow:
    """Weighted mean of the logits of windows; weights are highest at a window's centre.

    Parameters
    ----------
    embedding : Embedding
        Of the picture.
    config : SamConfig
        Of the model.
    """

    def __init__(self, embedding: Embedding, config: SamConfig) -> None:
        self._embedding, self._config = embedding, config
        grid, stride = embedding.logits_size, config.mask_stride
        h, w = (n / stride for n in embedding.levels[0].shape)
        self._grids = [
            _Grid(embedding.shape, embedding.shape),
            _Grid(grid, (h, w)),
        ]
        self._scores: list[tuple[float, float]] = []  # predicted IoU and area of each window

    def add(self, view: View, logits: Tensor, score: float) -> None:
        """Add the logits (1, h, w) of one window, and its predicted IoU."""
        y, x = (torch.linspace(-1, 1, n, device=logits.device) for n in logits.shape[-2:])
        middle = (1.05 - y.abs())[:, None] * (1.05 - x.abs())
        for grid in self._grids:
            grid.add(view, torch.cat([logits, middle[None]]))
        self._scores.append((score, 1 + float((logits > 0).sum())))

    def prediction(self) -> Prediction:
        """Return the merged prediction: one mask (1, H, W), its score and its logits.

        The score is the mean predicted IoU of the windows, each by the area that it found.
        """
        full, low = (grid.mean() for grid in self._grids)
        scores, areas = np.transpose(self._scores)
        return Prediction(
            (full > self._config.mask_threshold).cpu().numpy(),
            np.array([np.average(scores, weights=areas)], np.float32),
            low.cpu().numpy(),
        )


class _Grid:
    """A weighted mean on a grid of `size`, on which the picture spans `extent` cells."""

    def __init__(self, size: tuple[int, int], extent: tuple[float, float]) -> None:
        self.size, self.extent = size, extent
        self.total, self.weight = torch.zeros(1, *size), torch.zeros(1, *size)

    def add(self, view: View, both: Tensor) -> None:
        """Take logits and weights, (2, h, w)."""
        sampled, inside = view.sample(both, self.size, self.extent)
        values, weights = sampled.cpu().split(1)
        self.total[:, inside[0], inside[1]] += values * weights
        self.weight[:, inside[0], inside[1]] += weights

    def mean(self) -> Tensor:
        """Return (1, *size); low where no window was."""
        return torch.where(self.weight > 0, self.total / self.weight.clamp(min=1e-6), -8.0)
