"""SAM 2's mask decoder: with fine features of the picture, and whether the object is there."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from napari_sam.model.config import SamConfig
from napari_sam.model.layers import MLP
from napari_sam.model.mask_decoder import DecoderOutput, MaskDecoder

__all__ = ["Sam2MaskDecoder", "Segmented", "choose_mask"]

DELTA, STABLE = 0.05, 0.98  # a single mask that is less stable gives way to the best of three


class Segmented(NamedTuple):
    """What the decoder makes of B objects' prompts.

    Parameters
    ----------
    output : DecoderOutput
        Of which `MaskDecoder.predict_masks` makes four masks.
    mask_tokens : (B, 4, width)
        One per mask.
    score : (B,)
        Logit that the object is in the picture.
    """

    output: DecoderOutput
    mask_tokens: Tensor
    score: Tensor


class Sam2MaskDecoder(MaskDecoder):
    """Four masks, their predicted IoU and the object score, per object."""

    def __init__(self, config: SamConfig) -> None:
        super().__init__(config)
        width, (coarse, fine) = config.width, config.upscale_dims
        for layer in self.transformer.layers:
            layer.mlp = MLP(width, config.mlp_width, width)
        self.obj_score_token = nn.Embedding(1, width)
        self.pred_obj_score_head = MLP(width, width, width, 1)
        self.conv_s0 = nn.Conv2d(width, fine, 1)
        self.conv_s1 = nn.Conv2d(width, coarse, 1)

    def predict_iou(
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse_prompt_embeddings: Tensor,
        skips: tuple[Tensor, Tensor] | None = None,
    ) -> DecoderOutput:
        """Run the two-way transformer, and predict the IoU; as `MaskDecoder.predict_iou`."""
        return self.segment(image_embeddings, image_pe, sparse_prompt_embeddings, skips).output

    def segment(
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse_prompt_embeddings: Tensor,
        skips: tuple[Tensor, Tensor] | None = None,
    ) -> Segmented:
        """Run the two-way transformer; parameters as for `MaskDecoder.predict_iou`."""
        output = torch.cat(
            [self.obj_score_token.weight, self.iou_token.weight, self.mask_tokens.weight]
        )
        output = output.expand(len(sparse_prompt_embeddings), -1, -1)
        tokens, keys = self.transformer(
            image_embeddings.flatten(2).transpose(1, 2),
            image_pe.flatten(2).transpose(1, 2),
            torch.cat([output, sparse_prompt_embeddings], dim=1),
        )
        masks = tokens[:, 2 : 2 + len(self.mask_tokens.weight)]
        hyper = torch.stack(
            [mlp(masks[:, i]) for i, mlp in enumerate(self.output_hypernetworks_mlps)], dim=1
        )
        keys = keys.transpose(1, 2).unflatten(-1, image_embeddings.shape[-2:])
        iou = self.iou_prediction_head(tokens[:, 1]).sigmoid()
        score = self.pred_obj_score_head(tokens[:, 0])[:, 0]
        return Segmented(DecoderOutput(keys, hyper, iou, skips), masks, score)


def choose_mask(logits: Tensor, iou: Tensor, three: bool) -> Tensor:
    """Return which of four masks each object gets: (B,) whole numbers.

    Of three the one with the best predicted IoU; else the first mask, or the best of the three
    others where the first changes with the threshold.

    Parameters
    ----------
    logits, iou : (B, 4, h, w), (B, 4)
        From the decoder.
    three : bool
        Whether the prompts are ambiguous.
    """
    best = 1 + iou[:, 1:].argmax(dim=1)
    if three:
        return best
    inner, outer = ((logits[:, 0] > at).sum(dim=(1, 2)) for at in (DELTA, -DELTA))
    stability = torch.where(outer > 0, inner / outer, 1.0)
    return torch.where(stability >= STABLE, 0, best)
