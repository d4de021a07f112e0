"""SAM 2.1 of the transformers package, built from our configs, with seeded random weights."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn

from napari_sam.inference.predictor import Predictor
from napari_sam.model.config import HieraConfig, SamConfig
from napari_sam.model.sam2.config import SAM2_CONFIGS
from napari_sam.model.sam2.sam2 import Sam2

__all__ = [
    "REDUCED", "TINY", "all_in_float64", "published", "randomise", "reference", "session",
    "tiny_predictor",
]  # fmt: skip

# Small frames in which every window is padded; stages, global blocks and pooling as in the sizes.
REDUCED = {
    "tiny": replace(
        SAM2_CONFIGS["sam2_tiny"],
        frame=128,
        encoder=HieraConfig(32, 1, (1, 2, 4, 2), (4, 6)),
    ),
    "wide": replace(  # as base+ and large: two heads, another background, windows of 16 and 8
        SAM2_CONFIGS["sam2_large"],
        frame=128,
        encoder=HieraConfig(32, 2, (1, 2, 2, 2), (4,), windows=(8, 4, 16, 8), background=14),
    ),
}

TINY = replace(  # quick, where the numbers do not matter
    SAM2_CONFIGS["sam2_tiny"], frame=64, encoder=HieraConfig(8, 1, (1, 1, 1, 1), (), (4, 2, 2, 2))
)

# From our names, which are those of the published files, to transformers'.
RENAMED = [
    (r"^sam_", ""),
    (r"^image_encoder\.trunk", "vision_encoder.backbone"),
    (r"^image_encoder\.neck\.convs\.(\d)\.conv", r"vision_encoder.neck.convs.\1"),
    (r"patch_embed\.proj", "patch_embed.projection"),
    (
        r"prompt_encoder\.pe_layer\.positional_encoding_gaussian_matrix",
        "prompt_encoder.shared_embedding.positional_embedding",
    ),
    (r"mask_downscaling\.0", "mask_embed.conv1"),
    (r"mask_downscaling\.1", "mask_embed.layer_norm1"),
    (r"mask_downscaling\.3", "mask_embed.conv2"),
    (r"mask_downscaling\.4", "mask_embed.layer_norm2"),
    (r"mask_downscaling\.6", "mask_embed.conv3"),
    (r"output_upscaling\.0", "upscale_conv1"),
    (r"output_upscaling\.1", "upscale_layer_norm"),
    (r"output_upscaling\.3", "upscale_conv2"),
    (r"memory_encoder\.out_proj", "memory_encoder.projection"),
    (r"out_proj", "o_proj"),
    (r"norm_final_attn", "layer_norm_final_attn"),
    (r"(?<=\.)norm(\d?)(?=\.)", r"layer_norm\1"),
    (r"mlp\.layers\.0", "mlp.proj_in"),
    (r"mlp\.layers\.1", "mlp.proj_out"),
    (r"(mlps\.\d|head|obj_ptr_proj)\.layers\.0", r"\1.proj_in"),
    (r"(mlps\.\d|head|obj_ptr_proj)\.layers\.1", r"\1.layers.0"),
    (r"(mlps\.\d|head|obj_ptr_proj)\.layers\.2", r"\1.proj_out"),
    (r"mask_downsampler\.encoder\.12", "mask_downsampler.final_conv"),
    (r"pix_feat_proj", "feature_projection"),
    (r"fuser\.layers", "memory_fuser.layers"),
    (r"gamma$", "scale"),
    (r"dwconv", "depthwise_conv"),
    (r"pwconv", "pointwise_conv"),
    (r"^obj_ptr_proj", "object_pointer_proj"),
    (r"^obj_ptr_tpos_proj", "temporal_positional_encoding_projection_layer"),
    (r"^maskmem_tpos_enc", "memory_temporal_positional_encoding"),
    (r"^no_mem_embed", "no_memory_embedding"),
    (r"^no_mem_pos_enc", "no_memory_positional_encoding"),
    (r"^no_obj_ptr", "no_object_pointer"),
    (r"^no_obj_embed_spatial", "occlusion_spatial_embedding_parameter"),
]


def reference(config: SamConfig, weights: dict[str, Tensor]) -> Any:
    """Return transformers' Sam2VideoModel of the same shape with the same weights."""
    sam2 = importlib.import_module("transformers.models.sam2_video")
    hiera, grid, frame = config.encoder, config.grid, [config.frame] * 2
    assert isinstance(hiera, HieraConfig)
    dims = [hiera.dim * 2**stage for stage in range(4)]
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": hiera.dim,
        "num_attention_heads": hiera.heads,
        "image_size": frame,
        "window_positional_embedding_background_size": [hiera.background] * 2,
        "blocks_per_stage": list(hiera.depths),
        "embed_dim_per_stage": dims,
        "num_attention_heads_per_stage": [hiera.heads * 2**stage for stage in range(4)],
        "window_size_per_stage": list(hiera.windows),
        "global_attention_blocks": list(hiera.global_blocks),
    }
    vision = {
        "model_type": "sam2_vision_model",
        "backbone_config": backbone,
        "backbone_channel_list": dims[::-1],
        "backbone_feature_sizes": [[4 * grid] * 2, [2 * grid] * 2, [grid] * 2],
    }
    model = sam2.Sam2VideoModel(
        sam2.Sam2VideoConfig(
            vision_config=vision,
            prompt_encoder_config={"image_size": config.frame},
            image_size=config.frame,
            memory_attention_rope_feat_sizes=[grid, grid],
        )
    )
    dtype = next(iter(weights.values())).dtype
    model = model.to(dtype)
    model.load_state_dict(_renamed(weights), strict=True)
    return model.eval()


