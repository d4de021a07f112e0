"""Many points of one view: what is not worth keeping is dropped before work is put into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_sam.inference.batching import batches
from napari_sam.inference.embedding import each
from napari_sam.inference.enlarge import Enlarger
from napari_sam.inference.view import View
from napari_sam.model.sam import Sam

__all__ = ["Floors", "Found", "sweep"]

MARGIN = 0.15  # by how much the stability may rise when a mask is enlarged; most was 0.13
FEW = 400  # cells; of smaller objects the low resolution says too little, and they cost little
LONE = slice(1, 4)  # the masks that answer a lone point


@dataclass(frozen=True)
class Floors:
    """What a mask must reach: more than `score`, at least `stability`, measured with `offset`."""

    score: float
    stability: float
    offset: float = 1.0


@dataclass(frozen=True, eq=False)
class Found:
    """A mask: which of the points it answers, and where it lies in what the view shows."""

    point: int
    mask: NDArray[np.bool_]
    corner: tuple[int, int]
    score: float
    stability: float


def sweep(
    model: Sam, view: View, points: NDArray[np.float64], floors: Floors
) -> Iterator[tuple[int, list[Found]]]:
    """Ask for three masks at each point and give those above the floors, batch by batch.

    Parameters
    ----------
    model : Sam
        The model.
    view : View
        Through which it looks at the picture.
    points : (N, 2) float
        Row and column in the picture.
    floors : Floors
        What is kept.

    Yields
    ------
    done : int
        How many points were asked about since the last time.
    found : list of Found
    """
    like = model.mask_decoder.iou_token.weight
    # Once for all points, also what the view cuts out and what a store keeps in float16.
    features = each(lambda part: part.to(like.dtype), view.features)
    enlarger = Enlarger(view, like)

    def work(some: list[int]) -> list[list[Found]]:
        where = view.to_frame(points[some])
        xy = torch.from_numpy(where).to(like.device, like.dtype)[:, None]
        answer = model.judge(features, xy, torch.ones(len(some), 1, device=like.device).long())
        good = answer.iou[:, LONE].float() > floors.score
        worth = good.any(dim=1).nonzero()[:, 0]
        found: list[list[Found]] = [[] for _ in some]
        if len(worth) == 0:
            return found
        chosen = answer.only(worth, LONE)
        logits = model.mask_decoder.draw(chosen).float()
        wanted = good[worth] & _stable(logits, enlarger.cells, view, floors)
        for row, column in wanted.nonzero().tolist():
            index = int(worth[row])
            one = _enlarged(logits[row, column], enlarger, view, floors)
            if one is not None:
                score = float(chosen.iou[row, column])
                found[index].append(Found(some[index], *one[:2], score, one[2]))
        return found

    with torch.inference_mode():
        for answers in batches(work, list(range(len(points))), like.device):
            yield len(answers), [one for some in answers for one in some]


def _stable(logits: Tensor, cells: tuple[int, int], view: View, floors: Floors) -> Tensor:
    """Say of each mask (B, 3, h, w) whether it may be stable enough once it is enlarged."""
    threshold = view.config.mask_threshold
    shown = logits[..., : cells[0], : cells[1]]
    inner = (shown > threshold + floors.offset).sum(dim=(-2, -1))
    outer = (shown > threshold - floors.offset).sum(dim=(-2, -1))
    small = (outer > 0) & (outer < FEW)
    return small | (inner >= (floors.stability - MARGIN) * outer) & (outer > 0)


def _enlarged(
    logits: Tensor, enlarger: Enlarger, view: View, floors: Floors
) -> tuple[NDArray[np.bool_], tuple[int, int], float] | None:
    """Return a mask at the picture's resolution, its corner and its stability, if it is stable."""
    threshold = view.config.mask_threshold
    around = enlarger.around(logits, threshold - floors.offset)
    if around is None:
        return None
    values, corner = around
    inner = int((values > threshold + floors.offset).sum())
    outer = int((values > threshold - floors.offset).sum())
    if outer == 0 or inner < floors.stability * outer:
        return None
    mask: NDArray[Any] = (values > threshold).cpu().numpy()
    return (mask, corner, inner / outer) if mask.any() else None
