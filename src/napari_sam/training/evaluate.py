"""How good is a model: IoU from one click and from a box, beside two drawings without a model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import regionprops

from napari_sam.inference.predictor import Predictor
from napari_sam.prompts import Prompts
from napari_sam.training.samples import Picture

__all__ = ["MEASURES", "deepest_point", "evaluate", "table"]

MEASURES = ("click", "best of 3", "box", "disc", "ellipse")

Row = dict[str, float]


def evaluate(
    predictor: Predictor, pictures: Iterable[Picture], most: int = 60
) -> Iterator[tuple[str, list[Row]]]:
    """Score every object of every picture.

    Parameters
    ----------
    predictor : Predictor
        The model.
    pictures : iterable of Picture
        Held-out pictures.
    most : int
        Objects taken of one picture, evenly spaced in its list.

    Yields
    ------
    dataset : str
    rows : list of dict
        Per object the IoU for each of `MEASURES`, and the model's own score of the click's mask.
    """
    for picture in pictures:
        ids = np.unique(np.linspace(0, len(picture.ids) - 1, most).round().astype(int))
        objects = [picture.labels == picture.ids[i] for i in ids]
        clicks = [deepest_point(mask) for mask in objects]
        boxes = [bounding_box(mask) for mask in objects]
        embedding = predictor.embed(picture.rgb, contrast=(0, 255))
        by_click = predictor.predict_batch(embedding, [Prompts([c], [1]) for c in clicks])
        by_box = predictor.predict_batch(embedding, [Prompts(box=b) for b in boxes])
        radius = float(np.median(picture.diameters)) / 2  # the drawing may know the true sizes
        rows = []
        for mask, click, box, clicked, boxed in zip(
            objects, clicks, boxes, by_click, by_box, strict=True
        ):
            found = [iou(candidate, mask) for candidate in clicked.masks]
            rows.append(
                {
                    "click": found[0],
                    "best of 3": max(found),
                    "box": iou(boxed.masks[0], mask),
                    "disc": iou(ellipse(mask.shape, click, (radius, radius)), mask),
                    "ellipse": iou(inscribed(mask.shape, box), mask),
                    "score": float(clicked.scores[0]),
                }
            )
        yield picture.dataset, rows


def table(results: Iterable[tuple[str, list[Row]]]) -> str:
    """Return the mean of each measure per data set as a Markdown table."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for dataset, some in results:
        rows[dataset] += some
    lines = [
        f"| data set | objects | {' | '.join(MEASURES)} | score~IoU |",
        "|---|---|" + "---|" * (len(MEASURES) + 1),
    ]
    for dataset, some in sorted(rows.items()):
        means = [np.mean([row[m] for row in some]) for m in MEASURES]
        pair = np.array([(row["score"], row["click"]) for row in some])
        spread = len(some) > 2 and pair.std(axis=0).min() > 0
        r = f"{np.corrcoef(pair.T)[0, 1]:.2f}" if spread else ""
        lines.append(f"| {dataset} | {len(some)} | {' | '.join(f'{m:.3f}' for m in means)} | {r} |")
    return "\n".join(lines)


def deepest_point(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Return the pixel (row, column) farthest from the outline; the picture's edge is outline too.

    Examples
    --------
    >>> deepest_point(np.ones((5, 7), bool))
    (2, 2)
    """
    distance = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(distance.argmax(), mask.shape)
    return int(row), int(column)


def bounding_box(mask: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """Return y0, x0, y1, x1 of the pixels' outer edges."""
    y0, x0, y1, x1 = regionprops(mask.astype(np.uint8))[0].bbox
    return y0 - 0.5, x0 - 0.5, y1 - 0.5, x1 - 0.5


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return the intersection over union of two masks; 0 if both are empty."""
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 0.0


def ellipse(
    shape: tuple[int, ...], centre: tuple[float, float], radii: tuple[float, float]
) -> NDArray[np.bool_]:
    """Draw an ellipse with its axes along rows and columns."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    return ((y - centre[0]) / radii[0]) ** 2 + ((x - centre[1]) / radii[1]) ** 2 <= 1


def inscribed(shape: tuple[int, ...], box: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    """Draw the ellipse that fills a box."""
    y0, x0, y1, x1 = box
    return ellipse(shape, ((y0 + y1) / 2, (x0 + x1) / 2), ((y1 - y0) / 2, (x1 - x0) / 2))