def session(model: Any, video: Tensor) -> Any:
    """Return transformers' state of a clip (N, 3, frame, frame) without prompts."""
    sam2 = importlib.import_module("transformers.models.sam2_video.modeling_sam2_video")
    size = video.shape[-1]
    return sam2.Sam2VideoInferenceSession(video, size, size, dtype=video.dtype)


@contextmanager
def all_in_float64() -> Iterator[None]:
    """Let the reference round nothing: it makes tables and some maps in float32, memories shorter.

    Names of the shorter types stand for float64 meanwhile.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with (
            mock.patch.object(torch, "float32", torch.float64),
            mock.patch.object(torch, "float", torch.float64),
            mock.patch.object(torch, "bfloat16", torch.float64),
            mock.patch.object(Tensor, "float", Tensor.double),
        ):
            yield
    finally:
        torch.set_default_dtype(before)


def randomise(model: nn.Module, seed: int = 0) -> dict[str, Tensor]:
    """Draw every parameter and buffer of a `Sam2`, and return its state dict.

    Scales keep activations of order one; layers that begin as nothing are as strong as the others,
    so that a mistake in any of them shows.
    """
    generator = torch.Generator().manual_seed(seed)
    state = model.state_dict()
    for key, value in state.items():
        noise = torch.randn(value.shape, generator=generator, dtype=torch.float32).to(value.dtype)
        if key.endswith("bias"):
            value.copy_(0.2 * noise)
        elif "pos_embed" in key:
            value.copy_(0.5 * noise)
        elif value.ndim == 1:  # weights of norms, and of what a block adds
            value.copy_(1 + 0.2 * noise)
        elif re.search(r"weight$", key) and not re.search(r"token|embed\.w|embeddings", key):
            # In a transposed convolution without overlap each output sees one pixel's channels.
            fan_in = len(value) if "output_upscaling" in key else value[0].numel()
            value.copy_(noise * fan_in**-0.5 * _strength(key))
        else:  # embeddings, tokens, Fourier matrix, places in time
            value.copy_(noise)
    model.load_state_dict(state)
    return model.eval().state_dict()


def tiny_predictor() -> Predictor:
    """Return a quick SAM 2.1 that finds large objects everywhere, and thinks well of its masks."""
    model = Sam2(TINY)
    weights = randomise(model, seed=2)
    weights["mask_decoder.pred_obj_score_head.layers.2.bias"].fill_(2.0)
    weights["mask_decoder.iou_prediction_head.layers.2.bias"].fill_(3.0)
    return Predictor(model.requires_grad_(False))


def published(model: nn.Module) -> dict[str, Tensor]:
    """Return a `Sam2`'s weights under the names of the published files."""
    return {
        f"sam_{key}" if key.startswith(("prompt_encoder", "mask_decoder")) else key: value
        for key, value in model.state_dict().items()
    }


def _strength(key: str) -> float:
    """Spread logits by more than 1, and let no attention be so sharp that it blows up rounding."""
    if "neck" in key:
        return 0.3
    return 0.5 if re.search(r"[qk]_proj", key) else 1.0


def _renamed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    renamed = {}
    kinds = [f"prompt_encoder.point_embeddings.{kind}.weight" for kind in range(4)]
    renamed["prompt_encoder.point_embed.weight"] = torch.cat([weights[key] for key in kinds])
    for key, value in weights.items():
        if key in kinds:
            continue
        layer = re.search(r"mask_downsampler\.encoder\.(\d+)\.(\w+)$", key)
        if layer and layer[1] != "12":
            index, part = divmod(int(layer[1]), 3)
            of = ("conv", "layer_norm")[part]
            key = f"memory_encoder.mask_downsampler.layers.{index}.{of}.{layer[2]}"
        for ours, theirs in RENAMED:
            key = re.sub(ours, theirs, key)
        renamed[key] = value
    shared = "shared_embedding.positional_embedding"
    renamed["shared_image_embedding.positional_embedding"] = renamed[f"prompt_encoder.{shared}"]
    return renamed
