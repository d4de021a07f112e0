"""The Segment Anything Model: image and prompt encoder, mask decoder (Kirillov et al. 2023)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from napari_sam.model.cells_encoder import CellsEncoder
from napari_sam.model.config import CellsEncoderConfig, HieraConfig, SamConfig, ViTConfig
from napari_sam.model.dense_prompts import DensePromptEncoder
from napari_sam.model.image_encoder import ImageEncoderViT
from napari_sam.model.mask_decoder import DecoderOutput, MaskDecoder
from napari_sam.model.prompt_encoder import PromptEncoder
from napari_sam.model.sam2.neck import Sam2ImageEncoder
from napari_sam.model.tiny_vit import TinyViT
from napari_sam.zoo.catalogue import Entry

__all__ = ["Features", "Sam"]

HALF = {"cuda", "mps"}  # where the large encoders compute in float16 at inference
# Model pixels for bfloat16: of images with 32, convolutions of torch 2.13 read beyond the last map,
# whose two columns were NaN once in ten where the memory had been full of it; of 64 never.
NARROWEST = 128


class Features(NamedTuple):
    """Image embedding (B, width, h, w), and the two skip maps of a dense model."""

    embedding: Tensor
    skips: tuple[Tensor, Tensor] | None = None


class Sam(nn.Module):
    """Image encoder, prompt encoder and mask decoder of one size.

    Coordinates in here are (x, y) in frame pixels, the padded square that the model sees.

    Attributes
    ----------
    cpu_dtype : torch.dtype
        In which a processor computes embeddings at inference; float32 at first.
    """

    def __init__(self, config: SamConfig) -> None:
        super().__init__()
        self.config = config
        self.entry = Entry("untrained", config.name)  # `load_model` says where the weights are from
        self.image_encoder = _image_encoder(config)
        self.prompt_encoder = PromptEncoder(config)
        self.mask_decoder = MaskDecoder(config)
        self.drawn_prompts = DensePromptEncoder(config) if config.dense else None
        self.cpu_dtype = torch.float32
        self.instance_decoder: nn.Module | None = None  # an `InstanceDecoder`, if weights have one

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return self.mask_decoder.iou_token.weight.device

    def encode(self, pixels: Tensor) -> Features:
        """Return the image embedding of normalised, padded images (B, 3, H, W), in their dtype."""
        half = self._half(pixels)
        if half is None:  # or as the caller's autocast says
            encoded = self.image_encoder(pixels)
        else:
            with torch.autocast(pixels.device.type, half):
                encoded = self.image_encoder(pixels)
        if not self.config.dense:
            return Features(encoded.to(pixels.dtype))
        embedding, fine, finest = encoded if half is None else (x.to(pixels.dtype) for x in encoded)
        return Features(embedding, (fine, finest))

    def _half(self, pixels: Tensor) -> torch.dtype | None:
        """Return the half precision to encode in; None in training, and where there is none."""
        if torch.is_grad_enabled():
            return None
        device = pixels.device.type
        if device == "cpu" and self.cpu_dtype != torch.float32:
            return self.cpu_dtype if min(pixels.shape[-2:]) >= NARROWEST else None
        return torch.float16 if device in HALF and not self.config.dense else None

    def decode(
        self,
        features: Features,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        boxes: Tensor | None = None,
        masks: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return four masks' logits and predicted IoU for each of B objects of one image (or B).

        Parameters
        ----------
        features : Features
            Of one image, or of as many as there are objects.
        points, labels : (B, N, 2) float, (B, N) int
            Clicks: 1 foreground, 0 background.
        boxes : (B, 4) float
            x0, y0, x1, y1.
        masks : (B, 1, 4h, 4w) float
            Low-resolution logits.

        Returns
        -------
        logits : (B, 4, 4h, 4w) float
            Low-resolution mask logits; mask 0 is for unambiguous prompts.
        iou : (B, 4) float
            Predicted IoU.
        """
        output = self.predict_iou(features, points, labels, boxes, masks)
        return self.mask_decoder.predict_masks(output), output.iou

    def predict_iou(self, features: Features, *prompts: Tensor | None) -> DecoderOutput:
        """Return the predicted IoU of each mask, of which `mask_decoder.predict_masks` makes masks.

        As `decode` otherwise; where most masks are bad, that saves upscaling them.
        """
        return self.mask_decoder.predict_iou(*self.encode_prompts(features, *prompts))

    def encode_prompts(
        self,
        features: Features,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        boxes: Tensor | None = None,
        masks: Tensor | None = None,
        words: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor, tuple[Tensor, Tensor] | None]:
        """Return what `MaskDecoder.predict_iou` takes: the image embedding and all prompts.

        Parameters
        ----------
        words : (B, T, width) float
            More prompt tokens, put before all others.
        """
        batch = len(next(t for t in (points, boxes, masks, words) if t is not None))
        image, skips = features
        h, w = image.shape[-2:]
        sparse = self.prompt_encoder.sparse_prompt_embeddings(points, labels, boxes)
        if sparse is None:
            sparse = image.new_zeros(batch, 0, self.config.width)
        if self.drawn_prompts is None or skips is None:
            # without masks one image serves all
            image = image + self.prompt_encoder.dense_prompt_embeddings(masks)
        else:
            image = image.expand(batch, -1, -1, -1)
            if sparse.shape[1]:
                sparse = sparse + self.drawn_prompts.sample_image(image, points, boxes)
            if sparse.shape[1] or masks is not None:  # words alone draw nothing
                dense = self.drawn_prompts((4 * h, 4 * w), points, labels, boxes, masks)
                image = image + dense[0]
                skips = (skips[0] + dense[1], skips[1] + dense[2])
        if words is not None:
            sparse = torch.cat([words, sparse], dim=1)
        return image, self.prompt_encoder.dense_pe()[..., :h, :w], sparse, skips


def _image_encoder(config: SamConfig) -> nn.Module:
    if isinstance(config.encoder, CellsEncoderConfig):
        return CellsEncoder(config)
    if isinstance(config.encoder, HieraConfig):
        return Sam2ImageEncoder(config.encoder, config.width)
    return (ImageEncoderViT if isinstance(config.encoder, ViTConfig) else TinyViT)(config)
