"""`napari-sam refine`: make rough labels sharper."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam.cli.labelling import add_label_arguments, label_all, targets, tasks_of
from napari_sam.cli.pairing import pair_labels
from napari_sam.cli.paths import input_images, output_paths
from napari_sam.cli.progress import Failures
from napari_sam.cli.scheduler import add_scheduler
from napari_sam.files import Json

if TYPE_CHECKING:
    from napari_sam.cli.commands import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the subcommand."""
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
    add_scheduler(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Refine, write the labels, report on each object."""
    from napari_sam.batch.model import workers_model
    from napari_sam.batch.refine import RefineTask

    failures = Failures()
    images = input_images(chosen.images, failures, chosen.output, chosen.quiet)
    rough = pair_labels(images, chosen.images, chosen.labels, failures)
    outputs = output_paths(images, chosen.images, chosen.output, failures, rough.values())
    model = workers_model(chosen.model, chosen.device)
    target = targets("refine", model, {})

    def task(image: Path, output: Path) -> RefineTask:
        to = target(output, {"image": image, "labels": rough[image]})
        return RefineTask(image.resolve(), rough[image].resolve(), to)

    known = {image: outputs[image] for image in rough if image in outputs}
    return label_all(tasks_of(known, failures, task), model, chosen, failures, _said)


def _said(report: Json) -> tuple[str, list[str]]:
    """Return what became of the objects, for people."""
    objects = report["objects"]
    return f"{len(objects)} objects", [_line(id_, one) for id_, one in objects.items()]


def _line(id_: str, one: Json) -> str:
    line = f"object {id_}: score {one['score']:.2f}, IoU with before {one['iou_with_old']:.2f}"
    if one["kept_old"]:
        line += f", the old mask stays on slices {', '.join(map(str, one['kept_old']))}"
    return line
