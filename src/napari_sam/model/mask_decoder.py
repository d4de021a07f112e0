"""Mask decoder: image and prompt embeddings to masks and predicted IoU (paper, appendix A)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_sam.model.config import SamConfig
from napari_sam.model.layers import MLP, LayerNorm2d
from napari_sam.model.transformer import TwoWayTransformer

__all__ = ["DecoderOutput", "MaskDecoder"]

MASKS = 4  # token 0 for unambiguous prompts, 1 to 3 for a lone point
TOKENS = 512  # upscaled at a time; what they grow to stays in the processor's cache


class DecoderOutput(NamedTuple):
    """Predicted IoU of B objects' M masks, and what `MaskDecoder.predict_masks` makes these of.

    Parameters
    ----------
    image_embeddings : (B, width, h, w)
        After they met the prompts.
    hyper : (B, M, C2)
        The weights with which each mask is read from the upscaled image.
    iou : (B, M)
        Predicted IoU.
    skips : ((B or 1, C1, 2h, 2w), (B or 1, C2, 4h, 4w)), optional
        Skip features for the upscaling.
    """

    image_embeddings: Tensor
    hyper: Tensor
    iou: Tensor
    skips: tuple[Tensor, Tensor] | None

    def only(self, objects: Tensor, masks: slice) -> DecoderOutput:
        """Return the part of some objects (their indices) and some of their masks."""

        def chosen(x: Tensor) -> Tensor:
            return x if len(x) == 1 < len(self.image_embeddings) else x[objects]

        skips = None if self.skips is None else (chosen(self.skips[0]), chosen(self.skips[1]))
        hyper, iou = self.hyper[objects][:, masks], self.iou[objects][:, masks]
        return DecoderOutput(self.image_embeddings[objects], hyper, iou, skips)


class MaskDecoder(nn.Module):
    """Four masks and their predicted IoU per object: first the IoU, then, if wanted, the masks."""

    def __init__(self, config: SamConfig) -> None:
        super().__init__()
        width, (coarse, fine) = config.width, config.upscale_dims
        self.transformer = TwoWayTransformer(width, config.mlp_width)
        self.iou_token = nn.Embedding(1, width)
        self.mask_tokens = nn.Embedding(MASKS, width)
        act = nn.ReLU if config.dense else nn.GELU  # GELU is slow on a CPU
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(width, coarse, 2, stride=2),
            LayerNorm2d(coarse),
            act(),
            nn.ConvTranspose2d(coarse, fine, 2, stride=2),
            act(),
        )
        # One 3 x 3 look around after prompt and picture have met; only in our own model.
        self.refine = nn.Conv2d(coarse, coarse, 3, padding=1) if config.dense else None
        self.output_hypernetworks_mlps = nn.ModuleList(
            MLP(width, width, width, fine) for _ in range(MASKS)
        )
        self.iou_prediction_head = MLP(width, width, width, MASKS)

    def forward(
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse_prompt_embeddings: Tensor,
        skips: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return logits (B, 4, 4h, 4w) and IoU (B, 4); parameters as for `predict_iou`."""
        output = self.predict_iou(image_embeddings, image_pe, sparse_prompt_embeddings, skips)
        return self.predict_masks(output), output.iou

    def predict_iou(
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse_prompt_embeddings: Tensor,
        skips: tuple[Tensor, Tensor] | None = None,
    ) -> DecoderOutput:
        """Run the two-way transformer, and predict the IoU of each mask.

        Parameters
        ----------
        image_embeddings : (B or 1, width, h, w)
            With the dense prompt embeddings added.
        image_pe : (1, width, h, w)
            Position encoding of the grid.
        sparse_prompt_embeddings : (B, T, width)
            Prompt tokens.
        skips : ((B, C1, 2h, 2w), (B, C2, 4h, 4w)), optional
            Skip features for the upscaling.
        """
        output = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        output = output.expand(len(sparse_prompt_embeddings), -1, -1)
        tokens, keys = self.transformer(
            image_embeddings.flatten(2).transpose(1, 2),
            image_pe.flatten(2).transpose(1, 2),
            torch.cat([output, sparse_prompt_embeddings], dim=1),
        )
        hyper = torch.stack(
            [mlp(tokens[:, 1 + i]) for i, mlp in enumerate(self.output_hypernetworks_mlps)], dim=1
        )
        keys = keys.transpose(1, 2).unflatten(-1, image_embeddings.shape[-2:])
        return DecoderOutput(keys, hyper, self.iou_prediction_head(tokens[:, 0]), skips)

    def predict_masks(self, output: DecoderOutput) -> Tensor:
        """Upscale, and return the low-resolution logits (B, M, 4h, 4w) of the masks."""
        keys, hyper, _, skips = output
        if skips is None:
            return self._logits(keys.flatten(2).transpose(1, 2), hyper, *keys.shape[-2:])
        maps = self._upscale(keys, skips)
        return (hyper @ maps.flatten(2)).unflatten(-1, maps.shape[-2:])

    def _logits(self, keys: Tensor, hyper: Tensor, h: int, w: int) -> Tensor:
        """Upscale (B, h w, width) and multiply with (B, M, C2): (B, M, 4h, 4w).

        Each transposed convolution makes one token's 2 x 2 pixels from that token alone, so both
        are matrix products; pixels find their places at the end, when only the masks are left.
        """
        up1, norm, act, up2, _ = self.output_upscaling
        parts = []
        for part in keys.split(TOKENS, dim=1):  # (B, n, width)
            x = _per_pixel(up1, part)  # (B, n, 4, C1)
            x = act(norm(x.movedim(-1, 1)).movedim(1, -1))
            x = act(_per_pixel(up2, x))  # (B, n, 4, 4, C2)
            parts.append(x.flatten(1, 3) @ hyper.transpose(1, 2))  # (B, 16 n, M)
        masks = hyper.shape[1]
        pixels = torch.cat(parts, dim=1).view(-1, h, w, 2, 2, 2, 2, masks)
        return pixels.permute(0, 7, 1, 3, 5, 2, 4, 6).reshape(-1, masks, 4 * h, 4 * w)

    def _upscale(self, keys: Tensor, skips: tuple[Tensor, Tensor]) -> Tensor:
        up1, norm, act, up2, last = self.output_upscaling
        x = act(norm(up1(keys) + skips[0]))
        if self.refine is not None:
            x = x + act(self.refine(x))
        return last(up2(x) + skips[1])


def _per_pixel(up: nn.Module, x: Tensor) -> Tensor:
    """Apply a 2 x 2 transposed convolution of stride 2: (..., C) to (..., 4 pixels, C')."""
    weight, bias = up.get_parameter("weight"), up.get_parameter("bias")
    per_pixel = weight.permute(2, 3, 1, 0).flatten(0, 2)  # (4 C', C)
    return F.linear(x, per_pixel, bias.repeat(4)).unflatten(-1, (4, -1))
