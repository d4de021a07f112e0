"""Everything in a picture, way by way: ``python -m benchmarks.instances FOLDER ... > table.md``.

Of each data set below the folders a few pictures that training leaves out, at most 512 pixels a
side, each searched in several ways in the same run, on one thread: *classical* (Otsu's threshold,
an opening, a watershed of the distance transform; whether objects are bright or dark the truth
says), *points*, *instances*, and *refined*, which asks the mask decoder about each
instance. Each cell has mSA, F1 at an IoU of 0.5, processor seconds with the embedding, and how many
of the pairs of touching objects are told apart. *Best* takes for each object the mask that the
truth likes best, of all those that the ways of the model have seen, on every scale.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu
from skimage.morphology import disk, opening
from skimage.segmentation import watershed

from benchmarks.seeds import middle
from benchmarks.thresholds import Searched, overlaps, pictures
from napari_sam import GridSettings, InstanceSettings, Predictor, load_model, proposals_to_labels
from napari_sam.data.samples import LabelledImage, labelled_image
from napari_sam.evaluation.matching import THRESHOLDS, f1, mean_accuracy, pairwise_iou
from napari_sam.evaluation.report import markdown
from napari_sam.evaluation.touching import told_apart
from napari_sam.inference.automatic.instances.from_maps import level_instances
from napari_sam.inference.automatic.instances.search import Dense
from napari_sam.inference.automatic.search import iter_proposals
from napari_sam.masks import CroppedMask
from napari_sam.results import Proposal

WAYS = {
    "classical": None,
    "points": GridSettings(),
    "instances": InstanceSettings(),
    "refined": InstanceSettings(refine=True),
}
SMOOTHING, RADIUS, APART = 1.0, 2, 7  # pixels: of both; of the opening; between two seeds
MANY = 50  # objects; on sets with more, instances should not lose to the classical way


class Figures(NamedTuple):
    """Of one way in one picture."""

    msa: float
    f1: float
    seconds: float
    apart: int


Row = dict[str, Figures]


def main() -> None:
    """Search, then print the table; what was done so far goes to the error stream."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="+", help="folders of one or more data sets each")
    parser.add_argument("--model", default="cells_tiny")
    parser.add_argument("--most", type=int, default=3, help="pictures of each data set or stratum")
    parser.add_argument("--side", type=int, default=512, help="pixels; larger pictures are cut")
    parser.add_argument(
        "--ways", nargs="+", choices=WAYS, default=[way for way in WAYS if way != "points"],
        help="points are slow, and left out by default",
    )  # fmt: skip
    options = parser.parse_args()
    torch.set_num_threads(1)
    predictor = Predictor(load_model(options.model))
    torch.set_num_threads(1)  # loading sets what the user's settings say
    rows: dict[str, list[Row]] = defaultdict(list)
    counts: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for whole in pictures(options.data, options.most, held=True):
        picture = cut(whole, options.side)
        if not len(picture.ids):
            continue
        truth = np.where(np.isin(picture.labels, picture.ids), picture.labels, 0)
        row = compare(predictor, picture.rgb, truth, options.ways)
        rows[picture.dataset].append(row)
        counts[picture.dataset].append((len(picture.ids), told_apart(truth, truth)[1]))
        said = ", ".join(f"{way} {figures.msa:.3f}" for way, figures in row.items())
        print(f"{picture.source} {truth.shape}: {said}", file=sys.stderr, flush=True)
    if not rows:
        parser.error("training leaves none of these pictures out")
    print(table(rows, counts))


def cut(picture: LabelledImage, side: int) -> LabelledImage:
    """Return the middle of a picture; what is left of objects at its edges is measured anew."""
    rgb, labels = middle(picture.rgb, side), middle(picture.labels, side)
    if not labels.any():
        return replace(picture, ids=picture.ids[:0])
    return labelled_image(picture.dataset, picture.source, rgb, labels, False, picture.plane)


