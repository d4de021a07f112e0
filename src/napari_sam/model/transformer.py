"""The two-way transformer: tokens attend to the image and the image to the tokens (paper, appendix A)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Attention", "TwoWayTransformer"]

HEADS = 8


class Attention(nn.Module):
    """Multi-head attention whose inner width may be smaller than its outer one."""

    def __init__(self, width: int, downsample: int = 1) -> None:
        super().__init__()
        inner = width // downsample
        self.q_proj = nn.Linear(width, inner)
        self.k_proj = nn.Linear(width, inner)
        self.v_proj = nn.Linear(width, inner)
        self.out_proj = nn.Linear(inner, width)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:  # (B, Nq, C), (B, Nk, C), (B, Nk, C)
        q, k, v = (
            proj(x).unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for proj, x in ((self.q_proj, q), (self.k_proj, k), (self.v_proj, v))
        )
        return self.out_proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """Two linear layers with ReLU."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.lin1 = nn.Linear(width, hidden)
        self.lin2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.lin2(torch.relu(self.lin1(x)))


class TwoWayLayer(nn.Module):
    """Self-attention of tokens, tokens to image, MLP, image to tokens."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.self_attn = Attention(width)
        self.norm1 = nn.LayerNorm(width)
        self.cross_attn_token_to_image = Attention(width, downsample=2)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = FeedForward(width, hidden)
        self.norm3 = nn.LayerNorm(width)
        self.norm4 = nn.LayerNorm(width)
        self.cross_attn_image_to_token = Attention(width, downsample=2)

    def forward(
        self, tokens: Tensor, keys: Tensor, tokens_pe: Tensor, keys_pe: Tensor, first: bool
    ) -> tuple[Tensor, Tensor]:
        if first:  # neither positions nor a residual: the tokens are their own positions
            tokens = self.self_attn(tokens, tokens, tokens)
        else:
            q = tokens + tokens_pe
            tokens = tokens + self.self_attn(q, q, tokens)
        tokens = self.norm1(tokens)
        k = keys + keys_pe
        tokens = self.norm2(tokens + self.cross_attn_token_to_image(tokens + tokens_pe, k, keys))
        tokens = self.norm3(tokens + self.mlp(tokens))
        keys = self.norm4(keys + self.cross_attn_image_to_token(k, tokens + tokens_pe, tokens))
        return tokens, keys


class TwoWayTransformer(nn.Module):
    """Two two-way layers and a last look of the tokens at the image."""

    def __init__(self, width: int, hidden: int, depth: int = 2) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TwoWayLayer(width, hidden) for _ in range(depth))
        self.final_attn_token_to_image = Attention(width, downsample=2)
        self.norm_final_attn = nn.LayerNorm(width)

    def forward(self, image: Tensor, image_pe: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return tokens (B, T, C) and image tokens (B, h w, C).

        Parameters
        ----------
        image : (B, h w, C)
            Image embedding plus dense prompt embedding, token-major.
        image_pe : (1, h w, C)
            Its position encoding.
        tokens : (B, T, C)
            Output tokens and prompt tokens.
        """
        start = tokens  # the original tokens serve as position encoding throughout
        for i, layer in enumerate(self.layers):
            tokens, image = layer(tokens, image, start, image_pe, first=i == 0)
        attended = self.final_attn_token_to_image(tokens + start, image + image_pe, image)
        return self.norm_final_attn(tokens + attended), image
