"""Do two clicks tell touching objects apart? ``python -m benchmarks.exclude DATA ...``.

Pairs of objects that touch, of pictures held out (or with ``--trained`` of those trained on): an
include click at the deepest place of the first and an exclude click at that of the second, as in
the panel, where the second click corrects the answer to the first. Told apart is a pair if the
mask's IoU with the first object is at least 0.5 and it covers less than 10 % of the second. The
peer, in the same run, is the decoder's own answer (the rule before 2026-11). Printed are shares of
all pairs and of those that the first click alone merges (half or more of the second covered), how
many answers the rule changed, and whether single clicks and boxes stay as the decoder gives them,
bit by bit.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.seeds import middle
from benchmarks.thresholds import pictures
from napari_sam import Predictor, Prompts, load_model
from napari_sam.data.samples import LabelledImage
from napari_sam.evaluation.evaluate import box_prompt, mask_iou
from napari_sam.inference.embedding import Embedding
from napari_sam.inference.masks import depth
from napari_sam.results import Prediction

Mask = NDArray[np.bool_]
SAME_IOU = 0.5  # of the mask with the first object
COVERED = 0.1  # share of the second object that may be covered
MERGED = 0.5  # share of it that makes the first answer one of both
CONTACT = 4  # pixels along which a pair touches


@dataclass
class Row:
    """What one pair gave: for the decoder and for the rule, whether told apart, and the IoU."""

    dataset: str
    merged: bool
    apart: tuple[bool, bool]
    iou: tuple[float, float]
    changed: bool
    remark: str
    same: bool


def main() -> None:
    """Measure and print."""
    options = options_of(__doc__)
    predictor, rows = Predictor(load_model(options.model)), []
    for picture in pictures(options.data, options.most, not options.trained):
        rows += list(measure(predictor, picture, options.side, options.pairs))
        print(f"{picture.source}: {len(rows)} pairs so far", flush=True)
    for name, some in (("all", rows), ("merged by the first click", [r for r in rows if r.merged])):
        if some:
            report(name, some)


def options_of(description: str | None) -> argparse.Namespace:
    """Read which pictures and pairs are wanted; PyTorch gets one thread."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("data", type=Path, nargs="+", help="folders of one data set each")
    parser.add_argument("--model", default="cells_tiny")
    parser.add_argument("--most", type=int, default=4, help="pictures of each data set or stratum")
    parser.add_argument("--pairs", type=int, default=6, help="pairs of each picture")
    parser.add_argument("--side", type=int, default=320, help="pixels; larger pictures are cut")
    parser.add_argument("--trained", action="store_true", help="pictures that were trained on")
    torch.set_num_threads(1)
    return parser.parse_args()


def measure(predictor: Predictor, picture: LabelledImage, side: int, most: int) -> Iterator[Row]:
    """Click on pairs of the middle of a picture."""
    found = list(chosen_pairs(picture, side, most, np.random.default_rng(0)))
    if not found:
        return
    embedding = predictor.embed(middle(picture.rgb, side), contrast=(0, 255))
    for first, second in found:
        yield click(predictor, embedding, picture.dataset, first, second)


def chosen_pairs(
    picture: LabelledImage, side: int, most: int, random: np.random.Generator
) -> Iterator[list[Mask]]:
    """Yield some pairs of objects that touch in the middle of a picture."""
    labels = middle(picture.labels, side)
    found = touching(labels, picture.ids)
    for index in random.permutation(len(found))[:most]:
        yield [labels == number for number in found[index]]


def click(
    predictor: Predictor, embedding: Embedding, dataset: str, first: Mask, second: Mask
) -> Row:
    """Click on one pair."""
    places = [deepest(first), deepest(second)]
    single, box = Prompts(places[:1], [1]), Prompts(box=box_prompt(first))
    one = predictor.predict(embedding, single)
    prompts = Prompts(places, [1, 0], mask=one.logits[0])
    plain = predictor.predict(embedding, prompts, multimask=False)
    ruled = predictor.predict(embedding, prompts)
    same = equal(one, predictor.predict(embedding, single, multimask=True)) and equal(
        predictor.predict(embedding, box), predictor.predict(embedding, box, multimask=False)
    )
    masks = plain.masks[0], ruled.masks[0]
    return Row(
        dataset,
        share(one.masks[0], second) >= MERGED,
        (is_apart(masks[0], first, second), is_apart(masks[1], first, second)),
        (mask_iou(masks[0], first), mask_iou(masks[1], first)),
        not np.array_equal(*masks),
        ruled.remark,
        same,
    )


def is_apart(mask: Mask, first: Mask, second: Mask) -> bool:
    """Return whether a mask is of the first object only."""
    return mask_iou(mask, first) >= SAME_IOU and share(mask, second) < COVERED


def share(mask: Mask, whole: Mask) -> float:
    """Return how much of an object a mask covers."""
    return np.count_nonzero(mask & whole) / np.count_nonzero(whole)


def equal(one: Prediction, other: Prediction) -> bool:
    """Return whether two answers are the same, bit by bit."""
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("masks", "scores", "logits")
    )


def touching(labels: NDArray[np.int32], ids: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return the pairs of objects that touch each other along some pixels."""
    sides = ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1]))
    met = np.concatenate([np.stack([a[a != b], b[a != b]], axis=1) for a, b in sides])
    met = np.sort(met[np.isin(met, ids).all(axis=1)], axis=1)
    pairs, counts = np.unique(met, axis=0, return_counts=True)
    return [(int(a), int(b)) for a, b in pairs[counts >= CONTACT]]


def deepest(mask: Mask) -> tuple[int, int]:
    """Return the pixel of an object that lies furthest from its border."""
    row, column = np.unravel_index(depth(mask).argmax(), mask.shape)
    return int(row), int(column)


def report(name: str, rows: list[Row]) -> None:
    """Print shares and means: the decoder's first, then the rule's."""
    apart, iou = (np.mean([getattr(r, what) for r in rows], axis=0) for what in ("apart", "iou"))
    print(
        f"{name} ({len(rows)} pairs): told apart {apart[0]:.3f} -> {apart[1]:.3f}, "
        f"IoU with the first {iou[0]:.3f} -> {iou[1]:.3f}; "
        f"{sum(r.changed for r in rows)} answers changed, {sum(bool(r.remark) for r in rows)} cut; "
        f"single clicks and boxes the same: {all(r.same for r in rows)}"
    )


if __name__ == "__main__":
    main()
