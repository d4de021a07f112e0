"""Training and held-out splits of labelled images, never with one source in both."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from napari_sam.data.pairs import data_set_rules
from napari_sam.data.samples import LabelledImage, labelled_image

__all__ = ["hold_out", "split"]

Parts = tuple[list[LabelledImage], list[LabelledImage]]


def split(images: Sequence[LabelledImage], every: int = 10, seed: int = 0) -> Parts:
    """Split by source into (training, held out), about one in `every` held out; deterministic.

    Of each data set, and of each stratum of one, a source is held out if a hash of its name says
    so, and more by that hash until it is one in `every` and at least one of several. What
    `open_data.toml` says of a set or a sample comes first: labels not good enough to score on are
    trained on, and a single volume is split in blocks of planes with a gap between.
    """
    sources: dict[str, set[str]] = defaultdict(set)
    for image in images:
        dataset, _, sample = image.source.partition("/")
        rules = data_set_rules(dataset)
        if not (rules.blocks or rules.hold or rules.only_trained_on(sample)):
            sources[image.dataset].add(image.source)
    chosen = {source for some in sources.values() for source in _chosen(some, every, seed)}
    training, held = [], []
    for image in images:
        dataset, _, sample = image.source.partition("/")
        about = data_set_rules(dataset)
        if about.blocks:
            (first, last), (first_held, last_held) = about.blocks
            training += [image] if first <= image.plane < last else []
            held += [image] if first_held <= image.plane < last_held else []
        else:
            scored = image.source in chosen or about.only_scored(sample)
            (held if scored else training).append(image)
    return training, held


def hold_out(images: Sequence[LabelledImage], every: int = 10, seed: int = 0) -> Parts:
    """Split a user's own images into (training, validation), however few they are.

    One source in `every` is held out, at least one. Of a single stack the last fifth of the
    planes is, with a gap of one; a single picture is cut in two. Where even that leaves a part
    without objects the validation is empty.
    """
    sources = sorted({p.source for p in images}, key=lambda source: _number(source, seed))
    if len(sources) > 1:
        held = set(sources[: max(1, len(sources) // every)])
        return (
            [p for p in images if p.source not in held],
            [p for p in images if p.source in held],
        )
    if len(images) > 2:
        ordered = sorted(images, key=lambda p: p.plane)
        count = max(1, len(ordered) // 5)
        return ordered[: -count - 1], ordered[-count:]
    training = [_part(p, 0.0, 0.6) for p in images]
    validation = [_part(p, 0.7, 1.0) for p in images]
    if all(len(p.ids) for p in training + validation):
        return training, validation
    return list(images), []


def _chosen(sources: set[str], every: int, seed: int) -> list[str]:
    """Return the sources of one set or stratum to hold out."""
    numbers = {source: _number(source, seed) for source in sources}
    first = sorted(sources, key=lambda source: (numbers[source] % every > 0, numbers[source]))
    by_name = sum(number % every == 0 for number in numbers.values())
    return first[: max(by_name, round(len(sources) / every), int(len(sources) > 1))]


def _part(image: LabelledImage, begin: float, end: float) -> LabelledImage:
    """Cut a piece out of a picture, given as shares of its longer side."""
    axis = int(np.argmax(image.labels.shape))
    length = image.labels.shape[axis]
    cut = np.arange(round(begin * length), round(end * length))
    return labelled_image(
        image.dataset,
        image.source,
        np.take(image.rgb, cut, axis),
        np.take(image.labels, cut, axis),
        image.partial,
        image.plane,
    )


def _number(source: str, seed: int) -> int:
    """Turn a name into a number that looks random but is always the same."""
    text = f"{seed} {source}" if seed else source
    return int(hashlib.sha1(text.encode(errors="surrogateescape")).hexdigest(), 16)
