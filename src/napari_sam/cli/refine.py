"""`napari-sam refine`: make rough labels sharper."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
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
        "refine",
        help="make rough labels sharper",
        description="Each object's mask goes in as a prompt and is predicted anew, slice by slice. "
        "Where the answer is something else, the old mask stays.",
    )
    parser.add_argument("image", metavar="IMAGE", type=Path, help="a .tif, .png or .zarr")
    parser.add_argument(
        "--labels", metavar="LABELS", type=Path, required=True, help="of the picture's shape"
    )
    add_choices(parser)
    add_scheduler(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Refine, write the labels, report on each object."""
    import numpy as np
    from tqdm import tqdm

    from napari_sam.batch.steps import RefineWork, kept
    from napari_sam.inference.embeddings import open_store
    from napari_sam.inference.refine import refine_stack
    from napari_sam.io.labels import copy_labels
    from napari_sam.io.provenance import described

    with opened(chosen, chosen.image, chosen.labels) as (predictor, image, labels):
        flat = len(labels.shape) == 2
        stack, before = (np.asarray(one)[None] if flat else one for one in (image, labels))
        steps: Iterator[Step]
        if chosen.scheduler is None:
            steps = refine_stack(predictor, stack, before, store=open_store())
        else:
            work = RefineWork(chosen.image.resolve(), chosen.labels.resolve(), kept(chosen.output))
            steps = steps_of_cluster(work, chosen)
        after = copy_labels(before)
        tally = _Tally()
        for step in tqdm(steps, desc=chosen.image.name, unit=" slices", disable=chosen.quiet):
            tally.add(after[step.index], step)
            after[step.index] = step.labels
        entry, inputs = predictor.model.entry, {"image": chosen.image, "labels": chosen.labels}
        settings = {"contrast": entry.intensity}
        about = described("refine", inputs, entry.name, entry.digest, settings)
    write_and_report(chosen, after[0] if flat else after, tally.objects(), _line, about)
    return 0


class _Tally:
    """Counts what changed, object by object."""

    def __init__(self) -> None:
        self._both: dict[int, int] = defaultdict(int)
        self._either: dict[int, int] = defaultdict(int)
        self._scores: dict[int, list[float]] = defaultdict(list)
        self._kept: dict[int, list[int]] = defaultdict(list)

    def add(self, before: Any, step: Step) -> None:
        """Count one slice."""
        for id_, score in step.scores.items():
            old, new = before == id_, step.labels == id_
            self._both[id_] += int((old & new).sum())
            self._either[id_] += int((old | new).sum())
            self._scores[id_].append(score)
            if id_ in step.unsure:
                self._kept[id_].append(step.index)

    def objects(self) -> Objects:
        """Return lowest score, IoU of old and new, and the slices on which the old mask stays."""
        return {
            str(id_): {
                "score": min(scores),
                "iou_with_old": self._both[id_] / self._either[id_],
                "kept_old": self._kept[id_],
            }
            for id_, scores in sorted(self._scores.items())
        }


def _line(id_: int, one: dict[str, Any]) -> list[str]:
    """Return what became of an object for people."""
    line = f"object {id_}: score {one['score']:.2f}, IoU with before {one['iou_with_old']:.2f}"
    if one["kept_old"]:
        line += f", the old mask stays on slices {', '.join(map(str, one['kept_old']))}"
    return [line]
