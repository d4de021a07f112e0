"""`napari-sam propagate`: propagate labels through a stack or a time series."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam.cli.labelling import add_label_arguments, label_paired
from napari_sam.files import Json

if TYPE_CHECKING:
    from napari_sam.cli.commands import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser(
        "propagate",
        help="follow labelled objects through a stack",
        description="Each object that is labelled on one slice or on several is followed to the "
        "others, until a check stops it. Labels that are given are never changed. Stacks are "
        "(Z or T, Y, X).",
    )
    parser.add_argument(
        "--seeds", metavar="LABELS", type=Path, required=True,
        help="labels of the stack's shape, zero where nothing is known; for several stacks a "
        "folder or a pattern of labels with the same names, or with _labels behind them",
    )  # fmt: skip
    parser.add_argument("--only", type=int, nargs="+", metavar="ID", help="follow only these")
    parser.add_argument("--direction", choices=("both", "forward", "backward"), default="both")
    parser.add_argument("--first", type=int, metavar="N", help="go no further up than this slice")
    parser.add_argument("--last", type=int, metavar="N", help="go no further down than this one")
    add_label_arguments(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Propagate the objects, write the labels, report on each object."""
    from napari_sam import PropagateSettings
    from napari_sam.batch.propagate import PropagateTask

    settings = PropagateSettings(chosen.direction, chosen.first, chosen.last, chosen.only)
    known, task = ("seeds", chosen.seeds), partial(PropagateTask, settings=settings)
    return label_paired("propagate", asdict(settings), chosen, known, task, _describe)


def _describe(report: Json) -> tuple[str, list[str]]:
    """Return what became of the objects, for people."""
    objects = report["objects"]
    lines = [line for id_, one in objects.items() for line in _lines(id_, one)]
    return f"{len(objects)} objects", lines


def _lines(id_: str, one: Json) -> list[str]:
    where = one["slices"]
    span = f", from {where[0]} to {where[-1]}" if where else ""
    lines = [f"object {id_}: {len(where)} slices{span}"]
    lines += [f"    stopped at slice {at}: {why}" for at, why in one["stopped"].items()]
    if one["unsure"]:
        lines.append(f"    look at {len(one['unsure'])} slices: {', '.join(one['unsure'])}")
    return lines
