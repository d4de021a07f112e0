"""Decoder windows of an embedding, and the mapping between them and the image.

SAM's own sizes always look at the whole picture. The dense model looks through a window of one
frame at one of several scales, so that a cell has the same size in training and in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from napari_sam.arrays import Array
from napari_sam.inference.embedding import Embedding
from napari_sam.masks import Box
from napari_sam.model.config import SamConfig
from napari_sam.model.sam import Features
from napari_sam.prompts import Prompts
from napari_sam.results import Prediction

__all__ = ["View", "Window", "best_window", "find_windows", "is_rival", "merge"]

MASK_LOGIT = 8.0  # the logit of a pixel that a boolean mask prompt says is inside
MAX_SPAN = 0.75  # share of the frame that prompts may span before a coarser level is used
MIN_SCALE = 0.7  # of the picture's own scale; below it, what was one object looks like many
SNAP = 8  # tokens between the corners of windows that are shared
BEST_SIDE = 64  # model pixels; objects of known size are looked for where they are nearest to it

Window = tuple[int, int, int]
"""Level, and row and column of the window's corner in tokens."""


def find_windows(embedding: Embedding, config: SamConfig, prompts: Prompts) -> list[Window]:
    """Return the windows in which to decode the prompts, one per level, finest first.

    The first level is the finest that holds all prompts; where they tell the object's size, the
    one of those at which its longer side is nearest to 64 model pixels. Windows are centred on
    the box, else the mask, else the first point, so that more clicks on an object keep them.
    """
    coarsest = len(embedding.levels) - 1
    if coarsest == 0:
        return [(0, 0, 0)]
    anchor = _anchor(prompts)
    if len(anchor) == 0:  # logits alone say nothing of the place: look at everything
        return [(coarsest, 0, 0)]
    span = np.ptp(np.concatenate([anchor, prompts.points]), axis=0)
    scales = [np.array(level.shape) / np.array(embedding.shape) for level in embedding.levels]
    holds = [bool((span * scale <= MAX_SPAN * config.frame).all()) for scale in scales]
    first = holds.index(True) if any(holds) else coarsest
    if _tells_size(prompts):
        sides = [max(1.0, float((np.ptp(anchor, axis=0) * s).max())) for s in scales[first:]]
        first += int(np.abs(np.log(np.divide(sides, BEST_SIDE))).argmin())
    windows = []
    for level in range(first, coarsest + 1):
        tokens = np.array(embedding.levels[level].features.embedding.shape[-2:])
        middle = anchor.mean(axis=0) * scales[level] / config.stride
        start = np.round(middle - config.grid / 2).astype(int)
        row, column = np.clip(start, 0, np.maximum(tokens - config.grid, 0))
        windows.append((level, int(row), int(column)))
    return windows


def best_window(embedding: Embedding, config: SamConfig, box: Box) -> Window:
    """Return the window for an object with this box: where its longer side is nearest to 64.

    Its corner lies on a coarse lattice, so that neighbours share a window and are decoded together.
    """
    if len(embedding.levels) == 1 and not config.dense:
        return (0, 0, 0)
    corners = np.reshape(np.asarray(box, float), (2, 2))
    sides = [
        float((np.ptp(corners, axis=0) * np.divide(level.shape, embedding.shape)).max())
        for level in embedding.levels
    ]
    holds = [side <= MAX_SPAN * config.frame for side in sides]
    first = holds.index(True) if any(holds) else len(sides) - 1
    level = first + int(np.abs(np.log(np.divide(np.maximum(sides[first:], 1), BEST_SIDE))).argmin())
    tokens = np.array(embedding.levels[level].features.embedding.shape[-2:])
    ratio = np.divide(embedding.levels[level].shape, embedding.shape)
    middle = corners.mean(axis=0) * ratio / config.stride
    start = np.round((middle - config.grid / 2) / SNAP).astype(int) * SNAP
    row, column = np.clip(start, 0, np.maximum(tokens - config.grid, 0)).tolist()
    return level, row, column


def is_rival(embedding: Embedding, prompts: Prompts, window: Window) -> bool:
    """Return whether to decode a window too, although a finer one shows the object uncut.

    That is worth it where nothing tells the object's size, but only if the finer level enlarges
    the picture: below its own scale, small objects run into one.
    """
    scale = max(embedding.levels[window[0]].shape) / max(embedding.shape)
    return not _tells_size(prompts) and scale >= MIN_SCALE


def _tells_size(prompts: Prompts) -> bool:
    return prompts.box is not None or (prompts.mask is not None and prompts.mask.dtype == bool)


