"""`napari-sam propagate`: follow labelled objects through a stack or a time series."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sam.cli.labelling import Objects, add_choices, opened, write_and_report
from napari_sam.cli.scheduling import add_scheduler, steps_of_cluster

if TYPE_CHECKING:
    from napari_sam.results import Step

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "propagate",
        help="follow labelled objects through a stack",
        description="Each object that is labelled on one slice or on several is followed to the "
        "others, until a check stops it. Labels that are given are never changed.",
    )
    parser.add_argument("stack", metavar="STACK", type=Path, help="a .tif or .zarr (Z or T, Y, X)")
    parser.add_argument(
        "--seeds", metavar="LABELS", type=Path, required=True,
        help="labels of the stack's shape, zero where nothing is known",
    )  # fmt: skip
    parser.add_argument("--only", type=int, nargs="+", metavar="ID", help="follow only these")
    parser.add_argument("--direction", choices=("both", "forward", "backward"), default="both")
    parser.add_argument("--first", type=int, metavar="N", help="go no further up than this slice")
    parser.add_argument("--last", type=int, metavar="N", help="go no further down than this one")
    add_choices(parser)
    add_scheduler(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Follow the objects, write the labels, report on each object."""
    from tqdm import tqdm

    from napari_sam import PropagateSettings, propagate
    from napari_sam.batch.steps import PropagateWork, kept
    from napari_sam.inference.embeddings import open_store
    from napari_sam.io.export import write_objects
    from napari_sam.io.labels import copy_labels
    from napari_sam.io.provenance import described

    settings = PropagateSettings(chosen.direction, chosen.first, chosen.last, chosen.only)
    steps: dict[int, Step] = {}
    with opened(chosen, chosen.stack, chosen.seeds) as (predictor, stack, seeds):
        walk: Iterator[Step]
        if chosen.scheduler is None:
            walk = propagate(predictor, stack, seeds, settings, store=open_store())
        else:
            paths = chosen.stack.resolve(), chosen.seeds.resolve(), kept(chosen.output)
            walk = steps_of_cluster(PropagateWork(*paths, settings), chosen)
        labels = copy_labels(seeds)
        try:
            with tqdm(
                desc=chosen.stack.name, total=len(labels), unit=" slices", disable=chosen.quiet
            ) as bar:
                for step in walk:
                    bar.update(step.index not in steps)
                    steps[step.index] = step
                    labels[step.index] = step.labels
        except KeyboardInterrupt:
            write_objects(chosen.output, labels)
            print(f"stopped; what was done is in {chosen.output}", file=sys.stderr)
            raise
        entry, inputs = predictor.model.entry, {"stack": chosen.stack, "seeds": chosen.seeds}
        values = asdict(settings) | {"contrast": entry.intensity}
        about = described("propagate", inputs, entry.name, entry.digest, values)
    write_and_report(chosen, labels, _objects(steps), _lines, about)
    return 0


def _objects(steps: dict[int, Step]) -> Objects:
    """Return, for each object: where it is, where it stopped and where to look, with reasons."""
    import numpy as np

    objects: dict[int, dict[str, Any]] = {}
    for index, step in sorted(steps.items()):
        ids = np.unique(step.labels)
        for id_ in {*ids[ids > 0].tolist(), *step.stopped, *step.unsure}:
            one = objects.setdefault(id_, {"slices": [], "stopped": {}, "unsure": {}})
            if id_ in ids:
                one["slices"].append(index)
            for name in ("stopped", "unsure"):
                if id_ in getattr(step, name):
                    one[name][str(index)] = getattr(step, name)[id_]
    return {str(id_): objects[id_] for id_ in sorted(objects)}


def _lines(id_: int, one: dict[str, Any]) -> list[str]:
    """Return what became of an object for people."""
    where = one["slices"]
    lines = [f"object {id_}: {len(where)} slices, from {where[0]} to {where[-1]}"]
    lines += [f"    stopped at slice {at}: {why}" for at, why in one["stopped"].items()]
    if one["unsure"]:
        lines.append(f"    look at {len(one['unsure'])} slices: {', '.join(one['unsure'])}")
    return lines
