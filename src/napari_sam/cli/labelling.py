"""Shared parts of commands that write labels: arguments, outputs, resume and reports."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam.cli.progress import Failures, add_model, add_verbosity
from napari_sam.cli.scheduler import add_scheduler, run_all
from napari_sam.cli.streams import print_json
from napari_sam.files import Json
from napari_sam.reasons import shown

if TYPE_CHECKING:
    from napari_sam.batch.label_output import LabelOutput, LabelTask
    from napari_sam.batch.model import WorkersModel

__all__ = ["Describe", "add_label_arguments", "label_all", "targets", "tasks_of"]

Describe = Callable[[Json], tuple[str, list[str]]]
"""Puts a report into words: a line, and more of them if it is the only one."""


def add_label_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that all commands that write labels share."""
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
    add_model(parser)
    add_verbosity(parser)
    add_scheduler(parser)


def targets(
    command: str, model: WorkersModel, settings: Mapping[str, object]
) -> Callable[[Path, Mapping[str, Path]], LabelOutput]:
    """Return a factory of `LabelOutput`, from output and inputs, for a run with these settings."""
    from napari_sam.batch.label_output import LabelOutput
    from napari_sam.io.provenance import describe_inputs, describe_run

    path = Path(model.name)
    name = path.stem if path.is_file() else model.name
    # shared: pictures may be many
    about = describe_run(command, {}, name, model.digest, settings, model.decoder)

    def target(output: Path, inputs: Mapping[str, Path]) -> LabelOutput:
        return LabelOutput(output.resolve(), about | {"inputs": describe_inputs(inputs)})

    return target


def tasks_of(
    outputs: Mapping[Path, Path], failures: Failures, task: Callable[[Path, Path], LabelTask]
) -> dict[Path, LabelTask]:
    """Return the task of each image; images that cannot be opened are failures.

    Parameters
    ----------
    outputs : mapping of Path to Path
        Where the labels of each picture go.
    task : callable
        Returns the task for a picture and its output.
    """
    from napari_sam.io.images.file_checks import check_file
    from napari_sam.io.images.microscopes import file_of

    tasks = {}
    for path, output in outputs.items():
        with failures.kept(path):
            check_file(file_of(path)[0])
            tasks[path] = task(path, output)
    return tasks


def label_paired(
    command: str,
    settings: Mapping[str, object],
    chosen: argparse.Namespace,
    known: tuple[str, Path],
    task: Callable[[Path, LabelOutput, Path], LabelTask],
    describe: Describe,
) -> int:
    """Run `label_all` on images paired with existing labels: `known` is (role, path)."""
    from napari_sam.batch.model import workers_model
    from napari_sam.cli.pairing import pair_labels
    from napari_sam.cli.paths import input_images, output_paths

    failures, (part, labels) = Failures(), known
    images = input_images(chosen.images, failures, chosen.output, chosen.quiet)
    pairs = pair_labels(images, chosen.images, labels, failures)
    outputs = output_paths(images, chosen.images, chosen.output, failures, pairs.values())
    model = workers_model(chosen.model, chosen.device)
    target = targets(command, model, settings)

    def of(image: Path, output: Path) -> LabelTask:
        to = target(output, {"image": image, part: pairs[image]})
        return task(image.resolve(), to, pairs[image].resolve())

    both = {image: outputs[image] for image in pairs if image in outputs}
    return label_all(tasks_of(both, failures, of), model, chosen, failures, describe)


def label_all(
    tasks: Mapping[Path, LabelTask],
    model: WorkersModel,
    chosen: argparse.Namespace,
    failures: Failures,
    said: Describe,
) -> int:
    """Run label tasks, skip those that are up to date, and report on each image.

    One bad picture does not stop the others.

    Parameters
    ----------
    tasks : mapping of Path to LabelTask
        By picture, as it was named.
    chosen : argparse.Namespace
        With the arguments of `add_label_arguments` and `add_scheduler`.
    failures : Failures
        Of pictures that there is no work for.

    Returns
    -------
    int
        The exit status.
    """
    count = len(tasks) + len(failures.reasons)
    reports = _done_before(tasks, chosen, failures, said) if chosen.resume else {}
    names = {}
    for path, task in tasks.items():
        if not (path in reports or str(path) in failures.reasons):
            with failures.kept(path):
                task.target.prepare()
                names[id(task)] = path
    try:
        for step in run_all([tasks[path] for path in names.values()], model, chosen):
            file = step.result
            path = names[id(file.task)]
            if file.problem:
                failures.reasons[str(path)] = file.problem
            else:
                reports[path] = _report(path, tasks[path], file.report)
    except KeyboardInterrupt:
        going_on = "the same command with --resume goes on"
        print(f"stopped; {len(reports)} of {count} are done; {going_on}", file=sys.stderr)
        raise
    ordered = [reports[path] for path in tasks if path in reports]
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
    tasks: Mapping[Path, LabelTask], chosen: argparse.Namespace, failures: Failures, said: Describe
) -> dict[Path, Json]:
    """Return the reports of labels that are not to be made again; say why others are."""
    from napari_sam.io.provenance import why_redo

    reports = {}
    for path, task in tasks.items():
        with failures.kept(path):
            output = task.target.output
            why = why_redo(output, task.target.about)
            if not why:
                try:
                    reports[path] = _told(path, task, said)
                except Exception:  # anybody may write anything into it
                    why = "what says how it was made is not as it was written"
            if why and output.exists() and not chosen.quiet:
                print(f"{shown(path)}: made again, {shown(why)}", file=sys.stderr)
    return reports


def _told(path: Path, task: LabelTask, said: Describe) -> Json:
    """Return the report of labels that are done; whatever is wrong with it is raised."""
    from napari_sam.io.provenance import read_provenance

    report = _report(path, task, read_provenance(task.target.output)["report"])
    said(report)
    return report | {"skipped": True}


def _report(path: Path, task: LabelTask, report: Json) -> Json:
    return {"image": str(path), "labels": str(task.target.output), **report}
