"""Clicks into pictures of any size: ``python -m benchmarks.large PICTURE ...``.

The pictures, grey or RGB and all of one shape, are enlarged twice and laid side by side with noise:
a TIFF of 1,024 x 1,024 pixels, one of 6,000 x 6,000 in one piece, and a zarr of 20,000 x 20,000. In
each, in a process of its own with one thread, the first mask and 20 clicks at random places are
timed, cold. ``--whole`` embeds the first two in one piece, for comparison.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import dask.array
import numpy as np
import tifffile
import torch
import zarr
from numpy.typing import NDArray
from skimage.io import imread

from napari_sam import Predictor, Prompts, load_model
from napari_sam.inference.store.disk import DiskStore
from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import MEGABYTE, EmbeddingStore

SIDES = (1024, 6000, 20_000)
CLICKS = 20
CHUNK = 512
MEMORY, DISK = 512 * MEGABYTE, 20_000 * MEGABYTE


def main() -> None:
    """Write the pictures, click into each in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large", description=__doc__)
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--model", default="cells_tiny")
    parser.add_argument("--whole", action="store_true", help="embed in one piece")
    options = parser.parse_args()
    parts = [shown(path) for path in options.pictures]
    fresh = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        print(f"{options.model}: seconds of the clock (of the processor)", flush=True)
        for side in SIDES[:2] if options.whole else SIDES:
            path = Path(folder) / f"{side}"
            write(path, side, parts)
            worker = fresh.Process(target=measure, args=(path, side, options.model, options.whole))
            worker.start()
            worker.join()


def shown(path: Path) -> NDArray[np.uint8]:
    """Return a picture in grey, as bright as can be, enlarged twice."""
    pixels = np.asarray(imread(path), float)
    grey = pixels if pixels.ndim == 2 else pixels[..., :3].mean(axis=-1)
    grey = 200 * (grey - grey.min()) / max(1e-9, float(np.ptp(grey)))
    return grey.repeat(2, axis=0).repeat(2, axis=1).astype(np.uint8)


def write(path: Path, side: int, parts: list[NDArray[np.uint8]]) -> None:
    """Write a mosaic: an array in memory's form, a TIFF, or a zarr for the largest."""
    rng = np.random.default_rng(0)
    if side < SIDES[-1]:
        tifffile.imwrite(path, mosaic(side, side, parts, rng))
        return
    array = zarr.create_array(path, shape=(side, side), chunks=(CHUNK, CHUNK), dtype=np.uint8)
    for top in range(0, side, CHUNK):
        array[top : top + CHUNK] = mosaic(min(CHUNK, side - top), side, parts, rng)


def mosaic(
    height: int, width: int, parts: list[NDArray[np.uint8]], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return pictures in random order side by side, with noise."""
    h, w = parts[0].shape
    rows = [
        np.concatenate([parts[rng.integers(len(parts))] for _ in range(-(-width // w))], axis=1)
        for _ in range(-(-height // h))
    ]
    clean = np.concatenate(rows)[:height, :width]
    return clean + rng.integers(0, 20, clean.shape, dtype=np.uint8)


def measure(path: Path, side: int, model: str, whole: bool) -> None:
    """Click into one picture and print how long it took."""
    torch.set_num_threads(1)
    predictor = Predictor(load_model(model, "cpu"))
    image: Any = dask.array.from_zarr(path) if path.is_dir() else tifffile.imread(path)
    with tempfile.TemporaryDirectory() as folder:
        store = EmbeddingStore(MemoryStore(MEMORY), DiskStore(Path(folder), DISK))
        places = np.random.default_rng(1).uniform(0, side - 1, (CLICKS + 1, 2))
        before = peak()
        clock = Clock()
        embedding = (store.whole if whole else store.get)(predictor, image)
        predictor.predict(embedding, Prompts([places[0]], [1]))
        first = clock.spent()
        clicks = []
        for place in places[1:]:
            clock = Clock()
            predictor.predict(embedding, Prompts([place], [1]))
            clicks.append(clock.spent())
        walls, works = (sorted(column) for column in zip(*clicks, strict=True))
        print(
            f"{side:6} x {side:<6} first mask {first[0]:7.2f} ({first[1]:5.2f}), "
            f"{CLICKS} clicks median {median(walls):5.2f} ({median(works):5.2f}), "
            f"most {walls[-1]:5.2f} ({works[-1]:5.2f}); {store.made} embeddings; "
            f"memory {before:.2f} GB, {peak() - before:.2f} more",
            flush=True,
        )


class Clock:
    """Seconds on the clock and of the processor since it was made."""

    def __init__(self) -> None:
        self._since = time.perf_counter(), time.process_time()

    def spent(self) -> tuple[float, float]:
        """Return both."""
        return time.perf_counter() - self._since[0], time.process_time() - self._since[1]


def peak() -> float:
    """Return the most memory that this process has had, in GB."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes or KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


if __name__ == "__main__":
    main()
