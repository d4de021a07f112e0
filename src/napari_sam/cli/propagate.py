"""`napari-sam propagate`: follow labelled objects through a stack or a time series."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sam.cli.label_files import check_output, copy_labels, open_labels, write_labels
from napari_sam.cli.progress import fetched

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
    parser.add_argument("-o", "--output", metavar="LABELS", type=Path, required=True)
    parser.add_argument("--only", type=int, nargs="+", metavar="ID", help="follow only these")
    parser.add_argument("--direction", choices=("both", "forward", "backward"), default="both")
    parser.add_argument("--first", type=int, metavar="N", help="go no further up than this slice")
    parser.add_argument("--last", type=int, metavar="N", help="go no further down than this one")
    parser.add_argument("--model", metavar="NAME", default="cells_tiny", help="name or file")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Follow the objects, write the labels, report on each object."""
    check_output(chosen.output, chosen.stack, chosen.seeds)
    fetched(chosen.model)
    from tqdm import tqdm

    from napari_sam import Predictor, PropagateSettings, load_model, propagate
    from napari_sam.inference.embeddings import open_store
    from napari_sam.io.pictures import find_pictures, open_picture

    find_pictures([chosen.stack])
    settings = PropagateSettings(chosen.direction, chosen.first, chosen.last, chosen.only)
    predictor = Predictor(load_model(chosen.model, chosen.device))
    steps: dict[int, Step] = {}
    with open_picture(chosen.stack) as stack, open_labels(chosen.seeds) as seeds:
        walk = propagate(predictor, stack, seeds, settings, store=open_store())
        labels = copy_labels(seeds)
        try:
            with tqdm(desc=chosen.stack.name, total=len(labels), unit=" slices") as bar:
                for step in walk:
                    bar.update(step.index not in steps)
                    steps[step.index] = step
                    labels[step.index] = step.labels
        except KeyboardInterrupt:
            write_labels(chosen.output, labels)
            print(f"stopped; what was done is in {chosen.output}", file=sys.stderr)
            raise
    write_labels(chosen.output, labels)
    report = {"output": str(chosen.output.resolve()), "objects": _objects(steps)}
    print(json.dumps(report, indent=2) if chosen.json else _lines(report))
    return 0


def _objects(steps: dict[int, Step]) -> dict[str, Any]:
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


def _lines(report: dict[str, Any]) -> str:
    """Return the report for people."""
    lines = []
    for id_, one in report["objects"].items():
        where = one["slices"]
        lines.append(f"object {id_}: {len(where)} slices, from {where[0]} to {where[-1]}")
        lines += [f"    stopped at slice {at}: {why}" for at, why in one["stopped"].items()]
        if one["unsure"]:
            lines.append(f"    look at {len(one['unsure'])} slices: {', '.join(one['unsure'])}")
    return "\n".join([*lines, f"Labels: {report['output']}"])
