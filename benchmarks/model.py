"""Our model against the reference packages in the same run: ``python -m benchmarks.model``.

Medians of interleaved pairs, on one thread and on two: seconds on the clock and of the processor,
and reference / ours of both. Peak memory is that of a process which builds one model and embeds one
picture. Weights are random; the numbers that come out are compared in ``tests/model``.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import torch

from napari_sam.inference.predictor import Predictor
from napari_sam.model.config import CONFIGS
from napari_sam.model.sam import Sam
from napari_sam.prompts import Prompts
from tests.model.peers import predictor, randomise, reference

PICTURE = np.random.default_rng(0).integers(0, 256, (768, 1024, 3), dtype=np.uint8)
CLICKS = np.random.default_rng(1).uniform(0, 768, (16, 2))  # (row, column)

Task = Callable[[], Any]


def main() -> None:
    """Print all figures, or one peak for the process that asked for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5, help="pairs of runs per figure")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--models", nargs="+", default=["vit_b", "vit_t"], choices=list(CONFIGS))
    parser.add_argument("--peak", choices=["reference", "ours"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print(peak(options.peak, options.models[0]))
        return
    for name in options.models:
        theirs, ours = (peak_elsewhere(who, name) for who in ("reference", "ours"))
        print(
            f"{name} peak memory: {theirs:.2f} GiB, ours {ours:.2f} GiB, {ours / theirs:.2f} of it"
        )
    print(f"{'':34}{'clock: reference, ours, ratio':>32}{'processor: ratio':>20}")
    for name in options.models:
        tasks = make_tasks(name)
        for threads in options.threads:
            torch.set_num_threads(threads)
            for what, pair in tasks.items():
                report(f"{name} {what}, {threads} thread(s)", pair, options.pairs)


def make_tasks(name: str) -> dict[str, tuple[Task, Task]]:
    """Return (reference, ours) for each thing that is timed."""
    config = CONFIGS[name]
    model = reference(config)
    weights = randomise(model)
    sam = Sam(config).eval()
    sam.load_state_dict(weights)
    theirs, ours = predictor(model), Predictor(sam)
    theirs.set_image(PICTURE)
    embedding = ours.embed(PICTURE, contrast=(0, 255))
    points = theirs.transform.apply_coords_torch(
        torch.tensor(CLICKS[:, ::-1].copy())[:, None], PICTURE.shape[:2]
    ).float()
    prompts = [Prompts(points=[click], labels=[1]) for click in CLICKS]
    return {
        "encoder": (
            lambda: theirs.set_image(PICTURE),
            lambda: ours.embed(PICTURE, contrast=(0, 255)),
        ),
        "one click": (
            lambda: theirs.predict(CLICKS[:1, ::-1], np.array([1])),
            lambda: ours.predict(embedding, prompts[0]),
        ),
        "16 clicks": (
            lambda: theirs.predict_torch(points, torch.ones(16, 1)),
            lambda: ours.predict_batch(embedding, prompts),
        ),
    }


def report(what: str, pair: tuple[Task, Task], pairs: int) -> None:
    """Time both tasks in turn and print medians and ratios."""
    clock: tuple[list[float], list[float]] = ([], [])
    processor: tuple[list[float], list[float]] = ([], [])
    for _ in range(pairs):
        for side, task in enumerate(pair):
            begin, used = time.perf_counter(), time.process_time()
            task()
            clock[side].append(time.perf_counter() - begin)
            processor[side].append(time.process_time() - used)
    theirs, ours = map(median, clock)
    ratio = median(processor[0]) / median(processor[1])
    print(f"{what:34}{theirs:12.3f} s{ours:10.3f} s{theirs / ours:7.2f}{ratio:19.2f}", flush=True)


def peak_elsewhere(who: str, name: str) -> float:
    """Return `peak` of a fresh process."""
    command = [sys.executable, "-m", "benchmarks.model", "--peak", who, "--models", name]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def peak(who: str, name: str) -> float:
    """Return the peak memory of this process in GiB after it embedded one picture."""
    torch.set_num_threads(1)
    if who == "ours":
        Predictor(Sam(CONFIGS[name]).eval()).embed(PICTURE, contrast=(0, 255))
    else:
        predictor(reference(CONFIGS[name])).set_image(PICTURE)
    unit = 2**30 if sys.platform == "darwin" else 2**20  # bytes or KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    main()
