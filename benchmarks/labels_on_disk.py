"""Labels on disk against labels in memory: ``python -m benchmarks.labels_on_disk [FOLDER]``.

An object is accepted in a new zarr of 100,000 x 100,000 pixels with all its levels, 200 times all
over it; objects are put on 100 slices of a stack of 500 x 2,048 x 2,048 on disk and in memory; and
20,000 objects in 40,000 x 40,000 are listed and measured. Prints seconds, and what memory grew by.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np
import psutil
from numpy.typing import NDArray

from napari_sam.arrays import Labels, LazyArray
from napari_sam.io.label_stores.levels import LabelLevels
from napari_sam.io.label_stores.opening import new_store
from napari_sam.io.measurements import measure
from napari_sam.io.spacing import Spacing
from napari_sam.masks import CroppedMask, WindowMask
from napari_sam.planes import Plane
from napari_sam.results import PlaneMasks, Prediction
from napari_sam.session import drawing
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.review import by_confidence
from napari_sam.session.session import Session

SIDE, ACCEPTS = 100_000, 200
STACK, SLICES = (500, 2048, 2048), 100
WIDE, MANY = 40_000, 20_000
UINT = np.dtype("u4")


def main() -> None:
    """Run all of it and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.labels_on_disk", description=__doc__
    )
    parser.add_argument("folder", nargs="?", type=Path, help="on whose disk; else a temporary one")
    chosen = parser.parse_args().folder
    with tempfile.TemporaryDirectory(dir=chosen) as folder:
        huge(Path(folder))
        many(Path(folder))
        stack(Path(folder))


class Target:
    """Labels that a session writes into."""

    dtype = UINT

    def __init__(self, levels: list[NDArray[np.uint32]]) -> None:
        self.levels = LabelLevels(levels)

    def read(self, plane: Plane) -> LazyArray:
        """Return the labels of a plane."""
        return self.levels.plane(plane)

    def write(
        self, plane: Plane, rows: NDArray[np.intp], columns: NDArray[np.intp], values: Labels
    ) -> None:
        """Write pixels of a plane."""
        self.levels.write(plane, rows, columns, values)


def into(levels: list[NDArray[np.uint32]]) -> Session:
    """Return a session that writes into these levels."""
    session = Session()
    session.labels.write_to(Target(levels))
    return session


def disc(radius: int) -> NDArray[np.bool_]:
    """Return a disc in its bounding box."""
    rows, columns = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return rows**2 + columns**2 <= radius**2


def huge(folder: Path) -> None:
    """Accept objects all over 100,000 x 100,000 pixels, then undo them."""
    shape = (SIDE, SIDE)
    session = into(new_store(folder / "huge.ome.zarr", shape, UINT, Spacing.usual(2)))
    before, times = memory(), []
    for row, column in np.random.default_rng(0).integers(600, SIDE - 600, (ACCEPTS, 2)).tolist():
        corner = row // 512 * 512 + 200, column // 512 * 512 + 200  # in one chunk
        drawing.draw(session, (None, None), [(corner[0] + 20, corner[1] + 20)], [1])
        masks = PlaneMasks([WindowMask(shape, corner, disc(30))])
        answer = Prediction(masks, np.ones(1, np.float32), np.zeros((1, 8, 8), np.float32))
        assert session.request is not None
        session.receive(session.request, answer)
        times += timed(lambda: drawing.accept(session))
    undone = [t for _ in range(20) for t in timed(session.undo)]
    print(
        f"{SIDE:,} x {SIDE:,}: accept median {median(times):.3f} s, most {max(times):.3f} s; "
        f"undo {median(undone):.3f} s; memory {memory() - before:+.2f} GB",
        flush=True,
    )


def stack(folder: Path) -> None:
    """Put objects on slices of a stack, on disk and in memory."""
    spent = {}
    for name, levels in (
        ("on disk", new_store(folder / "stack.ome.zarr", STACK, UINT, Spacing.usual(3))),
        ("in memory", [np.zeros(STACK, UINT)]),
    ):
        session, before = into(levels), memory()
        (spent[name],) = timed(lambda session=session: follow(session))
        print(
            f"{' x '.join(f'{n:,}' for n in STACK)} {name}: {SLICES} slices, 10 objects each, "
            f"{spent[name]:.1f} s; memory {memory() - before:+.2f} GB",
            flush=True,
        )
    print(f"on disk / in memory: {spent['on disk'] / spent['in memory']:.1f}", flush=True)


def follow(session: Session) -> None:
    """Put ten objects on each slice, as a propagation does."""
    ids: list[int | None] = [None] * 10
    shape = STACK[1:]
    with Batch(session, Kind.PROPAGATED) as batch:
        for index in range(SLICES):
            masks = [
                CroppedMask.of(disc(60), (100 + 180 * k, 200 + 3 * index), shape) for k in range(10)
            ]
            offered = [NewMask(mask, id_) for mask, id_ in zip(masks, ids, strict=True)]
            ids = batch.add((index, None, None), offered)


def many(folder: Path) -> None:
    """List and measure 20,000 objects."""
    levels = new_store(folder / "many.ome.zarr", (WIDE, WIDE), UINT, Spacing.usual(2))
    session = into(levels)
    before = memory()
    (written,) = timed(lambda: fill(session))
    (listed,) = timed(lambda: by_confidence(session.objects.values()))
    found = []
    (measured,) = timed(lambda: found.extend(measure(levels[0])))
    print(
        f"{WIDE:,} x {WIDE:,}: {len(session.objects):,} objects written in {written:.1f} s, sorted "
        f"for review in {listed:.2f} s, {len(found):,} measured in {measured:.1f} s; memory "
        f"{memory() - before:+.2f} GB",
        flush=True,
    )


def fill(session: Session) -> None:
    """Add objects on a lattice, some hundred at once."""
    side = int(MANY**0.5) + 1
    places = [(row, column) for row in range(side) for column in range(side)][:MANY]
    step, shape = WIDE // side, (WIDE, WIDE)
    with Batch(session, Kind.AUTOMATIC) as batch:
        for part in parts(places):
            masks = [CroppedMask.of(disc(40), (r * step, c * step), shape) for r, c in part]
            batch.add((None, None), [NewMask(mask, score=0.5) for mask in masks])


def parts(places: list[tuple[int, int]], size: int = 142) -> Iterator[list[tuple[int, int]]]:
    """Yield so many at once."""
    return (places[i : i + size] for i in range(0, len(places), size))


def timed(work: Callable[[], object]) -> list[float]:
    """Return the seconds that something took."""
    begun = time.perf_counter()
    work()
    return [time.perf_counter() - begun]


def memory() -> float:
    """Return the memory of this process now, in GB."""
    return float(psutil.Process().memory_info().rss) / 1e9


if __name__ == "__main__":
    main()
