"""Render the pictures of these pages: a real window, a real click, the real model.

Run it where there is a screen, or on a virtual one::

    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/screenshots.py --data DATA [PART ...]

DATA is the folder of open data that the model card names; without it the pictures that need it
are left as they are. PART is one of prompt, edit, stack, missing, session, train, queue, nuclei,
myoblasts, axons, text, similar and refine; without any, all are taken.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import tifffile
from napari.layers import Image, Labels, Layer
from skimage.filters import gaussian, threshold_otsu
from skimage.io import imread
from skimage.measure import label
from skimage.segmentation import expand_labels
from window import AMONG_THEM, IMAGES, NUCLEI, Window, nobodys_home, wait, wait_until

from napari_sam.masks import CroppedMask, cropped_masks
from napari_sam.samples import SAMPLES, nuclei_layer
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.objects import Status
from napari_sam.widgets.panel import Panel
from recipes.synthetic import synthetic_image

DRAWN = 2, 11  # seeds of pictures of rods
TOUCHING = (327, 562), (329, 538)  # two nuclei of the sample
MIDDLE = 5  # slice of the stack
CELLS = (  # row, column, radius and drift by slice
    *((70, 70, 26, 1), (90, 175, 30, -1), (185, 95, 22, 0)),
    *((190, 200, 18, 2), (150, 30, 14, 1)),
)
UNDERWAY = 30  # of the 100 steps of a short training
FOUND = {  # sample, lowest quality after the slider was moved
    "nuclei": ("dsb2018_train/003cee89357d", 0.6),
    "myoblasts": ("laptrack_c2c12_timelapse/C2C12_10frames", 0.5),
    "axons": ("axondeepseg_sem/sub-rat3_sample-data10", 0.5),
}
PART = 384  # pixels a side of those samples
WORDS = "nuclei, axons, bananas"  # in those two samples, side by side
AXONS = 3  # that are examples
GROWN = 3  # pixels by which the rough labels are too large


def main() -> None:
    """Take the pictures that are asked for, one window after the other."""
    parts: dict[str, Callable[[], None]]
    parts = {"prompt": prompt, "edit": edit, "stack": stack, "missing": missing}
    parts |= {"session": session, "train": train, "queue": queue}
    parser = argparse.ArgumentParser(description="Render the pictures of these pages.")
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--data", type=Path, help="the folder of open data")
    arguments = parser.parse_args()
    if arguments.data:
        for name, sample in FOUND.items():
            parts[name] = partial(auto, name, arguments.data, *sample)
        parts["text"] = partial(text, arguments.data)
        parts["similar"] = partial(similar, arguments.data)
        parts["refine"] = partial(refine, arguments.data)
    IMAGES.mkdir(exist_ok=True)
    for name in arguments.parts or parts:
        with nobodys_home():  # of its own: work on the same picture would be offered again
            parts[name]()


def prompt() -> None:
    """Click on some nuclei of the sample and take a picture of the window at the last."""
    seen = Window(Layer.create(*nuclei_layer()[0]), docks=True)
    seen.look_at(*AMONG_THEM)
    *kept, last = (SAMPLES["nuclei"].prompts[at].points[0] for at in NUCLEI)
    for place in kept:
        seen.click(*place)
        seen.panel.prompting.accept()
        wait_until(lambda: not seen.panel.jobs.busy)
    seen.click(*last)
    seen.photograph("panel")
    seen.viewer.close()


def edit() -> None:
    """Join two nuclei by a stroke and cut them again, then clean them, with a picture of each."""
    seen = Window(Layer.create(*nuclei_layer()[0]), docks=True)
    seen.look_at(*TOUCHING[0])
    panel = seen.panel
    for place in TOUCHING:
        seen.click(*place)
        panel.prompting.accept()
    (row, column), (_, left) = TOUCHING
    panel.review.actions["join"]()
    seen.stroke(TOUCHING[0], (row, (column + left) / 2), TOUCHING[1])
    panel.review.actions["cut"]()
    between = (column + left) / 2
    seen.stroke((row - 22, between + 2), (row, between - 1), (row + 26, between + 1))
    seen.photograph("cut")
    panel.prompting.accept()
    dialog = panel.editing.cleaning.dialog
    panel.review.actions["clean"]()
    for name, value in {"which": "all", "fill_holes": True, "smooth": 3.0, "grow": 2.0}.items():
        dialog.choices[name].value = value
    wait_until(lambda: not panel.editing.busy)
    wait(0.5)
    dialog.grab().save(str(IMAGES / "clean-window.png"))
    seen.canvas.grab().save(str(IMAGES / "clean.png"))
    seen.viewer.close()


def stack() -> None:
    """Follow cells through a drawn stack and take a picture of the window afterwards."""
    seen, panel = _accepted_cells()
    panel.stack.controls.start.click()
    wait_until(lambda: not panel.stack.work.busy)
    seen.viewer.dims.set_point(0, MIDDLE + 3)
    seen.photograph("stack")
    seen.viewer.close()


def missing() -> None:
    """Go to the next slice of the drawn stack, and copy two of the cells that are missing there."""
    seen, panel = _accepted_cells()
    seen.viewer.dims.set_point(0, MIDDLE + 1)
    for _ in range(2):
        panel.stack.actions["missing_copy"]()
    seen.photograph("stack-missing")
    seen.viewer.close()


def _accepted_cells() -> tuple[Window, Panel]:
    """Accept the cells of the drawn stack's middle slice, and turn to the tab Stack."""
    seen = Window(Image(drawn_stack(), name="stack", axis_labels=("z", "y", "x")))
    seen.viewer.dims.set_point(0, MIDDLE)
    panel = seen.panel
    for row, column, _, _ in CELLS:
        points = next(x for x in seen.viewer.layers if x.metadata.get("napari-sam") == "points")
        points.add([(MIDDLE, row, column)])
        wait_until(lambda: panel.annotation.session.mask is not None)
        panel.prompting.accept()
    seen.turn_to("Stack")
    return seen, panel


