"""Labels with a light fill and outlines, as outlines only, or hidden."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.layers.labels_target import FULL, LIGHT, new_labels
from napari_sam.widgets.layers.outlines import outlines
from napari_sam.widgets.objects.labels_look import LabelsLook, Look

PLANE = (1, None, None)


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    viewer.add_image(np.zeros((3, 40, 60), np.uint8), name="stack", scale=(3, 0.5, 0.5))
    return viewer


@pytest.fixture
def stack(viewer):
    return ImageStack(viewer.layers["stack"])


@pytest.fixture
def dress(qtbot, viewer, stack):
    """Return a function that gives labels their look, with two objects on a slice."""
    looks = []

    def dress(layer):
        layer.data[1, 5:15, 5:15], layer.data[1, 5:15, 15:25] = 1, 2
        viewer.add_layer(layer)
        looks.append(LabelsLook(viewer, stack, layer, lambda: stack.plane(viewer.dims)))
        viewer.dims.set_point(0, 3)
        looks[-1].refresh()
        qtbot.wait(60)
        return looks[-1]

    yield dress
    for look in looks:
        look.close()


def drawn(viewer):
    return viewer.layers["napari-sam outlines"]


def test_outlines_are_inside_and_touching_objects_have_one_each():
    labels = np.zeros((8, 9), np.uint32)
    labels[1:7, 1:5], labels[1:7, 5:8] = 70_001, 3
    edges = outlines(labels, 16)
    assert (edges > 0).sum() == (24 - 8) + (18 - 4)
    assert not edges[labels == 0].any()
    assert set(edges[labels == 70_001]) == {0, (70_001 - 1) % 16 + 1}
    assert set(edges[labels == 3]) == {0, 3}
    assert (outlines(labels, 16, wide=2)[labels == 3] == 3).all()


def test_our_labels_have_a_light_fill_and_outlines_in_the_same_colours(viewer, stack, dress):
    layer = new_labels(stack)
    look = dress(layer)
    assert look.look is Look.FILL
    assert layer.opacity == LIGHT
    edges = drawn(viewer)
    assert edges.data.shape == (1, 40, 60)  # of one slice, not of the stack
    assert edges.data[0, 5, 5] == 1
    assert edges.data[0, 10, 10] == 0
    for id_ in (1, 2):
        np.testing.assert_allclose(edges.get_color(id_), layer.get_color(id_), atol=1e-6)
    assert viewer.layers.index(edges) > viewer.layers.index(layer)


def test_one_step_after_the_other_filled_outlined_hidden(viewer, stack, dress, qtbot):
    layer = new_labels(stack)
    look = dress(layer)
    assert look.switch() is Look.OUTLINE
    qtbot.waitUntil(lambda: drawn(viewer).visible)
    assert layer.opacity == 0
    assert look.switch() is Look.OFF
    qtbot.waitUntil(lambda: not drawn(viewer).visible)
    assert not layer.visible
    assert look.switch() is Look.FILL
    qtbot.waitUntil(lambda: drawn(viewer).visible)
    assert (layer.visible, layer.opacity) == (True, LIGHT)


def test_outlines_follow_strokes_undo_slices_and_colours(viewer, stack, dress, qtbot):
    layer = new_labels(stack)
    dress(layer)

    def edge(row, column):
        return lambda: drawn(viewer).data[0, row, column] > 0

    layer.data_setitem((np.full(9, 1), np.repeat([30, 31, 32], 3), np.tile([40, 41, 42], 3)), 5)
    qtbot.waitUntil(edge(30, 40))
    layer.undo()
    qtbot.waitUntil(lambda: not edge(30, 40)())
    layer.data[2, 20:30, 20:30] = 7
    viewer.dims.set_point(0, 6)
    qtbot.waitUntil(lambda: edge(20, 20)() and not edge(5, 5)())
    assert drawn(viewer).translate[0] == 6
    layer.new_colormap(seed=3)
    qtbot.waitUntil(lambda: np.allclose(drawn(viewer).get_color(7), layer.get_color(7)))
    layer.selected_label, layer.show_selected_label = 2, True
    qtbot.waitUntil(lambda: not edge(20, 20)())


def test_labels_of_somebody_else_stay_as_they_are_until_asked(viewer, stack, dress, qtbot):
    layer = Labels(np.zeros((3, 40, 60), np.uint16), scale=(3, 0.5, 0.5), opacity=0.7)
    look = dress(layer)
    assert layer.opacity == 0.7
    assert "napari-sam outlines" not in viewer.layers
    assert look.switch() is Look.OUTLINE
    qtbot.waitUntil(lambda: "napari-sam outlines" in viewer.layers)
    look.close()
    assert layer.opacity == 0.7
    assert "napari-sam outlines" not in viewer.layers


def test_in_the_end_ours_are_filled_as_without_outlines(viewer, stack, dress):
    layer = new_labels(stack)
    dress(layer).close()
    assert layer.opacity == FULL
    assert "napari-sam outlines" not in viewer.layers


def test_labels_with_a_colour_each_are_filled_or_hidden(viewer, stack, dress):
    layer = Labels(
        np.zeros((3, 40, 60), np.uint16),
        scale=(3, 0.5, 0.5),
        colormap={None: "transparent", 1: "red", 2: "blue"},
    )
    look = dress(layer)
    assert [look.switch(), look.switch()] == [Look.OFF, Look.FILL]


def test_a_deleted_outline_layer_comes_back_and_3d_hides_it(viewer, stack, dress, qtbot):
    layer = new_labels(stack)
    look = dress(layer)
    viewer.layers.remove(drawn(viewer))
    look.refresh()
    qtbot.waitUntil(lambda: "napari-sam outlines" in viewer.layers)
    viewer.dims.ndisplay = 3
    look.follow_view()
    qtbot.waitUntil(lambda: not drawn(viewer).visible)
    assert layer.opacity == FULL  # there is the fill only
    viewer.dims.ndisplay = 2
    look.follow_view()
    qtbot.waitUntil(lambda: drawn(viewer).visible)
    assert layer.opacity == LIGHT


def test_outlined_labels_are_filled_in_3d_where_there_are_no_outlines(viewer, stack, dress, qtbot):
    layer = new_labels(stack)
    look = dress(layer)
    look.switch()
    viewer.dims.ndisplay = 3
    look.follow_view()
    qtbot.waitUntil(lambda: layer.opacity > 0)
    assert [look.switch(), look.switch()] == [Look.OFF, Look.FILL]


def test_the_eye_of_the_outlines_is_the_user_s(viewer, stack, dress, qtbot):
    look = dress(new_labels(stack))
    drawn(viewer).visible = False
    look.refresh()
    qtbot.wait(60)
    assert not drawn(viewer).visible


def test_a_large_slice_is_drawn_in_strips(viewer, stack, dress, qtbot, monkeypatch):
    monkeypatch.setattr("napari_sam.widgets.objects.labels_look.STRIP", 60 * 7)
    layer = new_labels(stack)
    dress(layer)
    whole = outlines(layer.data[1], 16)
    qtbot.waitUntil(lambda: drawn(viewer).data.any())
    np.testing.assert_array_equal(drawn(viewer).data[0], whole)
