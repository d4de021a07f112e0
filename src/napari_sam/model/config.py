"""Hyperparameters of each model size. Numbers: Kirillov et al. 2023, Zhang et al. 2023."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "CONFIGS",
    "CellsEncoderConfig",
    "HieraConfig",
    "SamConfig",
    "TinyViTConfig",
    "ViTConfig",
    "key_text",
]


@dataclass(frozen=True)
class ViTConfig:
    """SAM's image encoder: a plain ViT with window attention (paper, appendix A)."""

    dim: int
    depth: int
    heads: int
    global_blocks: tuple[int, ...]
    window: int = 14
    patch: int = 16
    mlp_ratio: int = 4


@dataclass(frozen=True)
class TinyViTConfig:
    """MobileSAM's image encoder: TinyViT-5M."""

    dims: tuple[int, ...] = (64, 128, 160, 320)
    depths: tuple[int, ...] = (2, 2, 6, 2)
    heads: tuple[int, ...] = (2, 4, 5, 10)
    windows: tuple[int, ...] = (7, 7, 14, 7)
    mlp_ratio: int = 4


@dataclass(frozen=True)
class CellsEncoderConfig:
    """Our convolutional encoder: channels and residual blocks at strides 2, 4, 8, 16 and 32."""

    dims: tuple[int, ...] = (16, 32, 64, 128, 192)
    depths: tuple[int, ...] = (1, 2, 2, 3, 2)


@dataclass(frozen=True)
class HieraConfig:
    """SAM 2's image encoder: stages of blocks at strides 4, 8, 16 and 32 (Ryali et al. 2023).

    Parameters
    ----------
    dim, heads : int
        Of the first stage; each further one has twice as many.
    depths : tuple of int
        Blocks of each stage.
    windows : tuple of int
        Side of the windows in which each stage attends.
    global_blocks : tuple of int
        The blocks that attend over the whole map, counted over all stages.
    background : int
        Side of the position embedding that is stretched over the map.
    """

    dim: int
    heads: int
    depths: tuple[int, ...]
    global_blocks: tuple[int, ...]
    windows: tuple[int, ...] = (8, 4, 14, 7)
    background: int = 7


@dataclass(frozen=True)
class SamConfig:
    """Architecture of a model and the square frame it sees.

    Parameters
    ----------
    name : str
        Size, for example ``"vit_b"``.
    encoder : ViTConfig, TinyViTConfig, CellsEncoderConfig or HieraConfig
        The image encoder.
    frame : int
        Side of the square input in model pixels.
    stride : int
        Model pixels per token of the image embedding; masks have a quarter of it.
    width : int
        Channels of the image embedding and of the decoder.
    mlp_width : int
        Hidden channels of the two-way transformer's MLP.
    upscale_dims : (int, int)
        Channels after the decoder's two transposed convolutions.
    dense : bool
        True for our own model: points, boxes and masks are also drawn on the mask grid, encoder
        and prompts reach the upscaling as skip features, and the picture is embedded at several
        scales, each decoded in windows of one frame.
    enlarge, closest : int
        Dense models show a picture at twice its own scale, its longer side at least `enlarge` and
        at most `closest` model pixels long; one that is longer anyway at its own scale.
    mask_threshold : float
        Logit above which a pixel belongs to the mask.
    """

    name: str
    encoder: ViTConfig | TinyViTConfig | CellsEncoderConfig | HieraConfig
    frame: int = 1024
    stride: int = 16
    width: int = 256
    mlp_width: int = 2048
    upscale_dims: tuple[int, int] = (64, 32)
    dense: bool = False
    enlarge: int = 768
    closest: int = 1536
    mask_threshold: float = 0.0

    @property
    def grid(self) -> int:
        """Tokens per side of the image embedding."""
        return self.frame // self.stride

    @property
    def stretched(self) -> bool:
        """Whether a picture is stretched to the square frame, not padded."""
        return isinstance(self.encoder, HieraConfig)

    @property
    def mask_stride(self) -> int:
        """Model pixels per pixel of the low-resolution logits."""
        return self.stride // 4


# As they were in November 2026, when the first embeddings were stored under these words.
KEY_FIELDS: dict[type, tuple[str, str]] = {
    ViTConfig: ("ViTConfig", "dim depth heads global_blocks window patch mlp_ratio"),
    TinyViTConfig: ("TinyViTConfig", "dims depths heads windows mlp_ratio"),
    CellsEncoderConfig: ("CellsEncoderConfig", "dims depths"),
    HieraConfig: ("HieraConfig", "dim heads depths global_blocks windows background"),
    SamConfig: (
        "SamConfig",
        "name encoder frame stride width mlp_width upscale_dims dense enlarge closest "
        "mask_threshold",
    ),
}


def key_text(config: object) -> str:
    """Return the text of a configuration that goes into the keys of stored embeddings.

    It never changes, whatever classes are called and whichever fields come to them: else all
    embeddings on users' disks would be made anew.

    Examples
    --------
    >>> key_text(CellsEncoderConfig())
    'CellsEncoderConfig(dims=(16, 32, 64, 128, 192), depths=(1, 2, 2, 3, 2))'
    """
    if type(config) not in KEY_FIELDS:
        return repr(config)
    name, fields = KEY_FIELDS[type(config)]
    return f"{name}({', '.join(f'{f}={key_text(getattr(config, f))}' for f in fields.split())})"


CONFIGS: dict[str, SamConfig] = {
    config.name: config
    for config in (
        SamConfig("vit_h", ViTConfig(1280, 32, 16, (7, 15, 23, 31))),
        SamConfig("vit_l", ViTConfig(1024, 24, 16, (5, 11, 17, 23))),
        SamConfig("vit_b", ViTConfig(768, 12, 12, (2, 5, 8, 11))),
        SamConfig("vit_t", TinyViTConfig()),
        SamConfig(
            "cells_tiny",
            CellsEncoderConfig(),
            frame=256,
            stride=8,
            width=128,
            mlp_width=512,
            upscale_dims=(32, 16),
            dense=True,
        ),
    )
}