def drawn_stack() -> np.ndarray:
    """Return (Z, Y, X) uint8 of round cells that drift from slice to slice."""
    rows, columns = np.indices((256, 256))
    noise = np.random.default_rng(0)
    slices = []
    for z in range(-MIDDLE, MIDDLE + 1):
        plane = np.full((256, 256), 30.0)
        for row, column, radius, drift in CELLS:
            square = radius**2 - (rows - row - drift * z) ** 2 - (columns - column) ** 2 - 20 * z**2
            plane += 60 * (1 + np.tanh(square / radius / 4))
        slices.append(noise.normal(plane, 9).clip(0, 255))
    return np.array(slices, np.uint8)


def session() -> None:
    """Let somebody annotate a stack with mouse and keys, kill the window, and go on in another."""
    with tempfile.TemporaryDirectory() as home:
        picture = f"{home}/stack.tif"
        tifffile.imwrite(picture, drawn_stack(), imagej=True, metadata={"axes": "ZYX"})
        cells = [f"{row},{column}" for row, column, _, _ in CELLS]
        work = [sys.executable, "-m", "tests.widgets.annotator", picture]
        work += ["--slice", str(MIDDLE), "--cells", *cells]
        for last in ("followed", "done"):
            person = subprocess.Popen(
                [*work, "--pictures", IMAGES],
                cwd=IMAGES.parents[1],
                stdout=subprocess.PIPE,
                text=True,
            )
            for line in person.stdout or ():
                if line.startswith(last):
                    break
            person.kill()
            person.wait()


def train() -> None:
    """Teach the built-in model two drawn pictures and take a picture of the window meanwhile."""
    layers: list[Layer] = []
    for field, seed in enumerate(DRAWN, 1):
        picture = synthetic_image(np.random.default_rng(seed), 256)
        layers += [
            Image(picture.rgb, name=f"field {field}"),
            Labels(picture.labels, name=f"field {field} cells"),
        ]
        layers[-1].contour = 2
    seen = Window(*layers)
    seen.turn_to("Train")
    controls = seen.panel.training.controls
    controls.choices["length"].value = 100
    controls.start.click()
    wait_until(lambda: len(controls.report.curve.loss) >= UNDERWAY)
    seen.photograph("train")
    controls.stop.click()
    wait_until(lambda: not seen.panel.training.work.busy)
    seen.viewer.close()


def queue() -> None:
    """Go through drawn pictures, let the rest be filled in, and take a picture of one of them."""
    seen = Window()
    panel = seen.panel
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1, 6):
            drawn = synthetic_image(np.random.default_rng(number), 256).rgb
            tifffile.imwrite(f"{folder}/field {number}.tif", drawn)
        panel.queue.open([Path(folder)])
        wait_until(lambda: panel.annotation is not None and not panel.queue.busy)
        panel.queue.search.fill()
        wait_until(lambda: not panel.queue.busy)
        panel.queue.finish()
        wait_until(lambda: bool(panel.annotation and panel.annotation.session.objects))
        seen.photograph("queue")
        seen.viewer.close()


