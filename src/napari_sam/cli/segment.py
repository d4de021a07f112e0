"""`napari-sam segment`: find all objects in pictures, without a click."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sam.cli.failures import Failures
from napari_sam.cli.labelling import add_choices, label_all, targets, works_of
from napari_sam.cli.naming import outputs_of, pictures_of
from napari_sam.cli.scheduling import add_scheduler
from napari_sam.cli.seeding import add_seeds, seeded
from napari_sam.cli.wording import add_words, wanted
from napari_sam.errors import InputError

if TYPE_CHECKING:
    from napari_sam.batch.words import Words
    from napari_sam.cli.labelling import LabelWork

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "segment",
        help="find all objects in pictures",
        description="Asks the model at many points what is there, keeps the masks it is sure of, "
        "and writes them as labels. Slices of a stack are searched one by one, and objects "
        "that overlap from slice to slice become one: through z (within each time point, if there "
        "are both), else through time. How far apart slices lie is read from the file.",
    )
    parser.add_argument(
        "--points", type=int, default=32, metavar="N",
        help="at most N x N points, of a grid just as many (default 32)",
    )  # fmt: skip
    add_seeds(parser)
    parser.add_argument(
        "--boxes", metavar="CSV", type=Path,
        help="segment one object for each row of a table: y0, x0, y1, x1, for stacks slice, and "
        "id if you like; nothing else is searched",
    )  # fmt: skip
    parser.add_argument(
        "--min-score", type=float, metavar="IOU", help="lowest predicted IoU (default: the model's)"
    )
    parser.add_argument(
        "--min-stability", type=float, metavar="IOU", help="lowest stability (default: the model's)"
    )
    parser.add_argument(
        "--gap", type=int, default=1, metavar="N",
        help="an object that is missed on up to N slices goes on after them; nothing is filled in "
        "(default 1)",
    )  # fmt: skip
    parser.add_argument(
        "--no-link", action="store_true", help="number the objects of all slices, link none"
    )
    add_words(parser)
    add_choices(parser)
    add_scheduler(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Search, write the labels, and say how many objects there are."""
    from napari_sam import GridSettings
    from napari_sam.batch.boxes import BoxesWork
    from napari_sam.batch.segment import SegmentWork
    from napari_sam.distributed.model import workers_model

    settings = GridSettings(
        points_per_side=chosen.points,
        min_score=chosen.min_score,
        min_stability=chosen.min_stability,
    )
    settings = seeded(settings, chosen.seeds)
    given = {}
    if chosen.seeds is not None and Path(chosen.seeds).exists():
        given["seeds"] = Path(chosen.seeds)
    if chosen.boxes is not None:
        given["boxes"] = chosen.boxes
    failures = Failures()
    images = pictures_of(chosen.images, failures, chosen.output, chosen.quiet)
    outputs = outputs_of(images, chosen.images, chosen.output, failures, given.values())
    words = wanted(chosen)
    if chosen.boxes is not None and (chosen.seeds or words):
        raise InputError("--boxes says what to segment; leave --seeds and --text out")
    model = workers_model(chosen.model, chosen.device)
    names = ("gap", "no_link", "text", "similarity", "top", "semantic", "encoder")
    values = asdict(settings) | {name: getattr(chosen, name) for name in names}
    target = targets("segment", model, values)
    seeds = str(given["seeds"].resolve()) if "seeds" in given else None

    def work(path: Path, output: Path) -> LabelWork:
        picture, to = path.resolve(), target(output, {"image": path, **given})
        if chosen.boxes is None:
            link = not chosen.no_link
            return SegmentWork(picture, to, settings, seeds, chosen.gap, link, words)
        return BoxesWork(picture, to, chosen.boxes.resolve())

    works = works_of(outputs, failures, work)
    return label_all(works, model, chosen, failures, partial(_said, words))


def _said(words: Words | None, report: dict[str, Any]) -> tuple[str, list[str]]:
    """Return what was found, for people."""
    return f"{_found(report, words)}{_linked(report)}{_channels(report)}", []


def _found(report: dict[str, Any], words: Words | None) -> str:
    if words is None:
        return f"{report['objects']} objects"
    kinds = Counter(report["words"].values())
    if not kinds:
        return "nothing fits the words"
    if words.semantic:
        return "areas of " + ", ".join(kinds)
    said = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return f"{report['objects']} objects ({said})"


def _channels(report: dict[str, Any]) -> str:
    count = report.get("channels", 1)
    return f", each of {count} channels on its own" if count > 1 else ""


def _linked(report: dict[str, Any]) -> str:
    if report["linked"] == "z":
        return f", linked through z, anisotropy {report['anisotropy']:.3g}"
    return ", linked through time" if report["linked"] else ""
