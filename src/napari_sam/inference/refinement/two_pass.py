"""Two-pass refinement, and a check that a refined mask is still the same object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from napari_sam.arrays import Array, Labels, LazyArray
from napari_sam.errors import InputError
from napari_sam.inference.mask_prompts import PromptRule, prompts_from
from napari_sam.masks import CroppedMask
from napari_sam.prompts import Prompts
from napari_sam.results import Prediction

__all__ = ["Refined", "check_labels", "predict_two_pass"]

MIN_IOU = 0.5  # IoU with the mask before, below which the answer is another object


@dataclass(frozen=True, eq=False)
class Refined:
    """Mask of one object of a slice before and after refinement."""

    before: CroppedMask
    after: CroppedMask  # the rough one again where the answer was empty or another object
    score: float  # predicted IoU
    unsure: str = ""  # why the rough mask stays; empty if it does not

    @classmethod
    def of(cls, before: CroppedMask, answer: Prediction) -> Refined:
        """Take the best predicted mask, or keep the rough one if their IoU is too low."""
        after, score = CroppedMask.of(answer.masks[0]), float(answer.scores[0])
        overlap = 0.0 if after is None else after.iou(before)
        if after is None or overlap < MIN_IOU:
            why = f"the new mask is too different (IoU {overlap:.2f}); the old one stays"
            return cls(before, before, score, why)
        return cls(before, after, score)

    @property
    def change(self) -> float:
        """Area gained and lost, as a share of the area before.

        Examples
        --------
        >>> bars = [CroppedMask.of(np.ones((1, n), bool)) for n in (10, 12)]
        >>> Refined(*bars, score=0.9).change
        0.2
        """
        before, after = self.before, self.after
        common = before.common(after)
        return round((before.area + after.area - 2 * common) / before.area, 6)


def check_labels(labels: Labels) -> Array:
    """Validate the labels (H, W) of a slice as integers from 0 on and return them.

    Raises
    ------
    InputError
        If they are none, or one is negative.
    """
    if labels.ndim == 2 and labels.dtype == bool:
        return labels.astype(np.uint8)
    if labels.ndim != 2 or labels.dtype.kind not in "iu":
        raise InputError(
            "labels must be whole numbers of shape (H, W); "
            f"got {labels.dtype} of shape {labels.shape}"
        )
    if labels.size and labels.min() < 0:
        raise InputError(f"labels must not be negative; got {labels.min()}")
    return labels


MASK_ONLY = PromptRule(box=False)


def predict_two_pass(
    predict: Callable[[list[Prompts]], list[Prediction]],
    rough: Mapping[int, CroppedMask],
    rule: PromptRule,
    labels: LazyArray,
) -> dict[int, tuple[CroppedMask, Prediction]]:
    """Predict with each rough mask as prompt, then with the prompts of `rule` from the result.

    The box of a rough mask is as rough as the mask; that of the first answer is better (measured:
    see docs/stacks.md). A rule without the mask is asked at once.

    Parameters
    ----------
    predict : callable
        Answers prompts of one picture.
    rough : mapping of int to CroppedMask
        The masks, by id.
    rule : PromptRule
        What of a mask becomes the prompt in the end.
    labels : (H, W) array-like of int
        Where the neighbours are; read around each object.

    Returns
    -------
    dict of int to (CroppedMask, Prediction)
        The mask that was asked with in the end, and the answer.
    """
    masks = dict(rough)
    if rule.mask:
        answers = predict([prompts_from(mask, MASK_ONLY) for mask in masks.values()])
        for (id_, mask), answer in zip(rough.items(), answers, strict=True):
            masks[id_] = Refined.of(mask, answer).after
    asked = [prompts_from(mask, rule, labels, id_) for id_, mask in masks.items()]
    answers = predict(asked)
    return {id_: (masks[id_], answer) for id_, answer in zip(masks, answers, strict=True)}
