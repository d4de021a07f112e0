"""`napari-sam refine`: refine rough labels."""

from __future__ import annotations

import argparse
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
        "refine",
        help="make rough labels sharper",
        description="Each object's mask goes in as a prompt and is predicted anew, slice by slice. "
        "Where the answer is something else, the old mask stays.",
    )
    parser.add_argument(
        "--labels", metavar="LABELS", type=Path, required=True,
        help="of the picture's shape; for several pictures a folder or a pattern of labels with "
        "the same names, or with _labels behind them",
    )  # fmt: skip
    add_label_arguments(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Refine the labels, write them, report on each object."""
    from napari_sam.batch.refine import RefineTask

    known = "labels", chosen.labels
    return label_paired("refine", {}, chosen, known, RefineTask, _describe)


def _describe(report: Json) -> tuple[str, list[str]]:
    """Return what became of the objects, for people."""
    objects = report["objects"]
    return f"{len(objects)} objects", [_line(id_, one) for id_, one in objects.items()]


def _line(id_: str, one: Json) -> str:
    line = f"object {id_}: score {one['score']:.2f}, IoU with before {one['iou_with_old']:.2f}"
    if one["kept_old"]:
        line += f", the old mask stays on slices {', '.join(map(str, one['kept_old']))}"
    return line
