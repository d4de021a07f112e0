"""Train the text prompt (paper, section 7.5): prompted with pictures of objects, asked with words.

The prompt is the image vector of objects, in the space that they share with words; the answer is
the union of all objects that fit what was chosen to be said of them. A word cannot say which of
fifty nuclei is meant: a click that follows does, and the answer is then that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from napari_sam.inference.embedding import map_features
from napari_sam.inference.image import normalise
from napari_sam.model.sam import Features, Sam
from napari_sam.model.text_decoder import TextDecoder
from napari_sam.text.encoder import Encoder, unit
from napari_sam.text.vocabulary import Vocabulary
from napari_sam.training.amp import mixed
from napari_sam.training.rounds import area_fractions, round_loss
from napari_sam.training.simulated_prompts import random_points
from napari_sam.training.views import features_to, stack_features
from recipes.words.crops import Mosaics
from recipes.words.optim import OneCycleAdamW
from recipes.words.scenes import Scene, caption, chosen_facts

__all__ = [
    "EmbeddedScene",
    "TextExample",
    "by_image",
    "by_text",
    "draw_example",
    "make_views",
    "shown_objects",
    "train_semantic_head",
    "train_text",
]

TOGETHER = 4  # most objects whose image vectors are averaged: what they share is what is said
OWN = 0.5  # of the prompts come from the view that is asked about, the others from another one
ABSENT = 0.15  # of those that ask for what is not there are kept
POINTED = 0.5  # of the prompts are followed by a click
MOST = 24  # objects of a view whose crops are shown to the encoder
RAMP = 0.3  # how far the losses' weights go on their way to the paper's, which are for lone objects

EmbeddedScene = tuple[Scene, Features]
ShownObjects = tuple[NDArray[np.float16], NDArray[np.float32]]
MakePrompt = Callable[["TextExample", np.random.Generator], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class TextExample:
    """A training example: a view, a source of prompts, and the facts that are asked for.

    Parameters
    ----------
    view : EmbeddedScene
        Which is asked about.
    source : Scene
        Where the objects are seen that show what is meant; it may be another one.
    said : frozenset of str
        The facts that the words would name.
    """

    view: EmbeddedScene
    source: Scene
    said: frozenset[str]

    @property
    def answer(self) -> list[int]:
        """The labels of all objects of the view that fit."""
        return self.view[0].fitting(self.said)


def make_views(model: Sam, mosaics: Mosaics, count: int, seed: int = 0) -> Iterator[EmbeddedScene]:
    """Draw views and embed them; half precision keeps them small."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        scene = mosaics.draw(rng)
        with torch.no_grad():
            pixels = normalise(scene.rgb, 1).contiguous(memory_format=torch.channels_last)
            features = model.encode(pixels.to(model.device))
        yield scene, features_to(features, torch.device("cpu"), torch.float16)


def draw_example(
    views: Sequence[EmbeddedScene], words: Vocabulary, rng: np.random.Generator
) -> TextExample:
    """Choose a view, and something that is true of an object of it, or of another view."""
    while True:
        view = views[int(rng.integers(len(views)))]
        source = view[0] if rng.random() < OWN else views[int(rng.integers(len(views)))][0]
        said = chosen_facts(source.facts[int(rng.choice(list(source.facts)))], words, rng)
        asked = TextExample(view, source, said)
        if asked.answer or rng.random() < ABSENT:
            return asked


def by_image(encoder: Encoder) -> MakePrompt:
    """Prompt with the mean image vector of up to four objects that fit: the paper's trick."""

    def prompt(asked: TextExample, rng: np.random.Generator) -> NDArray[np.float32]:
        fitting = asked.source.fitting(asked.said)
        count = min(len(fitting), int(rng.integers(1, TOGETHER + 1)))
        some = rng.choice(fitting, count, replace=False).tolist()
        vectors = encoder.crops([asked.source.crop(i, encoder.side, rng) for i in some])
        return unit(vectors.mean(axis=0))

    return prompt


def by_text(encoder: Encoder, words: Vocabulary) -> MakePrompt:
    """Prompt with a caption's text vector: what the trick is to be compared with."""

    def prompt(asked: TextExample, rng: np.random.Generator) -> NDArray[np.float32]:
        text = caption(asked.said, words, rng)
        vector: NDArray[np.float32] = encoder.words([text])[0]
        return vector

    return prompt


