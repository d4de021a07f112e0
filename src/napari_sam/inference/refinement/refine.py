"""Refinement of labels of any origin: each object's mask is the prompt."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from napari_sam.arrays import Array, ContrastRange, LazyArray, lazy, plain
from napari_sam.errors import InputError
from napari_sam.inference.mask_prompts import PromptRule
from napari_sam.inference.overlaps import Rank, RankedMask, resolve_overlaps
from napari_sam.inference.predictor import Predictor
from napari_sam.inference.propagation.propagate import Embeddings
from napari_sam.inference.refinement.two_pass import Refined, check_labels, predict_two_pass
from napari_sam.inference.stack import Stack
from napari_sam.masks import cropped_masks, slices
from napari_sam.results import Prediction, Step

__all__ = ["REFINE_RULE", "refine", "refine_stack", "settled"]

COVERED = "more than half of the new mask is another object's; the old one stays"
REFINE_RULE = PromptRule(inside=1)  # measured: see benchmarks/refinement.py


def refine(
    predictor: Predictor,
    image: ArrayLike,
    labels: ArrayLike,
    rule: PromptRule = REFINE_RULE,
    *,
    contrast: ContrastRange | None = None,
    store: Embeddings | None = None,
) -> dict[int, Prediction]:
    """Predict the mask of every object of a label image again, from its rough mask.

    Parameters
    ----------
    predictor : Predictor
        The model.
    image : (H, W), (H, W, 3) or (H, W, 4) array-like
        The picture.
    labels : (H, W) array-like of whole numbers
        Zero is background.
    rule : PromptRule, optional
        What of a mask becomes the prompt; with the mask itself among it, the model is asked twice,
        the first time with the mask alone.
    contrast : (low, high), optional
        Intensities that become black and white; None takes the model's own rule.
    store : object with a method ``get(predictor, image, contrast)``, optional
        Where embeddings are kept.

    Returns
    -------
    dict of int to Prediction
        One mask per object, with its score, by id.

    Raises
    ------
    InputError
        If the labels do not fit the picture, or hold no object.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_sam as ns
    >>> rows, columns = np.indices((48, 64))
    >>> image = np.where(np.hypot(rows - 20, columns - 30) < 9, 180, 20).astype(np.uint8)
    >>> predictor = ns.Predictor(ns.load_model("cells_tiny"))
    >>> rough = (np.hypot(rows - 20, columns - 30) < 12).astype(int)
    >>> sharper = ns.refine(predictor, image, rough)
    >>> int(sharper[1].masks.sum()) < int(rough.sum())
    True
    """
    labels = check_labels(plain(labels, "the labels"))
    known = cropped_masks(labels)
    if not known:
        raise InputError("the labels hold no object; there is nothing to refine")
    embedding = (
        predictor.embed(image, contrast) if store is None else store.get(predictor, image, contrast)
    )
    if labels.shape != embedding.shape:
        raise InputError(
            f"the labels must have the picture's shape {embedding.shape}; got {labels.shape}"
        )
    predict = partial(predictor.predict_batch, embedding)
    answers = predict_two_pass(predict, known, rule, labels)
    return {id_: answer for id_, (_, answer) in answers.items()}


def refine_stack(
    predictor: Predictor,
    stack: LazyArray | ArrayLike,
    labels: LazyArray | ArrayLike,
    rule: PromptRule = REFINE_RULE,
    *,
    contrast: ContrastRange | None = None,
    store: Embeddings | None = None,
    indices: Iterable[int] | None = None,
) -> Generator[Step]:
    """Refine the labels of a stack, slice by slice.

    An object keeps its old mask, and is marked unsure, where the new one is empty or so different
    (IoU below 0.5) that it may be another object, and where others leave under half of the new one.
    Where new masks overlap the better score counts.

    Parameters
    ----------
    predictor, rule, store
        As in `refine`.
    stack : array-like
        (Z, Y, X) or (Z, Y, X, 3), read slice by slice.
    labels : array-like of whole numbers
        (Z, Y, X), read slice by slice.
    contrast : (low, high), optional
        Intensities that become black and white; None finds them in the whole stack, by the
        model's rule.
    indices : iterable of int, optional
        Only these slices.

    Yields
    ------
    Step
        Of every slice with an object, in order; the labels have the dtype of those given.

    Raises
    ------
    InputError
        If the labels do not fit the stack.
    """
    planes = Stack(stack)
    rough = lazy(labels, "the labels")
    shape = (len(planes), *planes.shape)
    if tuple(rough.shape) != shape:
        raise InputError(f"the labels must have the stack's shape {shape}; got {rough.shape}")
    if contrast is None:
        contrast = planes.contrast(predictor.model.entry.intensity)
    chosen = range(len(planes)) if indices is None else indices
    return _refined(predictor, planes, chosen, rough, rule, contrast, store)


def _refined(
    predictor: Predictor,
    planes: Stack,
    indices: Iterable[int],
    labels: LazyArray,
    rule: PromptRule,
    contrast: ContrastRange,
    store: Embeddings | None,
) -> Generator[Step]:
    for index in indices:
        before = check_labels(plain(labels[index], "the labels"))
        known = cropped_masks(before)
        if not known:
            continue
        image = planes.plane(index)
        answers = refine(predictor, image, before, rule, contrast=contrast, store=store)
        got = {id_: Refined.of(known[id_], answer) for id_, answer in answers.items()}
        unsure = {id_: one.unsure for id_, one in got.items() if one.unsure}
        after, covered = settled(got, planes.shape, before.dtype)
        unsure |= dict.fromkeys(covered, COVERED)
        scores = {id_: one.score for id_, one in got.items()}
        yield Step(index, after, scores, unsure=unsure)


def settled(
    got: Mapping[int, Refined],
    shape: tuple[int, int],
    dtype: DTypeLike,
    out: Array | None = None,
) -> tuple[Array, set[int]]:
    """Return the labels (H, W) of a slice, and the objects of which others leave under half.

    Those keep their old masks, which never meet each other. The labels are written into `out`, if
    there is one, which is zero.
    """
    found = {id_: RankedMask(one.after, one.score) for id_, one in got.items()}
    kept: set[int] = set()
    while True:
        labels = resolve_overlaps(found, shape, dtype, out)
        places = {id_: slices(one.mask.box) for id_, one in found.items() if one.mask is not None}
        covered = {
            id_ for id_ in places if id_ not in kept and not (labels[places[id_]] == id_).any()
        }
        if not covered:
            return labels, kept
        kept |= covered
        found |= {id_: RankedMask(got[id_].before, np.nan, Rank.GIVEN) for id_ in covered}
        for place in places.values():
            labels[place] = 0
