"""Predict masks at many points of one window, in batches, with early rejection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from napari_sam.arrays import Array
from napari_sam.inference.batching import batches
from napari_sam.inference.embedding import map_features
from napari_sam.inference.windows import View
from napari_sam.model.sam import Sam

__all__ = ["Enlarger", "PointMask", "Thresholds", "sweep"]

STABILITY_MARGIN = 0.15  # by how much the stability may rise when a mask is enlarged; most was 0.13
MIN_AREA = 400  # cells; of smaller objects the low resolution says too little, and they cost little
MULTIMASK = slice(1, 4)  # the masks that answer a lone point


@dataclass(frozen=True)
class Thresholds:
    """Lowest predicted IoU and stability of a mask, and the logit offset of the stability."""

    min_score: float
    min_stability: float
    offset: float = 1.0


@dataclass(frozen=True, eq=False)
class PointMask:
    """Mask predicted at a point: index of the point, pixels, their corner in the view, scores."""

    point: int
    mask: NDArray[np.bool_]
    corner: tuple[int, int]
    score: float
    stability: float


def sweep(
    model: Sam, view: View, points: NDArray[np.float64], thresholds: Thresholds
) -> Iterator[tuple[int, list[PointMask]]]:
    """Predict three masks at each point and yield those above the thresholds, batch by batch.

    Parameters
    ----------
    model : Sam
        The model.
    view : View
        Through which it looks at the picture.
    points : (N, 2) float
        Row and column in the picture.
    thresholds : Thresholds
        What is kept.

    Yields
    ------
    done : int
        How many points were asked about since the last time.
    found : list of PointMask
    """
    like = model.mask_decoder.iou_token.weight
    # Once for all points, also what the view cuts out and what a store keeps in float16.
    features = map_features(lambda part: part.to(like.dtype), view.features)
    enlarger = Enlarger(view, like)

    def work(some: list[int]) -> list[list[PointMask]]:
        where = view.to_frame(points[some])
        xy = torch.from_numpy(where).to(like.device, like.dtype)[:, None]
        ones = torch.ones(len(some), 1, device=like.device).long()
        answer = model.predict_iou(features, xy, ones)
        good = answer.iou[:, MULTIMASK].float() > thresholds.min_score
        worth = good.any(dim=1).nonzero()[:, 0]
        found: list[list[PointMask]] = [[] for _ in some]
        if len(worth) == 0:
            return found
        chosen = answer.only(worth, MULTIMASK)
        logits = model.mask_decoder.predict_masks(chosen).float()
        wanted = good[worth] & _stable(logits, enlarger.cells, view, thresholds)
        for row, column in wanted.nonzero().tolist():
            index = int(worth[row])
            one = _enlarged(logits[row, column], enlarger, view, thresholds)
            if one is not None:
                score = float(chosen.iou[row, column])
                found[index].append(PointMask(some[index], *one[:2], score, one[2]))
        return found

    with torch.inference_mode():
        for answers in batches(work, list(range(len(points))), like.device):
            yield len(answers), [one for some in answers for one in some]


def _stable(logits: Tensor, cells: tuple[int, int], view: View, thresholds: Thresholds) -> Tensor:
    """Say of each mask (B, 3, h, w) whether it may be stable enough once it is enlarged."""
    threshold = view.config.mask_threshold
    shown = logits[..., : cells[0], : cells[1]]
    inner = (shown > threshold + thresholds.offset).sum(dim=(-2, -1))
    outer = (shown > threshold - thresholds.offset).sum(dim=(-2, -1))
    small = (outer > 0) & (outer < MIN_AREA)
    return small | (inner >= (thresholds.min_stability - STABILITY_MARGIN) * outer) & (outer > 0)


def _enlarged(
    logits: Tensor, enlarger: Enlarger, view: View, thresholds: Thresholds
) -> tuple[NDArray[np.bool_], tuple[int, int], float] | None:
    """Return a mask at the picture's resolution, its corner and its stability, if it is stable."""
    threshold = view.config.mask_threshold
    around = enlarger.around(logits, threshold - thresholds.offset)
    if around is None:
        return None
    values, corner = around
    inner = int((values > threshold + thresholds.offset).sum())
    outer = int((values > threshold - thresholds.offset).sum())
    if outer == 0 or inner < thresholds.min_stability * outer:
        return None
    mask: Array = (values > threshold).cpu().numpy()
    return (mask, corner, inner / outer) if mask.any() else None


