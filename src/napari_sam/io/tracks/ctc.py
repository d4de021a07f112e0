"""Folders of the Cell Tracking Challenge: a mask for each frame, and a table of tracks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import tifffile

from napari_sam.arrays import Labels
from napari_sam.errors import InputError
from napari_sam.files import replacing
from napari_sam.tracking.tracks import Tracks

__all__ = ["TABLES", "ctc_masks", "read_ctc", "write_ctc"]

TABLES = "res_track.txt", "man_track.txt"
MASK = re.compile(r"(?:man_track|mask)(\d+)\.tif")
Row = tuple[int, int, int, int]  # label, first frame, last frame, parent or 0


def write_ctc(folder: Path, frames: Iterable[Labels], tracks: Tracks, length: int) -> None:
    """Write masks and ``res_track.txt`` into a folder that is there.

    The challenge knows no gaps: what comes after one is a track of its own with the part before as
    its parent. Objects that are in no track are left out.

    Parameters
    ----------
    folder : Path
        Where they go.
    frames : iterable of (Y, X) or (Z, Y, X) int
        The labels that the tracks are of.
    tracks : Tracks
        The tracks.
    length : int
        Number of frames.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_ctc(folder, np.array([[[7, 7]], [[0, 4]]]), Tracks({1: {0: 7, 1: 4}}), 2)
    >>> print((folder / "res_track.txt").read_text().strip())
    1 0 1 0
    >>> [mask.tolist() for mask in ctc_masks(folder)]
    [[[1, 1]], [[0, 1]]]
    """
    rows, numbers = _rows(tracks)
    largest = max((row[0] for row in rows), default=0)
    if largest > np.iinfo(np.uint32).max:
        raise InputError(f"track {largest} is too large a number for a mask of 32 bits")
    dtype = np.uint16 if largest <= np.iinfo(np.uint16).max else np.uint32
    digits = max(3, len(str(length - 1)))
    for frame, labels in enumerate(frames):
        values, ranks = np.unique(np.asarray(labels), return_inverse=True)
        given = [numbers.get((frame, int(value)), 0) for value in values]
        mask = np.array(given, dtype)[ranks].reshape(np.shape(labels))
        with replacing(folder / f"mask{frame:0{digits}}.tif") as part:
            tifffile.imwrite(part, mask, compression="zlib", photometric="minisblack")
    with replacing(folder / TABLES[0]) as part:
        part.write_text("".join(f"{' '.join(map(str, row))}\n" for row in rows))


def read_ctc(folder: Path) -> Tracks:
    """Return the tracks of a folder of results or of the truth; objects are labelled as in masks.

    What follows a gap is joined to what was before it.

    Raises
    ------
    InputError
        If there is no table of tracks, or it is not as the challenge's are.
    """
    path = next((folder / name for name in TABLES if (folder / name).is_file()), None)
    if path is None:
        raise InputError(f"{folder} has no {TABLES[0]}, which says what the tracks are")
    try:
        rows = [_row(line) for line in path.read_text().splitlines() if line.strip()]
    except ValueError as error:
        raise InputError(f"{path} must have four whole numbers on each line ({error})") from error
    members = {label: dict.fromkeys(range(a, b + 1), label) for label, a, b, _ in rows}
    parents = {label: parent for label, _, _, parent in rows if parent}
    single = {of for of in parents.values() if list(parents.values()).count(of) == 1}
    for label, first, _, parent in sorted(rows, key=lambda row: -row[1]):
        if parent in single and parent in members and max(members[parent]) + 1 < first:
            members[parent] |= members.pop(label)
            del parents[label]
            parents = {one: parent if of == label else of for one, of in parents.items()}
    return Tracks(members, parents)


def ctc_masks(folder: Path) -> Iterator[Labels]:
    """Yield the masks of a folder, frame by frame.

    Raises
    ------
    InputError
        If there are none, or a frame is missing.
    """
    found = {
        int(match[1]): path for path in folder.iterdir() if (match := MASK.fullmatch(path.name))
    }
    if sorted(found) != list(range(len(found))) or not found:
        raise InputError(f"{folder} must have masks of all frames, mask000.tif, mask001.tif...")
    for frame in range(len(found)):
        yield tifffile.imread(found[frame])


def _row(line: str) -> Row:
    label, first, last, parent = (int(word) for word in line.split())
    if not (label > 0 and 0 <= first <= last and parent >= 0):
        raise ValueError(line)
    return label, first, last, parent


def _rows(tracks: Tracks) -> tuple[list[Row], dict[tuple[int, int], int]]:
    """Return the table, and the number in the masks of each (frame, label)."""
    free = max(tracks.members, default=0) + 1
    rows: list[Row] = []
    numbers: dict[tuple[int, int], int] = {}
    last_piece: dict[int, int] = {}
    for number in sorted(tracks.members, key=tracks.first):
        frames = tracks.members[number]
        parent = last_piece.get(tracks.parents.get(number, 0), 0)
        piece = number
        for run in _runs(sorted(frames)):
            rows.append((piece, run[0], run[-1], parent))
            numbers |= {(frame, frames[frame]): piece for frame in run}
            last_piece[number] = parent = piece
            piece, free = free, free + 1
        free -= 1  # the last piece needed no other number
    return sorted(rows), numbers


def _runs(frames: list[int]) -> list[list[int]]:
    """Return frames in runs without a gap.

    Examples
    --------
    >>> _runs([0, 1, 4])
    [[0, 1], [4]]
    """
    runs = [frames[:1]]
    for before, frame in pairwise(frames):
        if frame > before + 1:
            runs.append([])
        runs[-1].append(frame)
    return runs