def compare(
    predictor: Predictor, rgb: NDArray[np.uint8], truth: NDArray[np.int32], ways: Sequence[str]
) -> Row:
    """Return the figures of each way in one picture, and of the best masks by the truth."""
    row, seen, known = {}, [], Dense()
    for way in ways:
        begin = time.process_time()
        settings = WAYS[way]
        if settings is None:
            both = [classical(rgb, bright) for bright in (True, False)]
            seconds = (time.process_time() - begin) / 2
            row[way] = max((rated(truth, labels, seconds) for labels in both), key=lambda r: r.msa)
            continue
        own = Dense()
        steps = list(iter_proposals(predictor, rgb, settings, contrast=(0, 255), known=own))
        labels = proposals_to_labels(steps[-1].result.kept or [], shape=truth.shape)
        seen += [one for step in steps for one in step.result.found]
        seen += [_proposal(one) for one in _objects(labels)]  # without what others cover
        known = own if own.levels else known
        seconds = time.process_time() - begin
        row[way] = rated(truth, labels, seconds)
    loose = InstanceSettings(quality=0)
    masks = [one.cropped for level in known.levels for one in level_instances(level, loose)]
    ious = overlaps(Searched("", truth, [*seen, *map(_proposal, masks)]))
    chosen = sorted({int(one.argmax()) for one in ious if one.max(initial=0) >= THRESHOLDS[0]})
    best = mean_accuracy(ious[:, chosen]), f1(ious[:, chosen])
    return row | {"best": Figures(*best, 0.0, 0)}


def classical(rgb: NDArray[np.uint8], bright: bool) -> NDArray[np.int32]:
    """Return labels (H, W) of bright or dark objects by threshold, opening and watershed."""
    grey = ndimage.gaussian_filter(rgb.mean(axis=2), SMOOTHING)
    above = grey > threshold_otsu(grey)
    mask = opening(above if bright else ~above, disk(RADIUS))
    distance = ndimage.distance_transform_edt(mask)
    regions, _ = ndimage.label(mask)
    seeds = np.zeros(mask.shape, np.int32)
    smooth = ndimage.gaussian_filter(distance, SMOOTHING)
    peaks = peak_local_max(smooth, min_distance=APART, labels=regions)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return np.asarray(watershed(-distance, seeds, mask=mask), np.int32)


def rated(truth: NDArray[np.int32], labels: NDArray[Any], seconds: float) -> Figures:
    """Return the figures of labels."""
    ious = pairwise_iou(truth, labels)
    return Figures(mean_accuracy(ious), f1(ious), seconds, told_apart(truth, labels)[0])


def table(rows: dict[str, list[Row]], counts: dict[str, list[tuple[int, int]]]) -> str:
    """Return the means of each set and over the sets as Markdown, and where classical is better."""
    sets = {name: _summary(some) for name, some in sorted(rows.items())}
    totals = {name: np.sum(counts[name], axis=0) for name in sets}
    sets["**mean of the sets**"] = {
        way: Figures(*np.mean([one[way][:3] for one in sets.values()], axis=0), apart)
        for way in next(iter(sets.values()))
        for apart in [sum(one[way].apart for one in sets.values())]
    }
    totals["**mean of the sets**"] = np.sum(list(totals.values()), axis=0)
    lines = [
        [name, *map(str, totals[name].tolist()), *(_cell(way, one) for way, one in row.items())]
        for name, row in sets.items()
    ]
    ways = list(next(iter(sets.values())))
    losses = [
        f"- {name}: {way} {row[way].msa:.3f}, classical {row['classical'].msa:.3f}"
        for name, row in list(sets.items())[:-1]
        for way in ways
        if "classical" in row and way not in ("classical", "best") and totals[name][0] > MANY
        if row[way].msa < row["classical"].msa
    ]
    title = f"Below classical in mSA, of the sets with more than {MANY} objects:"
    return "\n".join(
        [markdown(["data set", "objects", "touching", *ways], lines), "", title, ""]
        + (losses or ["- none"])
    )


def _summary(some: Sequence[Row]) -> Row:
    return {
        way: Figures(
            *np.mean([row[way][:3] for row in some], axis=0), sum(row[way].apart for row in some)
        )
        for way in some[0]
    }


def _cell(way: str, one: Figures) -> str:
    scores = f"{one.msa:.3f}, {one.f1:.3f}"
    return scores if way == "best" else f"{scores}, {one.seconds:.1f} s, {one.apart}"


def _objects(labels: NDArray[Any]) -> list[CroppedMask]:
    """Return the mask of each label."""
    masks = []
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        if box is not None:
            corner = box[0].start, box[1].start
            masks.append(CroppedMask.of(labels[box] == number, corner, labels.shape))
    return masks


def _proposal(mask: CroppedMask) -> Proposal:
    """Return a mask as a proposal of which nothing else is known."""
    nothing = np.broadcast_to(np.uint8(0), mask.shape)
    patch = mask.crop()
    return Proposal.of(patch, nothing, score=0, stability=0, point=(0, 0), corner=mask.corner)


if __name__ == "__main__":
    main()
