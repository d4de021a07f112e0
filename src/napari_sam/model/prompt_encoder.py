"""Prompt encoder: sparse and dense embeddings of prompts in (x, y) (section 3, appendix A)."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from napari_sam.model.config import SamConfig
from napari_sam.model.layers import LayerNorm2d

__all__ = ["PositionEncoding", "PromptEncoder"]

PADDING = -1  # the label of a point that is none


class PositionEncoding(nn.Module):
    """Random Fourier features of a position in the unit square."""

    positional_encoding_gaussian_matrix: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.randn(2, width // 2))

    def forward(self, xy: Tensor) -> Tensor:  # (..., 2) in 0..1 -> (..., width)
        angle = 2 * math.pi * ((2 * xy - 1) @ self.positional_encoding_gaussian_matrix)
        return torch.cat([angle.sin(), angle.cos()], dim=-1)

    def grid(self, size: int) -> Tensor:
        """Encode the centres of a size x size grid: (width of the encoding, size, size)."""
        matrix = self.positional_encoding_gaussian_matrix
        centres = (torch.arange(size, device=matrix.device, dtype=matrix.dtype) + 0.5) / size
        yy, xx = torch.meshgrid(centres, centres, indexing="ij")
        return self(torch.stack([xx, yy], dim=-1)).permute(2, 0, 1)


class PromptEncoder(nn.Module):
    """Sparse embeddings of points and boxes, dense ones of masks, of B objects."""

    def __init__(self, config: SamConfig) -> None:
        super().__init__()
        width = config.width
        self.frame = config.frame
        self.grid = config.grid
        self.pe_layer = PositionEncoding(width)
        # background point, foreground point, box top-left, box bottom-right
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, width) for _ in range(4))
        self.not_a_point_embed = nn.Embedding(1, width)
        if config.dense:  # masks take the path of `DensePromptEncoder`
            return
        self.no_mask_embed = nn.Embedding(1, width)
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, 4, 2, stride=2),
            LayerNorm2d(4),
            nn.GELU(),
            nn.Conv2d(4, 16, 2, stride=2),
            LayerNorm2d(16),
            nn.GELU(),
            nn.Conv2d(16, width, 1),
        )

    def dense_pe(self) -> Tensor:
        """Position encoding of the image embedding's grid: (1, width, grid, grid)."""
        return self.pe_layer.grid(self.grid)[None]

    def sparse_prompt_embeddings(
        self, points: Tensor | None, labels: Tensor | None, boxes: Tensor | None
    ) -> Tensor | None:
        """Encode points and boxes.

        Parameters
        ----------
        points : (B, N, 2) float
            (x, y) in frame pixels.
        labels : (B, N) int
            1 foreground, 0 background, -1 padding.
        boxes : (B, 4) float
            x0, y0, x1, y1 in frame pixels.

        Returns
        -------
        (B, T, width) tokens, or None when neither is given.
        """
        parts = []
        if points is not None and labels is not None:
            if boxes is None:  # the reference marks "no box" by one padding point at the end
                points = torch.cat([points, points.new_zeros(len(points), 1, 2)], dim=1)
                labels = torch.cat([labels, labels.new_full((len(labels), 1), PADDING)], dim=1)
            parts.append(self._points(points, labels))
        if boxes is not None:
            corners = self.pe_layer((boxes.reshape(-1, 2, 2) + 0.5) / self.frame)
            parts.append(corners + self._kinds()[2:])
        return torch.cat(parts, dim=1) if parts else None

    def _points(self, points: Tensor, labels: Tensor) -> Tensor:
        tokens = self.pe_layer((points + 0.5) / self.frame)
        tokens = tokens + self._kinds()[labels.clamp(min=0)]
        return torch.where(labels[..., None] == PADDING, self.not_a_point_embed.weight, tokens)

    def _kinds(self) -> Tensor:  # (4, width)
        return torch.cat([cast(nn.Embedding, kind).weight for kind in self.point_embeddings])

    def dense_prompt_embeddings(self, masks: Tensor | None) -> Tensor:
        """Encode (B, 1, 4h, 4w) logits to (B, width, h, w); without masks (1, width, 1, 1)."""
        if masks is None:
            return self.no_mask_embed.weight[:, :, None, None]
        return self.mask_downscaling(masks)
