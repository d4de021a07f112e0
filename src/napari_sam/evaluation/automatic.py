"""How good is a model without a click: what an automatic run finds, against the labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from napari_sam.data.samples import Picture
from napari_sam.evaluation.matching import f1, mean_accuracy, overlaps
from napari_sam.inference.automatic.search import iter_proposals
from napari_sam.inference.automatic.selection import proposals_to_labels
from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.inference.predictor import Predictor
from napari_sam.results import Proposal

__all__ = ["FOUND", "find_all", "found_means", "found_table"]

FOUND = ("mSA", "F1", "calls")
Found = dict[str, float]


def find_all(
    predictor: Predictor, pictures: Iterable[Picture], settings: GridSettings
) -> Iterator[tuple[Picture, Found]]:
    """Search pictures, and score what the settings keep.

    Yields
    ------
    picture : Picture
    found : dict
        ``mSA``, the mean over IoU 0.50:0.05:0.95 of TP / (TP + FP + FN); ``F1`` at an IoU of 0.5;
        decoder ``calls``.
    """
    for picture in pictures:
        kept: list[Proposal] = []
        calls = 0.0
        for step in iter_proposals(predictor, picture.rgb, settings, contrast=(0, 255)):
            kept, calls = step.result.kept or kept, step.done
        truth = np.where(np.isin(picture.labels, picture.ids), picture.labels, 0)
        ious = overlaps(truth, proposals_to_labels(kept, shape=truth.shape))
        scores = {"mSA": mean_accuracy(ious), "F1": f1(ious), "calls": calls}
        yield picture, scores


def found_means(results: Iterable[tuple[Picture, Found]]) -> dict[str, Found]:
    """Return the means over the pictures of each data set, then over the sets."""
    sets: dict[str, list[Found]] = defaultdict(list)
    for picture, found in results:
        sets[picture.dataset].append(found)
    means = {name: _mean(some) for name, some in sorted(sets.items())}
    return means | {"mean of the sets": _mean(list(means.values()))}


def found_table(means: Mapping[str, Found]) -> str:
    """Return the means as a table in Markdown."""
    head = f"| data set | {' | '.join(FOUND)} |\n|---|{'---|' * len(FOUND)}"
    rows = [
        f"| {name} | {one['mSA']:.3f} | {one['F1']:.3f} | {one['calls']:.0f} |"
        for name, one in means.items()
    ]
    return "\n".join([head, *rows])


def _mean(some: Sequence[Found]) -> Found:
    return {name: float(np.mean([one[name] for one in some])) for name in FOUND}
