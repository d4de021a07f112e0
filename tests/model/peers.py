"""The reference packages, built from our configs, with seeded random weights.

segment-anything and mobilesam-mirror import torchvision (to resize a picture and to filter
proposals) and timm (to initialise weights). The few functions that are used have stand-ins here.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from napari_sam.model.config import CONFIGS, SamConfig, ViTConfig

__all__ = ["REDUCED", "generator", "predictor", "randomise", "reference", "transformers_peer"]

# Small frames on which every window is padded, and one global block between two with windows.
REDUCED = {
    "vit_b": replace(
        CONFIGS["vit_b"],
        frame=256,
        encoder=replace(CONFIGS["vit_b"].encoder, depth=3, global_blocks=(1,)),
    ),
    "vit_t": replace(CONFIGS["vit_t"], frame=256),
}

EMBEDDINGS = ("iou_token", "mask_tokens", "point_embeddings", "not_a_point", "no_mask")


def reference(config: SamConfig) -> nn.Module:
    """Return segment-anything's or mobilesam-mirror's model of the same shape, in eval mode."""
    with _stand_ins():
        package = "segment_anything" if isinstance(config.encoder, ViTConfig) else "mobile_sam"
        modeling = importlib.import_module(f"{package}.modeling")
        importlib.import_module(package)
    grid, frame = (config.grid, config.grid), (config.frame, config.frame)
    transformer = modeling.TwoWayTransformer(
        depth=2, embedding_dim=config.width, mlp_dim=config.mlp_width, num_heads=8
    )
    model = modeling.Sam(
        image_encoder=_image_encoder(modeling, config),
        prompt_encoder=modeling.PromptEncoder(
            embed_dim=config.width,
            image_embedding_size=grid,
            input_image_size=frame,
            mask_in_chans=16,
        ),
        mask_decoder=modeling.MaskDecoder(transformer_dim=config.width, transformer=transformer),
        pixel_mean=[123.675, 116.28, 103.53],
        pixel_std=[58.395, 57.12, 57.375],
    )
    # The reference casts positions to float32; its matrix may be float64 in a test.
    encoding = model.prompt_encoder.pe_layer
    encode = encoding._pe_encoding
    matrix = "positional_encoding_gaussian_matrix"
    encoding._pe_encoding = lambda xy: encode(xy.to(getattr(encoding, matrix).dtype))
    return model.eval()


def predictor(model: nn.Module) -> Any:
    """Return the reference's predictor around `reference`'s model."""
    package = type(model).__module__.partition(".")[0]
    return sys.modules[package].SamPredictor(model)


def transformers_peer(config: SamConfig, weights: dict[str, Tensor]) -> nn.Module:
    """Return transformers' SamModel with the same weights and the reference's decoder epsilon."""
    sam = importlib.import_module("transformers.models.sam")
    vit = config.encoder
    assert isinstance(vit, ViTConfig)
    vision = {
        "hidden_size": vit.dim,
        "num_hidden_layers": vit.depth,
        "num_attention_heads": vit.heads,
        "global_attn_indexes": list(vit.global_blocks),
        "image_size": config.frame,
        "mlp_dim": vit.mlp_ratio * vit.dim,
    }
    prompt = {"image_size": config.frame, "image_embedding_size": config.grid}
    model = sam.SamModel(
        sam.SamConfig(
            vision_config=vision,
            prompt_encoder_config=prompt,
            mask_decoder_config={"layer_norm_eps": 1e-5},
        )
    )
    renamed = {_transformers_key(key): value for key, value in weights.items()}
    shared = "shared_embedding.positional_embedding"
    renamed[shared.replace("_", "_image_", 1)] = renamed[f"prompt_encoder.{shared}"]
    model.load_state_dict(renamed)
    return model.eval()


def randomise(model: nn.Module, seed: int = 0) -> dict[str, Tensor]:
    """Draw every parameter and buffer of a model, and return its state dict.

    Scales keep activations of order one and spread the mask logits by about 6. Relative positions
    and attention biases are as strong as the attention logits, so that a mistake cannot hide.
    """
    generator = torch.Generator().manual_seed(seed)
    state = model.state_dict()
    for key, value in state.items():
        if not value.is_floating_point():
            continue
        noise = torch.randn(value.shape, generator=generator).to(value.dtype)
        if key.endswith("running_var"):
            value.copy_(1 + noise.abs())
        elif "rel_pos" in key or "pos_embed" in key or key.endswith(("bias", "running_mean")):
            value.copy_(0.2 * noise)
        elif value.ndim == 1:  # weights of norms
            value.copy_(1 + 0.2 * noise)
        elif key.endswith("weight") and not any(name in key for name in EMBEDDINGS):
            # In a transposed convolution without overlap each output sees one pixel's channels.
            fan_in = len(value) if "output_upscaling" in key else value[0].numel()
            value.copy_(noise * fan_in**-0.5 * (6 if "mlps" in key and "layers.2" in key else 1))
        else:  # embeddings, Fourier matrix, attention biases
            value.copy_(noise)
    model.load_state_dict(state)
    return model.eval().state_dict()  # eval after loading: TinyViT's peer caches biases there


def generator(model: nn.Module, **settings: Any) -> Any:
    """Return the reference's generator of automatic masks around `reference`'s model."""
    package = type(model).__module__.partition(".")[0]
    return sys.modules[package].SamAutomaticMaskGenerator(model, **settings)


def _nms(boxes: Tensor, scores: Tensor, _: Tensor, iou_threshold: float) -> Tensor:
    """Stand in for torchvision's function, for boxes that are all of one category."""
    kept: list[int] = []
    for i in scores.argsort(descending=True, stable=True).tolist():
        low = torch.maximum(boxes[i, :2], boxes[kept, :2])
        high = torch.minimum(boxes[i, 2:], boxes[kept, 2:])
        both = (high - low).clamp(min=0).prod(dim=1)
        if not (both / (_area(boxes[i : i + 1]) + _area(boxes[kept]) - both) > iou_threshold).any():
            kept.append(i)
    return torch.tensor(kept, dtype=torch.long)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


