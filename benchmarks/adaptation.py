"""Adapt to something new: 8 labelled pictures of a set that the weights have never seen.

``python -m benchmarks.adaptation DATA WEIGHTS`` with weights that were trained without the sets
(``python -m recipes.cells_tiny train DATA --run RUN --without ...``). For each set: the IoU after
one click, three clicks and from a box on all its other pictures, before and after a decoder-only
fine-tuning as the panel does it, beside the two drawings; and the minutes it took.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from napari_sam.data.samples import LabelledImage, load_images
from napari_sam.data.split import hold_out
from napari_sam.evaluation.evaluate import ObjectScores, evaluate
from napari_sam.inference.predictor import Predictor
from napari_sam.model.load import load_model
from napari_sam.model.sam import Sam
from napari_sam.training.finetune import FineTuning, Plan

SETS = ("usiigaci_phase", "colicoords_ecoli", "dsb2018_train, stained")
MEASURES = ("click 1", "click 3", "box", "disc", "ellipse")
LABELLED = 8


def main() -> None:
    """Read the arguments, adapt to each set, print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.adaptation", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", help="name or file")
    parser.add_argument("--steps", type=int, default=Plan.steps)
    parser.add_argument("--what", default=Plan.what)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--most", type=int, default=20, help="objects scored in each picture")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    pictures = load_images(args.data)
    head = " | ".join(f"{m} before | after" if "click" in m or m == "box" else m for m in MEASURES)
    sys.stdout.write(f"| set | objects | {head} | minutes |\n|{'---|' * 11}\n")
    for name in args.sets:
        mine = [p for p in pictures if p.dataset == name]
        chosen = np.random.default_rng(0).permutation(len(mine))
        labelled = [mine[i] for i in chosen[:LABELLED]]
        others = [mine[i] for i in chosen[LABELLED:]]
        model = load_model(args.weights, "cpu")
        torch.set_num_threads(args.threads)
        before = scores(model, others, args.most)
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            training, validation = hold_out(labelled)
            plan = Plan(args.what, args.steps)
            tuning = FineTuning(model, training, validation, plan, Path(folder))
            for _ in tuning.run():
                pass
        minutes = (time.perf_counter() - start) / 60
        after = scores(model, others, args.most)
        cells = [
            f"{before[m]:.3f} | {after[m]:.3f}"
            if "click" in m or m == "box"
            else f"{before[m]:.3f}"
            for m in MEASURES
        ]
        sys.stdout.write(
            f"| {name} | {int(before['objects'])} | {' | '.join(cells)} | {minutes:.1f} |\n"
        )
        sys.stdout.flush()


def scores(model: Sam, pictures: list[LabelledImage], most: int) -> dict[str, float]:
    """Return the mean of each measure over all objects."""
    model.eval()
    rows: list[ObjectScores] = [
        row for _, some in evaluate(Predictor(model), pictures, most) for row in some
    ]
    return {m: float(np.mean([row[m] for row in rows])) for m in MEASURES} | {"objects": len(rows)}


if __name__ == "__main__":
    main()
