"""Work that is to be gone on with, and what the panel asks about it."""

from __future__ import annotations

from tests.widgets.conftest import ours


def question(panel):
    asked = panel.controls.go_on
    return "" if asked.isHidden() else asked.text.text()


def work(viewer, panel, settle):
    """Accept two objects on two slices and begin a third; return the labels."""
    for z, row, column in ((2, 10, 20), (3, 30, 40)):
        viewer.dims.set_point(0, z)
        ours(viewer, "points").add((z, row, column))
        settle(panel)
        panel.controls.accept.click()
    ours(viewer, "points").add((3, 5, 50))
    settle(panel)
    return panel.annotation.target.data.copy()
