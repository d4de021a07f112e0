"""Contact sheets: objects with their true and predicted outline, and the click."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from skimage.segmentation import find_boundaries

from napari_sam.data.deepest import deepest_point
from napari_sam.data.samples import LabelledImage
from napari_sam.evaluation.evaluate import ObjectScores, box_prompt
from napari_sam.evaluation.report import by_dataset
from napari_sam.inference.embedding import Embedding
from napari_sam.inference.predictor import Predictor
from napari_sam.prompts import Prompts
from napari_sam.reasons import shown

__all__ = ["Example", "draw", "random_examples", "worst_examples"]

SIDE, CAPTION, COLUMNS = 168, 14, 6
TRUTH, ANSWER, CLICK = (255, 255, 255), (255, 140, 0), (0, 220, 60)
GREY = (200, 200, 200)
ROOM = 1.2  # box sides around an object


@dataclass(frozen=True, eq=False)
class Example:
    """Object of an image, and the IoU after one click."""

    image: LabelledImage
    id: int
    iou: float


ImageScores = Iterable[tuple[LabelledImage, Sequence[ObjectScores]]]


def worst_examples(results: ImageScores, count: int = COLUMNS) -> list[Example]:
    """Return the `count` objects of each data set with the lowest IoU after one click."""
    return [e for some in _by_set(results) for e in sorted(some, key=lambda e: e.iou)[:count]]


def random_examples(
    results: ImageScores, rng: np.random.Generator, count: int = COLUMNS
) -> list[Example]:
    """Return `count` random objects of each data set."""
    return [some[i] for some in _by_set(results) for i in rng.permutation(len(some))[:count]]


def draw(predictor: Predictor, examples: Sequence[Example]) -> Image.Image:
    """Draw objects side by side: truth white, prediction after one click orange, click green.

    Returns
    -------
    Image
        RGB, six objects a row, each with its data set and IoU below it.
    """
    rows = -(-len(examples) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * SIDE, rows * (SIDE + 2 * CAPTION)), (24, 24, 24))
    pen = ImageDraw.Draw(sheet)
    places: dict[LabelledImage, list[int]] = defaultdict(list)
    for k, example in enumerate(examples):
        places[example.image].append(k)
    for image, mine in places.items():
        embedding = predictor.embed(image.rgb, contrast=(0, 255))
        for k in mine:
            x, y = k % COLUMNS * SIDE, k // COLUMNS * (SIDE + 2 * CAPTION)
            sheet.paste(_tile(predictor, embedding, examples[k]), (x, y))
            pen.text((x + 3, y + SIDE), shown(image.dataset)[:27], fill=GREY)
            pen.text((x + 3, y + SIDE + CAPTION - 2), f"IoU {examples[k].iou:.2f}", fill=GREY)
    return sheet


def _by_set(results: ImageScores) -> list[list[Example]]:
    examples = (
        (image, [Example(image, int(row["id"]), row["click 1"]) for row in rows])
        for image, rows in results
    )
    return list(by_dataset(examples).values())


def _tile(predictor: Predictor, embedding: Embedding, example: Example) -> Image.Image:
    truth = example.image.labels == example.id
    click = deepest_point(truth)
    answer = predictor.predict(embedding, Prompts([click], [1])).masks[0]
    y0, x0, y1, x1 = box_prompt(truth)
    half = max((y1 - y0), (x1 - x0), 12) * ROOM
    top, left = (round(max(0, middle - half)) for middle in ((y0 + y1) / 2, (x0 + x1) / 2))
    region = np.s_[top : top + round(2 * half), left : left + round(2 * half)]
    rgb = Image.fromarray(np.ascontiguousarray(example.image.rgb[region]))
    factor = (SIDE - 4) / max(rgb.size)
    size = round(rgb.width * factor), round(rgb.height * factor)
    tile = np.array(rgb.resize(size))
    for mask, colour in ((truth, TRUTH), (answer, ANSWER)):
        tile[_outline(mask[region], size)] = colour
    shown = Image.fromarray(tile)
    y, x = ((at - corner + 0.5) * factor for at, corner in zip(click, (top, left), strict=True))
    ImageDraw.Draw(shown).ellipse((x - 3, y - 3, x + 3, y + 3), fill=CLICK)
    return shown


def _outline(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    enlarged = Image.fromarray(mask).resize(size, Image.Resampling.NEAREST)
    return np.asarray(find_boundaries(np.asarray(enlarged), mode="inner"))
