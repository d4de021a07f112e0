"""Train what text prompts need: ``python -m recipes.words DATA --run FOLDER``."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import torch

from napari_sam.data.samples import load_images
from napari_sam.data.split import split
from napari_sam.model.load import load_model
from recipes.words.train import train_words


def main() -> None:
    """Read the arguments and do as they say."""
    parser = argparse.ArgumentParser(prog="python -m recipes.words", description=__doc__)
    parser.add_argument("data", type=Path, help="folder of samples, each with image and labels")
    parser.add_argument("--run", type=Path, required=True, help="folder for what it writes")
    parser.add_argument("--weights", default="cells_tiny", help="model that is to understand words")
    parser.add_argument("--without", nargs="*", default=[], help="data sets to leave out")
    parser.add_argument("--steps", type=int, nargs=3, default=(1500, 900, 700), metavar="N")
    parser.add_argument("--views", type=int, default=1500)
    parser.add_argument("--captions", action="store_true", help="prompt with text, to compare")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--planes", type=int, default=12, help="most planes of each stack")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    images = split(load_images(args.data, args.planes))[0]
    images = [p for p in images if not p.dataset.startswith(tuple(args.without))]
    model = load_model(args.weights, "cpu")
    torch.set_num_threads(args.threads)
    train_words(
        model,
        images,
        args.run,
        steps=tuple(args.steps),
        views=args.views,
        captions=args.captions,
    )


if __name__ == "__main__":
    main()
