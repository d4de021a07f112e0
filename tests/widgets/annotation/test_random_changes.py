"""Random clicks, accepts, undos and changes by others: no error, and no accepted object is lost."""

from __future__ import annotations

import random

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_sam.session.disk.folder import read_session
from tests.widgets.conftest import ours, picture

STEPS = 25


class Anybody:
    """Does one thing after the other, drawn from a seed."""

    def __init__(self, viewer, panel, settle, seed):
        self.viewer, self.panel, self.settle = viewer, panel, settle
        self.random = random.Random(seed)
        self.pixels = viewer.layers["cells"].data

    def step(self):
        things = [self.click] * 5 + [self.accept] * 4 + [self.undo, self.redo, self.reject]
        things += [self.change] * 3 + [self.paint_over, self.relabel, self.turn, self.wait]
        self.random.choice(things)()

    def click(self):
        seen = self.panel.annotation.seen
        if seen is not None:
            at = iter((self.random.uniform(0, 39), self.random.uniform(0, 39)))
            ours(self.viewer, "points").add([next(at) if i is None else i for i in seen])

    def accept(self):
        self.panel.prompting.accept()

    def undo(self):
        self.panel.prompting.undo()

    def redo(self):
        self.panel.prompting.redo()

    def reject(self):
        self.panel.prompting.reject()

    def change(self):
        layer = self.viewer.layers["cells"]
        layer.data = self.random.choice(
            [self.pixels, self.pixels[0], self.pixels[None], self.pixels[:2], self.pixels / 2]
        )

    def paint_over(self):
        layer = self.viewer.layers["cells"]
        layer.data[...] = layer.data[..., ::-1].copy()
        layer.refresh()

    def relabel(self):
        target = self.panel.annotation.target
        if target is not None:
            shape = self.panel.annotation.picture.shape
            target.data = self.random.choice([target.data[0], np.zeros(shape, np.uint16)])

    def turn(self):
        self.viewer.dims.set_point(0, self.random.randrange(4))

    def wait(self):
        self.settle(self.panel)


@pytest.mark.parametrize("seed", range(6))
def test_nobody_can_lose_an_object(open_panel, settle, seed):
    viewer = ViewerModel()
    viewer.add_image(picture(4, 40, 40), name="cells")
    panel = open_panel(viewer)
    settle(panel)
    anybody, session = Anybody(viewer, panel, settle, seed), panel.annotation.session
    for _ in range(STEPS):
        anybody.step()
        assert panel.annotation.session is session
    settle(panel)
    folder = panel.annotation.saved_in
    saved = {} if folder is None else read_session(folder.path).objects
    assert {number: set(held.sections) for number, held in saved.items()} == {
        number: set(held.sections) for number, held in session.objects.items()
    }
