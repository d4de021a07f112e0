"""Through which windows of an embedding many points are looked at, so that few serve all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_sam.inference.view import Window
from napari_sam.model.config import SamConfig

__all__ = ["Look", "looks"]

STEP = 8  # tokens between windows: a point is at most four of 32 away from a window's middle
CLOSEST = 2.0  # times the picture's own scale; from nearer, a whole cell seldom fits a window


@dataclass(frozen=True, eq=False)
class Look:
    """A window, and the points (N, 2) that are looked at through it."""

    window: Window
    points: NDArray[np.float64]


def looks(
    config: SamConfig,
    shape: tuple[int, int],
    levels: Sequence[tuple[int, int]],
    points: NDArray[np.float64],
    coarser: NDArray[np.float64],
) -> list[Look]:
    """Return the windows for points, finest level first.

    SAM's own sizes look at the whole picture. The dense model looks at every level, finest at that
    of twice the picture's scale; each finds objects of another size.

    Parameters
    ----------
    config : SamConfig
        Of the model.
    shape : (H, W)
        Of the picture.
    levels : sequence of (h, w)
        As `Predictor.scales` gives them.
    points, coarser : (N, 2) float
        Row and column in the picture; on coarser levels objects are larger, so fewer will do.
    """
    if not config.dense:
        return [Look((0, 0, 0), points)]
    finest = next(
        (i for i, size in enumerate(levels) if max(size) <= CLOSEST * max(shape)), len(levels) - 1
    )
    found = []
    for level in range(finest, len(levels)):
        some = points if level == finest else coarser
        tokens = -(-np.array(levels[level]) // 32) * 32 // config.stride
        at = (some + 0.5) * np.divide(levels[level], shape) / config.stride
        start = np.round((at - config.grid / 2) / STEP).astype(int) * STEP
        start = np.clip(start, 0, np.maximum(tokens - config.grid, 0))
        groups: dict[tuple[int, int], list[int]] = defaultdict(list)
        for i, (row, column) in enumerate(start.tolist()):
            groups[row, column].append(i)
        found += [Look((level, *corner), some[members]) for corner, members in groups.items()]
    return found
