"""Tracks of true labels, linked again: ``python -m benchmarks.tracks [DATA]``.

The labels of each frame get random ids and are linked by overlap, distance and size. DET, TRA and
the F1 of divisions are the Cell Tracking Challenge's (`napari_sam.evaluation.tracking`).

Simulated cells move, grow, press upon each other and divide; by how far they move from frame to
frame, in diameters, and with some objects missed. The settings of linking were chosen on the seeds
of ``--choosing``; the table is of others. DATA is a folder with the open time series, if you have
it: T98G, whose true tracks are those of another program, and C2C12, whose labels are drawn by hand
and come without tracks: we linked them by eye.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_sam.evaluation.tracking import TrackScores, score_tracks
from napari_sam.tracking.detections import detect
from napari_sam.tracking.linking import LinkSettings, link
from napari_sam.tracking.tracks import Tracks

__all__ = ["Series", "disguised", "simulate"]

CHOSEN_ON, SCORED = range(100, 103), range(5)
MOVES = (0.1, 0.3, 0.5)  # diameters from frame to frame
MISSED = (0.0, 0.05)

# By eye: the label of each cell of C2C12 on the ten frames, 0 for none, and whose daughter it is.
# On frame 6 one label holds two sisters; it counts as the first of them.
C2C12 = (
    ((1, 1, 4, 4, 1, 7, 3, 6, 9, 10), 0),
    ((2, 2, 6, 5, 7, 5, 2, 9, 8, 2), 0),
    ((3, 3, 7, 6, 8, 6, 1, 0, 0, 0), 0),
    ((4, 4, 1, 3, 9, 4, 7, 5, 5, 0), 0),
    ((5, 5, 2, 2, 10, 2, 9, 3, 4, 6), 0),
    ((6, 6, 3, 1, 11, 3, 8, 2, 2, 5), 0),
    ((7, 7, 5, 7, 0, 0, 0, 0, 0, 0), 0),
    ((8, 8, 8, 8, 0, 0, 0, 0, 0, 0), 0),
    ((0, 0, 0, 0, 0, 1, 10, 4, 3, 9), 0),
    ((0, 0, 0, 0, 0, 11, 0, 1, 1, 4), 0),
    ((0, 0, 0, 0, 0, 0, 0, 17, 6, 3), 3),
    ((0, 0, 0, 0, 0, 0, 0, 12, 7, 1), 3),
    ((0, 0, 0, 0, 0, 0, 0, 0, 0, 8), 4),
    ((0, 0, 0, 0, 0, 0, 0, 0, 0, 7), 4),
    ((0, 0, 0, 0, 4, 15, 5, 7, 12, 13), 7),
    ((0, 0, 0, 0, 2, 8, 0, 8, 13, 12), 7),
    ((0, 0, 0, 0, 5, 10, 4, 10, 11, 11), 8),
    ((0, 0, 0, 0, 6, 9, 6, 11, 10, 0), 8),
)


@dataclass(frozen=True)
class Series:
    """Labels (T, Y, X) of a time series and their true tracks."""

    labels: NDArray[np.int64]
    tracks: Tracks


@dataclass
class _Cell:
    """A simulated cell; `age` counts frames since its division."""

    number: int
    place: NDArray[np.float64]
    speed: NDArray[np.float64]
    age: int
    cycle: int

    def size(self, radius: float) -> float:
        """Return the radius: areas double from division to division."""
        return radius * np.sqrt(0.5 + 0.5 * min(1.0, self.age / self.cycle)) * 1.15


def simulate(
    move: float,
    seed: int = 0,
    *,
    side: int = 256,
    cells: int = 16,
    length: int = 24,
    radius: float = 9.0,
) -> Series:
    """Return cells that move, grow and divide.

    Parameters
    ----------
    move : float
        How far they move from frame to frame, in diameters.
    seed : int
        Of the random numbers.
    side : int
        Of the picture, in pixels.
    cells, length : int
        How many there are at first, on how many frames.
    radius : float
        Of a cell in the middle of its cycle, in pixels.
    """
    rng = np.random.default_rng(seed)
    cycles = lambda: int(rng.integers(9, 15))  # noqa: E731
    living = [
        _Cell(n, rng.uniform(0, side, 2), np.zeros(2), int(rng.integers(9)), cycles())
        for n in range(1, cells + 1)
    ]
    parents: dict[int, int] = {}
    frames, last = [], cells
    for _ in range(length):
        grown = [cell for cell in living if cell.age >= cell.cycle]
        for cell in grown:
            angle = rng.uniform(0, np.pi)
            way = np.array([np.sin(angle), np.cos(angle)]) * radius * 0.75
            for sign in (1, -1):
                last += 1
                daughter = _Cell(last, cell.place + sign * way, cell.speed * 0, 0, cycles())
                living.append(daughter)
                parents[last] = cell.number
            living.remove(cell)
        frames.append(_drawn(living, side, radius))
        for cell in living:
            cell.age += 1
            pushed = rng.normal(0, move * 2 * radius / np.sqrt(2), 2)
            cell.speed = 0.5 * cell.speed + np.sqrt(0.75) * pushed
            cell.place = cell.place + cell.speed
        _press(living, radius)
    labels = np.stack(frames)
    return Series(labels, _tracks(labels, parents))


def _press(cells: list[_Cell], radius: float) -> None:
    """Push cells apart that overlap."""
    for _ in range(5):
        for i, a in enumerate(cells):
            for b in cells[:i]:
                between = a.place - b.place
                far = max(float(np.hypot(*between)), 1e-6)
                wanted = 0.9 * (a.size(radius) + b.size(radius))
                if far < wanted:
                    push = between / far * (wanted - far) / 2
                    a.place, b.place = a.place + push, b.place - push


def _drawn(cells: list[_Cell], side: int, radius: float) -> NDArray[np.int64]:
    """Draw cells as discs; where they meet, each pixel belongs to the nearest."""
    rows, columns = np.indices((side, side))
    labels, nearest = np.zeros((side, side), np.int64), np.full((side, side), np.inf)
    for cell in cells:
        far = np.hypot(rows - cell.place[0], columns - cell.place[1]) / cell.size(radius)
        mine = (far <= 1) & (far < nearest)
        labels[mine], nearest[mine] = cell.number, far[mine]
    return labels


def _tracks(labels: NDArray[np.int64], parents: dict[int, int] | None = None) -> Tracks:
    """Return the tracks of ids that last; a parent must be there on the frame before."""
    members: dict[int, dict[int, int]] = defaultdict(dict)
    for frame, plane in enumerate(labels):
        for id_ in np.unique(plane[plane > 0]).tolist():
            members[id_][frame] = id_
    true = {
        one: parent
        for one, parent in (parents or {}).items()
        if one in members and parent in members and max(members[parent]) == min(members[one]) - 1
    }
    return Tracks(members, true)


def disguised(series: Series, missed: float, seed: int = 0) -> NDArray[np.int64]:
    """Return labels with random ids on each frame, and without a share of the objects."""
    rng = np.random.default_rng(seed)
    given = np.zeros_like(series.labels)
    for frame, labels in enumerate(series.labels):
        ids = np.unique(labels[labels > 0])
        ids = ids[rng.random(len(ids)) >= missed]
        table = np.zeros(series.labels.max() + 1, np.int64)
        table[ids] = 1 + rng.permutation(len(ids))
        given[frame] = table[labels]
    return given


def score(series: Series, missed: float = 0.0, settings: LinkSettings | None = None) -> TrackScores:
    """Link disguised labels, and compare."""
    given = disguised(series, missed)
    tracks = link(detect(given), settings)
    return score_tracks(series.labels, series.tracks, given, tracks)


def read_series(data: Path) -> dict[str, Series]:
    """Return the open time series with their true tracks."""
    t98g = _read(data / "usiigaci_timelapse/T98G_t01-12_crop")
    c2c12 = _read(data / "laptrack_c2c12_timelapse/C2C12_10frames")
    members = {
        number: {frame: label for frame, label in enumerate(cell) if label}
        for number, (cell, _) in enumerate(C2C12, 1)
    }
    parents = {number: mother for number, (_, mother) in enumerate(C2C12, 1) if mother}
    return {
        "T98G, 12 frames, phase contrast": Series(t98g, _tracks(t98g)),
        "C2C12, 10 frames, phase contrast": Series(c2c12, Tracks(members, parents)),
    }


def _read(folder: Path) -> NDArray[np.int64]:
    return tifffile.imread(folder / "labels.tif").astype(np.int64)


def print_rows(title: str, scores: Iterable[TrackScores], seconds: float) -> None:
    """Print a row of the table: means, and divisions taken together."""
    some = list(scores)
    det, tra = (np.mean([getattr(one, name) for one in some]) for name in ("det", "tra"))
    true, found, right = (sum(getattr(one, k) for one in some) for k in ("true", "found", "right"))
    f1 = f"{2 * right / (true + found):.2f}" if true else "none"
    print(
        f"| {title} | {det:.3f} | {tra:.3f} | {f1} | {true} | {found} | {right} | {seconds:.1f} |",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tracks", description=__doc__.splitlines()[0]
    )
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--choosing", action="store_true", help="the seeds that chose the settings")
    chosen = parser.parse_args()
    heads = "series", "DET", "TRA", "F1 of divisions", "true", "found", "right", "seconds"
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for move in MOVES:
        some = [simulate(move, seed) for seed in (CHOSEN_ON if chosen.choosing else SCORED)]
        for missed in MISSED:
            start = time.perf_counter()
            scores = [score(one, missed) for one in some]
            title = f"simulated, {move:.0%} of a diameter a frame, {missed:.0%} missed"
            print_rows(title, scores, (time.perf_counter() - start) / len(some))
    for name, series in read_series(chosen.data).items() if chosen.data else ():
        start = time.perf_counter()
        print_rows(name, [score(series)], time.perf_counter() - start)


if __name__ == "__main__":
    main()
