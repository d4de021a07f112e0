"""`napari-sam queue`: what is done of a queue of pictures, and the rest filled in."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam.cli.progress import Failures, add_model, add_verbosity, fetch_behind_bar
from napari_sam.cli.streams import print_json
from napari_sam.cli.ways import add_ways, search_settings
from napari_sam.errors import InputError
from napari_sam.files import Json
from napari_sam.reasons import shown

if TYPE_CHECKING:
    from napari_sam.cli.commands import Commands
    from napari_sam.inference.automatic.settings import SearchSettings
    from napari_sam.results import Proposal
    from napari_sam.serving.segmenter import StoredSegmenter
    from napari_sam.session.queue.fill import FillRules
    from napari_sam.session.queue.queue import Entry

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser(
        "queue",
        help="show and fill in a queue of pictures to annotate",
        description="Shows what is done of the pictures that `napari-sam gui` goes through, and "
        "writes it to their table, napari-sam-queue.csv. With --fill everything is searched in the "
        "pictures that nobody has begun, and saved for review.",
    )
    parser.add_argument(
        "pictures", metavar="PICTURES", nargs="+", type=Path,
        help="a folder, a pattern, several pictures, an OME-Zarr plate or the table",
    )  # fmt: skip
    parser.add_argument(
        "--fill", action="store_true", help="search the pictures that nobody has begun"
    )
    parser.add_argument(
        "--certain", type=float, default=0.5, metavar="S",
        help="with --fill: score from which on an object is accepted unseen (default 0.5)",
    )  # fmt: skip
    add_ways(parser)
    add_model(parser)
    add_verbosity(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Update the table, fill in what is to do where that is wanted, and report."""
    from napari_sam.session.disk.library import sessions_folder
    from napari_sam.session.queue.pictures import named_queue
    from napari_sam.session.queue.progress import with_progress
    from napari_sam.session.queue.table import write_table

    table, entries = named_queue(chosen.pictures)
    entries = with_progress(entries, sessions_folder())
    write_table(table, entries)
    failures = Failures()
    if chosen.fill:
        entries = _fill(chosen, table, entries, failures)
    _report(chosen, table, entries)
    failures.tell(len(entries))
    return 1 if failures.reasons else 0


def _fill(
    chosen: argparse.Namespace, table: Path, entries: list[Entry], failures: Failures
) -> list[Entry]:
    """Search what is to do, and write the table after each picture."""
    from tqdm import tqdm

    from napari_sam.inference.automatic.selection import Selection
    from napari_sam.inference.store.store import open_store
    from napari_sam.serving.segmenter import load_segmenter
    from napari_sam.session.disk.library import sessions_folder
    from napari_sam.session.queue.fill import FillRules
    from napari_sam.session.queue.progress import latest_work
    from napari_sam.session.queue.queue import State
    from napari_sam.session.queue.table import write_table

    fetch_behind_bar(chosen.model)
    segmenter = load_segmenter(chosen.model, chosen.device, lambda *_: None, open_store())
    settings = search_settings(chosen, segmenter.has_instances)
    carried = replace(latest_work(entries, sessions_folder()), model=chosen.model)
    rules = FillRules(
        Selection(), chosen.certain, carried=carried, settings={"auto": asdict(settings)}
    )
    done = list(entries)
    left = [place for place, entry in enumerate(entries) if entry.state is State.TODO]
    for place in tqdm(left, unit=" pictures", disable=chosen.quiet):
        entry = entries[place]
        with failures.kept(entry.path):
            done[place] = _filled(entry, segmenter, settings, rules)
        if why := failures.reasons.get(str(entry.path)):
            done[place] = replace(entry, note=why)
        write_table(table, done)
    return done


def _filled(
    entry: Entry, segmenter: StoredSegmenter, settings: SearchSettings, rules: FillRules
) -> Entry:
    """Search one picture or all slices of a stack, and save what is found as its session."""
    import numpy as np

    from napari_sam.batch.slices import stack_contrast
    from napari_sam.io.images.find import name_of
    from napari_sam.io.images.read import open_image
    from napari_sam.io.scale import read_spacing
    from napari_sam.planes import Plane
    from napari_sam.session.disk.fingerprint import Fingerprint
    from napari_sam.session.disk.library import sessions_folder
    from napari_sam.session.disk.manifest import Manifest
    from napari_sam.session.edit.linked import plane_lines
    from napari_sam.session.queue.fill import Found, fill_in

    with open_image(entry.path) as data:
        shape = data.plain_shape
        spacing = read_spacing(entry.path, len(shape))
        if "c" in spacing.axes:
            raise InputError(
                f"its axes are {spacing.axes}: a picture with channels is searched in the panel, "
                "where they are chosen"
            )
        contrast = stack_contrast(data, segmenter.predictor.model.entry.intensity)
        pixels = np.asarray(data)
    lines, anisotropy = plane_lines(shape, spacing, (*([0] * (len(shape) - 2)), None, None))
    found: dict[Plane, list[Proposal]] = {}
    for plane in (plane for line in lines for plane in line):
        found[plane] = []
        for step in segmenter.find(pixels[plane[:-2]], settings, None, contrast, lambda: None):
            found[plane] = list(step.result.kept or found[plane])
    known = Fingerprint.sampled(pixels, len(shape))
    picture = Manifest(known, name_of(entry.path), str(entry.path))
    return fill_in(entry, picture, Found(lines, found, anisotropy), rules, sessions_folder())


def _report(chosen: argparse.Namespace, table: Path, entries: list[Entry]) -> None:
    from napari_sam.session.queue.outlook import outlook, saving
    from napari_sam.session.queue.queue import State, seconds_left

    counts = {state.value: sum(one.state is state for one in entries) for state in State}
    objects, seconds = sum(one.objects for one in entries), seconds_left(entries)
    if chosen.json:
        rows: list[Json] = [
            asdict(one) | {"path": str(one.path), "state": one.state.value} for one in entries
        ]
        report = {"table": str(table), "counts": counts, "seconds_left": seconds}
        print_json({**report, "pictures": rows})
        return
    if not chosen.quiet:
        said = ", ".join(f"{number} {name}" for name, number in counts.items() if number)
        left = "" if not seconds else f"; about {seconds / 60:.0f} min of work are left"
        print(f"{len(entries)} pictures: {said}; {objects} objects{left}")
        ahead, better = outlook(entries), saving(entries)
        if ahead is not None and ahead.flat:
            print(ahead)
        if better is not None and better.worth_it:
            print(better)
        print(f"the table is {shown(table)}", file=sys.stderr)
