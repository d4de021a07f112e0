"""`napari-sam embed`: precompute image embeddings, so that the first prompt is fast."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam.cli.paths import input_images
from napari_sam.cli.progress import Failures, add_model, add_verbosity, fetch_behind_bar
from napari_sam.cli.scheduler import add_scheduler, run_and_collect
from napari_sam.cli.streams import print_json
from napari_sam.errors import InputError
from napari_sam.files import Json
from napari_sam.reasons import reason, shown

if TYPE_CHECKING:
    from napari_sam.cli.commands import Commands
    from napari_sam.inference.predictor import Predictor
    from napari_sam.inference.store.disk import DiskStore
    from napari_sam.inference.store.store import EmbeddingStore

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser(
        "embed",
        help="embed pictures ahead of need",
        description="Run the image encoder on every slice of the pictures and keep what it sees, "
        "for the panel and for other commands. What is kept already, whole and of the very same "
        "pixels, is always skipped: an interrupted run goes on where it stopped.",
    )
    parser.add_argument(
        "images", metavar="IMAGE", nargs="*", type=Path,
        help="a .tif, .png or .zarr with any number of slices, a folder of them, a pattern such as "
        "'day*/*.tif', or an OME-Zarr plate",
    )  # fmt: skip
    add_model(parser)
    parser.add_argument("--clear", action="store_true", help="first delete all that is kept")
    add_verbosity(parser)
    add_scheduler(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Embed the images and print a report; return 1 if any was left out."""
    from napari_sam.inference.store.memory import MemoryStore
    from napari_sam.inference.store.store import EmbeddingStore, open_store

    if not (chosen.images or chosen.clear):
        raise InputError("name pictures to embed, or --clear to delete what is kept")
    failures = Failures()
    paths = input_images(chosen.images, failures, quiet=chosen.quiet)
    count = len(paths) + len(failures.reasons)
    store = EmbeddingStore(MemoryStore(0), open_store().disk)  # what is not on disk is not kept
    if chosen.clear:
        store.clear()
    reports = []
    for path, report in _embed_all(paths, store, chosen, failures) if paths else ():
        reports.append({"path": str(path), **report})
        if report["problems"]:
            failures.reasons[str(path)] = "; ".join(report["problems"])
    folder = None if store.disk is None else str(store.disk.folder)
    if chosen.json:
        about = {"folder": folder, "bytes": store.size, "images": reports}
        print_json({**about, "failures": failures.reasons})
    elif not chosen.quiet:
        for report in reports:
            new, kept, slices = report["embedded"], report["kept"], report["slices"]
            unit = report.get("unit", "slices")
            done = f"{kept} of {slices} {unit} are embedded, {new} of them now"
            print(f"{shown(report['path'])}: {done}")
        print(f"Embeddings: {folder or 'not kept'}, {store.size / 1e6:,.0f} MB")
    failures.tell(count)
    return int(bool(failures.reasons))


def _embed_all(
    paths: list[Path], store: EmbeddingStore, chosen: argparse.Namespace, failures: Failures
) -> Iterator[tuple[Path, Json]]:
    """Give a report for each picture."""
    if store.disk is None:
        raise InputError(
            "your settings keep no embeddings on disk; raise embeddings_disk_mb above 0"
        )
    if chosen.scheduler is not None:
        yield from _on_cluster(paths, store.disk, chosen, failures)
        return
    fetch_behind_bar(chosen.model)
    from napari_sam import Predictor, load_model

    predictor = Predictor(load_model(chosen.model, chosen.device))
    room = store.budget
    for path in paths:
        report = _embed(path, store, predictor, room, chosen.quiet)
        room -= report["bytes"]
        yield path, report


def _on_cluster(
    paths: list[Path], disk: DiskStore, chosen: argparse.Namespace, failures: Failures
) -> Iterator[tuple[Path, Json]]:
    """Let a cluster embed."""
    from napari_sam.batch.embed import EmbedTask

    folder = disk.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    tasks = {}
    for path in paths:
        with failures.kept(path):
            tasks[path] = EmbedTask(path.resolve(), folder, disk.budget)
    for path, last in zip(tasks, run_and_collect([*tasks.values()], chosen), strict=True):
        file = last.result
        report = file.report or {"slices": last.total, "kept": last.done, "embedded": 0, "bytes": 0}
        yield path, {**report, "problems": [file.problem] if file.problem else []}


def _embed(path: Path, store: EmbeddingStore, predictor: Predictor, room: int, quiet: bool) -> Json:
    """Embed one picture behind a bar and report on it."""
    from tqdm import tqdm

    from napari_sam.batch.embed import ImageParts
    from napari_sam.io.images.read import open_image
    from napari_sam.progress import Progress
    from napari_sam.serving.precompute import Precomputed, embed_stack

    before, step, problems = store.made, Progress(0, 0, Precomputed()), []
    left_out, unit = 0, "slices"
    try:
        with open_image(path) as data, tqdm(desc=shown(path.name), disable=quiet) as bar:
            parts = ImageParts(predictor, data, store)
            bar.unit, unit = f" {parts.unit}", parts.unit
            steps = embed_stack(parts.keep, lambda part: part, parts.indices, lambda: None, room)
            for step in steps:
                bar.total = step.total
                bar.update(step.done - bar.n)
                if step.result.problem:
                    left_out += 1
                    problems.append(step.result.problem)
    except Exception as error:  # files can be damaged in more ways than their readers name
        problems.append(reason(error))
    if step.result.full:
        problems.append(f"there is room for {step.done} of {step.total} {unit} on disk")
    return {
        "slices": step.total,
        "unit": unit,
        "kept": step.done - left_out,
        "embedded": store.made - before,
        "bytes": step.result.nbytes,
        "problems": problems,
    }
