"""Fit the rating of candidates: ``python -m recipes.rating DATA ... -o FILE``.

Of each data set a few pictures that were trained on, cut to their middle, are searched with the
head of ``--weights``. Of the candidates in each a sample is compared with the truth, and a small
network learns from their features which IoUs they reach; each set counts the same. What is written
is the file that holds the head, with the rating in it.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from napari_sam.data.samples import LabelledImage, evenly_spaced, load_images
from napari_sam.data.split import split
from napari_sam.errors import InputError
from napari_sam.inference.automatic.instances.rated import CandidatePool
from napari_sam.inference.automatic.settings import InstanceSettings
from napari_sam.inference.object_maps import LevelMaps, predict_maps
from napari_sam.inference.predictor import Predictor
from napari_sam.masks import CroppedMask
from napari_sam.model.instances.head import RATING, InstanceHead
from napari_sam.model.instances.load import find_beside
from napari_sam.model.instances.rating import THRESHOLDS, CandidateRating
from napari_sam.model.load import load_model
from napari_sam.model.weights.checkpoint import DECODER, read_checkpoint, split_decoder
from napari_sam.training.weights import save_weights
from napari_sam.zoo import catalogue

__all__ = ["Examples", "examples", "fit", "save_rated"]

log = logging.getLogger(__name__)
CANDIDATES = 800  # of a picture
STEPS, BATCH, RATE, DECAY = 1500, 1024, 1e-2, 0.03  # of AdamW
SIDE = 512  # pixels


class Examples(NamedTuple):
    """Candidates of a picture: their features (n, f) and IoUs (n,) with the best true object."""

    dataset: str
    features: NDArray[np.float32]
    ious: NDArray[np.float64]


def main() -> None:
    """Collect examples, fit, write."""
    parser = argparse.ArgumentParser(prog="python -m recipes.rating", description=__doc__)
    parser.add_argument("data", type=Path, nargs="+", help="folders of samples, as for training")
    parser.add_argument("-o", "--output", type=Path, required=True, help="safetensors file")
    parser.add_argument("--weights", default="cells_tiny", help="name or file of a model")
    parser.add_argument("--most", type=int, default=6, help="pictures of each data set or stratum")
    parser.add_argument("--planes", type=int, default=2, help="most planes of each stack")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    model = load_model(options.weights, "cpu")
    torch.set_num_threads(1)
    if not isinstance(model.instance_decoder, InstanceHead):
        parser.error(f"{options.weights} has no instance head of ours to fit a rating for")
    predictor, found = Predictor(model), list[Examples]()
    images = [one for folder in options.data for one in load_images(folder, options.planes)]
    for image in _chosen(split(images)[0], options.most):
        rgb, labels = _middle(image)
        maps = predict_maps(model, predictor.embed(rgb, (0, 255)))
        found.append(examples(image.dataset, maps, labels, options.seed))
        log.info("%s: %d candidates", image.source, len(found[-1].ious))
    save_rated(options.weights, fit(found, options.seed), options.output)
    log.info("%s: fitted on %d pictures", options.output, len(found))


def _chosen(images: Sequence[LabelledImage], most: int) -> list[LabelledImage]:
    """Return up to `most` pictures of each set, evenly spaced."""
    by_set: dict[str, list[LabelledImage]] = defaultdict(list)
    for image in images:
        by_set[image.dataset].append(image)
    return [some[i] for some in by_set.values() for i in evenly_spaced(len(some), most)]


def _middle(image: LabelledImage) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return the middle of a picture, and the labels there of what is large enough."""
    labels = np.where(np.isin(image.labels, image.ids), image.labels, 0)
    starts = [max(0, (length - SIDE) // 2) for length in labels.shape]
    cut = tuple(slice(start, start + SIDE) for start in starts)
    return image.rgb[cut], labels[cut].astype(np.int32)


def examples(
    dataset: str, levels: Sequence[LevelMaps], truth: NDArray[np.int32], seed: int = 0
) -> Examples:
    """Return a sample of the candidates in a picture, as they are rated.

    Parameters
    ----------
    dataset : str
    levels : sequence of LevelMaps
        Of the picture.
    truth : (H, W) int32
        Its labels.
    seed : int
        Of the sample.
    """
    pool = CandidatePool(levels, InstanceSettings())
    every = np.random.default_rng(seed).permutation(len(pool.level))[:CANDIDATES]
    areas = np.bincount(truth.ravel())
    found = [(i, pool.instance(int(i), 1.0)) for i in every]
    kept = [(i, _best_iou(one.cropped, truth, areas)) for i, one in found if one is not None]
    return Examples(
        dataset, pool.features[[i for i, _ in kept]], np.array([iou for _, iou in kept])
    )


def _best_iou(mask: CroppedMask, truth: NDArray[np.int32], areas: NDArray[np.int64]) -> float:
    """Return the IoU of a mask with the true object that it fits best."""
    top, left, bottom, right = mask.box
    shared = np.bincount(truth[top:bottom, left:right][mask.crop()], minlength=len(areas))
    ious = shared / (mask.area + areas - shared)
    return float(ious[1:].max(initial=0))


def fit(pictures: Sequence[Examples], seed: int = 0) -> CandidateRating:
    """Return the rating that the examples teach, the same for the same seed.

    Raises
    ------
    InputError
        If there is no candidate.
    """
    pictures = [one for one in pictures if len(one.ious)]
    if not pictures:
        raise InputError("no candidate was found in any of the pictures")
    counts = Counter(one.dataset for one in pictures)
    shares = [np.full(len(one.ious), 1 / (counts[one.dataset] * len(one.ious))) for one in pictures]
    features = torch.from_numpy(np.concatenate([one.features for one in pictures]))
    ious = np.concatenate([one.ious for one in pictures])
    reached = torch.from_numpy((ious[:, None] >= THRESHOLDS).astype(np.float32))
    share = torch.from_numpy(np.concatenate(shares)).float()
    rating = CandidateRating()
    _standardise(rating, features, share)
    made = torch.Generator().manual_seed(seed)
    weights = [w.requires_grad_() for w in _initialised(rating, made)]
    optimiser = torch.optim.AdamW(weights, RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, STEPS)
    for _ in range(STEPS):
        some = torch.multinomial(share, BATCH, replacement=True, generator=made)
        loss = F.binary_cross_entropy_with_logits(rating.logits(features[some]), reached[some])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    for one in weights:
        one.requires_grad_(False)
    return rating


def _standardise(rating: CandidateRating, features: Tensor, share: Tensor) -> None:
    share = share[:, None] / share.sum()
    rating.mean.copy_((features * share).sum(dim=0))
    spread = ((features - rating.mean) ** 2 * share).sum(dim=0).sqrt()
    rating.spread.copy_(spread.clamp(min=1e-3))


def _initialised(rating: CandidateRating, made: torch.Generator) -> list[Tensor]:
    """Return the weights of both layers, random."""
    layers = (rating.weight1, rating.bias1), (rating.weight2, rating.bias2)
    for weight, bias in layers:
        width = weight.shape[1] ** -0.5
        weight.uniform_(-width, width, generator=made)
        bias.zero_()
    return [one for layer in layers for one in layer]


def save_rated(weights: str, rating: CandidateRating, output: Path) -> None:
    """Write the file that holds the head of a model, with another rating in it.

    Parameters
    ----------
    weights : str
        Name or file of the model; the head is in its file, or in the one beside it.
    rating : CandidateRating
    output : Path
    """
    entry = catalogue.entries().get(weights)
    path = (entry and catalogue.ready(entry)) or Path(weights)
    state, metadata = read_checkpoint(path)
    if not split_decoder(state)[1]:
        beside = find_beside(path)
        assert beside is not None  # the model was loaded with it
        state, metadata = read_checkpoint(beside)
    own = {f"{DECODER}{RATING}{name}": value for name, value in rating.state_dict().items()}
    save_weights(output, state | own, json.loads(metadata["napari_sam"]))


if __name__ == "__main__":
    main()
