"""Rough masks as prompts, asked twice. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from napari_sam.inference.mask_prompts import PromptRule, prompts_from
from napari_sam.inference.patch import Patch
from napari_sam.inference.refined import Refined
from napari_sam.prompts import Prompts
from napari_sam.results import Prediction

__all__ = ["ask_twice"]

ALONE = PromptRule(box=False)


def ask_twice(
    predict: Callable[[list[Prompts]], list[Prediction]],
    shape: tuple[int, int],
    rough: Mapping[int, Patch],
    rule: PromptRule,
    labels: NDArray[Any],
) -> dict[int, tuple[Patch, Prediction]]:
    """Ask with each rough mask alone, then as `rule` wants it with what came back.

    The box of a rough mask is as rough as the mask; that of the first answer is better (measured:
    see docs/stacks.md). A rule without the mask is asked at once.

    Parameters
    ----------
    predict : callable
        Answers prompts of one picture.
    shape : (H, W)
        Of the picture.
    rough : mapping of int to Patch
        The masks, by id.
    rule : PromptRule
        What of a mask becomes the prompt in the end.
    labels : (H, W) int
        Where the neighbours are.

    Returns
    -------
    dict of int to (Patch, Prediction)
        The mask that was asked with in the end, and the answer.
    """
    masks = dict(rough)
    if rule.mask:
        answers = predict([prompts_from(mask, shape, ALONE) for mask in masks.values()])
        for (id_, mask), answer in zip(rough.items(), answers, strict=True):
            masks[id_] = Refined.of(mask, answer).after
    asked = [prompts_from(mask, shape, rule, labels, id_) for id_, mask in masks.items()]
    answers = predict(asked)
    return {id_: (masks[id_], answer) for id_, answer in zip(masks, answers, strict=True)}
