"""Instances as prompts: the mask decoder is asked about each, by its box and its deepest point."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sam.inference.automatic.instances.instance import Instance
from napari_sam.inference.automatic.sweep import Enlarger
from napari_sam.inference.batching import batches
from napari_sam.inference.embedding import Embedding, map_features
from napari_sam.inference.masks import keep_prompted
from napari_sam.inference.windows import View, Window, best_window
from napari_sam.masks import CroppedMask
from napari_sam.model.sam import Sam
from napari_sam.prompts import Prompts

__all__ = ["Answer", "ask"]

OFFSET = 1.0  # of the logits, up and down, to measure the stability


@dataclass(frozen=True, eq=False)
class Answer:
    """Mask that the decoder gives for an instance, with its predicted IoU and stability."""

    cropped: CroppedMask
    score: float
    stability: float


Answers = dict[CroppedMask, Answer | None]


def ask(
    model: Sam, embedding: Embedding, instances: Sequence[Instance]
) -> Iterator[tuple[int, Answers]]:
    """Ask the mask decoder about instances; yield batch by batch.

    Parameters
    ----------
    model : Sam
    embedding : Embedding
        Of the picture.
    instances : sequence of Instance

    Yields
    ------
    done : int
        How many were asked about since the last time.
    answers : dict of CroppedMask to Answer
        By the masks of the instances; None where the decoder gave an empty one.
    """
    groups: dict[Window, list[int]] = defaultdict(list)
    for i, one in enumerate(instances):
        groups[best_window(embedding, model.config, one.cropped.box)].append(i)
    for window, members in groups.items():
        view = View(embedding, model.config, window)
        yield from _ask_in(model, view, instances, members)


@torch.inference_mode()
def _ask_in(
    model: Sam, view: View, instances: Sequence[Instance], members: list[int]
) -> Iterator[tuple[int, Answers]]:
    like = model.mask_decoder.iou_token.weight
    # once for all, also what a store keeps in float16
    features = map_features(lambda part: part.to(like.dtype), view.features)
    enlarger = Enlarger(view, like)

    def work(some: list[int]) -> list[Answer | None]:
        ends = [np.reshape(instances[i].cropped.box, (2, 2)) - (0.5, 0.5) for i in some]
        boxes = _tensor([view.to_frame(end) for end in ends], like).flatten(1)  # (B, 4)
        points = _tensor([view.to_frame(np.array([instances[i].point])) for i in some], like)
        ones = torch.ones(len(some), 1, device=like.device).long()
        logits, scores = model.decode(features, points, ones, boxes)
        return [
            _answer(instances[i], low[0].float(), float(score[0]), enlarger, view)
            for i, low, score in zip(some, logits, scores, strict=True)
        ]

    done = 0
    for answers in batches(work, members, like.device):
        asked = members[done : done + len(answers)]
        done += len(answers)
        yield (
            len(answers),
            {instances[i].cropped: one for i, one in zip(asked, answers, strict=True)},
        )


def _tensor(positions: list[NDArray[np.float64]], like: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(np.stack(positions)).to(like.device, like.dtype)


def _answer(
    instance: Instance,
    logits: torch.Tensor,
    score: float,
    enlarger: Enlarger,
    view: View,
) -> Answer | None:
    threshold = view.config.mask_threshold
    around = enlarger.around(logits, threshold - OFFSET)
    if around is None:
        return None
    values, corner = around
    inner = int((values > threshold + OFFSET).sum())
    outer = int((values > threshold - OFFSET).sum())
    mask = (values > threshold).cpu().numpy()
    if view.config.dense:  # as the predictor does: SAM's own sizes answer as the reference
        point = np.subtract(instance.point, corner)
        if ((point >= 0) & (point < mask.shape)).all():
            mask = keep_prompted(mask, Prompts([point], [1]))
    cropped = CroppedMask.of(mask, corner, view.embedding.shape)
    return None if cropped is None else Answer(cropped, score, inner / max(outer, 1))