class Enlarger:
    """Upsamples the mask logits of one view, each mask only around its object.

    Bilinear interpolation works along rows and columns apart, so the whole way from the cells of
    the logits to the pixels of the picture is one matrix for each; of both, a mask needs a few
    rows. The numbers are those that `View.masks` thresholds.

    Parameters
    ----------
    view : View
        Through which the logits were seen.
    like : Tensor
        Of the device and dtype of the logits.
    """

    def __init__(self, view: View, like: Tensor) -> None:
        self._axes = [_Axis(view, axis, like) for axis in (0, 1)]

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns of the logits that show the image; the others are padding."""
        return self._axes[0].cells, self._axes[1].cells

    def around(self, logits: Tensor, above: float) -> tuple[Tensor, tuple[int, int]] | None:
        """Upsample logits (h, w) wherever they may exceed a value.

        Returns
        -------
        values : (H', W') Tensor
            Logits of a part of the picture.
        corner : (int, int)
            Its first row and column. None instead of both if nothing exceeds the value.
        """
        rows, columns = self._axes
        inside = logits[: rows.cells, : columns.cells] > above
        y, x = inside.any(1).nonzero()[:, 0], inside.any(0).nonzero()[:, 0]
        if len(y) == 0:
            return None
        top, rows_from, left = rows.part(int(y[0]), int(y[-1]))
        first, columns_from, right = columns.part(int(x[0]), int(x[-1]))
        if left.numel() == 0 or right.numel() == 0:  # smaller than a pixel, between two centres
            return None
        part = logits[
            rows_from : rows_from + left.shape[1], columns_from : columns_from + right.shape[1]
        ]
        return left @ part @ right.T, (top, first)


class _Axis:
    """One axis: which cells make which pixels."""

    def __init__(self, view: View, axis: int, like: Tensor) -> None:
        self.first, weights = (_sampled if view.config.dense else _as_reference)(view, axis)
        made = weights > 0
        self.cells = int(made.any(0).nonzero()[-1]) + 1
        made = made[:, : self.cells]
        self._weights = weights[:, : self.cells].to(like)
        self._pixels = _ends(made.T)
        self._cells = _ends(made)

    def part(self, low: int, high: int) -> tuple[int, int, Tensor]:
        """Return all that the cells from `low` to `high` show.

        First pixel, first cell, and the matrix that makes the pixels of the cells.
        """
        shown = self._pixels[low : high + 1]
        shown = shown[shown[:, 1] > 0]  # between the centres of two pixels a cell shows nothing
        if len(shown) == 0:
            return 0, 0, self._weights[:0, :0]
        start, stop = int(shown[:, 0].min()), int(shown[:, 1].max())
        begin, end = self._cells[start, 0], self._cells[stop - 1, 1]
        return self.first + start, int(begin), self._weights[start:stop, begin:end]


def _ends(made: Tensor) -> NDArray[np.int64]:
    """Return the first, and the one after the last, that is true in each row; 0, 0 for none."""
    true: NDArray[np.bool_] = made.numpy()
    first = true.argmax(axis=1)
    last = true.shape[1] - true[:, ::-1].argmax(axis=1)
    ends: NDArray[np.int64] = np.stack([first, last], axis=1)
    ends[~np.asarray(true.any(axis=1))] = 0
    return ends


def _as_reference(view: View, axis: int) -> tuple[int, Tensor]:
    """Return 0 and (pixels, cells): to the padded frame, cut the padding off, to the picture."""
    frame = view.size[axis] * view.config.mask_stride
    shown, extent = view.shape[axis], view.embedding.shape[axis]
    way = torch.eye(view.size[axis])[None]  # each cell's share of every pixel
    way = F.interpolate(way, frame, mode="linear", align_corners=False)[..., :shown]
    if shown != extent:
        way = F.interpolate(way, extent, mode="linear", align_corners=False)
    return 0, way[0].T.contiguous()


def _sampled(view: View, axis: int) -> tuple[int, Tensor]:
    """Return the first pixel whose centre the window holds, and (pixels, cells)."""
    pixels, positions = view.positions(axis)
    low = np.floor(positions).astype(int)
    weights = torch.zeros(len(pixels), view.size[axis])
    every = np.arange(len(pixels))
    share = torch.from_numpy(positions - low).float()
    weights[every, low] = 1 - share
    weights[every, np.minimum(low + 1, view.size[axis] - 1)] += share
    return int(pixels[0]), weights
