"""Does the model move a rough cut to the border? ``python -m benchmarks.cut DATA ...``.

Pairs of objects that touch, of pictures held out (or with ``--trained`` of those trained on), are
merged and cut along a rough stroke: from one end of their contact over its middle to the other,
each of the three places off by a normal error, given as a share of the smaller object's diameter.
Printed is the mean IoU of the two pieces with the two true objects, for the stroke alone, for the
model's cut (which falls back to the stroke), and how often the model was followed; then the same
for a click in the deepest place of each, cut by a watershed and by the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.exclude import Mask, chosen_pairs, deepest, options_of
from benchmarks.seeds import middle
from benchmarks.thresholds import pictures
from napari_sam import Predictor, load_model
from napari_sam.data.samples import LabelledImage
from napari_sam.errors import InputError
from napari_sam.evaluation.evaluate import mask_iou
from napari_sam.inference.edit.cut import (
    Pieces,
    cut_by_clicks,
    cut_by_strokes,
    cut_prompts,
    follow_model,
)
from napari_sam.inference.embedding import Embedding

ERRORS = 0.0, 0.05, 0.1, 0.2  # of the smaller object's diameter
CLICKS = "clicks"


@dataclass
class Row:
    """One cut: how it was asked for, IoU of ours and of the model's pieces, and if it followed."""

    dataset: str
    way: str
    alone: float
    model: float
    followed: bool


def main() -> None:
    """Measure and print."""
    options = options_of(__doc__)
    predictor, rows = Predictor(load_model(options.model)), []
    for picture in pictures(options.data, options.most, not options.trained):
        rows += list(measure(predictor, picture, options.side, options.pairs))
        print(f"{picture.source}: {len(rows)} cuts so far", flush=True)
    for way in dict.fromkeys(row.way for row in rows):
        report(way, [row for row in rows if row.way == way])


def measure(predictor: Predictor, picture: LabelledImage, side: int, most: int) -> Iterator[Row]:
    """Cut pairs of the middle of a picture."""
    random = np.random.default_rng(0)
    found = list(chosen_pairs(picture, side, most, random))
    if not found:
        return
    embedding = predictor.embed(middle(picture.rgb, side), contrast=(0, 255))
    for pair in found:
        whole = pair[0] | pair[1]
        asked = {CLICKS: (cut_by_clicks, [deepest(one) for one in pair])}
        asked |= {
            f"error {one:.2f}": (cut_by_strokes, [rough(pair, one, random)]) for one in ERRORS
        }
        for way, (cut, drawn) in asked.items():
            try:
                pieces = cut(whole, drawn)
            except InputError:  # so far off that it does not meet them
                continue
            moved, followed = by_model(predictor, embedding, pieces)
            yield Row(picture.dataset, way, iou(pieces, pair), iou(moved, pair), followed)


def by_model(predictor: Predictor, embedding: Embedding, pieces: Pieces) -> tuple[Pieces, bool]:
    """Return the pieces as the model moves them, and whether it does."""
    answers = predictor.predict_batch(embedding, cut_prompts(pieces))
    return follow_model(pieces, [answer.masks[0] for answer in answers])


def rough(pair: list[Mask], error: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Return a stroke along the contact of two objects, (3, 2), as a hurried person draws it."""
    contact = ndimage.binary_dilation(pair[0], np.ones((3, 3))) & pair[1]
    places = np.argwhere(contact).astype(float)
    along = np.linalg.svd(places - places.mean(axis=0), full_matrices=False)[2][0]
    order = np.argsort((places - places.mean(axis=0)) @ along)
    stroke = places[order[[0, len(order) // 2, -1]]]
    across = 2 * np.sqrt(min(np.count_nonzero(one) for one in pair) / np.pi)
    return stroke + random.normal(0, error * across, stroke.shape)


def iou(pieces: Pieces, pair: list[Mask]) -> float:
    """Return the mean IoU of the true objects with the pieces, in the better order."""
    each = np.array([[mask_iou(pieces == number, one) for number in (1, 2)] for one in pair])
    return float(max(np.trace(each), np.trace(each[:, ::-1])) / 2)


def report(way: str, rows: list[Row]) -> None:
    """Print means over the data sets, each of which counts the same."""
    means = {}
    for name in ("alone", "model", "followed"):
        sets = {row.dataset: [] for row in rows}
        for row in rows:
            sets[row.dataset].append(getattr(row, name))
        means[name] = np.mean([np.mean(some) for some in sets.values()])
    better = np.mean([row.model > row.alone for row in rows])
    worse = np.mean([row.model < row.alone for row in rows])
    print(
        f"{way} ({len(rows)} cuts): IoU alone {means['alone']:.3f}, with the model "
        f"{means['model']:.3f}; followed {means['followed']:.2f}, better {better:.2f}, "
        f"worse {worse:.2f}"
    )


if __name__ == "__main__":
    main()
