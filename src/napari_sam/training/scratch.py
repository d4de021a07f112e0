"""A model of ours from nothing: how it starts."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from napari_sam.model.config import CONFIGS
from napari_sam.model.sam import Sam

__all__ = ["from_scratch", "initialise"]


def from_scratch(seed: int) -> Sam:
    """Return a new `cells_tiny`."""
    torch.manual_seed(seed)
    model = Sam(CONFIGS["cells_tiny"])
    initialise(model)
    return model


def initialise(model: Sam) -> None:
    """Start the cross-attentions local: equal queries and keys, fine positions, small tokens."""
    with torch.no_grad():
        model.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix.mul_(3)
        transformer = model.mask_decoder.transformer
        attentions: list[Any] = [transformer.final_attn_token_to_image]
        for layer in transformer.layers:
            attentions += [layer.cross_attn_token_to_image, layer.cross_attn_image_to_token]
        shared = torch.empty_like(attentions[0].q_proj.weight)
        nn.init.orthogonal_(shared, gain=2.0)
        for attention in attentions:
            attention.q_proj.weight.copy_(shared)
            attention.k_proj.weight.copy_(shared)
        tokens = [model.mask_decoder.iou_token, model.mask_decoder.mask_tokens]
        tokens += [*model.prompt_encoder.point_embeddings, model.prompt_encoder.not_a_point_embed]
        for token in tokens:
            token.weight.mul_(0.3)
