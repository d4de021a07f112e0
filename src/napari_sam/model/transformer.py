"""Two-way transformer: cross-attention from tokens to image and back (appendix A)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_sam.model.layers import MLPBlock

__all__ = ["TwoWayTransformer"]

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

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:  # (B, Nq or Nk, C)
        batch = max(len(q), len(k))  # the image may be one for all objects
        q, k, v = (
            self._heads(proj, x).expand(batch, -1, -1, -1)
            for proj, x in ((self.q_proj, q), (self.k_proj, k), (self.v_proj, v))
        )
        return self.out_proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))

    def _heads(self, proj: nn.Linear, x: Tensor) -> Tensor:  # (B, N, C) -> (B, heads, N, d)
        return proj(x).unflatten(-1, (HEADS, -1)).transpose(1, 2)

    def _few(self, tokens: Tensor) -> bool:
        """Tell whether heads x tokens are fewer than the channels of a projection of the image."""
        few = HEADS * tokens.shape[1] <= self.q_proj.out_features
        return few or torch.is_grad_enabled()  # the other way is slow to pass back


class TokensToImage(Attention):
    """Cross-attention from few tokens to the many of the image.

    Instead of projecting the image for each object, each head's projections of keys and values are
    moved to the tokens' side of the matrix products, where they cost nothing:
    q . (K x) = (K^T q) . x, and the attended sum of V x is V times the attended sum of x.
    """

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:  # (B, T, C), (B, N, C), (B, N, C)
        if not self._few(q):
            return super().forward(q, k, v)
        q = self._heads(self.q_proj, q)  # (B, heads, T, d)
        q = q * q.shape[-1] ** -0.5
        q = q @ self.k_proj.weight.unflatten(0, (HEADS, -1))  # (B, heads, T, C)
        # The keys' bias adds the same to all logits of a query: it cancels in the softmax.
        weights = (q.flatten(1, 2) @ k.transpose(1, 2)).softmax(dim=-1)  # (B, heads T, N)
        seen = (weights @ v).unflatten(1, (HEADS, -1))  # (B, heads, T, C)
        seen = seen @ self.v_proj.weight.unflatten(0, (HEADS, -1)).transpose(1, 2)
        return self.out_proj(seen.transpose(1, 2).flatten(2) + self.v_proj.bias)


class ImageToTokens(Attention):
    """Cross-attention from the image's many tokens to few; again no image token is projected."""

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:  # (B, N, C), (B, T, C), (B, T, C)
        if not self._few(k):
            return super().forward(q, k, v)
        k = self._heads(self.k_proj, k)  # (B, heads, T, d)
        k = k * k.shape[-1] ** -0.5
        bias = k @ self.q_proj.bias.view(HEADS, -1, 1)  # (B, heads, T, 1)
        k = k @ self.q_proj.weight.unflatten(0, (HEADS, -1))  # (B, heads, T, C)
        v = self._heads(self.v_proj, v) @ self.out_proj.weight.t().unflatten(0, (HEADS, -1))
        v = v + self.out_proj.bias / HEADS  # the weights of each head sum to one
        logits = (k.flatten(1, 2) @ q.transpose(1, 2)).unflatten(1, (HEADS, -1)).add_(bias)
        weights = logits.softmax(dim=2).flatten(1, 2)  # (B, heads T, N)
        return weights.transpose(1, 2) @ v.flatten(1, 2)


class TwoWayAttentionBlock(nn.Module):
    """Self-attention of tokens, tokens to image, MLP, image to tokens."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.self_attn = Attention(width)
        self.norm1 = nn.LayerNorm(width)
        self.cross_attn_token_to_image = TokensToImage(width, downsample=2)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = MLPBlock(width, hidden, torch.relu)
        self.norm3 = nn.LayerNorm(width)
        self.norm4 = nn.LayerNorm(width)
        self.cross_attn_image_to_token = ImageToTokens(width, downsample=2)

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
        seen = self.cross_attn_image_to_token(k, tokens + tokens_pe, tokens)
        # In place: on a CPU, room for one more image per object costs as much as a product. But in
        # mixed precision the sum shall not be rounded.
        keys = seen.add_(keys) if seen.dtype == keys.dtype else seen + keys
        return tokens, self.norm4(keys)


class TwoWayTransformer(nn.Module):
    """Two-way attention blocks, and a last cross-attention from tokens to image."""

    def __init__(self, width: int, hidden: int, depth: int = 2) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TwoWayAttentionBlock(width, hidden) for _ in range(depth))
        self.final_attn_token_to_image = TokensToImage(width, downsample=2)
        self.norm_final_attn = nn.LayerNorm(width)

    def forward(self, image: Tensor, image_pe: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return tokens (B, T, C) and image tokens (B, h w, C).

        `image` (B, h w, C) is the image embedding plus the dense prompt embedding, `image_pe`
        (1, h w, C) its position encoding, `tokens` (B, T, C) output tokens and prompt tokens.
        """
        start = tokens  # the original tokens serve as position encoding throughout
        for i, layer in enumerate(self.layers):
            tokens, image = layer(tokens, image, start, image_pe, first=i == 0)
        attended = self.final_attn_token_to_image(tokens + start, image + image_pe, image)
        return self.norm_final_attn(tokens + attended), image