def auto(name: str, data: Path, sample: str, lowest: float) -> None:
    """Find everything in a sample; take pictures before and after a slider is moved.

    What is kept of the nuclei goes into the list, and the list into a picture.
    """
    picture = imread(next((data / sample).glob("image.*")))[..., :PART, :PART]
    axes = ("t", "y", "x")[-picture.ndim :]
    seen = Window(Image(picture, name=name, axis_labels=axes))
    seen.turn_to("Auto")
    controls = seen.panel.auto.controls
    controls.start.click()
    wait_until(lambda: not seen.panel.auto.work.busy)
    seen.photograph(f"auto-{name}")
    slider = controls.choices.ranges["score"].slider
    slider.setValue((lowest, slider.maximum()))
    seen.photograph(f"auto-{name}-fewer")
    if name == "nuclei":
        controls.propose.click()
        seen.turn_to("Prompt")
        seen.panel.controls.hint.hide()
        wait(1)
        seen.panel.review.actions["next_unsure"]()
        seen.photograph("review")
    seen.viewer.close()


def text(data: Path) -> None:
    """Say what to find in two samples, and take a picture of what fits."""
    parts = [sample_of(data, name) for name in ("nuclei", "axons")]
    height = min(len(part) for part in parts)
    picture = np.concatenate([part[:height] for part in parts], axis=1)
    seen = Window(Image(picture, name="nuclei and axons"))
    choices = seen.panel.auto.controls.choices  # words search as Auto does at points
    choices["preset"].value = "electron"
    choices["preset"].native.activated.emit(0)
    choices["points"].value = 20
    seen.turn_to("Text")
    controls = seen.panel.text.controls
    controls.words.setText(WORDS)
    controls.start.click()
    wait_until(lambda: not seen.panel.text.work.busy)
    seen.photograph("text")
    seen.viewer.close()


def similar(data: Path) -> None:
    """Take three axons beside nuclei as examples, and a picture of what is like them."""
    parts = [sample_of(data, name) for name in ("nuclei", "axons")]
    height = min(len(part) for part in parts)
    seen = Window(Image(np.concatenate([part[:height] for part in parts], axis=1), name="two"))
    start, panel = parts[0].shape[1], seen.panel
    truth = imread(next((data / FOUND["axons"][0]).glob("labels.*")))[:height, :PART]
    largest = sorted(cropped_masks(truth).values(), key=lambda one: -one.area)[:AXONS]
    whole = height, start + parts[1].shape[1]
    masks = [CroppedMask.of(one.crop(), (one.box[0], one.box[1] + start), whole) for one in largest]
    with Batch(panel.annotation.session, Kind.AUTOMATIC) as batch:
        made = [NewMask(mask, status=Status.ACCEPTED) for mask in masks]
        ids = batch.add(panel.annotation.seen, made)
    panel.annotation.binding.ensure_target(len(ids))
    seen.turn_to("Auto")
    panel.auto.find_alike(ids)
    wait_until(lambda: not panel.auto.presenter.busy)
    seen.photograph("similar")
    seen.viewer.close()


def refine(data: Path) -> None:
    """Refine what a threshold found, grown too large; take a picture before the answer."""
    picture = sample_of(data, "nuclei")
    smooth = gaussian(picture, 1)
    rough = expand_labels(label(smooth > threshold_otsu(smooth)), GROWN)
    seen = Window(Image(picture, name="nuclei"), Labels(rough, name="threshold"))
    seen.panel.controls.hint.hide()
    seen.viewer.layers["threshold"].visible = False  # the outlines say where it is
    controls = seen.panel.controls.refine
    seen.turn_to("Refine")
    controls.labels.choose(seen.viewer.layers["threshold"])
    controls.start.click()
    wait_until(lambda: not seen.panel.refining.busy)
    seen.photograph("refine")
    seen.viewer.close()


def sample_of(data: Path, name: str) -> np.ndarray:
    """Return (H, W) uint8 of one of the samples."""
    file = next((data / FOUND[name][0]).glob("image.*"))
    part = imread(file)[..., :PART, :PART].astype(float)
    low, high = np.percentile(part, (0.5, 99.8))
    return (255 * ((part - low) / (high - low)).clip(0, 1)).astype(np.uint8)


if __name__ == "__main__":
    main()
