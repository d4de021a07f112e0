"""Settings of a propagation, and its stopping criteria."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.inference.mask_prompts import PromptRule
from napari_sam.masks import CroppedMask
from napari_sam.results import End

__all__ = [
    "Carried",
    "Direction",
    "PropagateSettings",
    "Stop",
    "leaves",
    "why_stop",
    "why_unsure",
]

Direction = Literal["both", "forward", "backward"]
BOX = PromptRule(mask=False)  # measured: see benchmarks/propagation.py


@dataclass(frozen=True)
class PropagateSettings:
    """Settings of a propagation: direction, limits, prompts and stopping criteria.

    Parameters
    ----------
    direction : {"both", "forward", "backward"}
        Which way to go from the outermost anchors of an object; between two anchors it is always
        followed from both.
    first, last : int, optional
        Only from and to these slices (both included); None is the end of the stack.
    only : collection of int, optional
        Follow these objects; the others in the seeds stay as they are, and are not written over.
        None follows all.
    prompt : PromptRule
        What of the last mask becomes the prompt on the next slice; a memory needs none.
    min_score : float
        Stop below this predicted IoU.
    min_relative_score : float
        Stop below this share of the object's best predicted IoU so far.
    min_overlap : float
        Stop below this IoU with the mask on the slice before.
    max_area_change : float
        Stop if the area changes by more than this factor from one slice to the next.
    min_likeness : float
        Stop if what the image encoder sees under the last mask is less like (cosine) what it saw
        there on the slice before; 0 never stops.
    sure_score : float
        A mask below this predicted IoU is marked for review.
    agreement : float
        Between two anchors: masks from both sides with a lower IoU are marked for review.

    Raises
    ------
    InputError
        For values out of range.

    Examples
    --------
    >>> PropagateSettings(direction="forward", first=2, min_score=0.5).limits(10)
    (2, 9)
    """

    direction: Direction = "both"
    first: int | None = None
    last: int | None = None
    only: Collection[int] | None = None
    prompt: PromptRule = BOX
    min_score: float = 0.4
    min_relative_score: float = 0.8
    min_overlap: float = 0.3
    max_area_change: float = 2.0
    min_likeness: float = 0.75
    sure_score: float = 0.6
    agreement: float = 0.7

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.direction not in get_args(Direction):
            raise InputError(
                f"direction must be one of {get_args(Direction)}; got {self.direction!r}"
            )
        for name in (
            *("min_score", "min_relative_score", "min_overlap", "min_likeness"),
            *("sure_score", "agreement"),
        ):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must be from 0 to 1; got {getattr(self, name)}")
        if not self.max_area_change >= 1:
            raise InputError(f"max_area_change must be 1 or more; got {self.max_area_change}")

    def limits(self, length: int) -> tuple[int, int]:
        """Return the first and the last slice of the propagation, in a stack of `length` slices.

        Examples
        --------
        >>> PropagateSettings(first=3).limits(10)
        (3, 9)
        """
        first = 0 if self.first is None else self.first
        last = length - 1 if self.last is None else self.last
        if not 0 <= first <= last < length:
            raise InputError(
                f"the limits must lie in the stack's slices 0 to {length - 1}, the first not "
                f"after the last; got {first} and {last}"
            )
        return first, last


@dataclass(frozen=True, eq=False)
class Carried:
    """State of an object that is propagated from slice to slice."""

    mask: CroppedMask  # on the last slice
    best: float  # predicted IoU so far, on any slice; 0 if none was predicted
    largest: int  # area since the anchor
    at_edge: bool  # whether it touched the edge of the picture at the anchor
    seen: NDArray[np.float32]  # (C,), its `appearance` on the last slice

    @classmethod
    def start(cls, mask: CroppedMask, best: float, seen: NDArray[np.float32]) -> Carried:
        """Return the state of an object at an anchor."""
        return cls(mask, best, mask.area, mask.touches_edge, seen)

    def onward(self, mask: CroppedMask, best: float, seen: NDArray[np.float32]) -> Carried:
        """Return the state after propagation to the next slice."""
        return Carried(mask, best, max(self.largest, mask.area), self.at_edge, seen)


@dataclass(frozen=True)
class Stop:
    """Reason to follow an object no further.

    Parameters
    ----------
    why : str
        The reason, with its figures.
    end : End
        What it says of the object.
    """

    why: str
    end: End


def why_stop(
    mask: CroppedMask | None,
    score: float,
    alike: float,
    carried: Carried,
    settings: PropagateSettings,
) -> Stop | None:
    """Return the reason to reject a predicted mask and stop the propagation, or None.

    Parameters
    ----------
    mask : CroppedMask or None
        What was found.
    score : float
        Its predicted IoU.
    alike : float
        `likeness` of this slice and the one before under the last mask.
    carried : Carried
        The object as it came.
    settings : PropagateSettings
        The limits.

    Examples
    --------
    >>> small, large = (CroppedMask.of(np.ones((n, n), bool), shape=(9, 9)) for n in (4, 8))
    >>> carried = Carried(small, 0.9, 16, False, np.ones(1, np.float32))
    >>> why_stop(large, 0.9, 1.0, carried, PropagateSettings()).why
    'the area jumps from 16 to 64 pixels'
    """
    before = carried.mask
    if mask is None:
        return Stop("no mask found", End.GONE)
    if score < settings.min_score:
        return Stop(f"the predicted IoU is only {score:.2f}", End.GONE)
    if score < settings.min_relative_score * carried.best:
        return Stop(f"the predicted IoU falls from {carried.best:.2f} to {score:.2f}", End.GONE)
    if max(mask.area / before.area, before.area / mask.area) > settings.max_area_change:
        end = End.GROWN if mask.area > before.area else End.GONE
        return Stop(f"the area jumps from {before.area} to {mask.area} pixels", end)
    overlap = mask.iou(before)
    if overlap < settings.min_overlap:
        return Stop(f"the overlap with the slice before is only {overlap:.2f} (IoU)", End.MOVED)
    if alike < settings.min_likeness:
        why = f"its place looks different from the slice before (likeness {alike:.2f})"
        return Stop(why, End.GONE)
    return None


def leaves(mask: CroppedMask, carried: Carried) -> Stop | None:
    """Return the reason to stop the propagation after an accepted mask, or None.

    That is when most of it has left the picture: it has come to the edge and lost half its area.
    """
    gone = not carried.at_edge and mask.touches_edge and mask.area < carried.largest / 2
    return Stop("it leaves the picture at its edge", End.EDGE) if gone else None


def why_unsure(score: float, settings: PropagateSettings) -> str | None:
    """Return the reason why a person should review an accepted mask, or None."""
    if score < settings.sure_score:
        return f"the predicted IoU is only {score:.2f}"
    return None