@contextmanager
def _stand_ins() -> Iterator[None]:
    names = {
        "torchvision.ops.boxes": {"batched_nms": _nms, "box_area": _area},
        "torchvision.transforms.functional": {
            "resize": lambda image, size: image.resize(size[::-1], Image.Resampling.BILINEAR),
            "to_pil_image": Image.fromarray,
        },
        "timm.models.layers": {
            "DropPath": nn.Identity,
            "to_2tuple": lambda x: (x, x),
            "trunc_normal_": nn.init.trunc_normal_,
        },
        "timm.models.registry": {"register_model": lambda function: function},
    }
    modules: dict[str, ModuleType] = {}
    for name, members in names.items():
        parts = name.split(".")
        for i in range(1, len(parts) + 1):
            modules.setdefault(".".join(parts[:i]), ModuleType(".".join(parts[:i])))
        vars(modules[name]).update(members)
    added = {name: module for name, module in modules.items() if name not in sys.modules}
    sys.modules.update(added)
    try:
        yield
    finally:
        for name in added:
            del sys.modules[name]


def _image_encoder(modeling: ModuleType, config: SamConfig) -> nn.Module:
    vit = config.encoder
    if isinstance(vit, ViTConfig):
        return modeling.ImageEncoderViT(
            img_size=config.frame,
            embed_dim=vit.dim,
            depth=vit.depth,
            num_heads=vit.heads,
            mlp_ratio=vit.mlp_ratio,
            out_chans=config.width,
            norm_layer=partial(nn.LayerNorm, eps=1e-6),
            use_rel_pos=True,
            window_size=vit.window,
            global_attn_indexes=vit.global_blocks,
        )

    class TinyViT(modeling.TinyViT):
        """The peer's encoder for any frame; its own forward knows only the one of 1024."""

        def forward(self, x: Tensor) -> Tensor:
            x = self.patch_embed(x)
            for layer in self.layers:
                x = layer(x)
            return self.neck(x.transpose(1, 2).unflatten(2, (config.grid, config.grid)))

    return TinyViT(
        img_size=config.frame,
        embed_dims=vit.dims,
        depths=vit.depths,
        num_heads=vit.heads,
        window_sizes=vit.windows,
        mlp_ratio=float(vit.mlp_ratio),
        drop_path_rate=0.0,
    )


def _transformers_key(key: str) -> str:
    for ours, theirs in (
        ("image_encoder.", "vision_encoder."),
        ("blocks.", "layers."),
        ("patch_embed.proj", "patch_embed.projection"),
        ("neck.0", "neck.conv1"),
        ("neck.1", "neck.layer_norm1"),
        ("neck.2", "neck.conv2"),
        ("neck.3", "neck.layer_norm2"),
        ("pe_layer.positional_encoding_gaussian_matrix", "shared_embedding.positional_embedding"),
        ("point_embeddings", "point_embed"),
        ("mask_downscaling.0", "mask_embed.conv1"),
        ("mask_downscaling.1", "mask_embed.layer_norm1"),
        ("mask_downscaling.3", "mask_embed.conv2"),
        ("mask_downscaling.4", "mask_embed.layer_norm2"),
        ("mask_downscaling.6", "mask_embed.conv3"),
        ("output_upscaling.0", "upscale_conv1"),
        ("output_upscaling.1", "upscale_layer_norm"),
        ("output_upscaling.3", "upscale_conv2"),
        ("norm_final_attn", "layer_norm_final_attn"),
        (".norm", ".layer_norm"),
    ):
        key = key.replace(ours, theirs)
    if "hypernetworks" in key or "iou_prediction_head" in key:
        key = key.replace("layers.0", "proj_in").replace("layers.1", "layers.0")
        key = key.replace("layers.2", "proj_out")
    return key
