"""What came of an object on one slice, from one side or from both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from napari_sam.inference.overlaps import Found
from napari_sam.inference.propagation.settings import PropagateSettings, why_unsure
from napari_sam.masks import CroppedMask

__all__ = ["BACKWARD", "FORWARD", "Outcome", "Verdict", "judge_between", "judge_outside"]

FORWARD, BACKWARD = 1, -1


@dataclass(frozen=True, eq=False)
class Outcome:
    """An object, followed to a slice from one side.

    Parameters
    ----------
    mask : CroppedMask or None
        Its mask; None if the mask was refused.
    score : float
        Predicted IoU.
    stop : str or None
        Why it is not followed any further.
    """

    mask: CroppedMask | None
    score: float
    stop: str | None = None


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a step says of an object: its mask, why it stopped, why it needs a look."""

    found: Found | None = None
    stopped: str | None = None
    unsure: str | None = None


def judge_outside(outcome: Outcome, settings: PropagateSettings) -> Verdict:
    """Judge an object beyond its outermost anchor."""
    if outcome.mask is None:
        return Verdict(stopped=outcome.stop)
    found = Found(outcome.mask, outcome.score)
    return Verdict(found, outcome.stop, why_unsure(outcome.score, settings))


def judge_between(
    sides: Mapping[int, Outcome], index: int, span: tuple[int, int], settings: PropagateSettings
) -> Verdict:
    """Judge an object between two anchors: the mask from the nearer one, if both sides agree.

    Parameters
    ----------
    sides : mapping
        Outcomes by `FORWARD` and `BACKWARD`, as far as the object was followed.
    index : int
        The slice.
    span : (int, int)
        Slices of the two anchors.
    """
    starts = dict(zip((FORWARD, BACKWARD), span, strict=True))
    masks = {way: one.mask for way, one in sides.items() if one.mask is not None}
    stops = [f"from slice {starts[way]} {one.stop}" for way, one in sides.items() if one.stop]
    if not masks:
        lost = f"lost between slices {span[0]} and {span[1]}"
        return Verdict(stopped="; ".join(stops) or None, unsure=lost)
    best = min(masks, key=lambda way: (abs(index - starts[way]), -sides[way].score))
    found = Found(masks[best], sides[best].score)
    if len(masks) == 1:
        only = f"followed from slice {starts[best]} only"
        return Verdict(found, unsure="; ".join([only, *stops]))
    agreement = masks[FORWARD].iou(masks[BACKWARD])
    if agreement < settings.agreement:
        return Verdict(
            found,
            unsure=f"from slice {span[0]} and from slice {span[1]} it looks different "
            f"(IoU {agreement:.2f})",
        )
    return Verdict(found, unsure=why_unsure(found.score, settings))
