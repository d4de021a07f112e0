"""Scores of automatic segmentation against labels."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from napari_sam.data.samples import LabelledImage
from napari_sam.evaluation.matching import f1, mean_accuracy, pairwise_iou
from napari_sam.evaluation.report import by_dataset, markdown
from napari_sam.evaluation.touching import told_apart
from napari_sam.inference.automatic.search import iter_proposals
from napari_sam.inference.automatic.selection import proposals_to_labels
from napari_sam.inference.automatic.settings import SearchSettings
from napari_sam.inference.predictor import Predictor
from napari_sam.results import Proposal

__all__ = ["MEANS", "SUMS", "find_all", "found_means", "found_table"]

MEANS = ("mSA", "F1", "calls", "seconds")
SUMS = ("told apart", "touching")
AutomaticScores = dict[str, float]


def find_all(
    predictor: Predictor, images: Iterable[LabelledImage], settings: SearchSettings
) -> Iterator[tuple[LabelledImage, AutomaticScores]]:
    """Segment images automatically, and score the labels against the truth.

    Parameters
    ----------
    predictor : Predictor
    images : iterable of LabelledImage
    settings : GridSettings or InstanceSettings
        The way.

    Yields
    ------
    image : LabelledImage
    found : dict
        ``mSA``, the mean over IoU 0.50:0.05:0.95 of TP / (TP + FP + FN); ``F1`` at an IoU of 0.5;
        decoder ``calls``; ``seconds`` on the clock, with the embedding; pairs of ``touching``
        objects, and how many are ``told apart``.
    """
    for image in images:
        begin = time.perf_counter()
        kept: list[Proposal] = []
        calls = 0.0
        for step in iter_proposals(predictor, image.rgb, settings, contrast=(0, 255)):
            kept, calls = step.result.kept or kept, step.done
        truth = np.where(np.isin(image.labels, image.ids), image.labels, 0)
        labels = proposals_to_labels(kept, shape=truth.shape)
        seconds = time.perf_counter() - begin
        ious, (apart, pairs) = pairwise_iou(truth, labels), told_apart(truth, labels)
        scores = {"mSA": mean_accuracy(ious), "F1": f1(ious), "calls": calls, "seconds": seconds}
        yield image, scores | {"told apart": apart, "touching": pairs}


def found_means(
    results: Iterable[tuple[LabelledImage, AutomaticScores]],
) -> dict[str, AutomaticScores]:
    """Return the mean scores over the images of each data set, then over the sets.

    Pairs of touching objects are counted, not averaged.
    """
    sets = by_dataset((image, [found]) for image, found in results)
    means = {name: _summary(some) for name, some in sets.items()}
    return means | {"mean of the sets": _summary(list(means.values()))}


def found_table(means: Mapping[str, AutomaticScores]) -> str:
    """Return the means as a Markdown table."""
    rows = (
        [
            name,
            f"{one['mSA']:.3f}",
            f"{one['F1']:.3f}",
            f"{one['calls']:.0f}",
            f"{one['seconds']:.1f}",
            f"{one['told apart']:.0f} of {one['touching']:.0f}",
        ]
        for name, one in means.items()
    )
    return markdown(["data set", *MEANS, "touching, told apart"], rows)


def _summary(some: Sequence[AutomaticScores]) -> AutomaticScores:
    means = {name: float(np.mean([one[name] for one in some])) for name in MEANS}
    return means | {name: float(sum(one[name] for one in some)) for name in SUMS}
