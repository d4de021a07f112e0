"""Simulated prompts: a point, a box or a rough mask, then corrections (paper, appendix A).

Masks lie on the grid of the low-resolution logits; coordinates are (x, y) in frame pixels, such
that the network's own half pixel leads to the centre of a grid cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_sam.data.deepest import bounding_slices, deepest_point

__all__ = [
    "SURE",
    "SimulatedPrompts",
    "corrections",
    "corrupt",
    "first_prompt",
    "lone_clicks",
    "next_clicks",
    "noisy_box",
    "random_points",
    "with_neighbour",
]

BOX_NOISE = 0.1  # largest standard deviation, as a share of the side
BOX_NOISE_LIMIT = 20 / 1024  # of the view: the paper's 20 pixels of its frame
SURE = 8.0  # logits of a mask that is drawn
MIDDLE = 0.5  # of the clicks go to the middle, as most people's do


@dataclass
class SimulatedPrompts:
    """Simulated prompts so far for B objects of one image.

    Parameters
    ----------
    points : (B, N, 2) float32
    labels : (B, N) int64
    boxes : (B, 4) float32, optional
    masks : (B, h, w) float32, optional
        Logits.
    """

    points: NDArray[np.float32]
    labels: NDArray[np.int64]
    boxes: NDArray[np.float32] | None = None
    masks: NDArray[np.float32] | None = None

    @property
    def is_lone_point(self) -> bool:
        """True if the prompt is a single point."""
        return self.points.shape[1] == 1 and self.boxes is None and self.masks is None

    def add(self, points: NDArray[np.float32], labels: NDArray[np.int64]) -> None:
        """Append one point per object: (B, 2) and (B,)."""
        self.points = np.concatenate([self.points, points[:, None]], axis=1)
        self.labels = np.concatenate([self.labels, labels[:, None]], axis=1)


def first_prompt(
    truth: NDArray[np.bool_], stride: int, rng: np.random.Generator
) -> SimulatedPrompts:
    """Return a point or a box with equal chance; a quarter of the time with a rough mask.

    Parameters
    ----------
    truth : (B, h, w) bool
        True masks, each with at least one pixel.
    stride : int
        Frame pixels per grid cell.
    """
    n = len(truth)
    nothing = SimulatedPrompts(np.zeros((n, 0, 2), np.float32), np.zeros((n, 0), np.int64))
    rough = rng.random() < 0.25
    if rough:
        masks = [np.where(corrupt(t, rng), SURE, -SURE) for t in truth]
        nothing.masks = np.stack(masks).astype(np.float32)
    if rough and rng.random() < 0.5:
        return nothing
    if not rough and rng.random() < 0.5:
        return lone_clicks(truth, stride, rng)
    nothing.boxes = np.stack([noisy_box(t, stride, rng) for t in truth])
    return nothing


def lone_clicks(
    regions: NDArray[np.bool_], stride: int, rng: np.random.Generator
) -> SimulatedPrompts:
    """Return one include click in each (B, h, w) region."""
    clicks = random_points(regions, stride, rng)[:, None]
    return SimulatedPrompts(clicks, np.ones(clicks.shape[:2], np.int64))


def with_neighbour(labels: NDArray[np.int32], i: int) -> NDArray[np.bool_] | None:
    """Return object `i` and the one it touches most as one mask (h, w); None if it touches none.

    As an answer it calls for an exclude click, which must then take the neighbour away.
    """
    mask = labels == i
    touching = np.bincount(labels[ndimage.binary_dilation(mask, iterations=2) & ~mask])
    if not touching[1:].any():
        return None
    neighbour = 1 + int(touching[1:].argmax())
    both: NDArray[np.bool_] = mask | (labels == neighbour)
    return both


def noisy_box(
    mask: NDArray[np.bool_], stride: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the bounding box x0, y0, x1, y1 of a mask, jittered by up to 10 % of the side.

    The paper's 10 % is the most here: a quarter of a cell may be missing from such a box, and who
    is only shown these learns to overrule a careful one. Each box draws its own care.
    """
    rows, columns = bounding_slices(mask)
    low = np.array([columns.start, rows.start], dtype=float) * stride
    high = np.array([columns.stop, rows.stop], dtype=float) * stride
    side = high - low
    limit = BOX_NOISE_LIMIT * max(mask.shape) * stride
    spread = rng.random() * np.tile(np.minimum(BOX_NOISE * side, limit), 2)
    noise = np.clip(rng.normal(size=4) * spread, -limit, limit)
    x0, y0, x1, y1 = np.concatenate([low, high]) + noise - 0.5
    least = float(stride)  # a box never turns inside out
    return np.array([x0, y0, max(x1, x0 + least), max(y1, y0 + least)], dtype=np.float32)


