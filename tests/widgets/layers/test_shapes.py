"""The pixels inside of drawn shapes, wherever the picture and the shapes lie."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image, Shapes

from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.layers.shapes import inside

CORNERS = np.array([(2, 4), (2, 10), (8, 10), (8, 4)], float)


def square():
    mask = np.zeros((20, 30), bool)
    mask[2:9, 4:11] = True
    return mask


@pytest.mark.parametrize("kind", ["rectangle", "polygon"])
def test_a_scaled_and_shifted_picture(kind):
    picture = ImageStack(Image(np.zeros((20, 30)), scale=(2, 3), translate=(5, -7)))
    layer = Shapes([CORNERS * (2, 3) + np.array([5, -7])], shape_type=kind)
    np.testing.assert_array_equal(inside(layer, picture, (None, None)), square())


def test_a_shape_on_one_slice_counts_on_all():
    picture = ImageStack(Image(np.zeros((6, 20, 30))))
    on_slice = np.column_stack([np.full(4, 3), CORNERS])
    for vertices in (CORNERS, on_slice):
        layer = Shapes([vertices], shape_type="polygon")
        np.testing.assert_array_equal(inside(layer, picture, (1, None, None)), square())


@pytest.mark.parametrize("axis", [0, 1])
def test_channels_are_left_out(axis):
    shape = (2, 6, 20, 30) if axis == 0 else (6, 2, 20, 30)
    names = ("c", "z", "y", "x") if axis == 0 else ("z", "c", "y", "x")
    picture = ImageStack(Image(np.zeros(shape), axis_labels=names))
    assert picture.channel_axis == axis
    layer = Shapes([CORNERS], shape_type="polygon")
    plane = (1, None, None) if axis == 0 else (1, 0, None, None)
    np.testing.assert_array_equal(inside(layer, picture, plane), square())
    place = np.arange(picture.ndim)
    np.testing.assert_allclose(
        picture.transform.from_world(picture.transform.to_world(place)), place
    )


def test_several_shapes_and_what_encloses_nothing():
    picture = ImageStack(Image(np.zeros((20, 30))))
    other = CORNERS + np.array([9, 15])
    layer = Shapes([CORNERS, other], shape_type="polygon")
    layer.add([[(0, 0), (19, 29)]], shape_type="line")
    mask = inside(layer, picture, (None, None))
    assert mask.sum() == 2 * square().sum()
    assert mask[11, 19]
    assert not inside(Shapes(), picture, (None, None)).any()


def test_an_ellipse_is_round():
    picture = ImageStack(Image(np.zeros((20, 30))))
    mask = inside(Shapes([CORNERS], shape_type="ellipse"), picture, (None, None))
    assert mask[5, 7]
    assert not mask[2, 4]
