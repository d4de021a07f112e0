"""`napari-sam segment`: find all objects in pictures, without a click."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sam.cli.boxing import boxed
from napari_sam.cli.failures import batch
from napari_sam.cli.labelling import add_choices
from napari_sam.cli.progress import fetched
from napari_sam.cli.scheduling import add_scheduler, done_by_cluster
from napari_sam.cli.searching import searched
from napari_sam.cli.seeding import add_seeds, seeded
from napari_sam.cli.wording import add_words, wanted
from napari_sam.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_sam.cli.wording import Wanted
    from napari_sam.inference.embeddings import EmbeddingStore
    from napari_sam.inference.grid_settings import GridSettings
    from napari_sam.inference.predictor import Predictor
    from napari_sam.io.spacing import Spacing
    from napari_sam.zoo import Entry

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "segment",
        help="find all objects in pictures",
        description="Asks the model at many points what is there, keeps the masks it is sure of, "
        "and writes them as labels. Slices of a stack are searched one by one, and objects "
        "that overlap from slice to slice become one: through z (within each time point, if there "
        "are both), else through time. How far apart slices lie is read from the file.",
    )
    parser.add_argument(
        "images", metavar="IMAGE", nargs="+", type=Path,
        help="a .tif, .png or .zarr with any number of slices, a folder of them, a pattern such as "
        "'day*/*.tif', or an OME-Zarr plate; for more than one, LABELS is a folder",
    )  # fmt: skip
    parser.add_argument(
        "--points", type=int, default=32, metavar="N",
        help="at most N x N points, of a grid just as many (default 32)",
    )  # fmt: skip
    add_seeds(parser)
    parser.add_argument(
        "--boxes", metavar="CSV", type=Path,
        help="segment one object for each row of a table: y0, x0, y1, x1, for stacks slice, and "
        "id if you like; nothing else is searched",
    )  # fmt: skip
    parser.add_argument(
        "--min-score", type=float, metavar="IOU", help="lowest predicted IoU (default: the model's)"
    )
    parser.add_argument(
        "--min-stability", type=float, metavar="IOU", help="lowest stability (default: the model's)"
    )
    parser.add_argument(
        "--gap", type=int, default=1, metavar="N",
        help="an object that is missed on up to N slices goes on after them; nothing is filled in "
        "(default 1)",
    )  # fmt: skip
    parser.add_argument(
        "--no-link", action="store_true", help="number the objects of all slices, link none"
    )
    add_words(parser)
    parser.add_argument(
        "--resume", action="store_true",
        help="skip pictures whose labels are there, whole, and made just so",
    )  # fmt: skip
    add_choices(parser)
    add_scheduler(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Search, write the labels, and say how many objects there are."""
    from napari_sam import GridSettings
    from napari_sam.inference.embeddings import EmbeddingStore, open_store
    from napari_sam.inference.memory_store import MemoryStore
    from napari_sam.io.pictures import find_pictures

    settings = GridSettings(
        points_per_side=chosen.points,
        min_score=chosen.min_score,
        min_stability=chosen.min_stability,
    )
    settings = seeded(settings, chosen.seeds)
    outputs = _outputs(find_pictures(chosen.images), chosen.output)
    words = wanted(chosen)
    if chosen.boxes is not None and (chosen.seeds or words):
        raise InputError("--boxes says what to segment; leave --seeds and --text out")
    if chosen.scheduler is not None:
        for name in ("text", "boxes"):
            if getattr(chosen, name):
                raise InputError(f"--scheduler and --{name} do not go together yet; leave one out")
        reports = _on_cluster(outputs, settings, chosen)
        _say(reports, {}, chosen, None)
        return int(len(reports) < len(outputs))
    fetched(chosen.model)
    from napari_sam import Predictor, load_model

    predictor, store = Predictor(load_model(chosen.model, chosen.device)), open_store()
    if words is None:  # each slice is looked at once, so nothing is kept in memory
        store = EmbeddingStore(MemoryStore(0), store.disk)
    one_of = partial(_segmented, chosen, settings, words, predictor, store)
    reports, failures = batch(outputs, one_of, chosen.quiet)
    _say(reports, failures.reasons, chosen, words)
    failures.tell(len(outputs))
    return int(bool(failures.reasons))


def _segmented(
    chosen: argparse.Namespace,
    settings: GridSettings,
    words: Wanted | None,
    predictor: Predictor,
    store: EmbeddingStore,
    path: Path,
    output: Path,
) -> dict[str, Any]:
    """Segment a picture unless that is done, write its labels, and return what to report."""
    from napari_sam.batch.slices import scratch
    from napari_sam.io.export import write_objects
    from napari_sam.io.provenance import write_provenance

    about = _about(chosen, settings, predictor.model.entry, path)
    before = _done_before(chosen, about, path, output)
    if before is not None:
        return before
    if words is not None:
        words.report()  # of a picture that failed, if anything
    done = True
    if chosen.boxes is not None:
        labels, spacing = boxed(path, chosen.boxes, predictor, chosen.quiet)
        objects = len(_ids(labels))
        write_objects(output, labels, spacing)
    else:
        search = searched(path, output, chosen, predictor, settings, store, words)
        with search as (labels, spacing, done):
            objects = int(labels.max())
            if objects or done:
                write_objects(output, labels, spacing)
    report = _report(chosen, path, output, objects, spacing)
    report |= {} if words is None else {"words": words.report()}
    if not done:
        kept = f"what was done is in {output}" if objects else "nothing was written"
        again = "; the same command goes on" if scratch(output).exists() else ""
        print(f"stopped; {kept}{again}", file=sys.stderr)
        raise KeyboardInterrupt
    write_provenance(output, {**about, "report": report})
    return report


