"""What the commands share that turn a picture and labels into labels."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sam.cli.progress import fetched

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_sam.inference.predictor import Predictor

__all__ = ["add_choices", "opened", "write_and_report"]

Objects = dict[str, Any]
"""By id, what became of each object."""


def add_choices(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that all of them take."""
    parser.add_argument(
        "-o", "--output", metavar="LABELS", type=Path, required=True,
        help="a .tif, .zarr, .png, .geojson, .json (COCO), .zip (ROIs) or .csv (measurements)",
    )  # fmt: skip
    parser.add_argument("--model", metavar="NAME", default="cells_tiny", help="name or file")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="show no progress, and print errors only"
    )


@contextmanager
def opened(
    chosen: argparse.Namespace, picture: Path, labels: Path
) -> Iterator[tuple[Predictor, Any, Any]]:
    """Check all paths, then give the model, the picture and the labels.

    Raises
    ------
    InputError
        If a file is missing, cannot be read, or would be replaced.
    """
    from napari_sam.io.labels import check_output, open_labels
    from napari_sam.io.pictures import find_pictures, open_picture

    check_output(chosen.output, picture, labels)
    find_pictures([picture, labels])
    fetched(chosen.model)
    from napari_sam import Predictor, load_model

    predictor = Predictor(load_model(chosen.model, chosen.device))
    with open_picture(picture) as image, open_labels(labels) as known:
        yield predictor, image, known


def write_and_report(
    chosen: argparse.Namespace,
    labels: NDArray[Any],
    objects: Objects,
    describe: Callable[[int, dict[str, Any]], list[str]],
    about: dict[str, Any],
) -> None:
    """Write the labels and beside them how they were made; print what became of each object.

    As JSON, or in lines for people.
    """
    from napari_sam.io.export import write_objects
    from napari_sam.io.provenance import write_provenance

    write_objects(chosen.output, labels)
    report = {"output": str(chosen.output.resolve()), "objects": objects}
    write_provenance(chosen.output, {**about, "report": report})
    if chosen.json:
        print(json.dumps(report, indent=2))
    elif not chosen.quiet:
        lines = [line for id_, one in objects.items() for line in describe(int(id_), one)]
        print("\n".join([*lines, f"Labels: {report['output']}"]))
