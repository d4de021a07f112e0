"""Interactive evaluation: IoU after simulated clicks and from a box, with two baselines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_sam.data.deepest import bounding_slices, deepest_point
from napari_sam.data.samples import LabelledImage, evenly_spaced
from napari_sam.evaluation.baselines import disc, ellipse
from napari_sam.inference.embedding import Embedding
from napari_sam.inference.predictor import Predictor
from napari_sam.prompts import Prompts
from napari_sam.results import Prediction

__all__ = [
    "CLICKS",
    "ObjectScores",
    "box_prompt",
    "correcting_click",
    "evaluate",
    "mask_iou",
]

CLICKS = (1, 2, 3, 5, 8)
AT_A_TIME = 32  # objects whose masks and logits are in memory together
FEW = 4  # cells of the finest grid; an object with fewer was lost when the picture was resized

ObjectScores = dict[str, float]
"""One object: its id, the IoU of ``click 1`` to ``click 8``, ``best of 3``, ``box``, ``disc`` and
``ellipse``, the model's ``score 1``, ``score 3`` and ``score box``, and 1 or 0 for ``lost``."""


def evaluate(
    predictor: Predictor, images: Iterable[LabelledImage], max_objects: int | None = None
) -> Iterator[tuple[LabelledImage, list[ObjectScores]]]:
    """Score the objects of images with simulated prompts; yield once per image.

    The first click is at the object's deepest point, each further one at the deepest point of the
    largest error of the mask that came back, whose logits go in again as the panel does it. Of the
    drawings, the disc lies at the first click and has the median radius of that very picture's
    objects; the ellipse fills the exact box.

    Parameters
    ----------
    predictor : Predictor
        The model.
    images : iterable of LabelledImage
    max_objects : int, optional
        Objects taken of one picture, evenly spaced in its list; all by default.

    Yields
    ------
    image : LabelledImage
    rows : list of ObjectScores
    """
    for image in images:
        embedding = predictor.embed(image.rgb, contrast=(0, 255))
        ids = image.ids[evenly_spaced(len(image.ids), max_objects)]
        rows: list[ObjectScores] = []
        for start in range(0, len(ids), AT_A_TIME):
            rows += _score(predictor, embedding, image, ids[start : start + AT_A_TIME])
        yield image, rows


def _score(
    predictor: Predictor, embedding: Embedding, image: LabelledImage, ids: NDArray[np.int64]
) -> list[ObjectScores]:
    truths = [image.labels == i for i in ids]
    cells = np.prod(embedding.levels[0].shape) / np.prod(embedding.shape)
    cells /= predictor.config.mask_stride**2
    radius = float(np.median(image.diameters)) / 2
    prompts = [Prompts([deepest_point(truth)], [1]) for truth in truths]
    answers = predictor.predict_batch(embedding, prompts)
    boxes = [box_prompt(truth) for truth in truths]
    boxed = predictor.predict_batch(embedding, [Prompts(box=box) for box in boxes])
    rows: list[ObjectScores] = []
    for i, truth, prompt, answer, box, by_box in zip(
        ids, truths, prompts, answers, boxes, boxed, strict=True
    ):
        centre = (float(prompt.points[0, 0]), float(prompt.points[0, 1]))
        rows.append(
            {
                "id": float(i),
                "lost": float(np.count_nonzero(truth) * cells < FEW),
                "best of 3": max(mask_iou(mask, truth) for mask in answer.masks),
                "box": mask_iou(by_box.masks[0], truth),
                "score box": float(by_box.scores[0]),
                "disc": mask_iou(disc(embedding.shape, centre, radius), truth),
                "ellipse": mask_iou(ellipse(embedding.shape, box), truth),
            }
        )
    for count in range(1, CLICKS[-1] + 1):
        if count > 1:
            _click_again(predictor, embedding, truths, prompts, answers)
        if count in CLICKS:
            for row, truth, answer in zip(rows, truths, answers, strict=True):
                row[f"click {count}"] = mask_iou(answer.masks[0], truth)
                if count in (1, 3):
                    row[f"score {count}"] = float(answer.scores[0])
    return rows


def _click_again(
    predictor: Predictor,
    embedding: Embedding,
    truths: list[NDArray[np.bool_]],
    prompts: list[Prompts],
    answers: list[Prediction],
) -> None:
    """Add a correcting click to each object whose mask is not perfect, in place in both lists."""
    wrong = [k for k, truth in enumerate(truths) if not np.array_equal(truth, answers[k].masks[0])]
    for k in wrong:
        point, label = correcting_click(truths[k], answers[k].masks[0])
        prompts[k] = Prompts(
            [*prompts[k].points, point], [*prompts[k].labels, label], mask=answers[k].logits[0]
        )
    found = predictor.predict_batch(embedding, [prompts[k] for k in wrong])
    for k, answer in zip(wrong, found, strict=True):
        answers[k] = answer


def correcting_click(
    truth: NDArray[np.bool_], mask: NDArray[np.bool_]
) -> tuple[tuple[int, int], int]:
    """Return the deepest point of the largest error, and 1 if it was missed, 0 if falsely marked.

    Examples
    --------
    >>> truth, mask = np.zeros((2, 3, 9), bool)
    >>> truth[:, :3] = True
    >>> correcting_click(truth, mask)
    ((1, 1), 1)
    """
    wrong = truth ^ mask
    box = bounding_slices(wrong)
    parts, _ = ndimage.label(wrong[box])
    largest = int(np.bincount(parts[parts > 0]).argmax())
    row, column = deepest_point(parts == largest)
    point = row + box[0].start, column + box[1].start
    return point, int(truth[point])


def box_prompt(mask: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """Return the box prompt y0, x0, y1, x1 of a mask, at the pixels' outer edges."""
    rows, columns = bounding_slices(mask)
    return rows.start - 0.5, columns.start - 0.5, rows.stop - 0.5, columns.stop - 0.5


def mask_iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return the intersection over union of two masks; 0 if both are empty."""
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 0.0
