"""Results of a model: predictions, proposals, steps of a propagation. Numpy only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_sam.arrays import Array, Labels
from napari_sam.errors import InputError
from napari_sam.masks import Box, CroppedMask, PlaneMask, WindowMask, slices

__all__ = ["End", "PlaneMasks", "Prediction", "Proposal", "SearchResult", "Step", "roundness"]


class PlaneMasks:
    """Masks (C, H, W) of a large plane, of which only windows are held; indexed like an array.

    Parameters
    ----------
    masks : sequence of WindowMask
        C masks of one plane.

    Examples
    --------
    >>> one = WindowMask((9000, 9000), (40, 50), np.ones((2, 2), bool))
    >>> masks = PlaneMasks([one])
    >>> masks.shape, len(masks), masks[0].sum(), masks[:, 40:42, 49:51].tolist()
    ((1, 9000, 9000), 1, 4, [[[False, True], [False, True]]])
    """

    dtype = np.dtype(bool)

    def __init__(self, masks: Sequence[WindowMask]) -> None:
        self._masks = list(masks)
        self.shape: tuple[int, int, int] = (len(masks), *masks[0].shape)

    def __len__(self) -> int:
        return len(self._masks)

    def __getitem__(self, index: Any) -> Any:
        which, *where = index if isinstance(index, tuple) else (index,)
        if isinstance(which, slice):
            return np.stack([one[tuple(where)] for one in self._masks[which]])
        mask = self._masks[int(which)]
        return mask[tuple(where)] if where else mask

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.stack([np.asarray(one, dtype) for one in self._masks])


@dataclass(frozen=True, eq=False)
class Prediction:
    """Candidate masks for one object, best predicted IoU first.

    Parameters
    ----------
    masks : (C, H, W) bool, or PlaneMasks
        Masks in the picture's own pixels; of a large picture only windows are held.
    scores : (C,) float32
        Predicted IoU.
    logits : (C, h, w) float32
        Low-resolution logits of the whole picture, or of the tile of a large one.
    remark : str
        What was done to the model's own mask so that it agrees with all clicks, or what is wrong
        with it; empty for nothing.
    tile : Box, optional
        The part of a large picture in which the object was looked for; None for the whole picture.

    Examples
    --------
    >>> logits = np.zeros((1, 2, 2), np.float32)
    >>> answer = Prediction(np.ones((1, 8, 8), bool), np.array([0.9], np.float32), logits)
    >>> int(answer.masks[0].sum())
    64
    """

    masks: Any  # most of the package sees arrays only
    scores: NDArray[np.float32]
    logits: NDArray[np.float32]
    remark: str = ""
    tile: Box | None = None

    def seed(self, index: int) -> NDArray[np.float32] | PlaneMask | None:
        """Return what to feed back as ``Prompts(mask=...)`` to refine a candidate.

        The logits say more than the mask, but only where they are those of the whole picture; in a
        large one it is the mask, or None if that is empty.
        """
        if self.tile is None:
            logits: NDArray[np.float32] = self.logits[index]
            return logits
        mask: PlaneMask = self.masks[index]
        return mask if mask.any() else None


class End(Enum):
    """How an object's way through a stack ends; the value says it in words."""

    EDGE = "leaves the picture"
    GONE = "is not there any more"
    MOVED = "is further away than its own width"
    GROWN = "is much larger at once"
    TAKEN = "has another object in its place"


