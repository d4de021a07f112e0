"""Pictures annotated with and without the queue: ``python -m benchmarks.annotating DATA``.

A simulated person knows the truth, and ends when every labelled object has a mask with an IoU of
0.75 or more. Pictures are one of each stratum, held out where there are some, cut to the middle.

one by one  each picture is opened (a key, two clicks); each object gets a click at its deepest
            place, then clicks where the largest error is deepest, four at most, and a key accepts
            it; what is wrong still is painted.
queue       the pictures have been filled in by Auto before, and each object gets a look. Those that
            wait are gone through
            (a key to each, a key to accept it or to delete it), wrong ones that were accepted
            unseen are selected by a click and deleted by a key, and what is missing is clicked
            as before. A key leads to the next picture.

Each change between include and exclude is a key. Seconds are those of the keystroke-level model
(Card, Moran and Newell 1980): 1.3 for pointing and a click, 0.28 for a key, 1.35 for each look at
a mask; 15 for painting an object is a guess of ours. The model's own time (of the processor: one
embedding of each picture, then each answer) is added where the person waits for it: with the queue
pictures are prepared ahead, so only for the answers.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.seeds import middle
from napari_sam import Predictor, Prompts, load_model, propose_instances
from napari_sam.data.deepest import deepest_point
from napari_sam.data.samples import LabelledImage, load_images
from napari_sam.data.split import split
from napari_sam.evaluation.evaluate import correcting_click, mask_iou
from napari_sam.evaluation.report import markdown
from napari_sam.inference.automatic.selection import Selection
from napari_sam.inference.embedding import Embedding
from napari_sam.masks import CroppedMask, slices
from napari_sam.results import Proposal
from napari_sam.session.autofill import choose

RIGHT = 0.75  # IoU with which a person is content
MOST = 5  # clicks for one object before it is painted
SMALLEST = 30  # pixels of an object
CLICK, KEY, LOOK, PAINT = 1.3, 0.28, 1.35, 15.0  # seconds

Mask = NDArray[np.bool_]


@dataclass
class Person:
    """What a person has done so far; waiting is in seconds of the model's processor time."""

    clicks: int = 0
    keys: int = 0
    looks: int = 0
    painted: int = 0
    waited: float = 0.0
    overlaps: list[float] = field(default_factory=list)  # IoU of each object in the end

    @property
    def seconds(self) -> float:
        """Time that all of it takes."""
        hands = CLICK * self.clicks + KEY * self.keys + LOOK * self.looks + PAINT * self.painted
        return hands + self.waited

    def draw(self, predictor: Predictor, embedding: Embedding, truth: Mask) -> None:
        """Click on an object until its mask is right, or paint it; accept it."""
        prompts, sign, iou = Prompts([deepest_point(truth)], [1]), 1, 0.0
        for _ in range(MOST):
            self.clicks += 1
            began = time.process_time()
            answer = predictor.predict(embedding, prompts)
            self.waited += time.process_time() - began
            self.looks += 1
            iou = mask_iou(answer.masks[0], truth)
            if iou >= RIGHT:
                break
            point, label = correcting_click(truth, answer.masks[0])
            self.keys += label != sign
            sign = label
            prompts = Prompts(
                [*prompts.points, point], [*prompts.labels, label], mask=answer.logits[0]
            )
        self.keys += 1 + (sign == 0)  # accepted, and back to include
        self.painted += iou < RIGHT
        self.overlaps.append(max(iou, RIGHT))

    def review(self, found: Sequence[tuple[Proposal, CroppedMask]], labels, certain) -> set[int]:  # type: ignore[no-untyped-def]
        """Go through what Auto has put into a picture; return the objects that are right."""
        areas, right = np.bincount(labels.ravel()), set[int]()
        for one, mask in found:
            number, iou = best_match(mask, labels, areas)
            good = iou >= RIGHT and number not in right
            self.looks += 1
            if one.score < certain:
                self.keys += 2  # to it, and accept or delete
            elif not good:
                self.clicks += 1
                self.keys += 1
            if good:
                right.add(number)
                self.overlaps.append(iou)
        return right


