"""Looks until objects are right: ``python -m benchmarks.review DATA``.

Objects of the open stacks and time series (those of `benchmarks.propagation`) are followed from one
exact box in their middle slice. Then slices are looked at by a simulated person who knows the
truth: a mask with an IoU of 0.7 is right, as is no mask where the object is not; anything else is
put right, and the object is followed again between the slices that were looked at. Counted are the
looks per object until 95 % of its true slices are right, in several orders:

- *all*: from the slice before the object to that behind it, each wrong one put right, nothing
  followed again;
- *all, again*: the same, but followed again after each correction;
- *lowest score*: the slice with the lowest predicted IoU first;
- *halves, even*: the middle of the longest run that nobody has looked at;
- *halves*: the same weighed by score and likeness, as the panel does.

An object is given up after as many looks as the stack has slices, which count. *Stops at* is what
the panel's rule does by itself: looks until every run is light, and the share right then.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.propagation import VOLUMES, Task, read
from napari_sam.inference.predictor import Predictor
from napari_sam.inference.propagation.propagate import propagate
from napari_sam.inference.propagation.settings import PropagateSettings
from napari_sam.inference.stack import Stack
from napari_sam.masks import CroppedMask
from napari_sam.model.load import load_model
from napari_sam.planes import Plane
from napari_sam.prompts import ABSENT, Absent, Prompts
from napari_sam.session.edit.halves import around, doubts, next_look
from napari_sam.session.objects import AnnotatedObject, Origin, Section, Source, Status

RIGHT = 0.7  # IoU with the truth
ENOUGH = 0.95  # share of an object's true slices


@dataclass
class Reviewed:
    """One object while it is reviewed: what is known of it, and what was found."""

    predictor: Predictor
    task: Task
    contrast: tuple[float, float]
    id_: int
    truth: list[CroppedMask | None]
    known: dict[int, NDArray[np.bool_] | Prompts | Absent] = field(default_factory=dict)
    found: dict[int, tuple[CroppedMask, float]] = field(default_factory=dict)
    looked: set[int] = field(default_factory=set)
    confirmed: set[int] = field(default_factory=set)

    @property
    def share(self) -> float:
        """Share of the true slices that are right."""
        there = [at for at, mask in enumerate(self.truth) if mask is not None]
        return sum(self.right(at) for at in there) / len(there)

    def right(self, at: int) -> bool:
        """Tell whether a slice is right."""
        true, mask = self.truth[at], self.found.get(at, (None, 0.0))[0]
        if true is None or mask is None:
            return true is mask
        return true.iou(mask) >= RIGHT

    def follow(self, first: int, last: int) -> None:
        """Follow the object from what is known between two slices."""
        for at in range(first, last + 1):
            if at not in self.looked:
                self.found.pop(at, None)
        known = {at: one for at, one in self.known.items() if first <= at <= last}
        if all(one is ABSENT for one in known.values()):
            return
        settings = PropagateSettings(first=first, last=last)
        seeds = {self.id_: known}
        for step in propagate(
            self.predictor,
            self.task.image,
            seeds,
            settings,
            contrast=self.contrast,
            store=self.task.store,
        ):
            mask = CroppedMask.of(step.labels == self.id_)
            if mask is None or step.index in self.looked:
                continue
            self.found[step.index] = mask, step.scores.get(self.id_, 1.0)

    def look(self, at: int, again: bool = True) -> None:
        """Look at a slice; put it right where it is wrong, and follow the object again."""
        wrong, true = not self.right(at), self.truth[at]
        self.looked.add(at)
        if not wrong:
            self.confirmed.add(at)
        if wrong and true is None:
            self.found.pop(at, None)
        elif wrong and true is not None:
            self.found[at] = true, 1.0
        held = self.found.get(at)
        self.known[at] = ABSENT if held is None else held[0].full()
        if wrong and again:
            before, behind = around(self.looked, at)
            last = len(self.truth) - 1
            self.follow(0 if before is None else before, last if behind is None else behind)

    def held(self) -> AnnotatedObject:
        """Return it as the session has it."""
        sections: dict[Plane, Section] = {}
        for at in self.found.keys() | self.looked:
            mask, score = self.found.get(at, (None, None))
            status = Status.ACCEPTED if at in self.looked else Status.PROPOSED
            sections[at, None, None] = Section(mask, score, Origin(Source.PROPAGATED), status)
        return AnnotatedObject(self.id_, sections=sections)


def in_order(one: Reviewed) -> int | None:
    """Return the first slice that nobody has looked at, from that before the object begins on."""
    known = [at for at, mask in enumerate(one.truth) if mask is not None]
    places = range(max(known[0] - 1, 0), min(known[-1] + 2, len(one.truth)))
    return next((at for at in places if at not in one.looked), None)


def lowest(one: Reviewed) -> int | None:
    """Return the slice with the lowest score; a slice behind an end has none."""
    open_ = doubts(one.held(), _line(one)).keys() - one.looked
    return min(
        open_, key=lambda at: (one.found[at][1] if at in one.found else 0.0, at), default=None
    )


def halves(one: Reviewed) -> int | None:
    """Return what the panel's rule says."""
    return next_look(doubts(one.held(), _line(one)), one.looked, one.confirmed)


