"""The right pixel of the right slice, wherever the picture lies; the right place in the labels."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_sam.inference.image import pixel_range
from napari_sam.inference.stack import Stack
from napari_sam.session import drawing
from napari_sam.widgets.layers.image_stack import ImageStack
from tests.widgets.conftest import ours, picture

PLACES = {
    "plain": {},
    "scaled": {"scale": (0.2, 0.5)},
    "moved": {"scale": (3, 3), "translate": (-70, 1000)},
    "turned": {"scale": (2, 2), "translate": (5, 5), "rotate": 30},
    "sheared": {"shear": [0.4]},
    "affine": {"affine": [[0, 2, 7], [-2, 0, 9], [0, 0, 1]]},
}


@pytest.fixture
def labels_of(settle):
    """Return a function that accepts what is drawn and returns the labels."""

    def labels_of(panel):
        settle(panel)
        panel.controls.accept.click()
        return panel.annotation.target

    return labels_of


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_labels_and_tools_lie_on_the_picture(open_panel, labels_of, settle, place):
    viewer = ViewerModel()
    cells = viewer.add_image(picture(40, 60), units=("um", "um"), **place)
    panel = open_panel(viewer)
    points = ours(viewer, "points")
    points.add(points.world_to_data(cells.data_to_world((10, 20))))
    settle(panel)
    tools = [ours(viewer, role) for role in ("preview", "boxes", "points")]
    labels = labels_of(panel)
    assert labels.data[10, 20] == 1
    for layer in (labels, *tools):
        for corner in [(0, 0), (0, 60), (40, 0)]:
            np.testing.assert_allclose(layer.data_to_world(corner), cells.data_to_world(corner))
        assert layer.units == cells.units


def test_tools_follow_a_picture_that_is_moved(open_panel, settle):
    viewer = ViewerModel()
    cells = viewer.add_image(picture(5, 40, 60))
    viewer.dims.set_point(0, 3)
    panel = open_panel(viewer)
    ours(viewer, "points").add((3, 10, 20))
    settle(panel)
    cells.scale = (4, 2, 2)
    cells.translate = (0, 100, 0)
    np.testing.assert_allclose(
        ours(viewer, "points").data_to_world((3, 1, 1)), cells.data_to_world((3, 1, 1))
    )
    np.testing.assert_allclose(
        ours(viewer, "preview").data_to_world((0, 1, 1)), cells.data_to_world((3, 1, 1))
    )


def test_only_the_current_slice(open_panel, labels_of, settle, model):
    viewer = ViewerModel()
    stack = picture(7, 40, 60)
    viewer.add_image(stack, scale=(4, 0.5, 0.5), translate=(8, 0, 0))
    viewer.add_points([(0, 0, 0)], scale=(1, 1, 1))  # another step: current_step is no index now
    panel = open_panel(viewer)
    viewer.dims.set_point(0, 8 + 4 * 5)
    ours(viewer, "points").add((5, 10, 20))
    settle(panel)
    np.testing.assert_array_equal(model.embedded[-1][0], stack[5])
    assert ours(viewer, "preview").data.shape == (1, 40, 60)
    np.testing.assert_allclose(ours(viewer, "preview").data_to_world((0, 0, 0)), (28, 0, 0))
    labels = labels_of(panel)
    assert labels.data.shape == stack.shape
    assert labels.data[5, 10, 20] == 1
    assert not np.delete(labels.data, 5, axis=0).any()


def test_the_preview_goes_with_the_slice(open_panel, labels_of):
    viewer = ViewerModel()
    viewer.add_image(picture(7, 40, 60))
    panel = open_panel(viewer)
    for number, z in enumerate((2, 6), start=1):
        viewer.dims.set_point(0, z)
        ours(viewer, "points").add((z, 10, 20))
        labels = labels_of(panel)
        assert labels.data[z, 10, 20] == number
        assert ours(viewer, "preview").translate[0] == z


def test_the_preview_is_there_before_the_first_click(open_panel, settle):
    viewer = ViewerModel()
    cells = viewer.add_image(picture(7, 40, 60))
    panel = open_panel(viewer)
    layer = ours(viewer, "preview")
    assert not layer.data.any()
    cells.data = picture(9, 40, 60)  # a series that grows
    ours(viewer, "points").add((viewer.dims.current_step[0], 10, 20))
    settle(panel)
    assert ours(viewer, "preview") is layer
    assert layer.data[0, 10, 20] == 1


def test_a_stack_that_loses_slices_with_objects(open_panel, labels_of):
    viewer = ViewerModel()
    cells = viewer.add_image(picture(7, 40, 60), name="cells")
    panel = open_panel(viewer)
    viewer.dims.set_point(0, 6)
    ours(viewer, "points").add((6, 10, 20))
    viewer.layers.remove(labels_of(panel))
    old = panel.annotation.session
    cells.data = picture(3, 20, 30)
    assert panel.annotation.seen == (2, None, None)
    ours(viewer, "points").add((2, 10, 20))
    assert labels_of(panel) is None
    said = panel.controls.remark.text()
    assert "on a slice [6, :, :] of 40 x 60 pixels" in said
    assert "this picture of shape (3, 20, 30)" in said
    panel.controls.labels.choose(viewer.add_labels(np.zeros((3, 20, 30), np.uint16)))
    assert labels_of(panel).data[2, 10, 20] == 1
    assert list(old.objects) == [1]


@pytest.mark.parametrize("again", [False, True], ids=["new", "opened again"])
@pytest.mark.parametrize("shape", [(7, 20, 30), (9, 50, 70), (3, 40, 60), (3, 20, 30)])
def test_a_picture_that_changes_while_an_object_is_open(
    open_panel, labels_of, settle, shape, again
):
    viewer = ViewerModel()
    cells = viewer.add_image(picture(7, 40, 60))
    panel = open_panel(viewer)
    viewer.dims.set_point(0, 6)
    ours(viewer, "points").add((6, 10, 20))
    settle(panel)
    if again:
        labels_of(panel)
        panel.annotation.step(lambda s: drawing.reopen(s, 1, panel.annotation.seen))
    draft = panel.annotation.session.draft
    cells.data = picture(*shape)
    settle(panel)
    assert panel.annotation.session.draft == draft
    gone = "a slice that the picture does not have any more" in panel.controls.remark.text()
    assert gone == (shape[0] == 3)
    panel.prompting.reject()
    viewer.dims.set_point(0, 1)
    ours(viewer, "points").add((1, 10, 20))
    settle(panel)
    assert panel.annotation.session.mask.shape == shape[1:]


def test_one_contrast_for_the_whole_stack(open_panel, settle, model):
    viewer = ViewerModel()
    stack = picture(7, 40, 60) // 10
    stack[6] = 255
    stack[0, 0, 0] = 0
    viewer.add_image(stack)
    panel = open_panel(viewer)
    viewer.dims.set_point(0, 2)
    ours(viewer, "points").add((2, 10, 20))
    settle(panel)
    assert model.embedded[-1][1] == (0, 255)


@pytest.mark.parametrize("shape", [(300, 40, 60), (20, 30, 40, 60), (3, 2000, 1500)])
def test_a_sample_is_small_and_from_all_over(shape):
    for axis, size in enumerate(shape):
        along = da.arange(size, chunks=-1, dtype=np.uint16)
        data = da.broadcast_to(along.reshape(-1, *(1 for _ in shape[axis + 1 :])), shape)
        sample = ImageStack(Image(data, contrast_limits=(0, size))).sampler()()
        assert 10_000 < sample.size < 8_000_000
        found = np.unique(sample)
        assert len(found) > 2
        assert found[0] < size / 3
        assert found[-1] >= 2 * size / 3 - 1


@pytest.mark.parametrize("rule", ["percentile", "min_max"])
@pytest.mark.parametrize("colours", [(), (3,), (4,)])
def test_following_without_a_window_has_the_same_contrast(rule, colours):
    data = picture(40, 50, 60, *colours, dtype=np.uint16)
    layer = Image(data, rgb=bool(colours))
    panels = pixel_range(ImageStack(layer).sampler()(), rule)
    np.testing.assert_array_equal(panels, Stack(data).contrast(rule))
    assert np.ndim(panels[0]) == (rule == "min_max" and bool(colours))


def test_a_single_plane_has_its_own_contrast(open_panel, settle, model):
    viewer = ViewerModel()
    viewer.add_image(picture(40, 60, 3), rgb=True)
    settle(open_panel(viewer))
    assert model.embedded[-1][1] is None


@pytest.mark.parametrize(
    ("order", "sliced", "shape"),
    [((1, 0, 2), 1, (7, 60)), ((2, 1, 0), 2, (7, 40)), ((0, 2, 1), 0, (40, 60))],
)
def test_sliced_along_any_axis(open_panel, labels_of, settle, model, order, sliced, shape):
    viewer = ViewerModel()
    stack = picture(7, 40, 60)
    viewer.add_image(stack)
    viewer.dims.order = order
    viewer.dims.set_point(sliced, 4)
    panel = open_panel(viewer)
    click = [3, 10, 20]
    click[sliced] = 4
    ours(viewer, "points").add(click)
    settle(panel)
    assert model.embedded[-1][0].shape == shape
    np.testing.assert_array_equal(model.embedded[-1][0], stack.take(4, axis=sliced))
    labels = labels_of(panel)
    assert labels.data[tuple(click)] == 1
    assert not np.delete(labels.data, 4, axis=sliced).any()


def test_a_prompt_on_another_slice_is_refused(open_panel, settle):
    viewer = ViewerModel()
    viewer.add_image(picture(7, 40, 60))
    viewer.dims.set_point(0, 2)
    panel = open_panel(viewer)
    points = ours(viewer, "points")
    points.add((2, 10, 20))
    settle(panel)
    viewer.dims.set_point(0, 3)
    assert "slice 2" in panel.controls.status.text()
    points.add((3, 5, 5))
    assert "another slice" in panel.controls.remark.text()
    np.testing.assert_allclose(points.data, [(2, 10, 20)])
    settle(panel)
    panel.controls.accept.click()
    points.add((3, 5, 5))
    settle(panel)
    assert panel.annotation.session.mask[5, 5]


def test_the_3d_view_takes_no_prompts(open_panel, settle, model):
    viewer = ViewerModel()
    viewer.add_image(picture(7, 40, 60))
    panel = open_panel(viewer)
    settle(panel)
    points = ours(viewer, "points")
    viewer.dims.ndisplay = 3
    assert "2D" in panel.controls.status.text()
    assert not panel.annotation.pointing.takes_clicks
    points.add((2, 10, 20))
    assert len(points.data) == 0
    assert "2D" in panel.controls.remark.text()
    assert not model.asked
    viewer.dims.ndisplay = 2
    assert panel.annotation.pointing.takes_clicks
    assert panel.controls.status.text() == "Click on an object."


def test_a_view_beside_the_picture(open_panel, settle):
    viewer = ViewerModel()
    viewer.add_image(picture(40, 40, 60), translate=(100, 0, 0), name="other")
    viewer.add_image(picture(5, 40, 60), name="cells")
    panel = open_panel(viewer)
    viewer.dims.set_point(0, 120)
    settle(panel)
    assert panel.annotation.picture.layer.name == "cells"
    assert "does not show" in panel.controls.status.text()


@pytest.mark.parametrize(
    ("layer", "word"),
    [
        (Labels(np.zeros((40, 61), int), name="bad"), "shape"),
        (Labels(np.zeros((2, 40, 60), int), name="bad"), "shape"),
        (Labels(np.zeros((40, 60), int), name="bad", scale=(2, 2)), "does not lie"),
        (Labels(np.zeros((40, 60), int), name="bad", translate=(1, 0)), "does not lie"),
        (Labels(da.zeros((40, 60), dtype=int), name="bad"), "computed by dask"),
        (Labels(np.broadcast_to(np.uint8(0), (40, 60)), name="bad"), "read-only"),
    ],
    ids=["shape", "stack", "scale", "shift", "dask", "read-only"],
)
def test_labels_that_do_not_fit_are_refused(open_panel, layer, word):
    viewer = ViewerModel()
    viewer.add_image(picture(40, 60))
    viewer.add_layer(layer)
    panel = open_panel(viewer)
    panel.controls.labels.choose(layer)
    assert word in panel.controls.remark.text()
    assert "'bad'" in panel.controls.remark.text()
    assert panel.controls.labels.layer is None
    assert panel.annotation.target is None


def test_labels_locked_after_they_were_chosen(open_panel, settle):
    viewer = ViewerModel()
    viewer.add_image(picture(40, 60))
    layer = viewer.add_labels(np.zeros((40, 60), int))
    panel = open_panel(viewer)
    panel.controls.labels.choose(layer)
    layer.editable = False
    ours(viewer, "points").add((10, 20))
    settle(panel)
    panel.controls.accept.click()
    assert "locked" in panel.controls.remark.text()
    assert not layer.data.any()
    assert panel.annotation.session.mask is not None
