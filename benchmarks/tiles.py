"""Pictures that are too large to be embedded whole: ``python -m benchmarks.tiles``.

Two pictures of drawn nuclei, written to zarr: one of 4,096 x 4,096 pixels full of them, and one of
20,000 x 20,000 that is empty but for 30 fields at random places. Each is searched in a process of
its own, which prints the time, the objects found (F1 at an IoU of 0.5) and its peak memory. The
sparse one is stopped half-way and gone on with.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
import zarr
from numpy.typing import NDArray

from napari_sam import GridSettings, Predictor, load_model
from napari_sam.inference.automatic.tiled import iter_tiles
from napari_sam.progress import Progress
from napari_sam.results import Proposal, SearchResult

SPACING = 72  # pixels between nuclei
FIELD = 576
FIELDS = 30


def main() -> None:
    """Search both, each in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tiles", description=__doc__)
    parser.add_argument("--points", type=int, default=16, help="along each side of a tile's core")
    parser.add_argument("--whole", type=int, default=4096, help="side of the full picture")
    parser.add_argument("--sparse", type=int, default=20_000, help="side of the sparse one")
    args = parser.parse_args()
    fresh = multiprocessing.get_context("spawn")
    for name, side in (("full", args.whole), ("sparse", args.sparse)):
        worker = fresh.Process(target=measure, args=(name, side, args.points))
        worker.start()
        worker.join()


def measure(name: str, side: int, points: int) -> None:
    """Draw a picture, search it, print what came of it."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    predictor = Predictor(load_model("cells_tiny", "cpu"))
    with tempfile.TemporaryDirectory() as folder:
        picture = zarr.create_array(
            Path(folder) / "picture.zarr", shape=(side, side), chunks=(512, 512), dtype=np.uint8
        )
        if name == "full":
            corners = [(r, c) for r in range(0, side - 2, FIELD) for c in range(0, side - 2, FIELD)]
        else:
            corners = [tuple(at) for at in rng.integers(0, side - FIELD, (FIELDS, 2)).tolist()]
        truth = [one for corner in corners for one in draw(picture, corner, rng)]

        def run(most: int | None = None) -> tuple[Progress[SearchResult], float]:
            start = time.process_time()
            steps = iter_tiles(
                predictor,
                picture,
                GridSettings(points_per_side=points),
                folder=Path(folder) / "parts",
            )
            (*_, step) = islice(steps, most)
            return step, time.process_time() - start

        seconds = 0.0
        if name == "sparse":
            seconds = run(most=len(range(0, side, 768)) ** 2 // 2)[1]
        step, rest = run()
        kept = step.result.kept
        assert kept is not None
        hits = found_of(truth, kept)
        f1 = 2 * hits / (len(truth) + len(kept))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        stopped = f" (stopped after {seconds:.0f} s, then {rest:.0f} s)" if seconds else ""
        sys.stdout.write(
            f"{name} picture of {side} x {side}: {step.total} tiles in {seconds + rest:.0f} s of "
            f"one core{stopped}; {len(truth)} nuclei, {len(kept)} proposals, {hits} nuclei "
            f"with IoU > 0.5, F1 {f1:.3f}; peak memory {peak:.2f} GiB\n"
        )
        sys.stdout.flush()


def draw(
    picture: Any, corner: tuple[int, int], rng: np.random.Generator
) -> list[tuple[float, float, float]]:
    """Draw a field of round nuclei; return row, column and radius of those that are whole."""
    size = min(FIELD, picture.shape[0] - corner[0]), min(FIELD, picture.shape[1] - corner[1])
    rows, columns = np.indices(size)
    field = np.full(size, 20.0)
    nuclei = []
    for row in range(SPACING // 2, FIELD, SPACING):
        for column in range(SPACING // 2, FIELD, SPACING):
            at = np.array([row, column]) + rng.uniform(-6, 6, 2)
            radius = rng.uniform(18, 28)
            away = np.hypot(rows - at[0], columns - at[1])
            field += rng.uniform(40, 90) * (1 + np.tanh((radius - away) / 2)) / 2
            if (at + radius < np.array(size)).all():
                nuclei.append((corner[0] + at[0], corner[1] + at[1], radius))
    noisy = rng.normal(field, 6).clip(0, 255).astype(np.uint8)
    picture[corner[0] : corner[0] + size[0], corner[1] : corner[1] + size[1]] = noisy
    return nuclei


def found_of(truth: list[tuple[float, float, float]], kept: list[Proposal]) -> int:
    """Return how many nuclei have a proposal with an IoU of more than a half."""
    middles = np.array([np.add(one.corner, np.divide(one.size, 2)) for one in kept])
    hits = 0
    for row, column, radius in truth:
        near = np.flatnonzero(np.hypot(middles[:, 0] - row, middles[:, 1] - column) < radius)
        hits += any(iou(kept[i], row, column, radius) > 0.5 for i in near)
    return hits


def iou(one: Proposal, row: float, column: float, radius: float) -> float:
    """Return the IoU of a proposal with a disc."""
    patch: NDArray[np.bool_] = one.patch
    rows, columns = np.indices(patch.shape)
    disc = np.hypot(rows + one.corner[0] - row, columns + one.corner[1] - column) <= radius
    both = np.count_nonzero(patch & disc)
    return float(both / (one.area + np.pi * radius**2 - both))


if __name__ == "__main__":
    main()
