"""Which thresholds suit a model's automatic mode: ``python -m benchmarks.thresholds DATA ...``.

Of each data set a few pictures that were trained on (never those held out) are
searched once with low floors. What the sliders would keep at each pair of floors is then scored:
mSA and F1 at an IoU of 0.5, means over pictures and then over data sets. The limit is that of the
best mask of each object, chosen by the truth: what the points and the model could reach.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sam import GridSettings, Predictor, load_model
from napari_sam.data.samples import LabelledImage, evenly_spaced, load_images
from napari_sam.data.split import split
from napari_sam.evaluation.matching import f1, mean_accuracy, pairwise_iou
from napari_sam.inference.automatic.search import deduplicate, iter_proposals
from napari_sam.inference.automatic.selection import proposals_to_labels
from napari_sam.results import Proposal

SCORES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
STABILITIES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass
class Searched:
    """A picture's labels, and all that was found in it."""

    dataset: str
    truth: NDArray[Any]
    found: list[Proposal]


def main() -> None:
    """Search, then print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="+", help="folders of one data set each")
    parser.add_argument("--model", default="cells_tiny")
    parser.add_argument("--points", type=int, default=32)
    parser.add_argument("--most", type=int, default=3, help="pictures of each data set or stratum")
    parser.add_argument("--side", type=int, default=384, help="pixels; larger pictures are cut")
    options = parser.parse_args()
    predictor = Predictor(load_model(options.model))
    torch.set_num_threads(1)
    settings = GridSettings(
        seeds="grid",
        points_per_side=options.points,
        min_score=SCORES[0],
        min_stability=STABILITIES[0],
    )
    searched = []
    for picture in pictures(options.data, options.most):
        rgb, truth = (one[: options.side, : options.side] for one in (picture.rgb, picture.labels))
        steps = iter_proposals(predictor, rgb, settings, contrast=(0, 255))
        found = [one for step in steps for one in step.result.found]
        print(
            f"{picture.source}: {len(np.unique(truth)) - 1} objects, {len(found)} masks", flush=True
        )
        searched.append(Searched(picture.dataset, truth, found))
    report(searched, settings)


def pictures(folders: list[Path], most: int, held: bool = False) -> Iterator[LabelledImage]:
    """Give some pictures of each set that are labelled in full, trained on or held out."""
    by_set: dict[str, list[LabelledImage]] = defaultdict(list)
    for folder in folders:
        for picture in split(load_images(folder, max_planes=2))[held]:
            if not picture.partial:
                by_set[picture.dataset].append(picture)
    for some in by_set.values():
        yield from (some[i] for i in evenly_spaced(len(some), most))


def report(searched: list[Searched], settings: GridSettings) -> None:
    """Print mSA and F1 for each pair of floors, the best pair by set, and the limit."""
    tables = {
        (score, stability): np.array([rate(one, score, stability, settings) for one in searched])
        for score in SCORES
        for stability in STABILITIES
    }
    # Every data set counts the same, however many pictures of it there are.
    sets = sorted({one.dataset for one in searched})
    rows = [[i for i, one in enumerate(searched) if one.dataset == name] for name in sets]
    means = {
        floors: np.mean([table[some].mean(axis=0) for some in rows], axis=0)
        for floors, table in tables.items()
    }
    print("\nscore above, stability from: mSA, F1")
    for (score, stability), (msa, f) in means.items():
        print(f"{score:.1f} {stability:.1f}  {msa:.3f} {f:.3f}")
    best = max(means, key=lambda floors: float(means[floors][0]))
    print(
        f"\nbest for all: {best}, mSA {means[best][0]:.3f}\n"
        "set: mSA, F1 with it; best of its own; limit"
    )
    for name, some in zip(sets, rows, strict=True):
        own = max(tables, key=lambda floors: float(tables[floors][some, 0].mean()))
        with_best, with_own = (tables[floors][some].mean(axis=0) for floors in (best, own))
        top = np.mean([limit(searched[i]) for i in some], axis=0)
        cells = [f"{one[0]:.3f} {one[1]:.3f}" for one in (with_best, with_own, top)]
        print(f"{name}: {cells[0]}; {cells[1]} at {own}; {cells[2]}")


def rate(
    one: Searched, score: float, stability: float, settings: GridSettings
) -> tuple[float, float]:
    """Return mSA and F1 of what is kept with these floors."""
    good = [p for p in one.found if p.score > score and p.stability >= stability]
    labels = proposals_to_labels(deduplicate(good, settings), shape=one.truth.shape)
    ious = pairwise_iou(one.truth, labels)
    return mean_accuracy(ious), f1(ious)


def limit(one: Searched) -> tuple[float, float]:
    """Return mSA and F1 of the best mask of each object, chosen by the truth."""
    ious = overlaps(one)
    chosen = sorted({int(row.argmax()) for row in ious if row.any()})
    return mean_accuracy(ious[:, chosen]), f1(ious[:, chosen])


def overlaps(one: Searched) -> NDArray[np.float64]:
    """Return the IoU of each true object with each mask, (N, M)."""
    ids = [i for i in np.unique(one.truth) if i]
    ious = np.zeros((len(ids), len(one.found)))
    for column, found in enumerate(one.found):
        inside = one.truth[found.box][found.patch]
        for i, count in zip(*np.unique(inside, return_counts=True), strict=True):
            if i:
                either = found.area + np.count_nonzero(one.truth == i) - count
                ious[ids.index(i), column] = count / either
    return ious


if __name__ == "__main__":
    main()
