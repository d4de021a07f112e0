"""What napari tells of its brush, sorted by planes."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Labels

from napari_sam.widgets.layers.labels_target import painted_planes


def replay(layer, axes, paint):
    """Paint, and check that what is told turns the labels of before into those of now."""
    before, told = layer.data.copy(), []
    layer.events.paint.connect(lambda event: told.append(event.value))
    paint(layer)
    again, planes = before.copy(), []
    for strokes in told:
        for painted in painted_planes(before.shape, strokes, axes):
            index = tuple(slice(None) if at is None else at for at in painted.plane)
            np.testing.assert_array_equal(
                again[index][painted.rows, painted.columns], painted.before
            )
            again[index][painted.rows, painted.columns] = painted.after
            pixels = painted.rows * 1000 + painted.columns
            assert len(np.unique(pixels)) == len(pixels)
            planes.append(painted.plane)
    np.testing.assert_array_equal(again, layer.data)
    return planes


def test_a_dab():
    layer = Labels(np.zeros((20, 30), np.uint8))
    assert replay(layer, (0, 1), lambda layer: layer.paint((5, 5), 3)) == [(None, None)]


def test_strokes_that_cross_are_one():
    def cross(layer):
        with layer.block_history():
            for column in range(3, 20, 2):
                layer.paint((8, column), 3)
            layer.paint((8, 8), 0)

    assert len(replay(Labels(np.ones((20, 30), np.uint8)), (0, 1), cross)) == 1


def test_a_ball_lies_in_several_planes():
    layer = Labels(np.zeros((9, 20, 30), np.uint16))
    layer.n_edit_dimensions, layer.brush_size = 3, 5
    planes = replay(layer, (1, 2), lambda layer: layer.paint((4, 8, 8), 7))
    assert planes == [(z, None, None) for z in (2, 3, 4, 5, 6)]


def test_planes_along_other_axes():
    layer = Labels(np.zeros((2, 9, 20, 30), np.uint16))
    pixels = [(0, 1, 5, 2), (1, 1, 5, 4), (1, 2, 5, 3), (1, 2, 6, 7)]
    index, values = tuple(np.array(pixels).T), np.array([4, 5, 6, 6])
    planes = replay(layer, (1, 3), lambda layer: layer.data_setitem(index, values))
    assert planes == [(0, None, 5, None), (1, None, 5, None), (1, None, 6, None)]


@pytest.mark.parametrize("value", [0, 4])
def test_a_fill(value):
    data = np.zeros((20, 30), np.uint8)
    data[3:9, 3:9] = 2
    assert len(replay(Labels(data), (0, 1), lambda layer: layer.fill((4, 4), value))) == 1
