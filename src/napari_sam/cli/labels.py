"""What the commands share that turn pictures into labels."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from napari_sam.cli.progress import Failures, add_saying
from napari_sam.cli.saying import print_json
from napari_sam.cli.scheduler import all_done
from napari_sam.reasons import shown

if TYPE_CHECKING:
    from napari_sam.batch.model import WorkersModel
    from napari_sam.batch.target import Target
    from napari_sam.batch.task import Work

    class LabelWork(Work, Protocol):
        """Work that makes labels."""

        @property
        def target(self) -> Target:
            """Where they go."""


__all__ = ["Said", "add_choices", "label_all", "targets", "works_of"]

Said = Callable[[dict[str, Any]], tuple[str, list[str]]]
"""Puts a report into words: a line, and more of them if it is the only one."""


def add_choices(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that all of them take."""
    parser.add_argument(
        "images", metavar="IMAGE", nargs="+", type=Path,
        help="a .tif, .png, .zarr or a microscope's file with any number of slices, a folder of "
        "them, a pattern such as 'day*/*.tif', or an OME-Zarr plate; for more than one LABELS is a "
        "folder",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", metavar="LABELS", type=Path, required=True,
        help="a .tif, .zarr, .png, .geojson, .json (COCO), .zip (ROIs) or .csv (measurements); or "
        "a folder",
    )  # fmt: skip
    parser.add_argument(
        "--resume", action="store_true",
        help="skip pictures whose labels are there, whole, and made just so",
    )  # fmt: skip
    parser.add_argument("--model", metavar="NAME", default="cells_tiny", help="name or file")
    parser.add_argument("--device", default="auto")
    add_saying(parser)


def targets(
    command: str, model: WorkersModel, settings: Mapping[str, Any]
) -> Callable[[Path, Mapping[str, Path]], Target]:
    """Return what makes a target of an output and its inputs, for a run with these settings."""
    from napari_sam.batch.target import Target
    from napari_sam.io.provenance import described, files

    path = Path(model.name)
    name = path.stem if path.is_file() else model.name
    about = described(command, {}, name, model.digest, settings)  # shared: pictures may be many

    def target(output: Path, inputs: Mapping[str, Path]) -> Target:
        return Target(output.resolve(), about | {"inputs": files(inputs)})

    return target


def works_of(
    outputs: Mapping[Path, Path], failures: Failures, work: Callable[[Path, Path], LabelWork]
) -> dict[Path, LabelWork]:
    """Return what is to be done to each picture; those that cannot be done are failures.

    Parameters
    ----------
    outputs : mapping of Path to Path
        Where the labels of each picture go.
    failures : Failures
    work : callable
        Returns the work of a picture and its output.
    """
    from napari_sam.io.images.file_checks import check_file
    from napari_sam.io.images.microscopes import file_of

    works = {}
    for path, output in outputs.items():
        with failures.kept(path):
            check_file(file_of(path)[0])
            works[path] = work(path, output)
    return works


def label_all(
    works: Mapping[Path, LabelWork],
    model: WorkersModel,
    chosen: argparse.Namespace,
    failures: Failures,
    said: Said,
) -> int:
    """Make labels of pictures, unless that is done, and say what came of each.

    One bad picture does not stop the others.

    Parameters
    ----------
    works : mapping of Path to LabelWork
        By picture, as it was named.
    model : WorkersModel
    chosen : argparse.Namespace
        With the arguments of `add_choices` and `add_scheduler`.
    failures : Failures
        Of pictures that there is no work for.
    said : callable

    Returns
    -------
    int
        The exit status.
    """
    count = len(works) + len(failures.reasons)
    reports = _done_before(works, chosen, failures, said) if chosen.resume else {}
    names = {}
    for path, work in works.items():
        if not (path in reports or str(path) in failures.reasons):
            with failures.kept(path):
                work.target.prepare()
                names[id(work)] = path
    try:
        for step in all_done([works[path] for path in names.values()], model, chosen):
            file = step.result
            path = names[id(file.work)]
            if file.problem:
                failures.reasons[str(path)] = file.problem
            else:
                reports[path] = _report(path, works[path], file.report)
    except KeyboardInterrupt:
        going_on = "the same command with --resume goes on"
        print(f"stopped; {len(reports)} of {count} are done; {going_on}", file=sys.stderr)
        raise
    ordered = [reports[path] for path in works if path in reports]
    if chosen.json:
        print_json({"images": ordered, "failures": failures.reasons})
    elif not chosen.quiet:
        for one in ordered:
            first, more = said(one)
            done = ", done before" if "skipped" in one else ""
            more = more if count == 1 else []
            labels = f"Labels: {shown(one['labels'])}"
            print("\n".join([f"{shown(one['image'])}: {first}{done}", *more, labels]))
    failures.tell(count)
    return int(bool(failures.reasons))


def _done_before(
    works: Mapping[Path, LabelWork], chosen: argparse.Namespace, failures: Failures, said: Said
) -> dict[Path, dict[str, Any]]:
    """Return the reports of labels that are not to be made again; say why others are."""
    from napari_sam.io.provenance import undone

    reports = {}
    for path, work in works.items():
        with failures.kept(path):
            output = work.target.output
            why = undone(output, work.target.about)
            if not why:
                try:
                    reports[path] = _told(path, work, said)
                except Exception:  # anybody may write anything into it
                    why = "what says how it was made is not as it was written"
            if why and output.exists() and not chosen.quiet:
                print(f"{shown(path)}: made again, {shown(why)}", file=sys.stderr)
    return reports


def _told(path: Path, work: LabelWork, said: Said) -> dict[str, Any]:
    """Return the report of labels that are done; whatever is wrong with it is raised."""
    from napari_sam.io.provenance import told

    report = _report(path, work, told(work.target.output)["report"])
    said(report)
    return report | {"skipped": True}


def _report(path: Path, work: LabelWork, report: dict[str, Any]) -> dict[str, Any]:
    return {"image": str(path), "labels": str(work.target.output), **report}
