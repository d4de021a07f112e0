"""Tables of an evaluation: means per data set, and the calibration of predicted IoU."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_sam.data.samples import LabelledImage
from napari_sam.evaluation.evaluate import CLICKS, ObjectScores

__all__ = [
    "MEASURES",
    "as_json",
    "by_dataset",
    "markdown",
    "means",
    "reliability",
    "reliability_table",
    "score_table",
    "summary_lines",
]

T = TypeVar("T")
MEASURES = (*(f"click {n}" for n in CLICKS), "best of 3", "box", "disc", "ellipse")
PAIRS = (("score 1", "click 1"), ("score 3", "click 3"), ("score box", "box"))
BINS = np.linspace(0, 1, 6)
MANY = 50  # objects; sets with more must beat both drawings


def by_dataset(
    results: Iterable[tuple[LabelledImage, Sequence[T]]],
) -> dict[str, list[T]]:
    """Group the results of images by data set, in the order of their names."""
    sets: dict[str, list[T]] = defaultdict(list)
    for image, some in results:
        sets[image.dataset] += some
    return dict(sorted(sets.items()))


def means(rows: Mapping[str, Sequence[ObjectScores]]) -> dict[str, dict[str, float]]:
    """Return the mean of each measure per data set, over the sets and over all objects.

    Beside `MEASURES`: the count of ``objects``, of those ``lost`` by the resize, and ``r``, the
    correlation of the predicted with the true IoU of the masks returned after one and three clicks
    and from a box (NaN for one object, and where either is the same for all).

    Returns
    -------
    dict
        Per data set, then ``mean of the sets`` and ``all objects``.
    """
    sets = {name: _means(some) for name, some in rows.items()}
    every = _means([row for some in rows.values() for row in some])
    averages = {m: float(np.mean([one[m] for one in sets.values()])) for m in MEASURES}
    known = [one["r"] for one in sets.values() if np.isfinite(one["r"])]
    averages["r"] = float(np.mean(known)) if known else float("nan")
    return sets | {"mean of the sets": every | averages, "all objects": every}


def score_table(rows: Mapping[str, Sequence[ObjectScores]]) -> str:
    """Return `means` as a Markdown table."""
    lines = []
    for name, mean in means(rows).items():
        cells = [f"{mean[m]:.3f}" for m in MEASURES]
        r = f"{mean['r']:.2f}" if np.isfinite(mean["r"]) else ""
        lines.append([name, f"{mean['objects']:.0f}", f"{mean['lost']:.0f}", *cells, r])
    return markdown(["data set", "objects", "lost", *MEASURES, "score~IoU"], lines)


def markdown(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Format a table in Markdown."""
    first, *rest = (f"| {' | '.join(cells)} |" for cells in (head, *lines))
    return "\n".join([first, "|" + "---|" * len(head), *rest])


def reliability(rows: Mapping[str, Sequence[ObjectScores]]) -> list[dict[str, float]]:
    """Return predicted against true IoU in bins: the calibration of the predicted scores.

    Returns
    -------
    list of dict
        Of each bin with masks: ``low``, ``high``, ``masks``, mean ``score`` and mean ``iou``.
    """
    pairs = _pairs(row for some in rows.values() for row in some)
    which = np.clip(np.digitize(pairs[:, 0], BINS) - 1, 0, len(BINS) - 2)
    found = []
    for k, (low, high) in enumerate(pairwise(BINS.tolist())):
        mine = pairs[which == k]
        if len(mine):
            score, iou = mine.mean(axis=0).tolist()
            found.append({"low": low, "high": high, "masks": len(mine), "score": score, "iou": iou})
    return found


def reliability_table(rows: Mapping[str, Sequence[ObjectScores]]) -> str:
    """Return `reliability` as a Markdown table."""
    cells = "{low:.1f} to {high:.1f}", "{masks}", "{score:.2f}", "{iou:.2f}"
    lines = [[cell.format(**one) for cell in cells] for one in reliability(rows)]
    return markdown(["predicted IoU", "masks", "mean predicted", "mean true"], lines)


def as_json(rows: Mapping[str, Sequence[ObjectScores]]) -> dict[str, object]:
    """Return all means and bins as JSON values; an undefined correlation is None."""
    sets = {
        name: {m: None if np.isnan(value) else value for m, value in mean.items()}
        for name, mean in means(rows).items()
    }
    return {"sets": sets, "reliability": reliability(rows), "summary": summary_lines(rows)}


def summary_lines(rows: Mapping[str, Sequence[ObjectScores]]) -> list[str]:
    """Return sentences on where a baseline beats the model, and whether further clicks help."""
    lines = []
    found = means(rows)
    for name in [*rows, "mean of the sets"] if len(rows) > 1 else rows:
        mean = found[name]
        if mean["click 1"] <= mean["disc"]:
            lines.append(_loses(name, "one click", mean, "click 1", "disc"))
        if mean["box"] <= mean["ellipse"]:
            lines.append(_loses(name, "a box", mean, "box", "ellipse"))
        clicks = [mean[f"click {n}"] for n in CLICKS]
        if any(np.diff(clicks) < 0):
            lines.append(f"{name}: further clicks do not always help on average")
    return lines or ["Beats both drawings on every set, and each further click helps on average."]


def _loses(name: str, what: str, mean: Mapping[str, float], ours: str, theirs: str) -> str:
    few = "" if mean["objects"] > MANY else f" ({mean['objects']:.0f} objects only)"
    return (
        f"{name}: from {what} it loses to the {theirs}, {mean[ours]:.3f} to {mean[theirs]:.3f}{few}"
    )


def _means(rows: Sequence[ObjectScores]) -> dict[str, float]:
    return {m: float(np.mean([row[m] for row in rows])) for m in MEASURES} | {
        "objects": float(len(rows)),
        "lost": float(sum(row["lost"] for row in rows)),
        "r": _correlation(rows),
    }


def _pairs(rows: Iterable[ObjectScores]) -> NDArray[np.float64]:
    """Return (N, 2) predicted and true IoU of returned masks."""
    return np.array([(row[score], row[true]) for row in rows for score, true in PAIRS])


def _correlation(rows: Sequence[ObjectScores]) -> float:
    pairs = _pairs(rows)
    if len(rows) < 2 or (pairs.max(axis=0) == pairs.min(axis=0)).any():
        return float("nan")
    standard = (pairs - pairs.mean(axis=0)) / pairs.std(axis=0)
    return float(standard.prod(axis=1).mean())
