"""Linking slices by overlap: ``python -m benchmarks.linking DATA``.

True labels are given random ids on each slice and linked again, with all objects there and with a
tenth of them left out. Two tables (F1 of links) are for choosing: the lowest IoU, by how many
pixels lie between two slices, and how many times of that is asked for across a missed slice. The
third shows other volumes with what was chosen, by the gap allowed: shares of true links that were
found and of links that are true, and the mean IoU of the objects in 3D (or time).

For benchmarks/propagation.py: a plain automatic segmentation of stacks, a grid of clicks on each
slice, linked by overlap, best overlap first.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from napari_sam.inference.automatic.linking import OVERLAP, link_by, link_slices
from napari_sam.inference.embedding import Embedding
from napari_sam.inference.predictor import Predictor
from napari_sam.masks import CroppedMask
from napari_sam.prompts import Prompts

__all__ = ["Chain", "link", "look_everywhere"]

SIDE = 10  # clicks along each side
BATCH = 16
LEAST_SCORE = 0.6
SAME = 0.5  # IoU from which two masks of one slice are one object
LINKED = 0.3  # IoU from which masks of neighbouring slices are one object

Chain = dict[int, CroppedMask]
"""The masks of one object by slice."""


def look_everywhere(predictor: Predictor, embedding: Embedding) -> list[CroppedMask]:
    """Return the objects of one slice: all candidates of all clicks, best first, none twice."""
    axes = [(np.arange(SIDE) + 0.5) * n / SIDE - 0.5 for n in embedding.shape]
    clicks = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    found: list[tuple[float, CroppedMask]] = []
    for start in range(0, len(clicks), BATCH):
        prompts = [Prompts([click], [1]) for click in clicks[start : start + BATCH]]
        for answer in predictor.predict_batch(embedding, prompts):
            for mask, score in zip(answer.masks, answer.scores, strict=True):
                if score >= LEAST_SCORE and mask.any() and mask.mean() < 0.5:
                    found.append((float(score), CroppedMask.of(mask)))
    kept: list[CroppedMask] = []
    for _, patch in sorted(found, key=lambda item: -item[0]):
        if all(patch.iou(other) < SAME for other in kept):
            kept.append(patch)
    return kept


def link(slices: Iterable[list[CroppedMask]]) -> list[Chain]:
    """Join the masks of neighbouring slices that overlap, best overlap first."""
    chains: list[Chain] = []
    open_: list[Chain] = []
    for index, masks in enumerate(slices):
        pairs = [
            (chain[index - 1].iou(mask), i, j)
            for i, chain in enumerate(open_)
            for j, mask in enumerate(masks)
        ]
        taken: dict[int, Chain] = {}
        used: set[int] = set()
        for overlap, i, j in sorted(pairs, reverse=True):
            if overlap >= LINKED and i not in used and j not in taken:
                taken[j] = open_[i]
                used.add(i)
        for j, mask in enumerate(masks):
            if j not in taken:
                taken[j] = {}
                chains.append(taken[j])
            taken[j][index] = mask
        open_ = list(taken.values())
    return chains


Linker = Callable[[NDArray[np.int64]], Iterable[NDArray[np.int32]]]


@dataclass(frozen=True)
class Volume:
    """Labels of the data of which ids are true through the stack; a part of them, if named."""

    name: str
    folder: str
    part: tuple[slice, ...] = ()
    distances: tuple[int, ...] = (1, 4)  # every so many slices are linked


CHOSEN_ON = (
    Volume("neurites", "neuroproof_fib25_em3d/training_sample2", np.s_[:60, :170, :170]),
    Volume("nuclei of an embryo, 16 cells", "qcanet_mouse_embryo3d/16_cell_stage"),
)
SCORED = (
    Volume("other neurites", "neuroproof_fib25_em3d/training_sample2", np.s_[150:210, :170, :170]),
    Volume("nuclei of an embryo, 8 cells", "qcanet_mouse_embryo3d/8_cell_stage"),
    Volume("simulated nuclei, crowded", "stardist_examples/nuclei3d_synthetic"),
    Volume("T98G cells in time", "usiigaci_timelapse/T98G_t01-12_crop", (), (1,)),
)
DISTANCES = (1, 2, 4, 8)
MISSED = (0.0, 0.1)  # share of the objects of slices that are left out
GAPS = (0, 1, 2)
ACROSS = (0.7, 1, 1.5, 2)
RULES: dict[str, Callable[[float], float]] = {
    **{f"{t}": lambda d, t=t: t for t in (0.1, 0.15, 0.2)},
    **{f"{t} / sqrt(d)": lambda d, t=t: t / d**0.5 for t in (0.15, 0.2, 0.3)},
    **{f"{t} / d": lambda d, t=t: t / d for t in (0.2,)},
}


@dataclass(frozen=True)
class Score:
    """How well true labels were linked: shares of true links found, of links made that are true.

    A link is an object on one slice and on the next one on which it is seen.
    """

    found: float
    right: float
    iou: float  # in 3D, mean of the true objects, each with one linked object

    @property
    def f1(self) -> float:
        """Of found and right."""
        return 2 * self.found * self.right / max(self.found + self.right, 1e-9)


def read(data: Path, volume: Volume) -> NDArray[np.int64]:
    """Return labels (Z, Y, X)."""
    labels = tifffile.imread(data / volume.folder / "labels.tif")
    return labels[volume.part].astype(np.int64)


def disguise(truth: NDArray[np.int64], missed: float) -> tuple[NDArray[np.int64], ...]:
    """Leave objects of slices out; return the rest, and the rest with random ids on each slice."""
    rng = np.random.default_rng(0)
    rest, given = np.zeros_like(truth), np.zeros_like(truth)
    for z, labels in enumerate(truth):
        ids = np.unique(labels[labels > 0])
        ids = ids[rng.random(len(ids)) >= missed]
        table = np.zeros((2, truth.max() + 1), np.int64)
        table[:, ids] = ids, 1 + rng.permutation(len(ids))
        rest[z], given[z] = table[:, labels]
    return rest, given


def measure(truth: NDArray[np.int64], missed: float, link: Linker) -> Score:
    """Link what a slice-wise method would find that misses some objects and no pixels."""
    rest, given = disguise(truth, missed)
    linked = np.stack(list(link(given)))
    there = [_pairs(*slices) for slices in zip(rest, linked, strict=True)]
    true, made = (_links([pairs[row] for pairs in there], there) for row in (0, 1))
    both = true & made
    return Score(len(both) / max(len(true), 1), len(both) / max(len(made), 1), _iou(rest, linked))


def _pairs(true: NDArray[np.int64], linked: NDArray[np.int32]) -> tuple[NDArray[np.int64], ...]:
    """Return the true and the linked id of each object of a slice."""
    inside = true > 0
    return np.divmod(np.unique((true[inside] << 32) + linked[inside]), 1 << 32)


def _links(
    ids: list[NDArray[np.int64]], there: list[tuple[NDArray[np.int64], ...]]
) -> set[tuple[int, ...]]:
    """Return (slice, object, next slice, object), objects named by their true ids."""
    seen: dict[int, tuple[int, int]] = {}
    links = set()
    for z, names in enumerate(ids):
        for name, true in zip(names.tolist(), there[z][0].tolist(), strict=True):
            if name in seen:
                links.add((*seen[name], z, true))
            seen[name] = z, true
    return links


def _iou(truth: NDArray[np.int64], linked: NDArray[np.int32]) -> float:
    inside = truth > 0
    _, a = np.unique(truth[inside], return_inverse=True)
    _, b = np.unique(linked[inside], return_inverse=True)
    shared = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(shared, (a, b), 1)
    either = shared.sum(1, keepdims=True) + shared.sum(0, keepdims=True) - shared
    ious = shared / either
    return float(ious[linear_sum_assignment(ious, maximize=True)].sum() / len(ious))


def compare_rules(data: Path) -> None:
    """Print how much overlap to ask for, by the distance d of slices in pixels."""
    _compare(data, {name: lambda d, rule=rule: [rule(d)] for name, rule in RULES.items()})


def compare_across(data: Path) -> None:
    """Print how many times of that to ask for where an object was missed on a slice."""
    _compare(
        data,
        {
            f"{times} times": lambda d, times=times: [OVERLAP / d**0.5, OVERLAP / d**0.5 * times]
            for times in ACROSS
        },
    )


def _compare(data: Path, rules: dict[str, Callable[[float], list[float]]]) -> None:
    volumes = [read(data, volume) for volume in CHOSEN_ON]
    heads = " | ".join(f"d = {d}" for d in DISTANCES)
    print(f"| lowest IoU | {heads} | mean F1 | mean 3D IoU |\n|{'---|' * (3 + len(DISTANCES))}")
    for name, rule in rules.items():
        scores = [
            [measure(v[::d], m, partial(link_by, lowest=rule(d))) for v in volumes for m in MISSED]
            for d in DISTANCES
        ]
        by_distance = [np.mean([one.f1 for one in some]) for some in scores]
        iou = np.mean([one.iou for some in scores for one in some])
        cells = " | ".join(f"{f1:.3f}" for f1 in [*by_distance, np.mean(by_distance), iou])
        print(f"| {name} | {cells} |", flush=True)


def compare_gaps(data: Path) -> None:
    """Print how well other volumes are linked, by the gap that is allowed."""
    heads = " | ".join(f"gap {gap}" for gap in GAPS)
    print(f"| volume | d | missed | {heads} |\n|{'---|' * (3 + len(GAPS))}")
    for volume in SCORED:
        truth = read(data, volume)
        for distance in volume.distances:
            for missed in MISSED:
                cells = []
                for gap in GAPS:
                    one = measure(
                        truth[::distance],
                        missed,
                        partial(link_slices, gap=gap, anisotropy=distance),
                    )
                    cells.append(f"{one.found:.3f}, {one.right:.3f}, {one.iou:.2f}")
                print(
                    f"| {volume.name} | {distance} | {missed:.0%} | {' | '.join(cells)} |",
                    flush=True,
                )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.linking", description=__doc__.splitlines()[0]
    )
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    compare_rules(data)
    print()
    compare_across(data)
    print()
    compare_gaps(data)


if __name__ == "__main__":
    main()
