"""Text decoder: a vector of words as a prompt token, with a decoder of its own (section 7.5)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_sam.model.config import SamConfig
from napari_sam.model.layers import MLP, LayerNorm2d
from napari_sam.model.mask_decoder import MaskDecoder
from napari_sam.model.sam import Features, Sam

__all__ = ["TextDecoder"]

HEAT = 16  # channels of the encoded map of likeness


class TextDecoder(nn.Module):
    """Mask decoder for a text prompt: a vector of the joint space of images and words.

    The image and prompt encoders are those of the model. Its mask decoder begins as a copy of the
    model's and learns the new token, so that points and boxes without words answer as before.
    The model's features say where objects are and little of what they are; `SemanticHead` makes of
    them what every place shows, in the space of the words, and the likeness with the words comes
    to the decoder as a map, as points and boxes do.

    Parameters
    ----------
    config : SamConfig
        Of the model that it belongs to.
    width : int
        Length D of the vectors.
    """

    def __init__(self, config: SamConfig, width: int) -> None:
        super().__init__()
        self.width = width
        self.look = SemanticHead(config, width)
        self.heat = nn.Sequential(
            nn.Conv2d(1, HEAT, 3, padding=1), nn.ReLU(), nn.Conv2d(HEAT, config.width, 1)
        )
        self.project = MLP(width, 2 * config.width, config.width)
        self.mask_decoder = MaskDecoder(config)

    def forward(
        self,
        model: Sam,
        features: Features,
        vectors: Tensor,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        boxes: Tensor | None = None,
        masks: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Predict a mask for each of B prompts; see `Sam.decode`.

        Parameters
        ----------
        model : Sam
            Whose encoders are used.
        features : Features
            Of one image, or of as many as there are prompts.
        vectors : (B, D) float
            Scaled to length 1 here.

        Returns
        -------
        logits : (B, 4, 4h, 4w) float
            Mask 0 is the answer.
        iou : (B, 4) float
        """
        vectors = F.normalize(vectors, dim=-1)
        shown = F.normalize(self.look(features), dim=1)  # (1 or B, D, h, w)
        alike = (shown * vectors[:, :, None, None]).sum(1, keepdim=True)  # (B, 1, h, w)
        # A vector of length 1 has entries of about 1 / sqrt(D); the network likes them near 1.
        words = self.project(vectors * self.width**0.5)[:, None]
        image, position, sparse, skips = model.encode_prompts(
            features, points, labels, boxes, masks, words
        )
        return self.mask_decoder(image + self.heat(4 * alike), position, sparse, skips)

    @classmethod
    def beside(cls, model: Sam, width: int) -> TextDecoder:
        """Return an untrained text decoder whose mask decoder is a copy of the model's."""
        own = cls(model.config, width).to(model.device)
        own.mask_decoder.load_state_dict(model.mask_decoder.state_dict())
        return own.requires_grad_(True)


class SemanticHead(nn.Module):
    """Image embedding to what every place of it shows, in the space of words: (B, D, h, w)."""

    def __init__(self, config: SamConfig, width: int) -> None:
        super().__init__()
        coarse, fine = config.upscale_dims
        dims = (coarse, config.width, 3 * config.width // 2, 3 * config.width // 2)
        if config.dense:  # two skip maps show texture
            self.fine = nn.Conv2d(fine, dims[0], 2, stride=2)
            self.coarse = nn.Conv2d(coarse, dims[0], 1)
            self.skips = nn.Sequential(
                ResidualUnit(dims[0]), nn.Conv2d(dims[0], dims[1], 2, stride=2)
            )
        self.image = nn.Conv2d(config.width, dims[1], 1)
        self.blocks = nn.ModuleList(ResidualUnit(dim) for dim in dims[1:])
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(dims[1:]))
        self.joins = nn.ModuleList(nn.Conv2d(dim, dims[-1], 1) for dim in dims[1:])
        self.head = nn.Sequential(
            nn.ReLU(), nn.Conv2d(dims[-1], dims[-1], 1), nn.ReLU(), nn.Conv2d(dims[-1], width, 1)
        )

    def forward(self, features: Features) -> Tensor:
        x = self.image(features.embedding)
        if features.skips is not None:
            x = x + self.skips(self.coarse(features.skips[0]) + self.fine(features.skips[1]))
        size = x.shape[-2:]
        joined = None
        for i, (block, join) in enumerate(zip(self.blocks, self.joins, strict=True)):
            x = block(x if i == 0 else self.downs[i - 1](x))
            part = F.interpolate(join(x), size, mode="bilinear", align_corners=False)
            joined = part if joined is None else joined + part
        return self.head(joined)


class ResidualUnit(nn.Module):
    """A residual block of two convolutions behind a norm."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = LayerNorm2d(channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(torch.relu(self.first(self.norm(x))))