def _done_before(
    chosen: argparse.Namespace, about: dict[str, Any], path: Path, output: Path
) -> dict[str, Any] | None:
    """Return the report of labels that are not to be made again; None if they are."""
    from napari_sam.io.provenance import told, undone

    if not chosen.resume:
        return None
    why = undone(output, about)
    if not why:
        report: dict[str, Any] = told(output)["report"]
        return report | {"image": str(path), "labels": str(output.resolve()), "skipped": True}
    if output.exists() and not chosen.quiet:
        print(f"{path}: made again, {why}", file=sys.stderr)
    return None


def _report(
    chosen: argparse.Namespace, path: Path, output: Path, objects: int, spacing: Spacing
) -> dict[str, Any]:
    apart = chosen.no_link or chosen.semantic or chosen.boxes is not None
    along = None if apart else spacing.along
    return {
        "image": str(path),
        "labels": str(output.resolve()),
        "objects": objects,
        "linked": None if along is None else spacing.axes[along],
        "anisotropy": spacing.anisotropy,
    }


def _about(
    chosen: argparse.Namespace, settings: GridSettings, entry: Entry, path: Path
) -> dict[str, Any]:
    """Return what the labels depend on."""
    from napari_sam.io.provenance import described

    inputs = {"image": path}
    if chosen.seeds is not None and Path(chosen.seeds).exists():
        inputs["seeds"] = Path(chosen.seeds)
    if chosen.boxes is not None:
        inputs["boxes"] = chosen.boxes
    names = ("gap", "no_link", "text", "similarity", "top", "semantic", "encoder")
    values = asdict(settings) | {name: getattr(chosen, name) for name in names}
    values["contrast"] = entry.intensity  # the rule; a stack has one contrast by it
    return described("segment", inputs, entry.name, entry.digest, values)


def _ids(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    import numpy as np

    ids: NDArray[np.int32] = np.unique(labels)
    return ids[ids > 0]


def _on_cluster(
    outputs: dict[Path, Path], settings: GridSettings, chosen: argparse.Namespace
) -> list[dict[str, Any]]:
    """Let a cluster search; return a report for each picture that did not fail."""
    from napari_sam.batch.segment import SegmentWork
    from napari_sam.io.provenance import write_provenance

    reports = []
    if chosen.resume:
        from napari_sam import load_model

        entry, left = load_model(chosen.model, "cpu").entry, {}
        for path, output in outputs.items():
            about = _about(chosen, settings, entry, path)
            before = _done_before(chosen, about, path, output)
            if before is None:
                left[path] = output
            else:
                reports.append(before)
        outputs = left
    there = chosen.seeds is not None and Path(chosen.seeds).exists()
    seeds = str(Path(chosen.seeds).resolve()) if there else None
    common = (settings, seeds, chosen.gap, not chosen.no_link)
    works = [
        SegmentWork(path.resolve(), output.resolve(), *common) for path, output in outputs.items()
    ]
    for (path, output), last in zip(outputs.items(), done_by_cluster(works, chosen), strict=True):
        if last.problem:
            continue
        entry, objects, spacing = last.report
        reports.append(_report(chosen, path, output, objects, spacing))
        about = _about(chosen, settings, entry, path)
        write_provenance(output, {**about, "report": reports[-1]})
    return reports


def _say(
    reports: list[dict[str, Any]],
    failures: dict[str, str],
    chosen: argparse.Namespace,
    words: Wanted | None,
) -> None:
    if chosen.json:
        print(json.dumps({"images": reports, "failures": failures}, indent=2))
    elif not chosen.quiet:
        for one in reports:
            done = ", done before" if one.get("skipped") else ""
            print(f"{one['image']}: {_found(one, words)}{_linked(one)}{done}")
            print(f"Labels: {one['labels']}")


def _found(report: dict[str, Any], words: Wanted | None) -> str:
    if words is None:
        return f"{report['objects']} objects"
    kinds = Counter(report["words"].values())
    if not kinds:
        return "nothing fits the words"
    if words.semantic:
        return "areas of " + ", ".join(kinds)
    said = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return f"{report['objects']} objects ({said})"


def _linked(report: dict[str, Any]) -> str:
    if report["linked"] == "z":
        return f", linked through z, anisotropy {report['anisotropy']:.3g}"
    return ", linked through time" if report["linked"] else ""


def _outputs(images: list[Path], output: Path) -> dict[Path, Path]:
    """Return where the labels of each picture go.

    Raises
    ------
    InputError
        If two would go to one file, or one would replace a picture.
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
    for one in outputs.values():
        check_output(one, *images)
        one.parent.mkdir(parents=True, exist_ok=True)
    return outputs
