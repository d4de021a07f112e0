"""Somebody labels ten nuclei in a real window, corrects one, saves and measures them."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_sam.serving.host import ModelHost
from napari_sam.widgets.panel import Panel
from tests.widgets.counting import Counting

pytestmark = pytest.mark.gui

RADIUS = 14
NUCLEI = [(30 + 60 * row, 40 + 58 * column) for row in range(3) for column in range(4)][:10]
CORRECTED = 3


@pytest.fixture
def begin(make_napari_viewer):
    """Return a function that opens bright discs, with the shipped model."""

    def begin():
        rows, columns = np.indices((190, 256))
        field = np.full(rows.shape, 30.0)
        for row, column in NUCLEI:
            field += 60 * (1 + np.tanh((RADIUS - np.hypot(rows - row, columns - column)) / 2))
        noise = np.random.default_rng(0)
        viewer = make_napari_viewer(show=True)
        viewer.add_image(noise.normal(field, 8).clip(0, 255).astype(np.uint8), name="nuclei")
        panel = Panel(viewer, ModelHost())
        viewer.window.add_dock_widget(panel, name="Click to segment")
        person = Counting(viewer, panel)
        person.focus()
        viewer.reset_view()
        person.settle()
        return person

    return begin


def test_ten_nuclei_labelled_one_corrected_saved_and_measured(begin, tmp_path, monkeypatch):
    person = begin()
    panel = person.panel
    for nucleus in NUCLEI:
        person.click(*nucleus)
        person.press(Qt.Key.Key_N)
    objects = panel.annotation.session.objects
    assert len(objects) == len(NUCLEI)
    row, column = NUCLEI[CORRECTED]
    person.right_click(row - RADIUS + 2, column)  # opens it and excludes that place
    person.press(Qt.Key.Key_N)
    for button, name in ((panel.footer.save, "cells.tif"), (panel.footer.measure, "cells.csv")):
        path = str(tmp_path / name)
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, path=path: (path, ""))
        person.push(button)
        person.keys += 1  # Return, in the dialog that names the file
        person.wait_until(lambda: not panel.saver.busy)
    saved = tifffile.imread(tmp_path / "cells.tif")
    assert len({int(saved[nucleus]) for nucleus in NUCLEI} - {0}) == len(NUCLEI)
    assert saved[row - RADIUS + 2, column] == 0
    with (tmp_path / "cells.csv").open() as table:
        assert len(list(csv.DictReader(table))) == len(NUCLEI)
    # Before it took 16 of both: Shift+J, Shift+O and Q to correct one, two lists to unfold.
    assert (person.clicks, person.keys) == (13, 13)