@dataclass(frozen=True, eq=False)
class Step:
    """Labels of one slice after a step; a later step of the same slice replaces it.

    Parameters
    ----------
    index : int
        Which slice.
    labels : (Y, X) int
        All objects known there: those given and those found, zero elsewhere.
    scores : dict of int to float
        Predicted IoU of the objects that were found, by id; a given mask has none.
    stopped : dict of int to str
        Objects that are not followed past this slice, and why.
    unsure : dict of int to str
        Objects that a person should look at here, and why; also one that is missing here.
    ends : dict of int to End
        What kind of end each of `stopped` is; none for those that are lost between two anchors.

    Examples
    --------
    >>> step = Step(3, np.eye(2, dtype=int), {1: 0.8}, stopped={1: "it leaves the picture"})
    >>> step.index, step.stopped[1]
    (3, 'it leaves the picture')
    """

    index: int
    labels: Labels
    scores: Mapping[int, float]
    stopped: Mapping[int, str] = field(default_factory=dict)
    unsure: Mapping[int, str] = field(default_factory=dict)
    ends: Mapping[int, End] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Proposal:
    """Mask of one object that was found automatically, with scores; made by `Proposal.of`.

    The masks of two proposals may overlap.

    Parameters
    ----------
    cropped : CroppedMask
        Its mask, packed, so that thousands fit in memory.
    score : float
        Predicted IoU.
    stability : float
        IoU of the mask with itself at a stricter and at a laxer threshold.
    point : (float, float)
        Row and column of the prompt.
    crop : Box
        The part of the picture that it was found in.
    area : int
        Pixels.
    roundness : float
        4 pi area / perimeter^2, at most 1: that of a disc.
    intensity : float
        Mean of the picture under the mask, over all channels, in the picture's own units.

    Examples
    --------
    >>> mask = np.zeros((4, 6), bool)
    >>> mask[1:3, 2:5] = True
    >>> one = Proposal.of(mask, np.arange(24).reshape(4, 6), score=0.9, stability=1, point=(1, 3))
    >>> one.corner, one.size, one.area, one.intensity, one.touches_edge
    ((1, 2), (2, 3), 6, 12.0, False)
    >>> (one.mask == mask).all()
    np.True_
    """

    cropped: CroppedMask
    score: float
    stability: float
    point: tuple[float, float]
    crop: Box
    area: int
    roundness: float
    intensity: float

    @classmethod
    def of(
        cls,
        mask: NDArray[np.bool_],
        image: Array,
        *,
        score: float,
        stability: float,
        point: tuple[float, float],
        crop: Box | None = None,
        corner: tuple[int, int] = (0, 0),
    ) -> Proposal:
        """Create a proposal: pack the mask, measure area, roundness and mean intensity.

        Parameters
        ----------
        mask : (h, w) bool
            The mask, or a part of the picture that holds all of it.
        image : (H, W) or (H, W, C) ndarray
            The picture; values that are not finite do not count.
        score, stability, point, crop
            See the class; the crop is the whole picture where it is left out.
        corner : (int, int)
            Row and column in the picture of the first pixel of `mask`.

        Raises
        ------
        InputError
            If the mask is empty, or leaves the picture.
        """
        height, width = image.shape[:2]
        ends = np.add(corner, mask.shape)
        if min(corner) < 0 or (ends > (height, width)).any():
            raise InputError(
                f"a mask of shape {mask.shape} at {corner} leaves the picture of shape "
                f"{(height, width)}"
            )
        cropped = CroppedMask.of(mask, corner, (height, width))
        if cropped is None:
            raise InputError("a proposal needs at least one pixel; the mask is empty")
        patch, area = cropped.crop(), cropped.area
        return cls(
            cropped,
            float(score),
            float(stability),
            (float(point[0]), float(point[1])),
            crop or (0, 0, height, width),
            area,
            roundness(patch, area),
            _mean(image[slices(cropped.box)][patch]),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the picture."""
        return self.cropped.shape

    @property
    def corner(self) -> tuple[int, int]:
        """Row and column of the box's upper left pixel."""
        return self.cropped.corner

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the box."""
        return self.cropped.size

    @property
    def box(self) -> tuple[slice, slice]:
        """Slices that index the bounding box in the image."""
        return slices(self.cropped.box)

    @property
    def patch(self) -> NDArray[np.bool_]:
        """The (h, w) mask inside the box."""
        return self.cropped.crop()

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The (H, W) mask in the picture."""
        return self.cropped.full()

    @property
    def touches_edge(self) -> bool:
        """Whether the mask touches the border of the image."""
        return self.cropped.touches_edge


def roundness(patch: NDArray[np.bool_], area: int) -> float:
    """Return the roundness of a mask (h, w) of this area: 1 is a disc, long and ragged is less."""
    return min(1.0, 4 * math.pi * area / _perimeter(patch) ** 2)


def _perimeter(patch: NDArray[np.bool_]) -> float:
    """Return the length of the outline by Crofton's formula: crossings of lines in 4 directions."""
    padded = np.pad(patch, 1)
    straight = np.count_nonzero(padded[1:] != padded[:-1])
    straight += np.count_nonzero(padded[:, 1:] != padded[:, :-1])
    diagonal = np.count_nonzero(padded[1:, 1:] != padded[:-1, :-1])
    diagonal += np.count_nonzero(padded[1:, :-1] != padded[:-1, 1:])
    return math.pi / 8 * float(straight + diagonal / math.sqrt(2))


def _mean(values: Array) -> float:
    """Return the mean of the finite values; NaN if there are none."""
    if np.issubdtype(values.dtype, np.floating):
        values = values[np.isfinite(values)]
    return float(values.mean(dtype=np.float64)) if values.size else math.nan


class SearchResult(NamedTuple):
    """Result of one step of a search: new proposals, and at the end those that are kept.

    Parameters
    ----------
    found : list of Proposal
        What was found since the last step; several may be one object.
    kept : list of Proposal, optional
        With the last step, of all that were found one for each object, best first; None before.
    """

    found: list[Proposal]
    kept: list[Proposal] | None = None
