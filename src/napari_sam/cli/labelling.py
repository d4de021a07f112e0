"""What the commands share that turn pictures into labels."""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from napari_sam.cli.failures import Failures
from napari_sam.cli.progress import add_saying
from napari_sam.cli.scheduling import all_done
from napari_sam.errors import InputError

if TYPE_CHECKING:
    from napari_sam.batch.target import Target
    from napari_sam.batch.work import Work
    from napari_sam.distributed.model import WorkersModel

    class LabelWork(Work, Protocol):
        """Work that makes labels."""

        @property
        def target(self) -> Target:
            """Where they go."""


__all__ = ["Said", "add_choices", "label_all", "outputs_of", "paired", "targets"]

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


def outputs_of(images: list[Path], output: Path, others: Iterable[Path] = ()) -> dict[Path, Path]:
    """Return where the labels of each picture go; the folder is made.

    Raises
    ------
    InputError
        If two would go to one file, or one would replace a picture or one of the other inputs.
    """
    from napari_sam.io.labels import check_output
    from napari_sam.io.pictures import name_of

    outputs = dict.fromkeys(images, output)
    if len(images) > 1 or not output.suffix:
        if output.suffix:
            raise InputError(f"the labels of {len(images)} pictures need a folder; got {output}")
        outputs = {path: output / f"{name_of(path)}_labels.tif" for path in images}
        if len(set(outputs.values())) < len(images):
            raise InputError(
                "two of the pictures have the same name, and so would their labels; name fewer "
                "at a time"
            )
    inputs = {path.resolve() for path in (*images, *others)}
    for one in outputs.values():
        check_output(one, *inputs.intersection([one.resolve()]))
        one.parent.mkdir(parents=True, exist_ok=True)
    return outputs


def paired(images: list[Path], labels: Path, failures: Failures) -> dict[Path, Path]:
    """Return the labels of each picture; pictures without are failures.

    One file goes with one picture. Of several, those of ``cells.tif`` are called ``cells`` or
    ``cells_labels``, with whatever ending.

    Raises
    ------
    InputError
        If there are no labels at all.
    """
    from napari_sam.io.pictures import find_pictures, name_of

    found = find_pictures([labels])
    if len(images) == len(found) == 1:
        return {images[0]: found[0]}
    by_name: dict[str, list[Path]] = defaultdict(list)
    for path in found:
        by_name[_name(name_of(path))].append(path)
    pairs = {}
    for image in images:
        with failures.kept(image):
            those = by_name[_name(name_of(image))]
            if len(those) != 1:
                named = " and ".join(map(str, those)) or f"none of the {len(found)} there"
                raise InputError(f"one file of {labels} must have the same name; got {named}")
            pairs[image] = those[0]
    return pairs


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
    reports = _done_before(works, chosen, said) if chosen.resume else {}
    names = {id(work): path for path, work in works.items() if path not in reports}
    count = len(works) + len(failures.reasons)
    try:
        for step in all_done([works[path] for path in names.values()], model, chosen):
            path = names[id(step.work)]
            if step.problem:
                failures.reasons[str(path)] = step.problem
            else:
                reports[path] = _report(path, works[path], step.report)
    except KeyboardInterrupt:
        going_on = "the same command with --resume goes on"
        print(f"stopped; {len(reports)} of {count} are done; {going_on}", file=sys.stderr)
        raise
    ordered = [reports[path] for path in works if path in reports]
    if chosen.json:
        print(json.dumps({"images": ordered, "failures": failures.reasons}, indent=2))
    elif not chosen.quiet:
        for one in ordered:
            first, more = said(one)
            done = ", done before" if "skipped" in one else ""
            more = more if count == 1 else []
            print("\n".join([f"{one['image']}: {first}{done}", *more, f"Labels: {one['labels']}"]))
    failures.tell(count)
    return int(bool(failures.reasons))


def _done_before(
    works: Mapping[Path, LabelWork], chosen: argparse.Namespace, said: Said
) -> dict[Path, dict[str, Any]]:
    """Return the reports of labels that are not to be made again; say why others are."""
    from napari_sam.io.provenance import undone

    reports = {}
    for path, work in works.items():
        output = work.target.output
        why = undone(output, work.target.about)
        if not why:
            try:
                reports[path] = _told(path, work, said)
            except Exception:  # anybody may write anything into it
                why = "what says how it was made is not as it was written"
        if why and output.exists() and not chosen.quiet:
            print(f"{path}: made again, {why}", file=sys.stderr)
    return reports


def _told(path: Path, work: LabelWork, said: Said) -> dict[str, Any]:
    """Return the report of labels that are done; whatever is wrong with it is raised."""
    from napari_sam.io.provenance import told

    report = _report(path, work, told(work.target.output)["report"])
    said(report)
    return report | {"skipped": True}


def _report(path: Path, work: LabelWork, report: dict[str, Any]) -> dict[str, Any]:
    return {"image": str(path), "labels": str(work.target.output), **report}


def _name(of: str) -> str:
    return of.removesuffix("_labels")
