"""MobileSAM's image encoder: TinyViT, convolutions and window attention (Wu et al. 2022)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_sam.model.attention import merge_windows, split_windows
from napari_sam.model.config import SamConfig, TinyViTConfig
from napari_sam.model.layers import gelu, neck

__all__ = ["TinyViT"]

CLASSES = 1000  # of the pretraining; its unused head is part of every checkpoint


class Conv2dBN(nn.Module):
    """Convolution and batch normalisation; at inference one convolution with folded weights."""

    def __init__(
        self, c_in: int, c_out: int, size: int = 1, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.c = nn.Conv2d(c_in, c_out, size, stride, size // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(c_out)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W)
        conv, norm = self.c, self.bn
        if self.training:
            return norm(conv(x))
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
        weight = conv.weight * scale[:, None, None, None]
        bias = norm.bias - norm.running_mean * scale
        return F.conv2d(x, weight, bias, conv.stride, conv.padding, groups=conv.groups)


class TinyViTPatchEmbed(nn.Module):
    """Two convolutions of stride 2: (B, 3, H, W) to (B, C, H / 4, W / 4)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.seq = nn.Sequential(
            Conv2dBN(3, dim // 2, 3, stride=2), nn.GELU(), Conv2dBN(dim // 2, dim, 3, stride=2)
        )

    def forward(self, x: Tensor) -> Tensor:
        first, _, second = self.seq
        return second(gelu(first(x)))


class MBConv(nn.Module):
    """Inverted bottleneck: pointwise, depthwise and pointwise convolution with a residual."""

    def __init__(self, dim: int, expand: int) -> None:
        super().__init__()
        hidden = expand * dim
        self.conv1 = Conv2dBN(dim, hidden)
        self.conv2 = Conv2dBN(hidden, hidden, 3, groups=hidden)
        self.conv3 = Conv2dBN(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W)
        return gelu(x + self.conv3(gelu(self.conv2(gelu(self.conv1(x))))))


class PatchMerging(nn.Module):
    """Downsampling between two stages: more channels, and half the size where `stride` is 2."""

    def __init__(self, dim: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = Conv2dBN(dim, out)
        self.conv2 = Conv2dBN(out, out, 3, stride=stride, groups=out)
        self.conv3 = Conv2dBN(out, out)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W)
        return self.conv3(gelu(self.conv2(gelu(self.conv1(x)))))


class TinyViTAttention(nn.Module):
    """Self-attention within windows, with one learned bias per head and absolute offset."""

    def __init__(self, dim: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        self.norm = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.attention_biases = nn.Parameter(torch.zeros(heads, window**2))

    def forward(self, x: Tensor) -> Tensor:  # (B, H, W, C)
        height, width = x.shape[1:3]
        # A token of the padding is zero before the norm, so the norm makes it its bias.
        fill = self.qkv(self.norm.bias)
        qkv = split_windows(self.qkv(self.norm(x)), self.window, fill)
        qkv = qkv.flatten(1, 2).unflatten(-1, (self.heads, 3, -1))  # (N, w w, heads, 3, d)
        q, k, v = qkv.permute(3, 0, 2, 1, 4)  # (N, heads, w w, d) each
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=self._bias()[None])
        x = x.transpose(1, 2).flatten(2).unflatten(1, (self.window, self.window))
        return self.proj(merge_windows(x, height, width))

    def _bias(self) -> Tensor:  # (heads, w w, w w)
        at = torch.arange(self.window, device=self.attention_biases.device)
        offset = (at[:, None] - at).abs()  # (w, w)
        index = offset[:, None, :, None] * self.window + offset[None, :, None, :]
        return self.attention_biases[:, index.view(self.window**2, -1)]


class TinyViTMLP(nn.Module):
    """Norm and two linear layers with GELU."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(gelu(self.fc1(self.norm(x))))


class TinyViTBlock(nn.Module):
    """Window attention, a depthwise convolution across the windows' borders, MLP."""

    def __init__(self, dim: int, heads: int, window: int, mlp_ratio: int) -> None:
        super().__init__()
        self.attn = TinyViTAttention(dim, heads, window)
        self.local_conv = Conv2dBN(dim, dim, 3, groups=dim)
        self.mlp = TinyViTMLP(dim, mlp_ratio * dim)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W)
        tokens = x.permute(0, 2, 3, 1)
        tokens = tokens + self.attn(tokens)
        tokens = self.local_conv(tokens.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return (tokens + self.mlp(tokens)).permute(0, 3, 1, 2)


class TinyViTStage(nn.Module):
    """Blocks of one resolution and, but for the last stage, the way to the next."""

    def __init__(self, blocks: list[nn.Module], downsample: PatchMerging | None) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(x)
        return x if self.downsample is None else self.downsample(x)


class TinyViT(nn.Module):
    """Image (B, 3, H, W) to image embedding (B, width, H / 16, W / 16).

    Parameters
    ----------
    config : SamConfig
        With a `TinyViTConfig` as its encoder.
    """

    def __init__(self, config: SamConfig) -> None:
        super().__init__()
        vit = config.encoder
        assert isinstance(vit, TinyViTConfig)
        last = len(vit.dims) - 1
        self.patch_embed = TinyViTPatchEmbed(vit.dims[0])
        self.layers = nn.ModuleList()
        for i, (dim, depth) in enumerate(zip(vit.dims, vit.depths, strict=True)):
            blocks: list[nn.Module] = [
                MBConv(dim, vit.mlp_ratio)
                if i == 0
                else TinyViTBlock(dim, vit.heads[i], vit.windows[i], vit.mlp_ratio)
                for _ in range(depth)
            ]
            # MobileSAM keeps the last stage at SAM's stride of 16.
            merging = None if i == last else PatchMerging(dim, vit.dims[i + 1], 1 + (i + 1 < last))
            self.layers.append(TinyViTStage(blocks, merging))
        self.norm_head = nn.LayerNorm(vit.dims[-1])
        self.head = nn.Linear(vit.dims[-1], CLASSES)
        self.neck = neck(vit.dims[-1], config.width)

    def forward(self, x: Tensor) -> Tensor:
        # Channels last: tokens and maps then share one layout, and nothing is ever transposed.
        x = self.patch_embed(x.contiguous(memory_format=torch.channels_last))
        for stage in self.layers:
            x = stage(x)
        return self.neck(x)
