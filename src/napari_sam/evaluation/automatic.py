"""Scores of automatic segmentation against labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from napari_sam.data.samples import LabelledImage
from napari_sam.evaluation.matching import f1, mean_accuracy, pairwise_iou
from napari_sam.evaluation.report import by_dataset, markdown
from napari_sam.inference.automatic.search import iter_proposals
from napari_sam.inference.automatic.selection import proposals_to_labels
from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.inference.predictor import Predictor
from napari_sam.results import Proposal

__all__ = ["FOUND", "find_all", "found_means", "found_table"]

FOUND = ("mSA", "F1", "calls")
AutomaticScores = dict[str, float]


def find_all(
    predictor: Predictor, images: Iterable[LabelledImage], settings: GridSettings
) -> Iterator[tuple[LabelledImage, AutomaticScores]]:
    """Segment images automatically, and score the labels against the truth.

    Yields
    ------
    image : LabelledImage
    found : dict
        ``mSA``, the mean over IoU 0.50:0.05:0.95 of TP / (TP + FP + FN); ``F1`` at an IoU of 0.5;
        decoder ``calls``.
    """
    for image in images:
        kept: list[Proposal] = []
        calls = 0.0
        for step in iter_proposals(predictor, image.rgb, settings, contrast=(0, 255)):
            kept, calls = step.result.kept or kept, step.done
        truth = np.where(np.isin(image.labels, image.ids), image.labels, 0)
        ious = pairwise_iou(truth, proposals_to_labels(kept, shape=truth.shape))
        scores = {"mSA": mean_accuracy(ious), "F1": f1(ious), "calls": calls}
        yield image, scores


def found_means(
    results: Iterable[tuple[LabelledImage, AutomaticScores]],
) -> dict[str, AutomaticScores]:
    """Return the mean scores over the images of each data set, then over the sets."""
    sets = by_dataset((image, [found]) for image, found in results)
    means = {name: _mean(some) for name, some in sets.items()}
    return means | {"mean of the sets": _mean(list(means.values()))}


def found_table(means: Mapping[str, AutomaticScores]) -> str:
    """Return the means as a Markdown table."""
    rows = (
        [name, f"{one['mSA']:.3f}", f"{one['F1']:.3f}", f"{one['calls']:.0f}"]
        for name, one in means.items()
    )
    return markdown(["data set", *FOUND], rows)


def _mean(some: Sequence[AutomaticScores]) -> AutomaticScores:
    return {name: float(np.mean([one[name] for one in some])) for name in FOUND}
