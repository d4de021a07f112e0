"""An answer that does what every click says: another look, another candidate, or a cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_sam.inference.agreement import agrees, can_disagree, cut_between, join
from napari_sam.inference.embedding import Embedding
from napari_sam.inference.windows import MASK_LOGIT, merge
from napari_sam.masks import bounding_box
from napari_sam.model.config import SamConfig
from napari_sam.prompts import Prompts
from napari_sam.results import Prediction

__all__ = ["settle"]

CUT = "No mask of the model agrees with all clicks: it was cut between them."
JOINED = "No mask of the model holds all your include clicks: two were joined."

Answers = list[list[tuple[int, Prediction]]]
Look = Callable[[Sequence[Prompts], bool | None], Answers]
"""Returns the answers to prompts at every scale, as three candidates, one, or by the usual rule."""


def settle(
    prompts: Prompts, answer: Prediction, embedding: Embedding, config: SamConfig, look: Look
) -> Prediction:
    """Return the answer if it agrees with all clicks, else one that does.

    That is what the model says without the mask it was to correct; else the candidate with the best
    score among those of all scales, with and without that mask and the last click; else the answer,
    joined under include clicks and cut between them and the exclude clicks. The score of such a
    mask is that of the model's, times their IoU.

    Parameters
    ----------
    prompts : Prompts
        Of one object.
    answer : Prediction
        The model's.
    embedding : Embedding
        Of the picture.
    config : SamConfig
        Of the model.
    look : callable
        Asks the model again.

    Returns
    -------
    Prediction
        `answer` itself if there is nothing to settle, or nothing that helps.
    """
    if not can_disagree(prompts) or prompts.is_text_alone:
        return answer
    before = _mask_before(prompts, embedding, config)
    if agrees(answer.masks[0], prompts, before):
        return answer
    anew = _without_mask(prompts)
    if anew is not None:
        fresh = merge(look([anew], None)[0])
        if agrees(fresh.masks[0], prompts, before):
            return fresh
        answer = fresh
    others = _others(prompts, anew, look)
    for one in others:
        if agrees(one.masks[0], prompts, before):
            return one
    known = [one.masks[0] for one in others] + ([] if before is None else [before])
    return _made(prompts, answer, known, embedding, config)


def _without_mask(prompts: Prompts) -> Prompts | None:
    """Return the prompts without their mask; None if that leaves no place to look at."""
    places = 1 in prompts.labels or prompts.box is not None
    if prompts.mask is None or not places:
        return None
    return Prompts(prompts.points, prompts.labels, prompts.box, text=prompts.text)


def _others(prompts: Prompts, anew: Prompts | None, look: Look) -> list[Prediction]:
    """Return the other candidates of the model, best score first; of each the only one."""
    asked = [prompts] if anew is None else [anew, prompts]
    points, labels = prompts.points[:-1], prompts.labels[:-1]
    if 1 in labels or prompts.box is not None:
        asked.append(Prompts(points, labels, prompts.box, text=prompts.text))
    found = [
        Prediction(one.masks[k : k + 1], one.scores[k : k + 1], one.logits[k : k + 1])
        for answers in (look([some], True)[0] for some in asked)
        for _, one in answers
        for k in range(len(one.scores))
    ]
    return sorted(found, key=lambda one: -float(one.scores[0]))


def _made(
    prompts: Prompts,
    answer: Prediction,
    known: list[NDArray[np.bool_]],
    embedding: Embedding,
    config: SamConfig,
) -> Prediction:
    """Return the answer, joined and cut; itself if that does not make it agree."""
    whole = join(answer.masks[0], known, prompts)
    mask, said = whole, JOINED
    if (prompts.labels == 0).any():
        levels = _at_pixels(answer.logits[0], embedding, config)
        mask, said = cut_between(whole, levels, prompts), CUT
    if not mask.any() or not agrees(mask, prompts):
        return answer
    union = np.count_nonzero(mask | answer.masks[0])
    share = np.count_nonzero(mask & answer.masks[0]) / union
    logits = _written(answer.logits[0], mask, answer.masks[0], embedding, config)
    return Prediction(mask[None], answer.scores[:1] * np.float32(share), logits[None], said)


def _mask_before(
    prompts: Prompts, embedding: Embedding, config: SamConfig
) -> NDArray[np.bool_] | None:
    """Return the mask that the prompts are to correct, in the picture's pixels."""
    if prompts.mask is None or prompts.mask.dtype == bool:
        return prompts.mask
    before: NDArray[np.bool_] = _at_pixels(prompts.mask, embedding, config) > config.mask_threshold
    return before


def _at_pixels(
    logits: NDArray[np.floating], embedding: Embedding, config: SamConfig
) -> NDArray[np.float32]:
    """Resample logits of the whole picture to its pixels; where they say no, all are alike."""
    found = np.full(embedding.shape, -MASK_LOGIT, np.float32)
    box = bounding_box(logits > config.mask_threshold)
    if box is None:
        return found
    level = embedding.levels[0].shape
    inside, places = [], []
    for axis, (n, m) in enumerate(zip(embedding.shape, level, strict=True)):
        cells = m / n / config.mask_stride  # of a pixel
        first, last = (box[axis] - 1) / cells, (box[axis + 2] + 1) / cells
        inside.append(slice(max(0, int(first)), min(n, int(last) + 1)))
        places.append((np.arange(n)[inside[axis]] + 0.5) * cells - 0.5)
    at = np.meshgrid(*places, indexing="ij")
    found[tuple(inside)] = ndimage.map_coordinates(logits, at, np.float32, 1, "nearest")
    return found


def _written(
    logits: NDArray[np.float32],
    mask: NDArray[np.bool_],
    was: NDArray[np.bool_],
    embedding: Embedding,
    config: SamConfig,
) -> NDArray[np.float32]:
    """Return logits of a mask that was made by hand: sure where it differs from the model's."""
    level = embedding.levels[0].shape
    centres = [
        np.clip(((np.arange(size) + 0.5) * config.mask_stride * n / m).astype(int), 0, n - 1)
        for size, n, m in zip(logits.shape, embedding.shape, level, strict=True)
    ]
    cells = np.ix_(*centres)
    now, then = mask[cells], was[cells]
    sure = np.where(now, np.float32(MASK_LOGIT), np.float32(-MASK_LOGIT))
    return np.where(now == then, logits, sure)
