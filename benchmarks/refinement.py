"""Rough labels made sharper: ``python -m benchmarks.refinement DATA``.

Mean IoU with the truth of labels that were grown, shrunk, shifted or drawn coarsely, before and
after `refine`, by what of the rough mask becomes a prompt; and the share of objects that it made
worse. The pictures are held out from training; the roughness is of the kinds met in training.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_sam.data.samples import LabelledImage, load_images
from napari_sam.data.split import split
from napari_sam.evaluation.evaluate import mask_iou
from napari_sam.inference.embedding import Embedding
from napari_sam.inference.mask_prompts import PromptRule
from napari_sam.inference.predictor import Predictor
from napari_sam.inference.refinement.refine import refine
from napari_sam.model.load import load_model
from napari_sam.training.simulated_prompts import corrupt

OBJECTS = 12  # of each picture
RULES = {
    "mask": PromptRule(box=False),
    "box": PromptRule(mask=False),
    "mask, box": PromptRule(),
    "mask, point": PromptRule(box=False, inside=1),
    "mask, box, point": PromptRule(inside=1),
    "mask, box, point, neighbours": PromptRule(inside=1, outside=2),
}


def main() -> None:
    """Print the table, one row per data set."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.refinement", description=__doc__.splitlines()[0]
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="cells_tiny", help="name or file")
    parser.add_argument("--most", type=int, default=8, help="pictures of each set")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    predictor = Predictor(load_model(args.model, "cpu"))
    begin = time.perf_counter()
    sets: dict[str, list[LabelledImage]] = defaultdict(list)
    _, held_out = split(load_images(args.data))
    for index in np.random.default_rng(0).permutation(len(held_out)):
        some = sets[held_out[index].dataset]
        if len(some) < args.most:
            some.append(held_out[index])
    print(f"| set | objects | rough | {' | '.join(RULES)} |\n|{'---|' * (3 + len(RULES))}")
    for name, pictures in sorted(sets.items()):
        parts = [measure(predictor, picture, seed) for seed, picture in enumerate(pictures)]
        rough, sharp = (np.concatenate(part) for part in zip(*parts, strict=True))
        means, worse = sharp.mean(axis=0), (sharp < rough[:, None]).mean(axis=0)
        cells = [f"{m:.3f} ({w:.0%} worse)" for m, w in zip(means, worse, strict=True)]
        print(f"| {name} | {len(rough)} | {rough.mean():.3f} | {' | '.join(cells)} |", flush=True)
    print(f"\n{args.model}, {(time.perf_counter() - begin) / 60:.0f} minutes on the CPU")


def measure(
    predictor: Predictor, picture: LabelledImage, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the IoUs of some objects, rough (N,) and refined by each rule (N, rules)."""
    rng = np.random.default_rng(seed)
    labels = np.zeros_like(picture.labels)
    for id_ in rng.permutation(picture.ids)[
        :OBJECTS
    ]:  # the later one stays where two overlap, as with a brush
        labels[corrupt(picture.labels == id_, rng)] = id_
    embedding = predictor.embed(picture.rgb, (0, 255))
    known = Known(embedding)
    answers = [
        refine(predictor, picture.rgb, labels, rule, contrast=(0, 255), store=known)
        for rule in RULES.values()
    ]
    rough, sharp = [], []
    for id_ in answers[0]:
        truth = picture.labels == id_
        rough.append(mask_iou(labels == id_, truth))
        sharp.append([mask_iou(answer[id_].masks[0], truth) for answer in answers])
    return np.array(rough), np.array(sharp).reshape(-1, len(RULES))


class Known:
    """The embedding of the one picture that is asked for."""

    def __init__(self, embedding: Embedding) -> None:
        self._embedding = embedding

    def get(self, predictor: Predictor, image: Any, contrast: Any) -> Embedding:
        """Return it."""
        return self._embedding


if __name__ == "__main__":
    main()
