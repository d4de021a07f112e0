"""Acceptance of an object's mask on a slice, propagated from one side or from both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from napari_sam.between import averaged, interpolated_at
from napari_sam.inference.overlaps import RankedMask
from napari_sam.inference.propagation.settings import PropagateSettings, Stop, why_unsure
from napari_sam.masks import CroppedMask
from napari_sam.results import End

__all__ = ["BACKWARD", "FORWARD", "Followed", "Verdict", "judge_between", "judge_outside"]

FORWARD, BACKWARD = 1, -1
DRAWN = {0: 1.0, 1: 0.5, 2: 0.3}
"""Weight of the mask drawn between two anchors, by how many were followed to it; measured."""


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
    marked: tuple[CroppedMask, CroppedMask] | None = None,
) -> Verdict:
    """Judge an object between two anchors: check that both sides agree, and average them.

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
    marked : (CroppedMask, CroppedMask), optional
        The masks of the two anchors, if both have one and both sides are known. Then the mask is
        the mean, by signed distance, of those followed, which count by how near they come from, and
        of one drawn between the anchors. Without them, or where the two sides differ, it is that
        from the nearer side.
    """
    starts = dict(zip((FORWARD, BACKWARD), span, strict=True))
    masks = {way: one.mask for way, one in sides.items() if one.mask is not None}
    stops = [f"from slice {starts[way]} {one.stop.why}" for way, one in sides.items() if one.stop]
    agreement = masks[FORWARD].iou(masks[BACKWARD]) if len(masks) == 2 else 1.0
    mean = None
    if marked is not None and agreement >= settings.agreement:
        mean = _mean(masks, index, span, marked)
    if not masks:
        lost = f"lost between slices {span[0]} and {span[1]}"
        if mean is None:
            return Verdict(None, "; ".join(stops) or None, lost)
        drawn = RankedMask(mean, 0.0)  # what was followed to this slice goes first
        return Verdict(drawn, "; ".join(stops) or None, f"{lost}; drawn between them")
    best = min(masks, key=lambda way: (abs(index - starts[way]), -sides[way].score))
    found = RankedMask(mean or masks[best], sides[best].score)
    if len(masks) == 1 and jumped:
        return Verdict(found, unsure=why_unsure(found.score, settings))
    if len(masks) == 1:
        only = f"followed from slice {starts[best]} only"
        return Verdict(found, unsure="; ".join([only, *stops]))
    if agreement < settings.agreement:
        return Verdict(
            found,
            unsure=f"from slice {span[0]} and from slice {span[1]} it looks different "
            f"(IoU {agreement:.2f})",
        )
    return Verdict(found, unsure=why_unsure(found.score, settings))


def _mean(
    masks: Mapping[int, CroppedMask],
    index: int,
    span: tuple[int, int],
    marked: tuple[CroppedMask, CroppedMask],
) -> CroppedMask | None:
    """Return the mean of what was followed to a slice and what is drawn between the anchors."""
    share = (index - span[0]) / (span[1] - span[0])
    drawn, weight = interpolated_at(*marked, share), DRAWN[len(masks)]
    near = {FORWARD: 1 - share, BACKWARD: share}
    total = sum(near[way] for way in masks) or 1.0
    weights = [(1 - weight) * near[way] / total for way in masks]
    return averaged([*masks.values(), drawn], [*weights, weight])