def train_semantic_head(
    model: Sam,
    decoder: TextDecoder,
    views: Sequence[EmbeddedScene],
    shown: Sequence[ShownObjects],
    steps: int,
    *,
    batch: int = 10,
    rate: float = 2e-3,
    seed: int = 0,
) -> Iterator[dict[str, float]]:
    """Train the semantic head to give each object's place the vector of its crop; yields losses.

    That is a head start: prompts alone teach what things are much more slowly.
    """
    rng = np.random.default_rng(seed)
    with OneCycleAdamW(decoder.look, rate, steps) as optimiser:
        for _ in range(steps):
            chosen = rng.choice(len(views), batch, replace=False)
            features = _gathered([views[i] for i in chosen], model)
            with mixed(model.device):
                places = decoder.look(features).float()  # (B, D, h, w)
            losses = []
            for place, i in zip(places, chosen, strict=True):
                masks, vectors = (torch.from_numpy(part).to(model.device) for part in shown[i])
                mean = torch.einsum("dhw,nhw->nd", place, masks.float())
                losses.append((1 - F.cosine_similarity(mean, vectors)).mean())
            yield {"loss": optimiser.step(torch.stack(losses).mean())}


def shown_objects(
    encoder: Encoder, words: Vocabulary, view: EmbeddedScene, stride: int, rng: np.random.Generator
) -> ShownObjects:
    """Return masks on a coarse grid and image vectors of a view's objects and its background.

    Returns
    -------
    masks : (N, h, w) float16
        Share of each cell.
    vectors : (N, D) float32
    """
    scene = view[0]
    ids = rng.permutation(list(scene.facts))[:MOST].tolist()
    crops = [scene.crop(i, encoder.side, rng) for i in ids]
    masks = [area_fractions(scene.labels == i, stride) for i in ids]
    empty = area_fractions(scene.labels == 0, stride)
    vectors = encoder.crops(crops)
    if empty.any():
        nothing = unit(encoder.words(words.background).mean(axis=0))
        masks, vectors = [*masks, empty], np.concatenate([vectors, nothing[None]])
    return np.stack(masks).astype(np.float16), vectors


def train_text(
    model: Sam,
    decoder: TextDecoder,
    views: Sequence[EmbeddedScene],
    prompt: MakePrompt,
    words: Vocabulary,
    steps: int,
    *,
    batch: int = 10,
    rate: float = 1e-3,
    seed: int = 0,
) -> Iterator[dict[str, float]]:
    """Train a text decoder in place; yields loss and IoU of each step.

    The weights at the end are their moving average.
    """
    rng = np.random.default_rng(seed)
    stride = model.config.mask_stride
    with OneCycleAdamW(decoder, rate, steps) as optimiser:
        for step in range(steps):
            ramp = min(RAMP, step / steps)
            asked = [draw_example(views, words, rng) for _ in range(batch)]
            vectors = torch.from_numpy(np.stack([prompt(one, rng) for one in asked]))
            vectors = vectors.to(model.device)
            features = _gathered([one.view for one in asked], model)
            truth = [_shrunk(one.view[0], one.answer, stride) for one in asked]
            loss, right = _loss(model, decoder, features, vectors, truth, ramp)
            report = {"loss": float(loss.detach()), "iou": float(right.mean())}
            pointed = [i for i, one in enumerate(asked) if one.answer and rng.random() < POINTED]
            if pointed:
                more, right = _pointed(model, decoder, features, vectors, asked, pointed, ramp, rng)
                loss = loss + more
                report |= {"point_loss": float(more.detach()), "point_iou": float(right.mean())}
            optimiser.step(loss)
            yield report


def _pointed(
    model: Sam,
    decoder: TextDecoder,
    features: Features,
    vectors: Tensor,
    asked: Sequence[TextExample],
    pointed: Sequence[int],
    ramp: float,
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """Return loss and IoU where a click says which of the objects is meant."""
    stride = model.config.mask_stride
    truth = []
    for i in pointed:
        label = int(rng.choice(asked[i].answer))
        truth.append(_shrunk(asked[i].view[0], [label], stride))
    inside = np.stack([mask >= min(0.5, mask.max()) for mask in truth])
    points = torch.from_numpy(random_points(inside, stride, rng))[:, None].to(model.device)
    labels = torch.ones(points.shape[:2], dtype=torch.int64, device=model.device)
    some = torch.tensor(pointed, device=model.device)
    chosen_features = map_features(lambda part: part[some], features)
    return _loss(model, decoder, chosen_features, vectors[some], truth, ramp, points, labels)


def _loss(
    model: Sam,
    decoder: TextDecoder,
    features: Features,
    vectors: Tensor,
    truth: Sequence[NDArray[np.float32]],
    ramp: float,
    points: Tensor | None = None,
    labels: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the paper's loss of mask 0, and its true IoU."""
    target = torch.from_numpy(np.stack(truth))[:, None].to(model.device)
    with mixed(model.device):
        logits, predicted = decoder(model, features, vectors, points, labels)
    return round_loss(logits, predicted, target, torch.ones_like(target), False, ramp)


def _shrunk(scene: Scene, labels: Sequence[int], stride: int) -> NDArray[np.float32]:
    return area_fractions(np.isin(scene.labels, labels), stride)


def _gathered(views: Sequence[EmbeddedScene], model: Sam) -> Features:
    return features_to(
        stack_features([features for _, features in views]), model.device, torch.float32
    )
