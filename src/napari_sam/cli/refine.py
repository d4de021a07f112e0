"""`napari-sam refine`: make rough labels sharper."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
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
        "refine",
        help="make rough labels sharper",
        description="Each object's mask goes in as a prompt and is predicted anew, slice by slice. "
        "Where the answer is something else, the old mask stays.",
    )
    parser.add_argument("image", metavar="IMAGE", type=Path, help="a .tif, .png or .zarr")
    parser.add_argument(
        "--labels", metavar="LABELS", type=Path, required=True, help="of the picture's shape"
    )
    parser.add_argument("-o", "--output", metavar="LABELS", type=Path, required=True)
    parser.add_argument("--model", metavar="NAME", default="cells_tiny", help="name or file")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Refine, write the labels, report on each object."""
    check_output(chosen.output, chosen.image, chosen.labels)
    fetched(chosen.model)
    import numpy as np
    from tqdm import tqdm

    from napari_sam import Predictor, load_model
    from napari_sam.inference.embeddings import open_store
    from napari_sam.inference.refine import refine_stack
    from napari_sam.io.pictures import find_pictures, open_picture

    find_pictures([chosen.image])
    predictor = Predictor(load_model(chosen.model, chosen.device))
    with open_picture(chosen.image) as image, open_labels(chosen.labels) as labels:
        flat = len(labels.shape) == 2
        stack, before = (np.asarray(one)[None] if flat else one for one in (image, labels))
        steps = refine_stack(predictor, stack, before, store=open_store())
        after = copy_labels(before)
        tally = _Tally()
        for step in tqdm(steps, desc=chosen.image.name, unit=" slices"):
            tally.add(after[step.index], step)
            after[step.index] = step.labels
    write_labels(chosen.output, after[0] if flat else after)
    report = {"output": str(chosen.output.resolve()), "objects": tally.objects()}
    print(json.dumps(report, indent=2) if chosen.json else _lines(report))
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

    def objects(self) -> dict[str, Any]:
        """Return lowest score, IoU of old and new, and the slices on which the old mask stays."""
        return {
            str(id_): {
                "score": min(scores),
                "iou_with_old": self._both[id_] / self._either[id_],
                "kept_old": self._kept[id_],
            }
            for id_, scores in sorted(self._scores.items())
        }


def _lines(report: dict[str, Any]) -> str:
    """Return the report for people."""
    lines = []
    for id_, one in report["objects"].items():
        line = f"object {id_}: score {one['score']:.2f}, IoU with before {one['iou_with_old']:.2f}"
        if one["kept_old"]:
            line += f", the old mask stays on slices {', '.join(map(str, one['kept_old']))}"
        lines.append(line)
    return "\n".join([*lines, f"Labels: {report['output']}"])
