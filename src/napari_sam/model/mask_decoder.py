"""Image embedding and prompts to four masks with a predicted IoU each (paper, section 3 and appendix A)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_sam.model.config import SamConfig
from napari_sam.model.layers import MLP, LayerNorm2d
from napari_sam.model.transformer import TwoWayTransformer

__all__ = ["MaskDecoder"]

MASKS = 4  # token 0 for unambiguous prompts, 1 to 3 for a lone point


class MaskDecoder(nn.Module):
    """Predict four masks and their IoU per object."""

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
        image: Tensor,
        image_pe: Tensor,
        sparse: Tensor,
        skips: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Decode B objects.

        Parameters
        ----------
        image : (B, width, h, w)
            Image embedding with the dense prompt embedding added.
        image_pe : (1, width, h, w)
            Position encoding of the grid.
        sparse : (B, T, width)
            Prompt tokens.
        skips : ((B, C1, 2h, 2w), (B, C2, 4h, 4w)), optional
            Skip features for the upscaling.

        Returns
        -------
        logits : (B, 4, 4h, 4w)
        iou : (B, 4)
        """
        batch, width, h, w = image.shape
        output = torch.cat([self.iou_token.weight, self.mask_tokens.weight]).expand(batch, -1, -1)
        tokens, keys = self.transformer(
            image.flatten(2).transpose(1, 2),
            image_pe.flatten(2).transpose(1, 2),
            torch.cat([output, sparse], dim=1),
        )
        maps = self._upscale(keys.transpose(1, 2).reshape(batch, width, h, w), skips)
        hyper = torch.stack(
            [mlp(tokens[:, 1 + i]) for i, mlp in enumerate(self.output_hypernetworks_mlps)], dim=1
        )
        logits = (hyper @ maps.flatten(2)).unflatten(-1, maps.shape[-2:])
        return logits, self.iou_prediction_head(tokens[:, 0])

    def _upscale(self, keys: Tensor, skips: tuple[Tensor, Tensor] | None) -> Tensor:
        up1, norm, act, up2, last = self.output_upscaling
        if skips is None:
            return self.output_upscaling(keys)
        x = act(norm(up1(keys) + skips[0]))
        if self.refine is not None:
            x = x + act(self.refine(x))
        return last(up2(x) + skips[1])
