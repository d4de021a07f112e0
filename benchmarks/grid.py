"""The automatic mode against the reference in one run: ``python -m benchmarks.grid``.

Both search one picture of 1024 x 1024 with the same seeded random weights and the same thresholds,
each in a process of its own, one after the other. The thresholds are quantiles of what the weights
predict: ``--kept`` of the masks pass the first, predicted IoU, and half of those the stability.
Random masks nearly fill the picture, so suppression, which is quick, drops nothing.

Times are processor seconds on one thread, the embedding with and without. The reference needs
about 0.4 s for each point: ``--points 8`` is a quick look, 32 (the default) the whole of it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from napari_sam.inference.automatic.search import propose_grid
from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.inference.predictor import Predictor
from napari_sam.model.config import CONFIGS
from napari_sam.model.sam import Sam
from tests.model.peers import generator, randomise, reference

SIDE = 1024
SAMPLE = 5  # points per side from which the thresholds are found


def main() -> None:
    """Print all figures, or do one side for the process that asked for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="vit_b", choices=["vit_b", "vit_t"])
    parser.add_argument("--points", type=int, default=32, help="per side")
    parser.add_argument("--kept", type=float, default=0.35, help="share above the predicted IoU")
    parser.add_argument("--side", choices=["reference", "ours"], help=argparse.SUPPRESS)
    parser.add_argument("--floors", type=float, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.side:
        run: Callable[..., Any] = reference_side if options.side == "reference" else our_side
        print(json.dumps(run(options.model, options.points, *options.floors, options.folder)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        torch.save(randomise(reference(CONFIGS[options.model])), folder / "weights.pt")
        floors = find_floors(options.model, options.kept, folder)
        sides = [
            elsewhere(side, options.model, options.points, floors, folder)
            for side in ("reference", "ours")
        ]
        report(options, *sides)
        compare(
            3 * options.points**2,
            *(dict(np.load(folder / f"{side}.npz")) for side in ("reference", "ours")),
        )


def picture() -> NDArray[np.uint8]:
    """Return smooth noise: (1024, 1024, 3)."""
    noise = np.random.default_rng(0).standard_normal((SIDE, SIDE, 3))
    smooth = ndimage.gaussian_filter(noise, (8, 8, 0))
    levels: NDArray[np.uint8] = np.clip(128 + 60 * smooth / smooth.std(), 0, 255).astype(np.uint8)
    return levels


def find_floors(name: str, kept: float, folder: Path) -> tuple[float, float]:
    """Return thresholds of predicted IoU and stability that let the wanted share of masks pass."""
    predictor = our_predictor(name, folder)
    every = replace(
        GridSettings.reference(),
        points_per_side=SAMPLE,
        min_score=0,
        min_stability=0,
        max_overlap=1,
    )
    found = propose_grid(predictor, picture(), every, contrast=(0, 255))
    scores = sorted((one.score for one in found), reverse=True)
    score = scores[min(len(scores) - 1, round(kept * 3 * SAMPLE**2))]
    good = [one.stability for one in found if one.score > score]
    return score, float(np.median(good))


def our_predictor(name: str, folder: Path) -> Predictor:
    """Return our predictor with the weights in the folder."""
    with torch.device("meta"):
        model = Sam(CONFIGS[name])
    model.load_state_dict(torch.load(folder / "weights.pt"), assign=True)
    return Predictor(model.eval().requires_grad_(False))


def reference_side(name: str, points: int, score: float, stability: float, folder: Path) -> Any:
    """Run the reference's generator."""
    model = reference(CONFIGS[name])
    model.load_state_dict(torch.load(folder / "weights.pt"))
    search = generator(
        model,
        points_per_side=points,
        pred_iou_thresh=score,
        stability_score_thresh=stability,
        box_nms_thresh=1.0,
    )
    image = picture()
    search.predictor.set_image, embedding = timed(search.predictor.set_image)
    start = time.process_time()
    found = search.generate(image)
    figures = {"seconds": time.process_time() - start, "embedding": sum(embedding), "GiB": peak()}
    save(
        folder / "reference.npz",
        [one["point_coords"][0][::-1] for one in found],
        [one["predicted_iou"] for one in found],
        [one["segmentation"] for one in found],
    )
    return figures


def our_side(name: str, points: int, score: float, stability: float, folder: Path) -> Any:
    """Run our own search."""
    predictor = our_predictor(name, folder)
    settings = replace(
        GridSettings.reference(),
        points_per_side=points,
        min_score=score,
        min_stability=stability,
        max_overlap=1.0,
    )
    image = picture()
    predictor.embed, embedding = timed(predictor.embed)  # type: ignore[method-assign]
    start = time.process_time()
    found = propose_grid(predictor, image, settings, contrast=(0, 255))
    figures = {"seconds": time.process_time() - start, "embedding": sum(embedding), "GiB": peak()}
    save(
        folder / "ours.npz",
        [one.point for one in found],
        [one.score for one in found],
        [one.mask for one in found],
    )
    return figures


def timed(work: Callable[..., Any]) -> tuple[Callable[..., Any], list[float]]:
    """Return a function that writes down how long each call took, and where it does."""
    seconds: list[float] = []

    def measured(*given: Any, **named: Any) -> Any:
        start = time.process_time()
        try:
            return work(*given, **named)
        finally:
            seconds.append(time.process_time() - start)

    return measured, seconds


def peak() -> float:
    """Return the peak memory of this process in GiB."""
    unit = 2**30 if sys.platform == "darwin" else 2**20  # bytes or KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def save(file: Path, points: list[Any], scores: list[float], masks: list[Any]) -> None:
    """Write what was found, one bit a pixel."""
    bits = np.array([np.packbits(mask) for mask in masks])
    np.savez(file, points=np.array(points), scores=np.array(scores), bits=bits)


def elsewhere(side: str, model: str, points: int, floors: tuple[float, float], folder: Path) -> Any:
    """Run one side in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.grid", "--side", side, "--folder", str(folder)]
    command += ["--model", model, "--points", str(points), "--floors", *map(repr, floors)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def report(options: argparse.Namespace, theirs: Any, ours: Any) -> None:
    """Print seconds, memory and ratios."""
    asked = options.points**2
    print(f"{options.model}, {options.points} x {options.points} points, {SIDE} x {SIDE} pixels")
    rows = {
        "sweep": [one["seconds"] - one["embedding"] for one in (theirs, ours)],
        "with embedding": [one["seconds"] for one in (theirs, ours)],
    }
    for what, (slow, quick) in rows.items():
        each = f"{1e3 * slow / asked:.0f} and {1e3 * quick / asked:.0f} ms a point"
        print(f"{what:16}{slow:8.1f} s, ours{quick:8.1f} s: {slow / quick:.2f} times ({each})")
    share = ours["GiB"] / theirs["GiB"]
    print(f"{'peak memory':16}{theirs['GiB']:8.2f} GiB, ours{ours['GiB']:6.2f} GiB: {share:.2f}")


def compare(asked: int, theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    """Print the share of the reference's masks that we found, too."""
    hits = 0
    for point, score, bits in zip(theirs["points"], theirs["scores"], theirs["bits"], strict=True):
        near = np.flatnonzero(
            (np.abs(ours["points"] - point).max(axis=1) < 0.01)
            & (np.abs(ours["scores"] - score) < 1e-3)
        )
        hits += any(
            np.bitwise_count(ours["bits"][i] & bits).sum()
            > 0.99 * np.bitwise_count(ours["bits"][i] | bits).sum()
            for i in near
        )
    count = len(theirs["points"])
    extra = len(ours["points"]) - hits
    print(f"same masks: {hits} of {count} (IoU above 0.99), and {extra} more")
    print(f"that is {count / asked:.0%} of the {asked} masks that were asked for")


if __name__ == "__main__":
    main()
