"""What a fine-tuning costs: ``python -m benchmarks.training [--models cells_tiny vit_t vit_b]``.

Seconds of one processor core per embedded view and per step, and the peak memory of the process,
for each size of model and each choice of what to train; random weights, drawn pictures. These are
the figures behind `napari_sam.training.plan.estimate`.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

import numpy as np
import torch

from napari_sam.model.config import CONFIGS
from napari_sam.model.instances.head import InstanceHead
from napari_sam.model.sam import Sam
from napari_sam.training.plan import WHAT, Plan, recipe_for
from napari_sam.training.trainer import Trainer
from napari_sam.training.views import CachedViews, FreshViews
from recipes.synthetic import synthetic_image

STEPS = {"cells_tiny": 12}  # measured after one that warms up; elsewhere two


def main() -> None:
    """Measure each case in a process of its own, or the one that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--models", nargs="+", default=["cells_tiny", "vit_t"], choices=CONFIGS)
    parser.add_argument("--what", nargs="+", default=list(WHAT), choices=WHAT)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        measure(args.models[0], args.what[0])
        return
    sys.stdout.write("| model | what | s per view | s per step | GiB |\n|---|---|---|---|---|\n")
    for model in args.models:
        for what in args.what:
            sys.stdout.flush()
            command = [sys.executable, "-m", "benchmarks.training", "--one"]
            subprocess.run([*command, "--models", model, "--what", what], check=True)


def measure(name: str, what: str) -> None:
    """Print one line of the table."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    pictures = [synthetic_image(rng) for _ in range(4)]
    config = CONFIGS[name]
    steps = STEPS.get(name, 2)
    recipe = recipe_for(Plan(what, steps + 1), config)
    model = Sam(config)
    if config.dense:
        model.instance_decoder = InstanceHead(config)
    model.eval()
    view = 0.0
    views: CachedViews | FreshViews = FreshViews(pictures, config, recipe)
    if what == "decoder":
        views = CachedViews(pictures, config, recipe, count=2 * recipe.pictures)
        start = time.process_time()
        count = len(list(views.fill(model)))
        view = (time.process_time() - start) / count
    run = Trainer(model, recipe, views).run()
    next(run)
    start = time.process_time()
    done = len(list(run))
    step = (time.process_time() - start) / done
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    sys.stdout.write(f"| {name} | {what} | {view:.2f} | {step:.2f} | {peak:.1f} |\n")


if __name__ == "__main__":
    main()
