"""SAM 2.1: image encoder, prompt encoder, mask decoder and memory (Ravi et al. 2024)."""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_sam.model.config import SamConfig
from napari_sam.model.layers import MLP
from napari_sam.model.sam import Features, Sam
from napari_sam.model.sam2.config import MAPS, MEMORY_WIDTH
from napari_sam.model.sam2.mask_decoder import Sam2MaskDecoder, choose_mask
from napari_sam.model.sam2.memory_attention import Memories, MemoryAttention
from napari_sam.model.sam2.memory_encoder import MemoryEncoder
from napari_sam.model.sam2.neck import Lateral, Sam2ImageEncoder, read_through
from napari_sam.model.sam2.positions import sine_line, sine_map

__all__ = ["CLAMP", "Answer", "Sam2", "corners_as_points"]

CLAMP = 32.0  # logits of an earlier answer, as a prompt of the next
ABSENT = -1024.0  # logit of every pixel where the object is not in the picture
SCALE, SHIFT = 20.0, -10.0  # from the probability of a pixel to what the memory encoder sees
TOP_LEFT, BOTTOM_RIGHT = 2, 3  # labels of a box's corners


class Answer(NamedTuple):
    """What the model makes of one slice for each of B objects.

    Parameters
    ----------
    logits : (B, 1, 4h, 4w)
        Low-resolution mask logits; -1024 everywhere where the object is absent.
    iou : (B,)
        Predicted IoU of the mask.
    score : (B,)
        Logit that the object is there.
    pointer : (B, width)
        The object in one vector.
    """

    logits: Tensor
    iou: Tensor
    score: Tensor
    pointer: Tensor


