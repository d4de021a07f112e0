"""Train and export the model that ships: ``python -m recipes.cells_tiny train|export``."""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from torch import nn

from napari_sam.data.samples import load_images
from napari_sam.data.split import split
from napari_sam.model.config import CONFIGS
from napari_sam.model.instances.head import InstanceHead
from napari_sam.model.load import load_model
from napari_sam.model.sam import Sam
from napari_sam.model.transformer import ImageToTokens, TokensToImage
from napari_sam.training.ddp import DDP
from napari_sam.training.logs import TrainingLog
from napari_sam.training.recipe import Recipe
from napari_sam.training.trainer import Trainer
from napari_sam.training.views import FreshViews
from recipes.synthetic import synthetic_image
from recipes.weights import export

__all__ = ["from_scratch", "initialise"]

log = logging.getLogger(__name__)
CROSS = TokensToImage, ImageToTokens
OFTEN = 100  # steps between two checkpoints


def main() -> None:
    """Read the arguments and do as they say."""
    parser = argparse.ArgumentParser(prog="python -m recipes.cells_tiny", description=__doc__)
    commands = parser.add_subparsers(required=True)
    train = commands.add_parser("train", help="train from scratch, or go on with a run")
    train.add_argument(
        "data", type=Path, nargs="+", help="folders of samples, each with image and labels"
    )
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
    train.add_argument("--what", default=Recipe.what, choices=("instances", "everything"))
    train.set_defaults(work=_train)
    export_ = commands.add_parser("export", help="write a run's averaged weights as safetensors")
    export_.add_argument("--run", type=Path, required=True, help="folder of the run")
    export_.add_argument("-o", "--output", type=Path, required=True, help="safetensors file")
    export_.add_argument(
        "--data", type=Path, nargs="*", default=[], help="folders it was trained on, for the header"
    )
    export_.add_argument("--figures", type=Path, help="JSON of `napari-sam evaluate`, likewise")
    export_.set_defaults(work=_export)
    for command in (train, export_):
        command.add_argument("--threads", type=int, default=1)
        command.add_argument("--planes", type=int, default=12, help="most planes of each stack")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(args.threads)
    args.work(args)


def _train(args: argparse.Namespace) -> None:
    ddp = DDP.join()
    images, held = split([i for folder in args.data for i in load_images(folder, args.planes)])
    images = [p for p in images if not p.dataset.startswith(tuple(args.without))]
    rng = np.random.default_rng(args.seed)
    images += [synthetic_image(rng) for _ in range(args.synthetic)]
    log.info("%d pictures to train on, %d held out", len(images), len(held))
    settings = {
        field.name: getattr(args, field.name) for field in fields(Recipe) if field.name in args
    }
    recipe = Recipe(**settings | {"clicks": tuple(args.clicks)})
    model = load_model(args.weights, "cpu") if args.weights else from_scratch(recipe.seed)
    if model.instance_decoder is None:  # weights of before there were heads
        torch.manual_seed(recipe.seed)
        model.instance_decoder = InstanceHead(model.config)
    torch.set_num_threads(args.threads)
    if args.compile:
        _compile(model)
    trainer = Trainer(model, recipe, FreshViews(images, model.config, recipe), ddp)
    checkpoint = args.run / "checkpoint.pt"
    if checkpoint.exists():
        trainer.load(checkpoint)
        log.info("going on from step %d", trainer.step)
    if ddp.rank:
        for _ in trainer.run():
            pass
        return
    with TrainingLog(args.run, trainer.step) as table:
        for report in trainer.run():
            table.write(report)
            if trainer.step % OFTEN == 0 or trainer.step == recipe.steps:
                trainer.save(checkpoint)
                log.info(" ".join(f"{name} {value:.3g}" for name, value in report.items()))


def _compile(model: Sam) -> None:
    """Compile encoder, transformer and dense path; the rest does not pay."""
    model.image_encoder.compile()
    model.mask_decoder.transformer.compile(dynamic=True)
    dense = model.drawn_prompts
    assert dense is not None
    dense.encode = torch.compile(dense.encode, dynamic=True)  # type: ignore[method-assign]


def _export(args: argparse.Namespace) -> None:
    images = split([i for folder in args.data for i in load_images(folder, args.planes)])[0]
    figures = json.loads(args.figures.read_text("utf-8")) if args.figures else None
    export(args.run / "checkpoint.pt", args.output, images, figures)
    log.info("%s: %.1f MB", args.output, args.output.stat().st_size / 1e6)


def from_scratch(seed: int) -> Sam:
    """Return a `cells_tiny` and its instance head with random weights."""
    torch.manual_seed(seed)
    model = Sam(CONFIGS["cells_tiny"])
    initialise(model)
    model.instance_decoder = InstanceHead(model.config)
    return model


def initialise(model: Sam) -> None:
    """Start the cross-attentions local: equal queries and keys, fine positions, small tokens."""
    with torch.no_grad():
        model.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix.mul_(3)
        transformer = model.mask_decoder.transformer
        attentions = [m for m in transformer.modules() if isinstance(m, CROSS)]
        shared = torch.empty_like(attentions[0].q_proj.weight)
        nn.init.orthogonal_(shared, gain=2.0)
        for attention in attentions:
            attention.q_proj.weight.copy_(shared)
            attention.k_proj.weight.copy_(shared)
        tokens = [model.mask_decoder.iou_token, model.mask_decoder.mask_tokens]
        tokens += [*model.prompt_encoder.point_embeddings, model.prompt_encoder.not_a_point_embed]
        for token in tokens:
            token.weight.mul_(0.3)


if __name__ == "__main__":
    main()