def _anchor(prompts: Prompts) -> NDArray[np.float64]:
    """Return the corners of the box, else of the mask; else the first point, if there is one."""
    if prompts.box is not None:
        return prompts.box.reshape(2, 2)
    if prompts.mask is not None and prompts.mask.dtype == bool:
        inside = np.argwhere(prompts.mask)
        return np.stack([inside.min(axis=0), inside.max(axis=0)]).astype(float)
    return prompts.points[:1]


@dataclass(frozen=True, eq=False)
class View:
    """Window of an embedding; sizes and corners are in model pixels of its level.

    Parameters
    ----------
    embedding : Embedding
        Of the picture.
    config : SamConfig
        Of the model.
    window : Window
        Where to look.
    """

    embedding: Embedding
    config: SamConfig
    window: Window

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the whole level."""
        return self.embedding.levels[self.window[0]].shape

    @property
    def corner(self) -> tuple[int, int]:
        """Row and column of the window's upper left corner."""
        return self.window[1] * self.config.stride, self.window[2] * self.config.stride

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the window's mask grid."""
        h, w = self.features.embedding.shape[-2:]
        return 4 * h, 4 * w

    @property
    def seen(self) -> tuple[int, int, int, int]:
        """Box (r0, c0, r1, c1) of the image's pixels inside the window."""
        if not self.config.dense:
            return (0, 0, *self.embedding.shape)
        rows, columns = (self._covered(axis, n, n) for axis, n in enumerate(self.embedding.shape))
        return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1

    @property
    def features(self) -> Features:
        """Encoder features inside the window."""
        level, row, column = self.window
        image, skips = self.embedding.levels[level].features
        grid = self.config.grid

        def cut(x: Tensor, factor: int) -> Tensor:
            rows = slice(row * factor, (row + grid) * factor)
            return x[..., rows, column * factor : (column + grid) * factor]

        return Features(
            cut(image, 1), None if skips is None else (cut(skips[0], 2), cut(skips[1], 4))
        )

    def to_frame(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map (N, 2) row-column positions in the image to (x, y) in the frame (see `image`)."""
        ratio = np.array(self.shape) / np.array(self.embedding.shape)
        half = 0.5 if self.config.dense else 0.0
        yx = (positions + half) * ratio - half - self.corner
        return np.ascontiguousarray(yx[:, ::-1])

    def mask_logits(self, mask: Array, like: Tensor) -> Tensor:
        """Return the window's mask prompt, (1, *size), from an image's mask or from logits."""
        stride, (h, w) = self.config.mask_stride, self.size
        full = torch.from_numpy(mask)[None, None].to(like.device, like.dtype)
        if mask.dtype == bool:  # as the picture: resize, pad, then average over each grid cell
            full = F.interpolate(full, self.shape, mode="bilinear", antialias=True)
            full = F.pad(full, (0, -full.shape[-1] % stride, 0, -full.shape[-2] % stride))
            full = (F.avg_pool2d(full, stride) * 2 - 1) * MASK_LOGIT
        elif self.window[0]:  # logits belong to the finest level
            known = [-(-n // stride) for n in self.embedding.levels[0].shape]
            cells = [-(-n // stride) for n in self.shape]
            full = F.interpolate(full[..., : known[0], : known[1]], cells, mode="area")
        row, column = (n // stride for n in self.corner)
        full = full[0, :, row : row + h, column : column + w]
        return F.pad(full, (0, w - full.shape[-1], 0, h - full.shape[-2]), value=-MASK_LOGIT)

    def masks(self, logits: Tensor) -> NDArray[np.bool_]:
        """Upsample the window's (C, *size) logits to the image and threshold them: (C, H, W)."""
        extent, threshold = self.embedding.shape, self.config.mask_threshold
        if self.config.dense:
            masks = np.zeros((len(logits), *extent), bool)
            sampled, inside = self.sample(logits, extent, extent)
            masks[:, inside[0], inside[1]] = (sampled > threshold).cpu().numpy()
            return masks
        if self.config.stretched:  # the grid spans the picture
            full = F.interpolate(logits[None], extent, mode="bilinear", align_corners=False)
            return (full[0] > threshold).cpu().numpy()
        # The reference's way: to the padded frame, cut the padding off, to the picture. One cell
        # more than the picture needs is enlarged, so that the cut-off padding changes nothing.
        stride = self.config.mask_stride
        h, w = (min(c, -(-n // stride) + 1) for c, n in zip(self.size, self.shape, strict=True))
        size = (h * stride, w * stride)
        full = F.interpolate(logits[None, :, :h, :w], size, mode="bilinear", align_corners=False)
        full = full[..., : self.shape[0], : self.shape[1]]
        if self.shape != extent:
            full = F.interpolate(full, extent, mode="bilinear", align_corners=False)
        result: NDArray[np.bool_] = (full[0] > threshold).cpu().numpy()
        return result

    def whole(self, logits: Tensor) -> Tensor:
        """Resample the window's (C, *size) logits to the finest level's grid: (C, *logits_size)."""
        grid = self.embedding.logits_size
        if self.window[0] == 0 and self.size == grid:
            return logits
        whole = logits.new_full((len(logits), *grid), -MASK_LOGIT)
        h, w = (n / self.config.mask_stride for n in self.embedding.levels[0].shape)
        sampled, inside = self.sample(logits, grid, (h, w))
        whole[:, inside[0], inside[1]] = sampled
        return whole

    def cuts(self, mask: NDArray[np.bool_]) -> bool:
        """Return whether a mask (H, W) touches a side of the window that is no image border."""
        (top, bottom), (left, right) = (
            self._covered(axis, n, n)[[0, -1]] for axis, n in enumerate(mask.shape)
        )
        sides = (
            (top > 0, mask[top]),
            (left > 0, mask[:, left]),
            (bottom < mask.shape[0] - 1, mask[bottom]),
            (right < mask.shape[1] - 1, mask[:, right]),
        )
        return any(inner and bool(side.any()) for inner, side in sides)

    def positions(self, axis: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the image's pixels inside the window along an axis, and their place in the logits.

        Positions count from the centre of the first cell; none lies outside of the outermost two.
        """
        size = self.embedding.shape[axis]
        pixels = self._covered(axis, size, size)
        cells = self._centres(axis, size, size)[pixels] / self.config.mask_stride - 0.5
        return pixels, np.clip(cells, 0, self.size[axis] - 1)

    def _covered(self, axis: int, size: int, extent: float) -> NDArray[np.int64]:
        """Return which of `size` cells have their centre in the window."""
        centres = self._centres(axis, size, extent)
        return np.flatnonzero((centres > 0) & (centres < self.size[axis] * self.config.mask_stride))

    def _centres(self, axis: int, size: int, extent: float) -> NDArray[np.float64]:
        """Return the cells' centres in model pixels from the window's corner."""
        return (np.arange(size, dtype=np.float64) + 0.5) * (
            self.shape[axis] / extent
        ) - self.corner[axis]

    def sample(
        self, logits: Tensor, size: tuple[int, int], extent: tuple[float, float]
    ) -> tuple[Tensor, list[slice]]:
        """Resample the window's logits on a grid on which the image spans `extent` cells.

        Returns
        -------
        (C, h, w) logits of the part that the window covers, and that part's slices.
        """
        inside, positions = [], []
        for axis in (0, 1):
            covered = self._covered(axis, size[axis], extent[axis])
            centres = self._centres(axis, size[axis], extent[axis])[covered]
            window = self.size[axis] * self.config.mask_stride
            inside.append(slice(covered[0], covered[-1] + 1))
            positions.append(torch.from_numpy(2 * centres / window - 1).to(logits))
        y, x = torch.meshgrid(*positions, indexing="ij")
        grid = torch.stack([x, y], dim=-1)[None]
        sampled = F.grid_sample(logits[None], grid, padding_mode="border", align_corners=False)
        return sampled[0], inside


LEVEL_PENALTY = 0.03  # predicted IoU that an answer loses per coarser level: it shows less detail
SAME_IOU = 0.8  # IoU from which two candidates are no choice


def merge(answers: Sequence[tuple[int, Prediction]]) -> Prediction:
    """Merge the candidates of several windows for one prompt; keep as many as each of them has.

    Parameters
    ----------
    answers : sequence of (int, Prediction)
        By how many levels each is coarser than the first window in which the object was looked
        for. Where several compete, scores fall by 0.03 per level.

    Returns
    -------
    Prediction
        Candidates that resemble a better one only if there are no others.
    """
    if len(answers) == 1:
        return answers[0][1]
    count = len(answers[0][1].scores)
    scores = np.concatenate(
        [one.scores - np.float32(LEVEL_PENALTY * coarser) for coarser, one in answers]
    )
    masks = [mask for _, one in answers for mask in one.masks]
    logits = [low for _, one in answers for low in one.logits]
    order = np.argsort(-scores, kind="stable").tolist()
    chosen: list[int] = []
    for k in order:
        if len(chosen) < count and all(_overlap(masks[k], masks[j]) < SAME_IOU for j in chosen):
            chosen.append(k)
    rest = [k for k in order if k not in chosen]
    chosen = sorted(chosen + rest[: count - len(chosen)], key=order.index)
    return Prediction(
        np.stack([masks[k] for k in chosen]), scores[chosen], np.stack([logits[k] for k in chosen])
    )


def _overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return the IoU of two (H, W) masks; two empty ones are the same."""
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0
