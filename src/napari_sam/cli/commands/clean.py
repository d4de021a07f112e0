"""`napari-sam clean`: clean labels by rules of shape."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam.cli.progress import Failures, add_verbosity
from napari_sam.cli.streams import print_json
from napari_sam.errors import InputError
from napari_sam.files import Json
from napari_sam.reasons import shown

if TYPE_CHECKING:
    from napari_sam.batch.label_output import LabelOutput
    from napari_sam.cli.commands import Commands
    from napari_sam.inference.edit.clean import CleanSettings

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser(
        "clean",
        help="fill holes, drop specks, smooth, grow or shrink objects of labels",
        description="Rules of shape for each object, slice by slice, in the order below. Objects "
        "keep their numbers, and no object takes pixels of another one. Needs no model.",
    )
    parser.add_argument(
        "labels", metavar="LABELS", nargs="+", type=Path,
        help="a .tif, .png or .zarr with any number of slices, a folder of them, or a pattern",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", type=Path, required=True,
        help="for labels of the same names; for one input also a .tif, .zarr, .png, .geojson, "
        ".json (COCO), .zip (ROIs) or .csv (measurements)",
    )  # fmt: skip
    parser.add_argument("--largest", action="store_true", help="keep the largest part only")
    parser.add_argument(
        "--min-part", metavar="AREA", type=float, default=0, help="drop parts of less area"
    )
    parser.add_argument("--fill-holes", action="store_true", help="fill what is enclosed")
    parser.add_argument(
        "--smooth", metavar="RADIUS", type=float, default=0,
        help="take away spikes and fill notches that are narrower than a disc of this radius",
    )  # fmt: skip
    parser.add_argument(
        "--grow", metavar="DISTANCE", type=float, default=0,
        help="move the borders outwards; below zero inwards",
    )  # fmt: skip
    parser.add_argument("--convex", action="store_true", help="fill up to the convex hull")
    parser.add_argument(
        "--um", action="store_true",
        help="lengths and areas are in micrometers, by what the file says of its pixels",
    )  # fmt: skip
    parser.add_argument(
        "--resume", action="store_true",
        help="skip labels whose result is there, whole, and made just so",
    )  # fmt: skip
    add_verbosity(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Clean the labels, write them and report on each file; return 1 if any failed."""
    from napari_sam.cli.paths import output_paths
    from napari_sam.inference.edit.clean import CleanSettings
    from napari_sam.io.images.find import find_images

    settings = CleanSettings(
        chosen.largest,
        chosen.min_part,
        chosen.fill_holes,
        chosen.smooth,
        chosen.grow,
        chosen.convex,
    )
    if not settings.does_something:
        raise InputError("nothing is to be cleaned; give a rule such as --fill-holes or --smooth 2")
    failures = Failures()
    files = find_images(chosen.labels, failures.reasons.__setitem__)
    outputs = output_paths(files, chosen.labels, chosen.output, failures, ending="")
    reports = []
    for file, output in outputs.items():
        with failures.kept(file):
            reports.append(_clean(file, output, settings, chosen))
    if chosen.json:
        print_json({"labels": reports, "failures": failures.reasons})
    elif not chosen.quiet:
        for one in reports:
            done = ", done before" if "skipped" in one else ""
            print(
                f"{shown(one['source'])}: {one['objects']} objects changed, {one['gained']} pixels "
                f"gained, {one['lost']} lost{done}\nLabels: {shown(one['labels'])}"
            )
    failures.tell(len(files) + len(failures.reasons.keys() - set(map(str, files))))
    return int(bool(failures.reasons))


def _clean(file: Path, output: Path, settings: CleanSettings, chosen: argparse.Namespace) -> Json:
    """Clean one file behind a bar, unless it is done, and return a report on it."""
    from tqdm import tqdm

    from napari_sam.batch.clean import clean_file

    target = _target(file, output, settings, chosen.um)
    about = {"source": str(file), "labels": str(target.output)}
    report = _done_before(target, chosen) if chosen.resume else None
    if report is not None:
        return about | report | {"skipped": True}
    target.prepare()
    with tqdm(desc=shown(file.name), unit=" slices", disable=chosen.quiet, delay=0.5) as bar:
        for step in clean_file(file, target, settings, chosen.um):
            bar.total = step.total
            bar.update(step.done - bar.n)
    return about | step.result


def _target(file: Path, output: Path, settings: CleanSettings, um: bool) -> LabelOutput:
    from napari_sam.batch.label_output import LabelOutput
    from napari_sam.io.provenance import describe_run

    rules = {**asdict(settings), "um": um}
    return LabelOutput(output.resolve(), describe_run("clean", {"labels": file}, "", "", rules))


def _done_before(target: LabelOutput, chosen: argparse.Namespace) -> Json | None:
    """Return the report of labels that need not be made again; say why others are."""
    from napari_sam.io.provenance import read_provenance, why_redo

    why = why_redo(target.output, target.about)
    if not why:
        report: Json = read_provenance(target.output)["report"]
        return report
    if target.output.exists() and not chosen.quiet:
        print(f"{shown(target.output)}: made again, {shown(why)}", file=sys.stderr)
    return None