def halves_on(one: Reviewed, even: bool = False) -> int | None:
    """Return what the rule says, also where it would have stopped."""
    found = doubts(one.held(), _line(one))
    heavy: Mapping[int, float] = {at: 1e3 * (1 if even else doubt) for at, doubt in found.items()}
    return next_look(heavy, one.looked, one.confirmed)


ORDERS: dict[str, tuple[Callable[[Reviewed], int | None], bool]] = {
    "all": (in_order, False),
    "all, again": (in_order, True),
    "lowest score": (lowest, True),
    "halves, even": (lambda one: halves_on(one, even=True), True),
    "halves": (halves_on, True),
}


def _line(one: Reviewed) -> list[Plane]:
    return [(at, None, None) for at in range(len(one.truth))]


def begin(predictor: Predictor, task: Task, contrast: tuple[float, float], id_: int) -> Reviewed:
    """Follow an object from a box in its middle slice."""
    truth = [CroppedMask.of(mask) for mask in task.truths[id_]]
    one = Reviewed(predictor, task, contrast, id_, truth)
    one.known = dict(task.boxes(1)[id_])
    one.follow(0, len(truth) - 1)
    return one


def looks_needed(one: Reviewed, order: Callable[[Reviewed], int | None], again: bool) -> int:
    """Return how many looks an order needs until enough slices are right."""
    for count in range(len(one.truth)):
        if one.share >= ENOUGH or (at := order(one)) is None:
            return count if one.share >= ENOUGH else len(one.truth)
        one.look(at, again)
    return len(one.truth)


def until_light(one: Reviewed) -> tuple[int, float]:
    """Return the looks until the panel's rule ends by itself, and the share right then."""
    count = 0
    while (at := halves(one)) is not None:
        one.look(at)
        count += 1
    return count, one.share


def main() -> None:
    """Print the table, one row per volume."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.review", description=__doc__.splitlines()[0]
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="cells_tiny", help="name or file")
    parser.add_argument("--most", type=int, default=10, help="objects of each volume")
    parser.add_argument("--choosing", action="store_true", help="on the objects to choose on")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    predictor = Predictor(load_model(args.model, args.device))
    start = time.perf_counter()
    print(f"| volume | objects | true slices | right at first | {' | '.join(ORDERS)} | stops at |")
    print(f"|{'---|' * (len(ORDERS) + 5)}")
    for volume in VOLUMES:
        task = read(args.data, volume, args.choosing, args.most)
        contrast = Stack(task.image).contrast(predictor.model.entry.intensity)
        print(_row(predictor, task, contrast), flush=True)
    minutes = (time.perf_counter() - start) / 60
    print(f"\n{args.model}, {minutes:.0f} minutes on the {args.device}")


def _row(predictor: Predictor, task: Task, contrast: tuple[float, float]) -> str:
    first = {id_: begin(predictor, task, contrast, id_) for id_ in task.truths}
    cells = [
        np.mean([looks_needed(_copied(one), order, again) for one in first.values()])
        for order, again in ORDERS.values()
    ]
    ends = [until_light(_copied(one)) for one in first.values()]
    looks, shares = np.mean(ends, axis=0)
    long = np.mean([sum(mask is not None for mask in one.truth) for one in first.values()])
    right = np.mean([one.share for one in first.values()])
    texts = " | ".join(f"{cell:.1f}" for cell in cells)
    return (
        f"| {task.name} | {len(first)} | {long:.0f} | {right:.0%} | {texts} | "
        f"{looks:.1f} looks, {shares:.0%} right |"
    )


def _copied(one: Reviewed) -> Reviewed:
    known, found = dict(one.known), dict(one.found)
    return Reviewed(one.predictor, one.task, one.contrast, one.id_, one.truth, known, found)


if __name__ == "__main__":
    main()
