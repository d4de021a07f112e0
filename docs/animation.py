"""Film a click, its mask and its acceptance in a real window: `images/click.webp`.

Run it where there is a screen, or on a virtual one::

    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/animation.py
"""

from __future__ import annotations

import numpy as np
from napari.layers import Layer
from PIL import Image, ImageDraw
from qtpy.QtCore import QPoint
from qtpy.QtGui import QImage
from window import AMONG_THEM, IMAGES, NUCLEI, Window, nobodys_home, wait, wait_until

from napari_sam.samples import SAMPLES, nuclei_layer

CLICKS = [SAMPLES["nuclei"].prompts[at].points[0] for at in NUCLEI[:2]]  # row and column
WIDTH = 900  # pixels of the film
POINTER = ((0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (12, 12))


def main() -> None:
    """Click on two nuclei, accept each."""
    seen = Window(Layer.create(*nuclei_layer()[0]), docks=True)
    seen.look_at(*AMONG_THEM)
    frames = [(photograph(seen, QPoint(80, 80)), 900)]
    for click in CLICKS:
        place = seen.place(*click)
        frames.append((photograph(seen, place), 900))
        seen.click(*click)
        frames.append((photograph(seen, place), 1_800))
        seen.panel.prompting.accept()
        wait_until(lambda: not seen.panel.jobs.busy)
        wait(0.5)
        frames.append((photograph(seen, place), 1_400))
    pictures, durations = zip(*frames, strict=True)
    first, *others = pictures
    first.save(
        IMAGES / "click.webp",
        save_all=True,
        append_images=others,
        duration=list(durations),
        loop=0,
        quality=80,
    )
    seen.viewer.close()


def photograph(seen: Window, place: QPoint) -> Image.Image:
    """Return the window as it is, with a pointer at a place of the canvas."""
    grabbed = seen.window.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    height, width = grabbed.height(), grabbed.width()
    rows = np.frombuffer(grabbed.constBits().asstring(grabbed.sizeInBytes()), np.uint8)
    picture = Image.fromarray(rows.reshape(height, -1)[:, : 3 * width].reshape(height, width, 3))
    tip = seen.canvas.mapTo(seen.window, place)
    outline = [(tip.x() + 1.5 * x, tip.y() + 1.5 * y) for x, y in POINTER]
    ImageDraw.Draw(picture).polygon(outline, fill="white", outline="black")
    return picture.resize((WIDTH, round(WIDTH * height / width)), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    with nobodys_home():
        main()
