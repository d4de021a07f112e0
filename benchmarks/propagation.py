"""Objects in 3D and in time: ``python -m benchmarks.propagation DATA``.

Mean 3D IoU of objects of the open stacks and time series, after one box in the middle slice of each
object and after three boxes (at one, three and five sixths of its slices), beside baselines in the
same run: the mask of the box copied unchanged to all slices, also when told where the object ends;
and a grid of clicks on each slice, linked by overlap, of which the chains at the boxes are taken.

DATA is a folder like the one the model was trained on. Half of the objects served to choose the
default settings (``--choosing`` shows those); the table is of the others.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import torch
from numpy.typing import NDArray

from benchmarks.linking import link, look_everywhere
from napari_sam.inference.embedding import Embedding
from napari_sam.inference.mask_prompts import PromptRule
from napari_sam.inference.predictor import Predictor
from napari_sam.inference.propagation.propagate import propagate
from napari_sam.inference.propagation.settings import PropagateSettings
from napari_sam.inference.stack import Stack
from napari_sam.masks import CroppedMask, bounding_box
from napari_sam.model.load import load_model
from napari_sam.prompts import Prompts

SMALLEST = 50  # pixels in its middle slice
SHORTEST = 5  # slices


@dataclass(frozen=True)
class Volume:
    """A stack of the data, the planes to score on and those to choose settings on."""

    name: str
    folder: str
    scored: tuple[int, int]
    chosen_on: tuple[int, int]
    by_id: bool = True  # odd ids to choose on, even ids to score; else by planes or by folder
    folder_chosen_on: str = ""


VOLUMES = (
    Volume(
        "neurites, electron microscopy (planes held out)",
        *("neuroproof_fib25_em3d/training_sample2", (180, 204), (150, 180), False),
    ),
    Volume(
        "nuclei of a mouse embryo (held out)",
        *("qcanet_mouse_embryo3d/8_cell_stage", (0, 51), (0, 51), False),
        "qcanet_mouse_embryo3d/16_cell_stage",
    ),
    Volume(
        "simulated nuclei (trained on)", "stardist_examples/nuclei3d_synthetic", (0, 31), (0, 31)
    ),
    Volume(
        "T98G cells in time (trained on)", "usiigaci_timelapse/T98G_t01-12_crop", (0, 12), (0, 12)
    ),
)

RULES = {
    "box": PromptRule(mask=False),
    "mask": PromptRule(box=False),
    "mask, box": PromptRule(),
    "box, point": PromptRule(mask=False, inside=1),
    "mask, box, point": PromptRule(inside=1),
    "box, neighbours": PromptRule(mask=False, outside=2),
    "mask, box, point, neighbours": PromptRule(inside=1, outside=2),
    "three points": PromptRule(mask=False, box=False, inside=3),
}

Masks = dict[int, NDArray[np.bool_]]
"""(Z, Y, X) by object id."""


class Kept:
    """All embeddings of one volume, in memory."""

    def __init__(self) -> None:
        self._known: dict[bytes, Embedding] = {}

    def get(
        self, predictor: Predictor, image: NDArray[Any], contrast: tuple[Any, Any]
    ) -> Embedding:
        """Return an embedding, made at the first call."""
        key = hashlib.sha256(np.ascontiguousarray(image)).digest()
        if key not in self._known:
            self._known[key] = predictor.embed(image, contrast)
        return self._known[key]


@dataclass(frozen=True, eq=False)
class Task:
    """One volume with the objects to find: truths, and slices for one and for three boxes."""

    name: str
    image: NDArray[Any]
    truths: Masks
    store: Kept

    def boxes(self, count: int) -> dict[int, dict[int, Prompts]]:
        """Return `count` exact boxes per object, evenly over its slices."""
        seeds: dict[int, dict[int, Prompts]] = {}
        for id_, truth in self.truths.items():
            there = np.flatnonzero(truth.any(axis=(1, 2)))
            places = there[[(2 * k + 1) * len(there) // (2 * count) for k in range(count)]]
            seeds[id_] = {int(z): Prompts(box=_box(truth[z])) for z in places}
        return seeds


def read(data: Path, volume: Volume, choosing: bool, most: int) -> Task:
    """Read a volume and choose at most `most` objects."""
    folder = volume.folder_chosen_on if choosing and volume.folder_chosen_on else volume.folder
    first, end = volume.chosen_on if choosing else volume.scored
    image = tifffile.imread(data / folder / "image.tif")[first:end]
    labels = tifffile.imread(data / folder / "labels.tif")[first:end]
    truths = {}
    for id_ in np.random.default_rng(0).permutation(np.unique(labels[labels > 0])).tolist():
        truth = labels == id_
        areas = np.count_nonzero(truth, axis=(1, 2))
        there = np.flatnonzero(areas)
        wanted = not volume.by_id or id_ % 2 == choosing
        if wanted and len(there) >= SHORTEST and areas[there[len(there) // 2]] >= SMALLEST:
            truths[int(id_)] = truth
        if len(truths) == most:
            break
    return Task(volume.name, image, truths, Kept())


def _box(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.array(bounding_box(mask), float) - 0.5


def followed(predictor: Predictor, task: Task, count: int, settings: PropagateSettings) -> Masks:
    """Follow all objects of a volume together."""
    labels = np.zeros(task.image.shape[:3], np.int32)
    seeds = task.boxes(count)
    for step in propagate(predictor, task.image, seeds, settings, store=task.store):
        labels[step.index] = step.labels
    return {id_: labels == id_ for id_ in task.truths}


class Baselines:
    """What one gets from the same boxes without following anything."""

    def __init__(self, predictor: Predictor, task: Task) -> None:
        self.predictor = predictor
        self.task = task
        self.contrast = Stack(task.image).contrast(predictor.model.entry.intensity)
        self.chains = link(
            look_everywhere(predictor, self.embedding(z)) for z in range(len(task.image))
        )

    def embedding(self, index: int) -> Embedding:
        """Return the embedding of a slice."""
        return self.task.store.get(self.predictor, self.task.image[index], self.contrast)

    def answers(self, count: int) -> dict[int, dict[int, NDArray[np.bool_]]]:
        """Return the masks of the boxes, by object and slice."""
        return {
            id_: {
                z: self.predictor.predict(self.embedding(z), prompts).masks[0]
                for z, prompts in boxes.items()
            }
            for id_, boxes in self.task.boxes(count).items()
        }

    def copied(self, count: int) -> Masks:
        """Copy the mask of the nearest box to every slice."""
        masks = {}
        for id_, known in self.answers(count).items():
            slices = range(len(self.task.image))
            masks[id_] = np.stack([known[min(known, key=lambda k: abs(k - z))] for z in slices])
        return masks

    def copied_where_it_is(self, count: int) -> Masks:
        """Copy likewise, but only to the slices where the truth shows the object."""
        return {
            id_: masks & self.task.truths[id_].any(axis=(1, 2), keepdims=True)
            for id_, masks in self.copied(count).items()
        }

    def linked(self, count: int) -> Masks:
        """Take, for each box, the linked chain that is most like the box's mask."""
        found = {}
        for id_, known in self.answers(count).items():
            found[id_] = np.zeros(self.task.image.shape[:3], bool)
            for z, mask in known.items():
                cropped = CroppedMask.of(mask)
                overlaps = [
                    chain[z].iou(cropped) if cropped and z in chain else 0.0
                    for chain in self.chains
                ]
                if overlaps and max(overlaps) > 0:
                    for index, patch in self.chains[int(np.argmax(overlaps))].items():
                        found[id_][index] |= patch.full()
        return found


