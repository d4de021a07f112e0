"""Acceptance of an object's mask on a slice, propagated from one side or from both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from napari_sam.inference.overlaps import RankedMask
from napari_sam.inference.propagation.settings import PropagateSettings, Stop, why_unsure
from napari_sam.masks import CroppedMask
from napari_sam.results import End

__all__ = ["BACKWARD", "FORWARD", "Followed", "Verdict", "judge_between", "judge_outside"]

FORWARD, BACKWARD = 1, -1


@dataclass(frozen=True, eq=False)
class Followed:
    """Result of propagating an object to a slice from one side."""

    mask: CroppedMask | None  # None if it was refused
    score: float  # predicted IoU
    stop: Stop | None = None  # why it is not followed any further


@dataclass(frozen=True, eq=False)
class Verdict:
    """Outcome for an object on a slice: its mask, why it stopped, why it needs review."""

    found: RankedMask | None = None
    stopped: str | None = None
    unsure: str | None = None
    end: End | None = None  # of what was followed from one side


def judge_outside(followed: Followed, settings: PropagateSettings) -> Verdict:
    """Judge an object beyond its outermost anchor."""
    stop, end = (None, None) if followed.stop is None else (followed.stop.why, followed.stop.end)
    if followed.mask is None:
        return Verdict(stopped=stop, end=end)
    found = RankedMask(followed.mask, followed.score)
    return Verdict(found, stop, why_unsure(followed.score, settings), end)


def judge_between(
    sides: Mapping[int, Followed],
    index: int,
    span: tuple[int, int],
    settings: PropagateSettings,
    jumped: bool = False,
) -> Verdict:
    """Judge an object between two anchors: take the nearer one's mask, check that both agree.

    Parameters
    ----------
    sides : mapping
        Results by `FORWARD` and `BACKWARD`, as far as the object was followed.
    index : int
        The slice.
    span : (int, int)
        Slices of the two anchors.
    jumped : bool
        Whether it moved further than its width right beside one of them: nobody can follow it from
        there, so that the mask from the other side alone counts.
    """
    starts = dict(zip((FORWARD, BACKWARD), span, strict=True))
    masks = {way: one.mask for way, one in sides.items() if one.mask is not None}
    stops = [f"from slice {starts[way]} {one.stop.why}" for way, one in sides.items() if one.stop]
    if not masks:
        lost = f"lost between slices {span[0]} and {span[1]}"
        return Verdict(stopped="; ".join(stops) or None, unsure=lost)
    best = min(masks, key=lambda way: (abs(index - starts[way]), -sides[way].score))
    found = RankedMask(masks[best], sides[best].score)
    if len(masks) == 1 and jumped:
        return Verdict(found, unsure=why_unsure(found.score, settings))
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