def next_clicks(
    truth: NDArray[np.bool_], predicted: NDArray[np.bool_], stride: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return a point in each error region: label 1 in a false negative, 0 in a false positive.

    Where nothing is wrong the click confirms the object.

    Returns
    -------
    points : (B, 2) float32
    labels : (B,) int64
    """
    wrong = truth ^ predicted
    right = ~wrong.any(axis=(1, 2))
    wrong[right] = truth[right]
    points = random_points(wrong, stride, rng)
    cells = ((points + 0.5) / stride).astype(int)
    labels = truth[np.arange(len(truth)), cells[:, 1], cells[:, 0]].astype(np.int64)
    return points, labels


def corrections(clicks: int, rng: np.random.Generator) -> list[bool]:
    """Return which of the rounds after the first add a new point.

    Two rounds bring none, so that a mask alone is made better, too: one at a random place among
    the clicks, one at the end. With 8 clicks and the first prompt these are the paper's 11 rounds.

    Examples
    --------
    >>> corrections(2, np.random.default_rng(0))
    [True, True, False, False]
    >>> corrections(0, np.random.default_rng(0))
    []
    """
    if clicks == 0:
        return []
    rounds = [True] * clicks
    rounds.insert(int(rng.integers(clicks + 1)), False)
    return [*rounds, False]


def corrupt(mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return a rough mask: dilated, eroded, shifted or partly cut away, never empty."""
    size = max(1.0, np.sqrt(mask.sum()))
    reach = int(rng.integers(1, max(2, round(0.15 * size)) + 1))
    kind = rng.integers(4)
    if kind == 0:
        rough = ndimage.binary_dilation(mask, iterations=reach)
    elif kind == 1:
        rough = ndimage.binary_erosion(mask, iterations=reach)
    elif kind == 2:
        shift = rng.integers(-reach, reach + 1, size=2)
        rough = np.zeros_like(mask)
        rows, columns = np.nonzero(mask)
        inside = np.s_[
            np.clip(rows + shift[0], 0, mask.shape[0] - 1),
            np.clip(columns + shift[1], 0, mask.shape[1] - 1),
        ]
        rough[inside] = True
    else:  # coarse, as if drawn with a thick brush
        noise = ndimage.gaussian_filter(rng.normal(size=mask.shape), reach + 1)
        soft = ndimage.gaussian_filter(mask.astype(float), reach)
        rough = soft + 0.3 * noise / (noise.std() + 1e-9) > 0.5
    return rough if rough.any() else mask


def random_points(
    regions: NDArray[np.bool_], stride: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Sample a cell of each (B, h, w) region, its deepest or any: (B, 2) as (x, y)."""
    cells = np.array([_cell(region, rng) for region in regions])
    return ((cells[:, ::-1] + 0.5) * stride - 0.5).astype(np.float32)


def _cell(region: NDArray[np.bool_], rng: np.random.Generator) -> tuple[int, int]:
    if rng.random() < MIDDLE:
        return deepest_point(region)
    row, column = divmod(int(rng.choice(np.flatnonzero(region))), region.shape[1])
    return row, column
