"""Times of the annotation session, without a window: ``python -m benchmarks.session``.

A target of 200 x 1024 x 1024 uint32 takes objects of up to a million pixels, journal and fsync
included; then a session of 500 objects and 5,000 prompts is worked on, undone and restored. Beside
it stand what nobody can do without: setting the pixels in a fresh slice, and a write and fsync of
the same size.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from napari_sam.results import Prediction
from napari_sam.session import drawing
from napari_sam.session import paint as painting
from napari_sam.session.adopt import object_at
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.disk.fingerprint import Fingerprint
from napari_sam.session.disk.folder import SessionFolder, restore
from napari_sam.session.disk.manifest import Manifest
from napari_sam.session.edit import curation
from napari_sam.session.objects import Status
from napari_sam.session.overlap import Rule
from napari_sam.session.review import by_confidence, next_unsure
from napari_sam.session.session import Session
from tests.fakes import ArrayTarget

SIDE = 1024
COLUMNS = "accept", "undo", "redo", "bare pixels", "bare fsync"
LOGITS = np.zeros((1, 256, 256), np.float32)


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=200)
    parser.add_argument("--objects", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        accepting(Path(folder) / "large", options.slices, options.repeats)
        many(Path(folder) / "many", options.slices, options.objects)


def accepting(path: Path, slices: int, repeats: int) -> None:
    """Print how long an object takes to be accepted, undone and made again."""
    labels = np.zeros((slices, SIDE, SIDE), np.uint32)
    session = new_session(path, labels)
    print("medians, ms on the clock (ms of the processor)")
    head = "".join(f"{name:>16}" for name in COLUMNS)
    print(f"{f'{labels.shape} {labels.dtype}':36}{head}")
    for size in (10_000, 50_000, 200_000, 1_000_000):
        mask = disc(SIDE / 2, SIDE / 2, size)
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in COLUMNS}
        for repeat in range(repeats):
            plane = 7 * repeat % slices, None, None
            before = journal_size(path)
            show(session, plane, mask)
            times["accept"].append(seconds(lambda: drawing.accept(session)))
            written = journal_size(path) - before
            assert (labels[plane[0]] > 0).sum() == mask.sum()
            times["undo"].append(seconds(session.undo))
            times["redo"].append(seconds(session.redo))
            fresh = labels[(7 * repeat + 1) % slices]
            times["bare pixels"].append(seconds(partial(np.putmask, fresh, mask, 1)))
            times["bare fsync"].append(seconds(partial(bare_write, path / "b", written)))
            fresh[:] = 0
            curation.delete(session, list(session.objects))
        figures = "".join(shown(*map(median, zip(*ms, strict=True))) for ms in times.values())
        print(f"{f'{mask.sum():,} pixels of one slice':36}{figures}")
    touched = np.flatnonzero(labels.any(axis=(1, 2)))
    print(f"slices left with labels after all were deleted: {len(touched)}")
    session.log.close()


def many(path: Path, slices: int, count: int) -> None:
    """Print the times of a large session."""
    labels = np.zeros((slices, SIDE, SIDE), np.uint32)
    session = new_session(path, labels)
    log, session.log = session.log, None  # building it up is not what is timed
    centres = [(40 + 42 * (i // 23), 40 + 42 * (i % 23)) for i in range(count)]
    for row, column in centres:
        points = [(row + i % 5, column + i % 7) for i in range(10)]
        for length in range(1, 11):
            drawing.draw(session, (5, None, None), points[:length], [1] * length)
        receive(session, disc(row, column, 1200))
        drawing.accept(session)
    session.log = log
    session.log.take_snapshot()
    size = session.history.nbytes / 2**20
    print(f"\n{count} objects, {10 * count:,} prompts, history {size:.1f} MB")
    proposals = [NewMask(disc(*at, 1200), n + 1, 0.8) for n, at in enumerate(centres)]
    plane, row, column = (5, None, None), *centres[count // 2]
    clock = {
        "prompt": lambda: drawing.draw(session, (6, None, None), [(500, 500)], [1]),
        "answer": lambda: receive(session, disc(500, 500, 1200)),
        "accept": lambda: drawing.accept(session),
        "object under the mouse": lambda: object_at(session, plane, row, column),
        "open again": lambda: drawing.reopen(session, count // 2, plane),
        "move a prompt": lambda: drawing.draw(session, plane, [(row + 1, column)], [1]),
        "answer it": lambda: receive(session, disc(row + 4, column, 1500)),
        "accept, replacing neighbours": lambda: drawing.accept(session, Rule.REPLACE),
        "undo": session.undo,
        "redo": session.redo,
        "paint 900 pixels": lambda: paint(session, labels),
        "compare a plane with its objects": lambda: painting.absorb(session, plane),
        "merge two": lambda: curation.merge(session, [1, 2]),
        "lock one": lambda: curation.lock(session, [3]),
        "sort by confidence": lambda: by_confidence(session.objects.values()),
        "next unsure": lambda: next_unsure(session.objects),
        "all marked unclear": lambda: curation.set_status(
            session, [n for n, held in session.objects.items() if not held.locked], Status.UNCLEAR
        ),
        "a slice of masks for all": lambda: propagate(session, proposals),
        "take that back": session.undo,
        "switch to classes": lambda: session.configure(semantic=True),
        "snapshot": lambda: session.log.take_snapshot(),
    }
    for name, work in clock.items():
        print(f"{name:36}{shown(*seconds(work))}")
    session.log.close()
    print(f"{'restore':36}{shown(*seconds(lambda: restore(path).folder.close()))}")
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    print(f"{'on disk':36}{size / 2**20:8.1f} MB")


def new_session(path: Path, labels: np.ndarray) -> Session:
    """Return a session that is saved."""
    session = Session()
    picture = Fingerprint.of(labels.shape, labels[:1, :8, :8])
    SessionFolder.create(path, Manifest(picture)).serve(session)
    session.labels.write_to(ArrayTarget(labels))
    return session


def show(session: Session, plane: tuple[int | None, ...], mask: np.ndarray) -> None:
    """Let a click have found a mask."""
    drawing.draw(session, plane, [(SIDE / 2, SIDE / 2)], [1])
    receive(session, mask)


def receive(session: Session, mask: np.ndarray) -> None:
    """Let the model have found a mask."""
    answer = Prediction(mask[None], np.array([0.9], np.float32), LOGITS)
    assert session.receive(session.request, answer)


def disc(row: float, column: float, pixels: int) -> np.ndarray:
    """Return about as many pixels around a position, as far as the slice reaches."""
    rows, columns = np.ogrid[:SIDE, :SIDE]
    return (rows - row) ** 2 + (columns - column) ** 2 <= pixels / np.pi


def paint(session: Session, labels: np.ndarray) -> None:
    """Paint a square over objects."""
    rows, columns = (axis.ravel() for axis in np.mgrid[300:330, 300:330])
    before = labels[5, rows, columns]
    labels[5, rows, columns] = 7
    painting.paint(session, (5, None, None), rows, columns, before, np.full_like(before, 7))


def propagate(session: Session, proposals: list[NewMask]) -> None:
    """Take a slice of masks."""
    with Batch(session, Kind.PROPAGATED) as batch:
        batch.add((8, None, None), proposals)


def journal_size(path: Path) -> int:
    """Return the bytes in the journal."""
    return sum(file.stat().st_size for file in path.glob("journal-*"))


def bare_write(path: Path, size: int) -> None:
    """Write and sync as much as the session did."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(handle, b"x" * size)
    os.fsync(handle)
    os.close(handle)


def shown(clock: float, processor: float) -> str:
    """Return a figure of the table."""
    return f"{f'{1000 * clock:.1f} ({1000 * processor:.1f})':>16}"


def seconds(work: Callable[[], Any]) -> tuple[float, float]:
    """Return seconds on the clock and of the processor."""
    start, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - used


if __name__ == "__main__":
    main()