def main() -> None:
    """Print the table, one row per volume."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.propagation", description=__doc__.splitlines()[0]
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="cells_tiny", help="name or file")
    parser.add_argument("--most", type=int, default=10, help="objects of each volume")
    parser.add_argument("--rules", action="store_true", help="compare what becomes a prompt")
    parser.add_argument("--choosing", action="store_true", help="on the objects to choose on")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    predictor = Predictor(load_model(args.model, "cpu"))
    begin = time.perf_counter()
    tasks = (read(args.data, volume, args.choosing, args.most) for volume in VOLUMES)
    (compare_rules if args.rules else compare_baselines)(predictor, tasks)
    print(f"\n{args.model}, {(time.perf_counter() - begin) / 60:.0f} minutes on the CPU")


def compare_baselines(predictor: Predictor, tasks: Iterable[Task]) -> None:
    """Print followed objects beside the baselines, after one box and after three."""
    names = ("followed", "copied", "copied, extent told", "grid, linked")
    print(f"| volume | objects | boxes | {' | '.join(names)} |\n|{'---|' * 7}")
    for task in tasks:
        baselines = Baselines(predictor, task)
        for count in (1, 3):
            found = (
                followed(predictor, task, count, PropagateSettings()),
                baselines.copied(count),
                baselines.copied_where_it_is(count),
                baselines.linked(count),
            )
            cells = " | ".join(f"{mean_iou(masks, task):.2f}" for masks in found)
            print(f"| {task.name} | {len(task.truths)} | {count} | {cells} |", flush=True)


def compare_rules(predictor: Predictor, tasks: Iterable[Task]) -> None:
    """Print what following gives after one box, by what becomes the next prompt."""
    print(f"| volume | objects | {' | '.join(RULES)} |\n|{'---|' * (2 + len(RULES))}")
    for task in tasks:
        found = [
            followed(predictor, task, 1, PropagateSettings(prompt=rule)) for rule in RULES.values()
        ]
        cells = " | ".join(f"{mean_iou(masks, task):.3f}" for masks in found)
        print(f"| {task.name} | {len(task.truths)} | {cells} |", flush=True)


def mean_iou(found: Masks, task: Task) -> float:
    """Return the mean IoU in 3D over the objects."""
    ious = []
    for id_, truth in task.truths.items():
        both, either = found[id_] & truth, found[id_] | truth
        ious.append(np.count_nonzero(both) / np.count_nonzero(either))
    return float(np.mean(ious))


if __name__ == "__main__":
    main()
