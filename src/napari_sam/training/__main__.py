"""Train, export and score `cells_tiny`: ``python -m napari_sam.training train|export|evaluate``."""

from __future__ import annotations

import argparse
import csv
import logging
import sys
from pathlib import Path

import torch

from napari_sam.inference.predictor import Predictor
from napari_sam.model.load import load_model
from napari_sam.training.data import load_pictures, split
from napari_sam.training.evaluate import evaluate, table
from napari_sam.training.export import export
from napari_sam.training.recipe import Recipe, Trainer

log = logging.getLogger("napari_sam.training")
COLUMNS = ("step", "seconds", "dense", "loss", "click", "box", "mask", "other", "norm")


def main() -> None:
    """Read the arguments and do as they say."""
    parser = argparse.ArgumentParser(prog="python -m napari_sam.training", description=__doc__)
    commands = parser.add_subparsers(required=True)
    train = commands.add_parser("train", help="train from scratch, or go on with a run")
    train.add_argument("data", type=Path, help="folder of samples, each with image and labels")
    train.add_argument("--run", type=Path, required=True, help="folder for checkpoint and log")
    for name in ("pretrain", "train", "seed"):
        train.add_argument(f"--{name}", type=int, default=getattr(Recipe, name))
    train.set_defaults(work=_train)
    export_ = commands.add_parser("export", help="write a run's averaged weights as safetensors")
    export_.add_argument("--run", type=Path, required=True, help="folder of the run")
    export_.add_argument("-o", "--output", type=Path, required=True, help="safetensors file")
    export_.set_defaults(work=_export)
    score = commands.add_parser("evaluate", help="score a model on the held-out pictures")
    score.add_argument("data", type=Path, help="the folder that the training used")
    score.add_argument("--model", default="cells_tiny", help="name or file")
    score.add_argument("--most", type=int, default=60, help="objects taken of one picture")
    score.set_defaults(work=_evaluate)
    for command in (train, export_, score):
        command.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(args.threads)
    args.work(args)


def _train(args: argparse.Namespace) -> None:
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
        writer = csv.DictWriter(file, COLUMNS)
        if file.tell() == 0:
            writer.writeheader()
        for report in trainer.run():
            writer.writerow({name: f"{value:.4g}" for name, value in report.items()})
            file.flush()
            if trainer.step % 100 == 0 or trainer.step == recipe.steps:
                trainer.save(checkpoint)
                log.info(" ".join(f"{name} {value:.3g}" for name, value in report.items()))


def _export(args: argparse.Namespace) -> None:
    export(args.run / "checkpoint.pt", args.output)
    log.info("%s: %.1f MB", args.output, args.output.stat().st_size / 1e6)


def _evaluate(args: argparse.Namespace) -> None:
    _, held = split(load_pictures(args.data))
    predictor = Predictor(load_model(args.model, "cpu"))
    torch.set_num_threads(args.threads)
    sys.stdout.write(table(evaluate(predictor, held, args.most)) + "\n")


if __name__ == "__main__":
    main()
