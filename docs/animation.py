"""Film in a real window: a click and its mask (`images/click.webp`), and the two tutorials.

Run it where there is a screen, or on a virtual one::

    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/animation.py [click] [stack] [movie]

The tutorials are filmed and photographed at once: `images/tutorial-*`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from napari.layers import Layer
from PIL import Image, ImageDraw
from qtpy.QtCore import QPoint
from qtpy.QtGui import QImage
from walks import MOVIE, STACK, Moment, follow_yeast, measure_nuclei
from window import AMONG_THEM, IMAGES, NUCLEI, Window, nobodys_home, wait, wait_until

from napari_sam.samples import SAMPLES, nuclei_layer, sample_layer

CLICKS = [SAMPLES["nuclei"].prompts[at].points[0] for at in NUCLEI[:2]]  # row and column
SHRUNK = 0.7  # of the window
POINTER = ((0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (12, 12))


def main() -> None:
    """Make the films that are asked for, all of them without a name."""
    films: dict[str, Callable[[], None]] = {"click": click, STACK: stack, MOVIE: movie}
    parser = argparse.ArgumentParser(description="Film what these pages tell.")
    parser.add_argument("films", nargs="*", metavar="FILM")
    for name in parser.parse_args().films or films:
        with nobodys_home():
            films[name]()


def click() -> None:
    """Click on two nuclei, accept each."""
    seen = Window(Layer.create(*nuclei_layer()[0]), docks=True)
    seen.look_at(*AMONG_THEM)
    frames = [(photograph(seen, QPoint(80, 80)), 900)]
    for place in CLICKS:
        mouse = seen.place(*place)
        frames.append((photograph(seen, mouse), 900))
        seen.click(*place)
        frames.append((photograph(seen, mouse), 1_800))
        seen.panel.prompting.accept()
        wait_until(lambda: not seen.panel.jobs.busy)
        wait(0.5)
        frames.append((photograph(seen, mouse), 1_400))
    write("click", frames)
    seen.viewer.close()


def stack() -> None:
    """Take nuclei of the sample stack from a click to a table."""
    seen = Window(Layer.create(*sample_layer(STACK)))
    with tempfile.TemporaryDirectory() as folder:
        film(seen, "tutorial-stack", measure_nuclei(seen, Path(folder) / "nuclei.csv"))


def movie() -> None:
    """Follow cells of the sample movie, through a division, to tables of tracks."""
    seen = Window(Layer.create(*sample_layer(MOVIE)))
    with tempfile.TemporaryDirectory() as folder:
        film(seen, "tutorial-movie", follow_yeast(seen, Path(folder)))


def film(seen: Window, name: str, moments: Iterator[Moment]) -> None:
    """Film the moments of a walk, and photograph those that have a name."""
    frames = []
    for moment in moments:
        if moment.name:
            seen.photograph(moment.name)
        frames.append((photograph(seen, moment.mouse), moment.shown_ms))
    write(name, frames)
    seen.viewer.close()


def write(name: str, frames: Sequence[tuple[Image.Image, int]]) -> None:
    """Write pictures, each with the milliseconds that it is shown for, as a film."""
    pictures, durations = zip(*frames, strict=True)
    first, *others = pictures
    first.save(
        IMAGES / f"{name}.webp",
        save_all=True,
        append_images=others,
        duration=list(durations),
        loop=0,
        quality=70,
        method=6,
    )


def photograph(seen: Window, place: QPoint | None) -> Image.Image:
    """Return the window as it is, with a pointer at a place of the canvas."""
    grabbed = seen.window.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    height, width = grabbed.height(), grabbed.width()
    rows = np.frombuffer(grabbed.constBits().asstring(grabbed.sizeInBytes()), np.uint8)
    picture = Image.fromarray(rows.reshape(height, -1)[:, : 3 * width].reshape(height, width, 3))
    if place is not None:
        tip = seen.canvas.mapTo(seen.window, place)
        outline = [(tip.x() + 1.5 * x, tip.y() + 1.5 * y) for x, y in POINTER]
        ImageDraw.Draw(picture).polygon(outline, fill="white", outline="black")
    size = round(SHRUNK * width), round(SHRUNK * height)
    return picture.resize(size, Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
