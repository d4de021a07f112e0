"""Train `cells_tiny` from scratch: ``python -m napari_sam.training DATA --run FOLDER``."""

from __future__ import annotations

import argparse
import csv
import logging
from pathlib import Path

import torch

from napari_sam.training.data import load_pictures, split
from napari_sam.training.recipe import Recipe, Trainer

log = logging.getLogger("napari_sam.training")


def main() -> None:
    """Read the arguments, then train, resuming from the run's checkpoint if there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of samples, each with image and labels")
    parser.add_argument("--run", type=Path, required=True, help="folder for checkpoint and log")
    parser.add_argument("--threads", type=int, default=1)
    for name in ("pretrain", "train", "seed"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Recipe, name))
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(args.threads)
    args.run.mkdir(parents=True, exist_ok=True)
    pictures, held = split(load_pictures(args.data))
    log.info("%d pictures to train on, %d held out", len(pictures), len(held))
    recipe = Recipe(pretrain=args.pretrain, train=args.train, seed=args.seed)
    trainer = Trainer(recipe, pictures)
    checkpoint = args.run / "checkpoint.pt"
    if checkpoint.exists():
        trainer.load(checkpoint)
        log.info("going on from step %d", trainer.step)
    with (args.run / "log.csv").open("a", newline="") as file:
        writer = csv.DictWriter(
            file, ["step", "seconds", "dense", "loss", "click", "box", "mask", "other", "norm"]
        )
        if file.tell() == 0:
            writer.writeheader()
        for report in trainer.run():
            writer.writerow({k: f"{v:.4g}" for k, v in report.items()})
            if trainer.step % 100 == 0 or trainer.step == recipe.steps:
                file.flush()
                trainer.save(checkpoint)
                log.info(" ".join(f"{k} {v:.3g}" for k, v in report.items()))


if __name__ == "__main__":
    main()
