"""`napari-sam track`: link the labels of time series into tracks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam.cli.paths import common_root, distinct, relative_folder
from napari_sam.cli.progress import Failures, add_verbosity
from napari_sam.cli.streams import print_json
from napari_sam.errors import InputError
from napari_sam.files import LABELS, Json
from napari_sam.reasons import shown

if TYPE_CHECKING:
    from napari_sam.cli.commands import Commands
    from napari_sam.tracking.linking import LinkSettings

__all__ = ["add"]

TRACKS = "_tracks"


def add(commands: Commands) -> None:
    """Add the subcommand to the parser."""
    parser = commands.add_parser(
        "track",
        help="link the labels of time series into tracks, with divisions",
        description="Objects of a frame and the next are linked by overlap, distance and size, "
        "over gaps as well, and may divide. Each series gets a folder with masks and "
        "res_track.txt of the Cell Tracking Challenge, tracks.geff, and two tables: objects.csv "
        "and tracks.csv.",
    )
    parser.add_argument(
        "labels", metavar="LABELS", nargs="+", type=Path,
        help="labels with a time axis, folders of them, or patterns; or tracks, to be written in "
        "all these forms: a folder of the challenge, a .geff, TrackMate's .xml, a .csv",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", type=Path, required=True,
        help="each series gets a folder in there, such as FOLDER/cells_tracks",
    )  # fmt: skip
    parser.add_argument(
        "--gap", metavar="FRAMES", type=int, default=2,
        help="frames in a row on which an object may be missed, 0 to 2",
    )  # fmt: skip
    parser.add_argument("--no-divisions", action="store_true", help="nothing divides")
    parser.add_argument(
        "--axes", metavar="LETTERS",
        help="what the axes of the labels are, in place of what the file says: tyx or tzyx",
    )  # fmt: skip
    add_verbosity(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Track all series; return 1 if any failed."""
    from napari_sam.tracking.linking import LinkSettings, check_installed

    settings = LinkSettings(chosen.gap, not chosen.no_divisions)
    failures = Failures()
    series = _series(chosen.labels, failures)
    if any(not _is_tracks(path) for path in series):
        check_installed()
    folders = _folders(series, chosen)
    reports: dict[Path, Json] = {}
    for path, folder in folders.items():
        with failures.kept(path):
            reports[path] = _tracked(path, folder, settings, chosen)
            _tell(reports[path], chosen)
    if chosen.json:
        print_json({"series": list(reports.values()), "failures": failures.reasons})
    failures.tell(len(reports) + len(failures.reasons))
    return int(bool(failures.reasons))


def _is_tracks(path: Path) -> bool:
    from napari_sam.io.tracks.read import holds_tracks

    return holds_tracks(path)


def _series(named: list[Path], failures: Failures) -> list[Path]:
    """Return all files of labels and all tracks."""
    from napari_sam.io.images.find import find_images

    tracks = [path for path in named if _is_tracks(path)]
    others = [path for path in named if path not in tracks]
    return [*tracks, *(find_images(others, failures.reasons.__setitem__) if others else ())]


def _folders(series: list[Path], chosen: argparse.Namespace) -> dict[Path, Path]:
    """Return the folder of each series, called as it is; with its own folders if names collide."""
    if chosen.output.suffix and chosen.output.is_file():
        raise InputError(f"tracks need a folder; {chosen.output} is a file")
    root = common_root(chosen.labels)
    names = distinct(
        series,
        lambda path: Path(_name(path)),
        lambda path: relative_folder(path, root) / _name(path),
        lambda path: relative_folder(path, root) / path.name,
    )
    return {path: chosen.output / f"{name}{TRACKS}" for path, name in names.items()}


def _name(path: Path) -> str:
    from napari_sam.io.images.find import name_of

    name = path.stem if _is_tracks(path) else name_of(path).removesuffix(LABELS)
    return name.removesuffix(TRACKS)


def _tracked(path: Path, folder: Path, settings: LinkSettings, chosen: argparse.Namespace) -> Json:
    """Track a series behind a progress bar, and return its report."""
    from tqdm import tqdm

    from napari_sam.batch.track import track_file

    report: Json | None = None
    with tqdm(desc=shown(path.name), unit=" frames", disable=chosen.quiet, leave=False) as bar:
        for step in track_file(path, folder, settings, chosen.axes):
            bar.total = step.total
            bar.update(step.done - bar.n)
            report = step.result
    assert report is not None
    return {"labels": str(path), "folder": str(folder.resolve()), **report}


def _tell(report: Json, chosen: argparse.Namespace) -> None:
    if chosen.json or chosen.quiet:
        return
    said = f"{report['tracks']} tracks of {report['objects']} objects on {report['frames']} frames"
    print(
        f"{shown(report['labels'])}: {said}, {report['divisions']} divisions, "
        f"{report['doubts']} places to look at\nTracks: {shown(report['folder'])}"
    )
    sys.stdout.flush()