def main() -> None:
    """Annotate, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="cells_tiny")
    parser.add_argument("--pictures", type=int, default=5)
    parser.add_argument("--set", default="", help="several pictures of this one, not one of each")
    parser.add_argument("--side", type=int, default=256, help="pixels; larger ones are cut")
    parser.add_argument("--certain", type=float, default=0.5, help="accepted unseen from here on")
    options = parser.parse_args()
    torch.set_num_threads(1)
    predictor = Predictor(load_model(options.model, "cpu"))
    people: dict[str, Person] = {"one by one": Person(), "queue": Person()}
    for picture in chosen(options.data, options.pictures, options.side, options.set):
        rgb, labels = (middle(one, options.side) for one in (picture.rgb, picture.labels))
        before = [(one.clicks, one.keys, one.painted, one.seconds) for one in people.values()]
        annotate(predictor, rgb, labels, options.certain, people)
        now = [(one.clicks, one.keys, one.painted, one.seconds) for one in people.values()]
        steps = np.subtract(now, before)
        numbers = wanted(labels)
        print(f"{picture.source}: {len(numbers)} objects; clicks, keys, painted, seconds")
        for name, row in zip(people, steps, strict=True):
            print(f"    {name}: " + ", ".join(f"{value:.0f}" for value in row), flush=True)
    rows = [
        [
            name,
            str(len(one.overlaps)),
            *(str(n) for n in (one.clicks, one.keys, one.looks, one.painted)),
            f"{one.waited:.0f}",
            f"{one.seconds:.0f}",
            f"{np.mean(one.overlaps):.2f}",
        ]
        for name, one in people.items()
    ]
    head = ["", "objects", "clicks", "keys", "looks", "painted", "s waited", "s in all", "IoU"]
    print(markdown(head, rows))


def chosen(folder: Path, most: int, side: int, only: str) -> list[LabelledImage]:
    """Return one picture of each stratum, or several of one; those that are held out first."""
    trained, held = split(load_images(folder, max_planes=1))
    known: dict[str, LabelledImage] = {}
    for picture in (*held, *trained):
        name = picture.source if only else picture.dataset
        many = len(wanted(middle(picture.labels, side)))
        if not picture.partial and 8 <= many <= 60 and only in ("", picture.dataset):
            known.setdefault(name, picture)
    return list(known.values())[:most]


def annotate(  # type: ignore[no-untyped-def]
    predictor: Predictor, rgb, labels, certain: float, people: dict[str, Person]
) -> None:
    """Let both people annotate one picture."""
    began = time.process_time()
    embedding = predictor.embed(rgb, (0, 255))
    embedded = time.process_time() - began
    alone, helped = people["one by one"], people["queue"]
    alone.clicks, alone.keys, alone.waited = (
        alone.clicks + 2,
        alone.keys + 1,
        alone.waited + embedded,
    )
    helped.keys += 1
    for number in wanted(labels):
        alone.draw(predictor, embedding, labels == number)
    found = propose_instances(predictor, rgb, contrast=(0, 255))
    put = choose(found, Selection()).objects() if found else []
    right = helped.review(put, labels, certain)
    for number in wanted(labels):
        if number not in right:
            helped.draw(predictor, embedding, labels == number)


def wanted(labels: NDArray[np.int32]) -> list[int]:
    """Return the labels that are large enough to be an object."""
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    numbers: list[int] = np.flatnonzero(areas >= SMALLEST).tolist()
    return numbers


def best_match(
    mask: CroppedMask, labels: NDArray[np.int32], areas: NDArray[np.int64]
) -> tuple[int, float]:
    """Return the label that a mask covers most, and their IoU."""
    under = np.bincount(labels[slices(mask.box)][mask.crop()], minlength=len(areas))
    under[0] = 0
    number = int(under.argmax())
    shared = int(under[number])
    return number, shared / (mask.area + int(areas[number]) - shared) if shared else 0.0


if __name__ == "__main__":
    main()
