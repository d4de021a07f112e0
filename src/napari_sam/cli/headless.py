"""Demo without a window: segment a sample from its prompts, into labels and an overlay."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_sam.cli.progress import fetch_behind_bar
from napari_sam.files import replacing
from napari_sam.prompts import Prompts
from napari_sam.samples import SAMPLES, Sample

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor

__all__ = ["run_sample"]

WIDTH = 1024  # pixels of the overlay
IN_A_ROW = 4  # slices of a stack
FILL = 0.45  # how much of a pixel is its object's colour
BRIGHT = 99.8  # percent of the pixels that are below white
COLOURS = np.array(  # light and saturated, next to each other far apart
    [
        *((0, 229, 255), (255, 145, 0), (255, 64, 255), (118, 255, 3)),
        *((255, 234, 0), (41, 121, 255), (255, 82, 82)),
    ],
    np.uint8,
)


def run_sample(name: str, folder: Path, model: str, device: str) -> None:
    """Segment a sample, write ``labels.tif`` and ``overlay.png`` and say so."""
    sample = SAMPLES[name]
    image = sample.read()
    labels, scores = segment(sample, model, device)
    for number, (prompts, score) in enumerate(zip(sample.prompts, scores, strict=True), 1):
        print(f"object {number}: {describe(prompts)}, score {score:.2f}, {extent(labels, number)}")
    tiff, png = folder / "labels.tif", folder / "overlay.png"
    write(image, labels, sample.prompts, tiff, png)
    print(f"Labels: {tiff.resolve()}\nOverlay: {png.resolve()}\nPicture: {sample.credit}")


def describe(prompts: Prompts) -> str:
    """Return a description of prompts."""
    if prompts.box is not None:
        return f"box {np.asarray(prompts.box, int).tolist()}"
    return f"click at {np.asarray(prompts.points, int)[0].tolist()}"


def extent(labels: NDArray[np.uint16], number: int) -> str:
    """Return how large an object is."""
    pixels = f"{(labels == number).sum()} pixels"
    if labels.ndim == 2:
        return pixels
    return f"{pixels} in {(labels == number).any((1, 2)).sum()} of {len(labels)} slices"


def segment(sample: Sample, model: str, device: str) -> tuple[NDArray[np.uint16], list[float]]:
    """Return labels, numbered by prompt from 1, and predicted IoU scores.

    Where objects overlap the earlier one stays. In a stack they are followed from slice to slice,
    and the scores are those of the slice with the prompts.
    """
    fetch_behind_bar(model)
    from napari_sam import Predictor, load_model

    predictor = Predictor(load_model(model, device))
    image = sample.read()
    plane = image if sample.at is None else image[sample.at]
    found = predictor.predict_batch(predictor.embed(plane), sample.prompts)
    labels = np.zeros(plane.shape[:2], np.uint16)
    for number, prediction in enumerate(found, 1):
        labels[prediction.masks[0] & (labels == 0)] = number
    scores = [float(prediction.scores[0]) for prediction in found]
    return labels if sample.at is None else follow(predictor, image, labels, sample.at), scores


def follow(
    predictor: Predictor, stack: NDArray[np.uint8], labels: NDArray[np.uint16], at: int
) -> NDArray[np.uint16]:
    """Return the labels (N, H, W) of a stack whose objects are known on one slice."""
    from napari_sam import propagate

    followed = np.zeros(stack.shape, np.uint16)
    followed[at] = labels
    for step in propagate(predictor, stack, followed.copy()):
        followed[step.index] = step.labels
    return followed


def write(
    image: NDArray[np.uint8],
    labels: NDArray[np.uint16],
    prompts: tuple[Prompts, ...],
    tiff: Path,
    png: Path,
) -> None:
    """Write the labels, and an overlay; of a stack its slices side by side, a row after another."""
    import tifffile
    from PIL import Image

    if labels.ndim == 2:
        overlay = paint(image, labels, WIDTH, prompts)
    else:
        drawn = [
            paint(plane, objects, WIDTH // IN_A_ROW)
            for plane, objects in zip(image, labels, strict=True)
        ]
        drawn += [np.zeros_like(drawn[0])] * (-len(drawn) % IN_A_ROW)
        rows = [np.hstack(drawn[at : at + IN_A_ROW]) for at in range(0, len(drawn), IN_A_ROW)]
        overlay = np.vstack(rows)
    with replacing(tiff) as part:
        tifffile.imwrite(part, labels, compression="zlib", photometric="minisblack")
    with replacing(png) as part:
        Image.fromarray(overlay).save(part, format="PNG")


def paint(
    image: NDArray[np.uint8],
    labels: NDArray[np.uint16],
    width: int,
    prompts: tuple[Prompts, ...] = (),
) -> NDArray[np.uint8]:
    """Return a picture of a width (H, W, 3), its objects filled and outlined, and its prompts."""
    from PIL import Image, ImageDraw
    from skimage.segmentation import find_boundaries

    times = width / image.shape[1]
    size = width, round(image.shape[0] * times)
    bright = image * np.minimum(255 / np.percentile(image, BRIGHT), 255 / np.maximum(image, 1))
    picture = Image.fromarray(bright.astype(np.uint8)).convert("RGB")
    drawn = np.array(picture.resize(size, Image.Resampling.BICUBIC))
    objects = np.asarray(Image.fromarray(labels).resize(size, Image.Resampling.NEAREST))
    inside, edges = objects > 0, find_boundaries(objects, mode="inner")
    colours = COLOURS[objects % len(COLOURS)]
    drawn[inside] = (FILL * colours + (1 - FILL) * drawn)[inside]
    drawn[edges] = colours[edges]
    overlay = Image.fromarray(drawn)
    pen = ImageDraw.Draw(overlay)
    for one in prompts:
        for row, column in times * (np.asarray(one.points) + 0.5):
            pen.ellipse((column - 4, row - 4, column + 4, row + 4), fill="white", outline="black")
        if one.box is not None:
            top, left, bottom, right = times * (np.asarray(one.box) + 0.5)
            pen.rectangle((left, top, right, bottom), outline="white", width=2)
    return np.asarray(overlay)
