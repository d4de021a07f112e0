"""Candidates from several scales of a picture, brought together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_sam.results import Prediction

__all__ = ["merge"]

COARSER = 0.03  # predicted IoU that an answer loses per coarser level: it shows less detail
SAME = 0.8  # IoU from which two candidates are no choice


def merge(answers: Sequence[tuple[int, Prediction]]) -> Prediction:
    """Return the best candidates of all answers to one prompt, as many as each of them has.

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
        [one.scores - np.float32(COARSER * coarser) for coarser, one in answers]
    )
    masks = [mask for _, one in answers for mask in one.masks]
    logits = [low for _, one in answers for low in one.logits]
    order = np.argsort(-scores, kind="stable").tolist()
    chosen: list[int] = []
    for k in order:
        if len(chosen) < count and all(_overlap(masks[k], masks[j]) < SAME for j in chosen):
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
