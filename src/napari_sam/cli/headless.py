"""Demo without a window: segment a sample from its prompts, into labels and an overlay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_sam.cli.progress import fetch_behind_bar
from napari_sam.files import replacing
from napari_sam.prompts import Prompts
from napari_sam.samples import SAMPLES, Sample

__all__ = ["run_sample"]

ENLARGED = 3  # overlay pixels per picture pixel, so that outlines hide nothing


def run_sample(folder: Path, model: str, device: str) -> None:
    """Segment the tissue sample, write ``labels.tif`` and ``overlay.png`` and say so."""
    sample = SAMPLES["tissue"]
    labels, scores = segment(sample, model, device)
    for number, (prompts, score) in enumerate(zip(sample.prompts, scores, strict=True), 1):
        area = int((labels == number).sum())
        print(f"object {number}: {describe(prompts)}, score {score:.2f}, {area} pixels")
    tiff, png = folder / "labels.tif", folder / "overlay.png"
    write(sample, labels, tiff, png)
    print(f"Labels: {tiff.resolve()}\nOverlay: {png.resolve()}\nPicture: {sample.credit}")


def describe(prompts: Prompts) -> str:
    """Return a description of prompts."""
    if prompts.box is not None:
        return f"box {np.asarray(prompts.box, int).tolist()}"
    return f"click at {np.asarray(prompts.points, int)[0].tolist()}"


def segment(sample: Sample, model: str, device: str) -> tuple[NDArray[np.uint16], list[float]]:
    """Return labels, numbered by prompt from 1, and predicted IoU scores.

    Where objects overlap the earlier one stays.
    """
    fetch_behind_bar(model)
    from napari_sam import Predictor, load_model

    predictor = Predictor(load_model(model, device))
    image = sample.read()
    found = predictor.predict_batch(predictor.embed(image), sample.prompts)
    labels = np.zeros(image.shape[:2], np.uint16)
    for number, prediction in enumerate(found, 1):
        labels[prediction.masks[0] & (labels == 0)] = number
    return labels, [float(prediction.scores[0]) for prediction in found]


def write(sample: Sample, labels: NDArray[np.uint16], tiff: Path, png: Path) -> None:
    """Write the labels, and the image overlaid with outlines and prompts."""
    import tifffile
    from PIL import Image, ImageDraw
    from skimage.segmentation import mark_boundaries

    with replacing(tiff) as part:
        tifffile.imwrite(part, labels, compression="zlib")
    image, objects = (
        array.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1) for array in (sample.read(), labels)
    )
    marked = mark_boundaries(image, objects, color=(1, 1, 0), mode="inner")
    overlay = Image.fromarray((255 * marked).round().astype("uint8"))
    pen = ImageDraw.Draw(overlay)
    for prompts in sample.prompts:
        for row, column in ENLARGED * (np.asarray(prompts.points) + 0.5):
            pen.ellipse((column - 3, row - 3, column + 3, row + 3), fill=(0, 200, 0))
        if prompts.box is not None:
            top, left, bottom, right = ENLARGED * (np.asarray(prompts.box) + 0.5)
            pen.rectangle((left, top, right, bottom), outline=(0, 200, 0))
    with replacing(png) as part:
        overlay.save(part, format="PNG")