class Sam2(Sam):
    """All networks of SAM 2.1 in one size.

    Coordinates in here are (x, y) in frame pixels; a picture is stretched to the square frame. Keys
    are those of the published files, but for the ``sam_`` before prompt encoder and mask decoder.
    """

    image_encoder: Sam2ImageEncoder
    mask_decoder: Sam2MaskDecoder

    def __init__(self, config: SamConfig) -> None:
        super().__init__(config)
        width = config.width
        self.mask_decoder = Sam2MaskDecoder(config)
        self.memory_encoder = MemoryEncoder(width)
        self.memory_attention = MemoryAttention(width)
        self.mask_downsample = nn.Conv2d(1, 1, 4, stride=4)
        self.obj_ptr_proj = MLP(width, width, width, width)
        self.obj_ptr_tpos_proj = nn.Linear(width, MEMORY_WIDTH)
        self.maskmem_tpos_enc = nn.Parameter(torch.zeros(MAPS, 1, 1, MEMORY_WIDTH))
        self.no_mem_embed = nn.Parameter(torch.zeros(1, 1, width))
        self.no_mem_pos_enc = nn.Parameter(torch.zeros(1, 1, width))  # in the files, used by nobody
        self.no_obj_ptr = nn.Parameter(torch.zeros(1, width))
        self.no_obj_embed_spatial = nn.Parameter(torch.zeros(1, MEMORY_WIDTH))

    def encode(self, pixels: Tensor) -> Features:
        """Return the features of normalised images (B, 3, frame, frame), in float32.

        They know nothing of prompts or memories: pictures and stacks are answered from the same.
        """
        embedding, fine, finest = self.image_encoder(pixels)
        decoder = self.mask_decoder
        for_fine, for_finest = (cast(Lateral, part) for part in self.image_encoder.neck.convs[2:])
        skips = (
            read_through(for_fine, decoder.conv_s1, fine),
            read_through(for_finest, decoder.conv_s0, finest),
        )
        return Features(embedding, skips)

    def decode(
        self,
        features: Features,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        boxes: Tensor | None = None,
        masks: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return four masks' logits and predicted IoU, as `Sam.decode`.

        Where mask 0, for unambiguous prompts, changes with the threshold, the best of the others
        stands in its place.
        """
        logits, iou = super().decode(features, points, labels, boxes, masks)
        one, chosen = torch.arange(len(iou), device=iou.device), choose_mask(logits, iou, False)
        logits = torch.cat([logits[one, chosen][:, None], logits[:, 1:]], dim=1)
        return logits, torch.cat([iou[one, chosen][:, None], iou[:, 1:]], dim=1)

    def encode_prompts(
        self,
        features: Features,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        boxes: Tensor | None = None,
        masks: Tensor | None = None,
        words: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor, tuple[Tensor, Tensor] | None]:
        """Return what `MaskDecoder.predict_iou` takes, for a picture alone."""
        given = corners_as_points(points, labels, boxes) or (None, None)
        alone = Features(self.without_memory(features), features.skips)
        if masks is not None:  # logits of an earlier answer, as the published code hands them out
            masks = masks.clamp(-CLAMP, CLAMP)
        return super().encode_prompts(alone, given[0], given[1], None, masks, words)

    def without_memory(self, features: Features) -> Tensor:
        """Return the image embedding (B, width, h, w) of a picture that has no other slices."""
        return features.embedding + self.no_mem_embed.view(1, -1, 1, 1)

    def with_memory(self, features: Features, memories: Memories) -> Tensor:
        """Return the image embedding (B, width, h, w) that knows the other slices."""
        return self.memory_attention(features.embedding, memories)

    def answer(
        self,
        image: Tensor,
        skips: tuple[Tensor, Tensor] | None,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        masks: Tensor | None = None,
        three: bool | None = None,
    ) -> Answer:
        """Return mask, scores and pointer of each of B objects.

        Parameters
        ----------
        image : (B or 1, width, h, w)
            From `without_memory` or `with_memory`.
        skips : ((1, C1, 2h, 2w), (1, C2, 4h, 4w))
            Of the same picture.
        points, labels : (B, N, 2) float, (B, N) int
            Clicks, 1 foreground and 0 background, and boxes as `corners_as_points` makes them. None
            where the object is followed.
        masks : (B, 1, 4h, 4w) float
            Low-resolution logits.
        three : bool, optional
            Whether the best of three masks is meant. None: for one click, or none.
        """
        if points is None or labels is None:
            points = image.new_zeros(len(image), 1, 2)
            labels = torch.full((len(image), 1), -1, device=image.device)
        if three is None:
            three = labels.shape[1] <= 1
        encoder, decoder = self.prompt_encoder, self.mask_decoder
        sparse = encoder.sparse_prompt_embeddings(points, labels, None)
        assert sparse is not None
        dense = encoder.dense_prompt_embeddings(masks)
        found = decoder.segment(image + dense, encoder.dense_pe(), sparse, skips)
        logits, iou = decoder.predict_masks(found.output), found.output.iou
        one = torch.arange(len(iou), device=iou.device)
        best = choose_mask(logits, iou, three)
        there = found.score > 0
        chosen = torch.where(there[:, None, None], logits[one, best], ABSENT)
        token = found.mask_tokens[one, best if three else 0]
        pointer = torch.where(there[:, None], self.obj_ptr_proj(token), self.no_obj_ptr)
        return Answer(chosen[:, None], iou[one, best], found.score, pointer)

    def answer_mask(self, features: Features, mask: Tensor) -> Answer:
        """Return the answer for a mask (1, 1, frame, frame) of zeros and ones: the mask itself."""
        pointer = self.answer_pointer(features, mask)
        logits = SCALE * mask + SHIFT
        size = self.config.frame // self.config.mask_stride
        low = F.interpolate(logits, (size, size), mode="bilinear", antialias=True)
        there = mask.flatten(1).any(dim=1)
        pointer = torch.where(there[:, None], pointer, self.no_obj_ptr)
        score = torch.where(there, SCALE + SHIFT, SHIFT).to(mask.dtype)
        return Answer(low, torch.ones_like(score), score, pointer)

    def answer_pointer(self, features: Features, mask: Tensor) -> Tensor:
        """Return the pointer (1, width) of the object below a mask (1, 1, frame, frame)."""
        prompt = self.mask_downsample(mask)
        found = self.answer(features.embedding, features.skips, masks=prompt, three=False)
        return found.pointer

    def remember(self, features: Features, answer: Answer, clicked: bool) -> Tensor:
        """Return what is kept of a slice with an answer: (B, 64, h, w).

        Parameters
        ----------
        features : Features
            Of the slice.
        answer : Answer
            Of B objects.
        clicked : bool
            Whether somebody pointed at the object in this slice: then the mask is taken as it is,
            without its doubts.
        """
        frame = self.config.frame
        high = F.interpolate(answer.logits, (frame, frame), mode="bilinear")
        mask = (high > 0).to(high.dtype) if clicked else high.sigmoid_()
        memory = self.memory_encoder(features.embedding, mask.mul_(SCALE).add_(SHIFT))
        absent = (answer.score <= 0).to(memory.dtype)[:, None]
        return memory + (absent * self.no_obj_embed_spatial)[:, :, None, None]

    def gather(
        self, maps: list[tuple[int, Tensor]], pointers: list[tuple[float, Tensor]]
    ) -> Memories:
        """Return memories as the tokens that `with_memory` takes.

        Parameters
        ----------
        maps : list of (place in time, (B, 64, h, w))
            The place is -1 for slices with prompts, else the number of slices in between.
        pointers : list of (distance in time, (B, width))
            The distance is a part of the largest one possible, negative for what comes later.
        """
        like = self.maskmem_tpos_enc
        space = sine_map(maps[0][1].shape[-1], MEMORY_WIDTH, like).flatten(1).t()
        content = [memory.to(like.dtype).flatten(2).transpose(1, 2) for _, memory in maps]
        positions = [space + like[place].view(1, -1) for place, _ in maps]
        split = 0
        if pointers:
            tokens = torch.stack([pointer for _, pointer in pointers], dim=1)  # (B, P, width)
            tokens = tokens.unflatten(-1, (-1, MEMORY_WIDTH))  # (B, P, 4, 64)
            split = tokens.shape[1] * tokens.shape[2]
            times = torch.tensor([at for at, _ in pointers], dtype=like.dtype, device=like.device)
            in_time = self.obj_ptr_tpos_proj(sine_line(times, self.config.width))
            content.append(tokens.flatten(1, 2))
            positions.append(in_time.repeat_interleave(tokens.shape[2], dim=0))
        return Memories(torch.cat(content, dim=1), torch.cat(positions)[None], split)


def corners_as_points(
    points: Tensor | None, labels: Tensor | None, boxes: Tensor | None
) -> tuple[Tensor, Tensor] | None:
    """Return clicks and boxes as SAM 2 wants them: corners are points of their own kind, first.

    Parameters
    ----------
    points, labels : (B, N, 2) float, (B, N) int
        Clicks.
    boxes : (B, 4) float
        x0, y0, x1, y1.

    Returns
    -------
    points, labels : (B, M, 2) float, (B, M) int
        None where nothing was given.
    """
    if boxes is None:
        return None if points is None or labels is None else (points, labels)
    corners = boxes.unflatten(-1, (2, 2))
    kinds = torch.tensor([TOP_LEFT, BOTTOM_RIGHT], device=boxes.device).expand(len(boxes), -1)
    if points is None or labels is None:
        return corners, kinds
    return torch.cat([corners, points], dim=1), torch.cat([kinds, labels.to(kinds)], dim=1)
