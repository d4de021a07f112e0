"""Many layers deleted at once, ours among them: nothing fails, and nothing comes back for ever."""

from __future__ import annotations

import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_sam.widgets.layers.prompt_layers import Tool
from tests.widgets.conftest import ours, picture, rectangle

AT_MOST = 20  # layers that may come while others go


@pytest.fixture
def no_end(viewer, panel):
    """Return a list of the layers that have come; too many of them end the test."""
    come = []

    def count(event):
        come.append(event.value.name)
        assert len(come) < AT_MOST

    viewer.layers.events.inserted.connect(count)
    yield come
    viewer.layers.events.inserted.disconnect(count)


def select_and_delete(layers):
    layers.select_all()
    layers.remove_selected()


def delete_from_the_top(layers):
    while layers:
        layers.pop()


def delete_a_slice(layers):
    del layers[:]


ways = pytest.mark.parametrize(
    "delete",
    [select_and_delete, type(ViewerModel().layers).clear, delete_from_the_top, delete_a_slice],
)


@ways
@pytest.mark.parametrize("ndisplay", [2, 3])
def test_with_an_object_open(viewer, panel, accept, settle, no_end, delete, ndisplay):
    accept(10, 20)
    ours(viewer, "points").add((30, 20))
    settle(panel)
    viewer.dims.ndisplay = ndisplay
    delete(viewer.layers)
    assert len(viewer.layers) == 0
    assert panel.annotation is None


@ways
def test_with_boxes_that_wait_for_a_model(viewer, panel, no_end, qtbot, delete):
    panel.annotation.asking.use(None)
    panel.prompting.arm(Tool.BOXES)
    ours(viewer, "boxes").add(rectangle(5, 5, 20, 20))
    ours(viewer, "boxes").add(rectangle(25, 25, 35, 35))
    delete(viewer.layers)
    assert len(viewer.layers) == 0
    assert panel.annotation is None


def test_the_picture_lies_on_top(viewer, panel, settle, no_end):
    viewer.layers.move(0, len(viewer.layers))
    select_and_delete(viewer.layers)
    assert len(viewer.layers) == 0


def test_another_picture_takes_over(viewer, panel, settle):
    ours(viewer, "points").add((10, 20))  # else it would have done so when it was opened
    settle(panel)
    other = viewer.add_image(picture(20, 30), name="other")
    viewer.layers.select_all()
    viewer.layers.selection.remove(other)
    viewer.layers.remove_selected()
    assert panel.annotation.picture.layer is other
    assert ours(viewer, "points").name == "napari-sam points"


def test_ours_in_3d_come_back_with_what_is_drawn(viewer, panel, settle, qtbot):
    """The 3D view takes no prompts, and takes none away."""
    ours(viewer, "points").add((30, 20))
    settle(panel)
    viewer.dims.ndisplay = 3
    viewer.layers.remove(ours(viewer, "points"))
    qtbot.waitUntil(lambda: ours(viewer, "points") is not None)
    assert len(ours(viewer, "points").data) == 1


def test_pictures_that_come_together(viewer, panel, settle):
    """As from a file of several channels, opened at once; they wait while something is drawn."""
    ours(viewer, "points").add((10, 20))
    settle(panel)
    before = panel.annotation.picture.layer
    viewer.layers.extend([Image(picture(30, 30)), Image(picture(20, 30))])
    assert panel.annotation.picture.layer is before
