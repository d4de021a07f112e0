"""Train and export the model that ships: ``python -m napari_sam.training train|export``."""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_sam.model.load import load_model
from napari_sam.model.sam import Sam
from napari_sam.training.logs import Log
from napari_sam.training.recipe import Recipe
from napari_sam.training.samples import load_pictures
from napari_sam.training.scratch import from_scratch
from napari_sam.training.split import split
from napari_sam.training.synthetic import synthetic_picture
from napari_sam.training.team import Team
from napari_sam.training.trainer import Trainer
from napari_sam.training.views import FreshViews
from napari_sam.training.weights import export
from napari_sam.training.words import train_words

log = logging.getLogger("napari_sam.training")
OFTEN = 100  # steps between two checkpoints


def main() -> None:
    """Read the arguments and do as they say."""
    parser = argparse.ArgumentParser(prog="python -m napari_sam.training", description=__doc__)
    commands = parser.add_subparsers(required=True)
    train = commands.add_parser("train", help="train from scratch, or go on with a run")
    train.add_argument("data", type=Path, help="folder of samples, each with image and labels")
    train.add_argument("--run", type=Path, required=True, help="folder for checkpoint and log")
    train.add_argument("--weights", help="name or file of weights to start from, else from nothing")
    train.add_argument("--synthetic", type=int, default=0, help="drawn pictures to learn from, too")
    train.add_argument("--without", nargs="*", default=[], help="data sets to leave out")
    train.add_argument("--compile", action="store_true", help="faster steps; needs a C++ compiler")
    train.add_argument("--clicks", type=int, nargs="+", default=Recipe.clicks)
    for field in fields(Recipe):
        if type(field.default) in (int, float):
            kind = type(field.default)
            train.add_argument(f"--{field.name}", type=kind, default=field.default)
    train.set_defaults(work=_train)
    export_ = commands.add_parser("export", help="write a run's averaged weights as safetensors")
    export_.add_argument("--run", type=Path, required=True, help="folder of the run")
    export_.add_argument("-o", "--output", type=Path, required=True, help="safetensors file")
    export_.add_argument("--data", type=Path, help="folder that it was trained on, for the header")
    export_.add_argument("--figures", type=Path, help="JSON of `napari-sam evaluate`, likewise")
    export_.set_defaults(work=_export)
    words = commands.add_parser("words", help="train what text prompts need (see `words.py`)")
    words.add_argument("data", type=Path, help="folder of samples, each with image and labels")
    words.add_argument("--run", type=Path, required=True, help="folder for what it writes")
    words.add_argument("--weights", default="cells_tiny", help="model that is to understand words")
    words.add_argument("--without", nargs="*", default=[], help="data sets to leave out")
    words.add_argument("--steps", type=int, nargs=3, default=(1500, 900, 700), metavar="N")
    words.add_argument("--views", type=int, default=1500)
    words.add_argument("--captions", action="store_true", help="prompt with text, to compare")
    words.set_defaults(work=_words)
    for command in (train, export_, words):
        command.add_argument("--threads", type=int, default=1)
        command.add_argument("--planes", type=int, default=12, help="most planes of each stack")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(args.threads)
    args.work(args)


def _train(args: argparse.Namespace) -> None:
    team = Team.join()
    pictures, held = split(load_pictures(args.data, args.planes))
    pictures = [p for p in pictures if not p.dataset.startswith(tuple(args.without))]
    rng = np.random.default_rng(args.seed)
    pictures += [synthetic_picture(rng) for _ in range(args.synthetic)]
    log.info("%d pictures to train on, %d held out", len(pictures), len(held))
    settings = {
        field.name: getattr(args, field.name) for field in fields(Recipe) if field.name in args
    }
    recipe = Recipe(**settings | {"clicks": tuple(args.clicks)})
    model = load_model(args.weights, "cpu") if args.weights else from_scratch(recipe.seed)
    torch.set_num_threads(args.threads)
    if args.compile:
        _compile(model)
    trainer = Trainer(model, recipe, FreshViews(pictures, model.config, recipe), team)
    checkpoint = args.run / "checkpoint.pt"
    if checkpoint.exists():
        trainer.load(checkpoint)
        log.info("going on from step %d", trainer.step)
    if team.rank:
        for _ in trainer.run():
            pass
        return
    with Log(args.run, trainer.step) as table:
        for report in trainer.run():
            table.write(report)
            if trainer.step % OFTEN == 0 or trainer.step == recipe.steps:
                trainer.save(checkpoint)
                log.info(" ".join(f"{name} {value:.3g}" for name, value in report.items()))


def _words(args: argparse.Namespace) -> None:
    pictures = split(load_pictures(args.data, args.planes))[0]
    pictures = [p for p in pictures if not p.dataset.startswith(tuple(args.without))]
    model = load_model(args.weights, "cpu")
    torch.set_num_threads(args.threads)
    train_words(
        model,
        pictures,
        args.run,
        steps=tuple(args.steps),
        views=args.views,
        captions=args.captions,
    )


def _compile(model: Sam) -> None:
    """Compile what pays; the upscaling does not, and clicks change its neighbours' shapes."""
    model.image_encoder.compile()
    model.mask_decoder.transformer.compile(dynamic=True)
    drawn: Any = model.drawn_prompts
    drawn.encode = torch.compile(drawn.encode, dynamic=True)


def _export(args: argparse.Namespace) -> None:
    pictures = split(load_pictures(args.data, args.planes))[0] if args.data else []
    figures = json.loads(args.figures.read_text("utf-8")) if args.figures else None
    export(args.run / "checkpoint.pt", args.output, pictures, figures)
    log.info("%s: %.1f MB", args.output, args.output.stat().st_size / 1e6)


if __name__ == "__main__":
    main()
