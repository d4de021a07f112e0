"""Train everything that words need, in three stages, each of which is kept when it is done.

1. The tower of pictures, against the locked tower of words (`contrastive`).
2. The look of a model's features at what things are, against the tower (`text_prompts`).
3. The text decoder, prompted with pictures of objects; or with captions, to compare.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from napari_sam.data.samples import LabelledImage
from napari_sam.files import replacing
from napari_sam.model.load import read_text
from napari_sam.model.sam import Sam
from napari_sam.model.text_decoder import TextDecoder
from napari_sam.model.weights.checkpoint import read_checkpoint
from napari_sam.text.builtin import BuiltInEncoder
from napari_sam.text.image_tower import SIDE, ImageTower
from napari_sam.text.load import BUILT_IN, read_tower
from napari_sam.text.sentences import SentenceEncoder
from napari_sam.text.vocabulary import Vocabulary, vocabulary
from recipes.weights import save_text, save_tower
from recipes.words.contrastive import Captions, fit_bridge, train_tower
from recipes.words.crops import CropSampler, Mosaics
from recipes.words.text_prompts import (
    by_image,
    by_text,
    make_views,
    shown_objects,
    train_semantic_head,
    train_text,
)

__all__ = ["min_known_familiarity", "train_words"]

log = logging.getLogger(__name__)
CAPTIONS = 4000
EVERY = 100  # steps between two lines of the log


def train_words(
    model: Sam,
    images: Sequence[LabelledImage],
    run: Path,
    *,
    steps: tuple[int, int, int] = (1500, 900, 700),
    views: int = 1500,
    captions: bool = False,
    seed: int = 0,
) -> TextDecoder:
    """Train, or go on behind the last stage that is done, and return the text decoder.

    Parameters
    ----------
    model : Sam
        Its encoders stay as they are.
    images : sequence of LabelledImage
        To train on.
    run : Path
        Folder for ``words_tiny.safetensors``, ``look.pt`` and ``text.safetensors`` (or, with
        `captions`, ``captions.safetensors``).
    steps : (int, int, int)
        Of each stage.
    views : int
        Pictures and mosaics that are embedded once.
    captions : bool
        Prompt with the captions' text vectors in place of image vectors.
    seed : int
    """
    run.mkdir(parents=True, exist_ok=True)
    words = vocabulary()
    encoder = _tower(images, words, run / f"{BUILT_IN}.safetensors", steps[0], seed)
    mosaics = Mosaics(images, words.sets, model.config.frame)
    seen = list(make_views(model, mosaics, views, seed))
    decoder = TextDecoder.beside(model, encoder.width)
    look = run / "look.pt"
    if look.exists():
        decoder.look.load_state_dict(read_checkpoint(look)[0])
    else:
        rng = np.random.default_rng(seed)
        stride = model.config.stride
        shown = [shown_objects(encoder, words, view, stride, rng) for view in seen]
        _log("look", train_semantic_head(model, decoder, seen, shown, steps[1], seed=seed))
        with replacing(look) as part:
            torch.save(decoder.look.state_dict(), part)
    prompt = by_text(encoder, words) if captions else by_image(encoder)
    _log("prompt", train_text(model, decoder, seen, prompt, words, steps[2], seed=seed))
    file = run / ("captions.safetensors" if captions else "text.safetensors")
    save_text(file, decoder, model, encoder.name, images)
    return read_text(file)


def min_known_familiarity(encoder: BuiltInEncoder, words: Vocabulary) -> float:
    """Return the similarity that best tells paraphrases of known words from other words.

    Every second of both is used, so that the others can be measured with.
    """
    known = [encoder.familiarity(text)[0] for some in words.queries.values() for text in some[::2]]
    new = [encoder.familiarity(text)[0] for text in words.unknown[::2]]
    values = np.sort([*known, *new])
    between = (values[1:] + values[:-1]) / 2
    right = [(np.array(known) >= x).mean() + (np.array(new) < x).mean() for x in between]
    return float(between[np.argmax(right)])


def _tower(
    images: Sequence[LabelledImage], words: Vocabulary, file: Path, steps: int, seed: int
) -> BuiltInEncoder:
    if not file.exists():
        objects = CropSampler(images, words.sets, SIDE)
        captions = Captions.make(objects, words, SentenceEncoder(), CAPTIONS, seed)
        torch.manual_seed(seed)
        tower = ImageTower()
        _log("tower", train_tower(tower, objects, captions, steps, seed=seed))
        bridge = fit_bridge(tower, objects, captions, seed=seed)
        min_familiarity = min_known_familiarity(BuiltInEncoder(tower, bridge, 0.0), words)
        save_tower(file, tower, bridge, min_familiarity, images)
    return read_tower(file)


def _log(stage: str, reports: Iterable[Mapping[str, float]]) -> None:
    """Run a training stage and log its means."""
    some: list[Mapping[str, float]] = []
    for step, report in enumerate(reports, 1):
        some.append(report)
        if step % EVERY == 0:
            names = sorted({name for one in some for name in one})
            means = {n: np.mean([one[n] for one in some if n in one]) for n in names}
            told = " ".join(f"{name} {value:.3f}" for name, value in means.items())
            log.info("%s, step %d: %s", stage, step, told)
            some = []
