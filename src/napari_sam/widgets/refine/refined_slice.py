"""Refinement of one slice of rough labels in the model's thread."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import find_boundaries

from napari_sam.inference.mask_prompts import PromptRule, prompts_from
from napari_sam.inference.refinement.two_pass import Refined, check_labels, predict_two_pass
from napari_sam.masks import CroppedMask, cropped_masks, slices
from napari_sam.planes import Plane
from napari_sam.serving.segmenter import StoredSegmenter
from napari_sam.session.draft import Draft
from napari_sam.widgets.common.wording import count
from napari_sam.widgets.jobs.piecework import Piece
from napari_sam.widgets.jobs.plane import EmbeddedPlane

__all__ = ["RefinedSlice", "change_outlines", "refine_slice", "summary"]

AT_ONCE = 16  # objects between two looks at what is more urgent
BEFORE, AFTER = 1, 2  # in the picture of changes


class RefinedSlice(NamedTuple):
    """Refined objects of a plane by rough label, each with the draft of its prompts."""

    plane: Plane
    shape: tuple[int, int]
    found: dict[int, tuple[Refined, Draft]]


def refine_slice(
    plane: Plane,
    shape: tuple[int, int],
    read: Callable[[], np.ndarray],
    look: EmbeddedPlane,
    rule: PromptRule,
    only: Collection[int] | None = None,
) -> Piece:
    """Return a job that refines the labels of a plane and returns a `RefinedSlice`.

    Parameters
    ----------
    plane : Plane
        Which.
    shape : (H, W)
        Of the plane.
    read : callable
        Reads its labels.
    look : EmbeddedPlane
        Its picture.
    rule : PromptRule
        What of a mask becomes the prompt.
    only : collection of int, optional
        The labels to refine; None for all.
    """

    def piece(segmenter: StoredSegmenter, pause: Callable[[], None]) -> RefinedSlice:
        labels = check_labels(read())
        rough = cropped_masks(labels)
        wanted = [id_ for id_ in rough if only is None or id_ in only]
        found: dict[int, tuple[Refined, Draft]] = {}
        if not wanted:
            return RefinedSlice(plane, shape, found)
        embedding = look.embedding(segmenter, lambda *_: None, pause)
        for first in range(0, len(wanted), AT_ONCE):
            pause()
            ids = wanted[first : first + AT_ONCE]
            some = {id_: rough[id_] for id_ in ids}
            predict = partial(segmenter.predict_batch, embedding, pause=pause)
            for id_, (mask, answer) in predict_two_pass(predict, some, rule, labels).items():
                asked = prompts_from(mask, rule, labels, id_)
                box = None if asked.box is None else tuple(map(float, asked.box))
                draft = Draft(
                    plane,
                    tuple((float(row), float(column)) for row, column in asked.points),
                    tuple(map(int, asked.labels)),
                    box,  # type: ignore[arg-type]
                    mask,
                )
                found[id_] = Refined.of(rough[id_], answer), draft
        return RefinedSlice(plane, shape, found)

    return piece


def summary(results: Sequence[RefinedSlice]) -> str:
    """Return a summary of the changes as text; empty if there are none."""
    all_of_them = [one for result in results for one, _ in result.found.values()]
    if not all_of_them:
        return ""
    kept = sum(bool(one.unsure) for one in all_of_them)
    ids = {id_ for result in results for id_ in result.found}
    planes = sum(bool(result.found) for result in results)
    change = 100 * median(one.change for one in all_of_them)
    scores = [one.score for one in all_of_them]
    text = (
        f"{count(len(ids), 'object')} on {count(planes, 'slice')}: median change {change:.0f} % "
        f"of the area, quality {min(scores):.2f} to {max(scores):.2f}. "
    )
    if kept:
        text += f"{count(kept, 'mask')} would stay: the answer was another object or nothing. "
    return text + "Dashed yellow: before. Blue: after."


def change_outlines(
    shape: tuple[int, int],
    before: Mapping[int, CroppedMask],
    after: Mapping[int, CroppedMask],
) -> NDArray[np.uint8]:
    """Return an (H, W) image of outlines: BEFORE dashed, AFTER on top."""
    shown = np.zeros(shape, np.uint8)
    canvas = np.zeros(shape, np.int32)
    rows, columns = np.indices(shape, sparse=True)
    dashes = (rows + columns) // 3 % 2 == 0
    for value, masks in ((BEFORE, before), (AFTER, after)):
        canvas[:] = 0
        for id_, mask in masks.items():
            canvas[slices(mask.box)][mask.crop()] = id_
        edge = find_boundaries(canvas, mode="inner")
        shown[edge & dashes if value == BEFORE else edge] = value
    return shown
