"""A simple automatic segmentation of stacks: a grid of clicks on each slice, linked by overlap."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from napari_sam.inference.embedding import Embedding
from napari_sam.inference.patch import Patch
from napari_sam.inference.predictor import Predictor
from napari_sam.prompts import Prompts

__all__ = ["Chain", "link", "look_everywhere"]

SIDE = 10  # clicks along each side
BATCH = 16
LEAST_SCORE = 0.6
SAME = 0.5  # IoU from which two masks of one slice are one object
LINKED = 0.3  # IoU from which masks of neighbouring slices are one object

Chain = dict[int, Patch]
"""The masks of one object by slice."""


def look_everywhere(predictor: Predictor, embedding: Embedding) -> list[Patch]:
    """Return the objects of one slice: all candidates of all clicks, best first, none twice."""
    axes = [(np.arange(SIDE) + 0.5) * n / SIDE - 0.5 for n in embedding.shape]
    clicks = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    found: list[tuple[float, Patch]] = []
    for start in range(0, len(clicks), BATCH):
        prompts = [Prompts([click], [1]) for click in clicks[start : start + BATCH]]
        for answer in predictor.predict_batch(embedding, prompts):
            for mask, score in zip(answer.masks, answer.scores, strict=True):
                if score >= LEAST_SCORE and mask.any() and mask.mean() < 0.5:
                    found.append((float(score), Patch.of(mask)))
    kept: list[Patch] = []
    for _, patch in sorted(found, key=lambda item: -item[0]):
        if all(patch.overlap(other) < SAME for other in kept):
            kept.append(patch)
    return kept


def link(slices: Iterable[list[Patch]]) -> list[Chain]:
    """Join the masks of neighbouring slices that overlap, best overlap first."""
    chains: list[Chain] = []
    open_: list[Chain] = []
    for index, masks in enumerate(slices):
        pairs = [
            (chain[index - 1].overlap(mask), i, j)
            for i, chain in enumerate(open_)
            for j, mask in enumerate(masks)
        ]
        taken: dict[int, Chain] = {}
        used: set[int] = set()
        for overlap, i, j in sorted(pairs, reverse=True):
            if overlap >= LINKED and i not in used and j not in taken:
                taken[j] = open_[i]
                used.add(i)
        for j, mask in enumerate(masks):
            if j not in taken:
                taken[j] = {}
                chains.append(taken[j])
            taken[j][index] = mask
        open_ = list(taken.values())
    return chains
