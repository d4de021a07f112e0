"""Pictures with channels: found, asked about, seen by the model, and left out of the masks."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_sam.inference.image import contrast_range, to_rgb8
from napari_sam.widgets.layers.image_stack import OURS, ImageStack
from napari_sam.widgets.prompt.channel_controls import ModelView
from tests.widgets.conftest import ours, picture

# labels, shape, axis of the channels, masks' shape, slice on show, the voxel there
ORDERS = {
    "CYX": ((3, 40, 60), 0, (40, 60), (), (10, 20)),
    "CZYX": ((2, 7, 40, 60), 0, (7, 40, 60), (5,), (5, 10, 20)),
    "ZCYX": ((7, 3, 40, 60), 1, (7, 1, 40, 60), (5,), (5, 0, 10, 20)),
    "TYXC": ((7, 40, 60, 4), 3, (7, 40, 60, 1), (5,), (5, 10, 20, 0)),
    "YXC": ((40, 60, 3), 2, (40, 60, 1), (), (10, 20, 0)),
    "TZCYX": ((2, 7, 3, 40, 60), 2, (2, 7, 1, 40, 60), (1, 5), (1, 5, 0, 10, 20)),
}


def question(panel):
    query = panel.controls.query
    return "" if query.isHidden() else query.text.text()


def push(panel, answer):
    next(b for b in panel.controls.query.buttons if b.text() == answer).click()


def channel(data, axis, index, at):
    """One plane of one channel, found by other means."""
    return np.moveaxis(data, axis, 0)[(index, *at)]


def as_colours(data, axis, at, indices):
    """The plane as the model should see it: each channel stretched by all its planes."""
    planes = []
    for index in indices:
        low_high = contrast_range(np.moveaxis(data, axis, 0)[index])
        planes.append(to_rgb8(channel(data, axis, index, at), low_high)[..., 0])
    while len(planes) < 3:
        planes.append(np.zeros_like(planes[0]))
    return np.stack(planes, axis=-1)


def look_at(viewer, layer, voxel):
    """Move every slider to a voxel of a layer."""
    for axis, at in enumerate(layer.data_to_world(voxel)):
        viewer.dims.set_point(axis, at)


@pytest.mark.parametrize("order", ORDERS)
def test_masks_have_no_channels(open_panel, settle, model, order):
    shape, axis, masks, at, voxel = ORDERS[order]
    viewer = ViewerModel()
    data = picture(*shape, dtype=np.uint16) * np.uint16(17)
    place = {"scale": (2.0,) * len(shape), "translate": (-30.0,) * len(shape)}
    cells = viewer.add_image(data, axis_labels=tuple(order), rgb=False, **place)
    panel = open_panel(viewer)
    assert question(panel) == ""
    full = [*voxel]
    if axis == 0:
        full.insert(0, 1)
    else:
        full[axis] = 1
    look_at(viewer, cells, full)
    points = ours(viewer, "points")
    points.add(voxel)
    settle(panel)
    count = min(3, shape[axis])
    seen = model.embedded[-1][0]
    np.testing.assert_allclose(seen, as_colours(data, axis, at, range(count)), atol=1)
    ranges = viewer.dims.range
    panel.controls.accept.click()
    labels = panel.annotation.target
    assert labels.data.shape == masks
    assert labels.data[voxel] == 1
    assert np.count_nonzero(labels.data) == np.count_nonzero(labels.data[(*at, ...)])
    assert viewer.dims.range == ranges
    for index in range(shape[axis]):  # over every channel, at the same place
        full[axis] = index
        world = cells.data_to_world(full)
        assert labels.get_value(world, world=True) == 1
    other = [*full]
    other[-3 if axis == len(shape) - 1 else -2] = 35
    assert labels.get_value(cells.data_to_world(other), world=True) == 0


@pytest.mark.parametrize("order", ["CYX", "ZCYX", "TYXC"])
def test_one_channel_in_grey(open_panel, settle, model, order):
    shape, axis, _, at, voxel = ORDERS[order]
    viewer = ViewerModel()
    data = picture(*shape)
    viewer.add_image(data, axis_labels=tuple(order), rgb=False)
    panel = open_panel(viewer)
    look_at(viewer, viewer.layers[0], [*at, *[0] * (len(shape) - len(at))])
    choice = panel.controls.channels.sees
    assert choice.currentText() == "Red, green and blue"
    choice.setCurrentIndex(1)
    choice.activated.emit(1)
    settle(panel)
    ours(viewer, "points").add(voxel)
    settle(panel)
    np.testing.assert_array_equal(model.embedded[-1][0], channel(data, axis, 1, at))
    assert ImageStack(viewer.layers[0]).mix.channels[0].index == 1  # stays with the layer


def test_any_channel_in_any_colour(open_panel, settle, model):
    viewer = ViewerModel()
    data = picture(5, 40, 60)
    viewer.add_image(data, axis_labels=("C", "y", "x"))
    panel = open_panel(viewer)
    for box, index in zip(panel.controls.channels.colours, (5, 0, 2), strict=True):
        box.setCurrentIndex(index)  # the first entry is no channel
        box.activated.emit(index)
    settle(panel)
    wanted = np.zeros((40, 60, 3), np.uint8)
    wanted[..., 0] = to_rgb8(data[4], contrast_range(data[4]))[..., 0]
    wanted[..., 2] = to_rgb8(data[1], contrast_range(data[1]))[..., 0]
    np.testing.assert_array_equal(model.embedded[-1][0], wanted)
    for box in panel.controls.channels.colours:  # nothing at all is not a picture
        box.setCurrentIndex(0)
        box.activated.emit(0)
    assert any(panel.annotation.picture.mix.channels)


def test_the_mask_on_show_is_asked_for_again_when_the_model_sees_other_channels(
    open_panel, settle, model
):
    viewer = ViewerModel()
    viewer.add_image(picture(2, 40, 60), axis_labels=("C", "y", "x"))
    panel = open_panel(viewer)
    ours(viewer, "points").add((10, 20))
    settle(panel)
    asked = len(model.asked)
    panel.controls.channels.sees.activated.emit(0)
    settle(panel)
    assert len(model.asked) == asked + 1
    assert model.embedded[-1][0].ndim == 2
    assert panel.annotation.session.mask[10, 20]


class TestTheQuestion:
    def test_until_it_is_answered_the_picture_is_a_stack(self, open_panel):
        viewer = ViewerModel()
        viewer.add_image(picture(3, 40, 60), name="cells")
        panel = open_panel(viewer)
        wanted = "'cells' holds 3 images: colours, slices in depth, or time points?"
        assert question(panel) == wanted
        buttons = [button.text() for button in panel.controls.query.buttons]
        assert buttons == ["Colours", "Slices in depth", "Time points"]
        assert panel.annotation.picture.shape == (3, 40, 60)

    @pytest.mark.parametrize("shape", [(12, 40, 60), (40, 60), (7, 12, 40, 60)])
    def test_is_not_put_where_nothing_looks_like_channels(self, open_panel, shape):
        viewer = ViewerModel()
        viewer.add_image(picture(*shape))
        assert "colours" not in question(open_panel(viewer))

    def test_nor_for_rgb(self, open_panel, settle, model):
        viewer = ViewerModel()
        data = picture(4, 40, 60, 3)
        viewer.add_image(data, rgb=True)
        panel = open_panel(viewer)
        settle(panel)
        assert panel.controls.channels.sees.isHidden()
        np.testing.assert_array_equal(model.embedded[-1][0], data[2 - 1])

    @pytest.mark.parametrize(
        ("said", "shape", "word"),
        [
            ("Colours", (40, 60), "slice"),
            ("Slices in depth", (3, 40, 60), "slice"),
            ("Time points", (3, 40, 60), "frame"),
        ],
    )
    def test_is_put_once(self, open_panel, said, shape, word):
        viewer = ViewerModel()
        cells = viewer.add_image(picture(3, 40, 60))
        panel = open_panel(viewer)
        push(panel, said)
        assert question(panel) == ""
        assert panel.annotation.picture.shape == shape
        assert panel.annotation.picture.axis_word == word
        assert cells.metadata[OURS]["channel_axis"] == (0 if said == "Colours" else None)
        assert len([x for x in viewer.layers if x.metadata.get(OURS) == "points"]) == 1
        panel.close_panel()
        again = open_panel(viewer)
        assert question(again) == ""
        assert again.annotation.picture.shape == shape
        assert again.annotation.picture.axis_word == word

    def test_the_answer_can_be_changed(self, open_panel):
        viewer = ViewerModel()
        viewer.add_image(picture(7, 3, 40, 60))
        panel = open_panel(viewer)
        push(panel, "No")
        assert question(panel).endswith("holds 7 times 3 images: which are the time points?")
        axis = panel.controls.channels.axis
        assert [axis.itemText(i) for i in range(axis.count())][:3] == [
            "None: a stack",
            "Axis 0, 7 long",
            "Axis 1, 3 long",
        ]
        axis.activated.emit(2)
        assert panel.annotation.picture.shape == (7, 1, 40, 60)
        axis.activated.emit(0)
        assert panel.annotation.picture.shape == (7, 3, 40, 60)

    def test_holds_for_pictures_like_this_one(self, open_panel):
        viewer = ViewerModel()
        viewer.add_image(picture(3, 40, 60))
        push(open_panel(viewer), "Colours")
        other = ViewerModel()
        other.add_image(picture(3, 50, 50))
        panel = open_panel(other)
        controls = panel.controls.channels
        assert panel.annotation.picture.shape == (50, 50)
        assert "as you said before: axis 0 of 3 (3 long)" in panel.controls.remark.text()
        assert question(panel) == ""
        controls.axis.activated.emit(0)  # not this one
        assert question(panel).endswith("slices in depth, or time points?")
        assert "colours" not in question(panel)
        for shape, asks in (((3, 40, 60), False), ((4, 40, 60), True)):
            third = ViewerModel()
            third.add_image(picture(*shape))
            panel = open_panel(third)
            assert panel.annotation.picture.shape == shape
            assert ("colours" in question(panel)) is asks

    def test_channels_on_show_as_rows_or_columns_go_to_a_slider(self, open_panel, settle):
        viewer = ViewerModel()
        viewer.add_image(picture(40, 60, 2))
        panel = open_panel(viewer)
        assert viewer.dims.displayed == (1, 2)
        push(panel, "Colours")
        assert viewer.dims.displayed == (0, 1)
        ours(viewer, "points").add((10, 20, 0))
        settle(panel)
        assert panel.annotation.session.mask.shape == (40, 60)


def test_a_view_along_the_channels_takes_no_prompts(open_panel):
    viewer = ViewerModel()
    viewer.add_image(picture(3, 40, 60), axis_labels=tuple("cyx"))
    panel = open_panel(viewer)
    viewer.dims.order = (1, 0, 2)
    assert "the channels on one of them" in panel.controls.status.text()
    points = ours(viewer, "points")
    points.add((10, 20))
    assert len(points.data) == 0


class TestOtherLayers:
    @pytest.fixture
    def channels(self):
        viewer = ViewerModel()
        names = "nuclei", "membrane"
        place = {"scale": (3, 1, 1), "translate": (0, 5, 5)}
        layers = [
            viewer.add_image(picture(7, 40, 60) // n, name=name, **place)
            for n, name in enumerate(names, start=1)
        ]
        viewer.add_image(picture(7, 40, 60), name="elsewhere")
        viewer.add_image(picture(7, 40, 61), name="larger", **place)
        viewer.add_image(picture(7, 40, 60, 3), rgb=True, name="colours", **place)
        viewer.dims.set_point(0, 6)
        viewer.layers.selection.active = layers[0]
        return viewer, *layers

    def test_grey_layers_in_the_same_place_are_channels(self, channels, open_panel, settle, model):
        viewer, nuclei, membrane = channels
        panel = open_panel(viewer)
        sees = panel.controls.channels.sees
        assert [sees.itemText(i) for i in range(sees.count())] == [
            "nuclei, grey",
            "membrane, grey",
            "Red, green and blue",
        ]
        assert sees.currentIndex() == 0
        sees.activated.emit(2)
        settle(panel)
        seen = model.embedded[-1][0]
        for colour, layer in enumerate((nuclei, membrane)):
            wanted = to_rgb8(layer.data[2], contrast_range(layer.data))[..., 0]
            np.testing.assert_array_equal(seen[..., colour], wanted)
        assert not seen[..., 2].any()
        assert panel.annotation.picture.shape == (7, 40, 60)

    def test_one_that_is_taken_away_is_seen_no_longer(self, channels, open_panel, settle, model):
        viewer, nuclei, membrane = channels
        panel = open_panel(viewer)
        panel.controls.channels.sees.activated.emit(2)
        settle(panel)
        viewer.layers.remove(membrane)
        settle(panel)
        np.testing.assert_array_equal(model.embedded[-1][0], nuclei.data[2])
        assert panel.controls.channels.sees.isHidden()

    def test_new_pixels_of_one_are_seen(self, channels, open_panel, settle, model):
        viewer, _, membrane = channels
        panel = open_panel(viewer)
        panel.controls.channels.sees.activated.emit(2)
        settle(panel)
        membrane.data = membrane.data[:, ::-1]
        settle(panel)
        wanted = to_rgb8(membrane.data[2], contrast_range(membrane.data))[..., 0]
        np.testing.assert_array_equal(model.embedded[-1][0][..., 1], wanted)


class TestItsView:
    @pytest.fixture
    def view(self, open_panel, qtbot):
        def view(viewer):
            panel = open_panel(viewer)
            panel.show()
            panel.controls.more.click()
            shown = panel.controls.channels.view
            qtbot.waitUntil(lambda: not shown.busy)
            return panel, shown

        return view

    def colours(self, view):
        image = view.pixmap().toImage()
        middle = image.pixelColor(image.width() // 2, image.height() // 2)
        return middle.red(), middle.green(), middle.blue()

    def test_shows_the_mix_and_goes_with_the_slice(self, view, qtbot):
        data = np.zeros((2, 2, 40, 60), np.uint8)  # z, c
        data[0, 0, 10:30, 15:45] = 200
        data[1, 1, 10:30, 15:45] = 3
        viewer = ViewerModel()
        viewer.add_image(data, axis_labels=tuple("zcyx"))
        viewer.dims.set_point(0, 0)
        panel, shown = view(viewer)
        assert self.colours(shown) == (255, 0, 0)
        with qtbot.waitSignal(shown.shown):
            viewer.dims.set_point(0, 1)
        assert self.colours(shown) == (0, 255, 0)
        with qtbot.waitSignal(shown.shown):
            panel.controls.channels.sees.activated.emit(0)
        assert self.colours(shown) == (0, 0, 0)

    def test_says_why_there_is_nothing(self, qtbot):
        def gone():
            raise OSError("the disk is gone")

        view = ModelView()
        qtbot.addWidget(view)
        view.source = lambda: gone
        with qtbot.waitSignal(view.shown):
            view.show()
        assert "the disk is gone" in view.text()

    def test_reads_nothing_while_it_is_hidden(self, open_panel, qtbot):
        viewer = ViewerModel()
        viewer.add_image(picture(40, 60))
        panel = open_panel(viewer)
        panel.show()
        qtbot.wait(20)
        assert not panel.controls.channels.view.busy


@pytest.mark.parametrize("order", [(1, 0, 2, 3), (3, 1, 0, 2), (2, 1, 0, 3), (0, 1, 3, 2)])
def test_channels_and_slices_along_any_axis(open_panel, settle, model, order):
    viewer = ViewerModel()
    data = picture(7, 3, 40, 60)
    cells = viewer.add_image(data, axis_labels=tuple("zcyx"), scale=(3, 1, 0.5, 0.5))
    viewer.dims.order = order
    panel = open_panel(viewer)
    at = {0: 5, 2: 10, 3: 20}
    look_at(viewer, cells, (at[0], 2, at[2], at[3]))
    ours(viewer, "points").add((at[0], 0, at[2], at[3]))
    settle(panel)
    sliced = next(axis for axis in (0, 2, 3) if axis not in viewer.dims.displayed)
    wanted = np.moveaxis(data.take(at[sliced], axis=sliced), 1 - (sliced == 0), -1)
    seen = model.embedded[-1][0]
    assert seen.shape == wanted.shape
    assert np.corrcoef(seen.ravel(), wanted.ravel())[0, 1] > 0.99
    panel.controls.accept.click()
    labels = panel.annotation.target.data
    assert labels[at[0], 0, at[2], at[3]] == 1
    assert not np.delete(labels, at[sliced], axis=sliced).any()


TURNED = [[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]]
PLACES = {
    "CYX": {
        "turned": {"scale": (1, 0.5, 2), "translate": (9, -70, 4), "rotate": TURNED},
        "sheared": {"shear": [0, 0, 0.4], "translate": (5, 6, 7)},
        "affine": {"affine": [[1, 0, 0, 3], [0, 0, 2, 7], [0, -2, 0, 9], [0, 0, 0, 1]]},
    },
    "ZCYX": {
        "anisotropic": {"scale": (4, 7, 0.5, 2), "translate": (9, -70, 4, 1)},
        "affine": {"affine": np.diag([3, 2, 1, 1, 1]) + np.diag([0, 0, 0.5, 0], 1)},
    },
}


@pytest.mark.parametrize(
    ("order", "place"), [(order, name) for order, names in PLACES.items() for name in names]
)
def test_labels_and_tools_lie_on_every_channel(open_panel, settle, order, place):
    shape, axis, _, _, voxel = ORDERS[order]
    viewer = ViewerModel()
    cells = viewer.add_image(picture(*shape), axis_labels=tuple(order), **PLACES[order][place])
    full = [*voxel]
    if axis == 0:
        full.insert(0, 1)
    full[axis] = 1
    look_at(viewer, cells, full)
    panel = open_panel(viewer)
    points = ours(viewer, "points")
    world = cells.data_to_world(full)
    points.add(points.world_to_data(world[-points.ndim :]))
    settle(panel)
    preview = ours(viewer, "preview")
    assert preview.get_value(world, world=True) == 1
    panel.controls.accept.click()
    labels = panel.annotation.target
    assert labels.data[voxel] == 1
    for index in range(shape[axis]):
        full[axis] = index
        for tool in (labels, ours(viewer, "boxes")):
            at = tool.world_to_data(cells.data_to_world(full)[-tool.ndim :])
            np.testing.assert_array_equal(np.round(at), voxel)
    cells.translate = np.array(cells.translate) + 11  # our tools follow, what is accepted stays
    at = ours(viewer, "points").world_to_data(cells.data_to_world(full)[-points.ndim :])
    np.testing.assert_array_equal(np.round(at), voxel)


def test_labels_without_channels_fit_and_others_do_not(open_panel, settle):
    viewer = ViewerModel()
    place = {"scale": (2, 2), "translate": (5, 5)}
    viewer.add_image(
        picture(3, 40, 60), axis_labels=tuple("cyx"), scale=(1, 2, 2), translate=(9, 5, 5)
    )
    flat = viewer.add_labels(np.zeros((40, 60), int), name="flat", **place)
    deep = viewer.add_labels(np.zeros((3, 40, 60), int), name="deep")
    panel = open_panel(viewer)
    panel.controls.labels.choose(deep)
    assert "(40, 60)" in panel.controls.remark.text()
    assert panel.annotation.target is None
    panel.controls.labels.choose(flat)
    ours(viewer, "points").add((10, 20))
    settle(panel)
    panel.controls.accept.click()
    assert flat.data[10, 20] == 1


def test_several_viewers_each_have_channels_of_their_own(open_panel, settle):
    data = picture(3, 40, 60)
    viewers = [ViewerModel() for _ in range(2)]
    for viewer in viewers:
        viewer.add_image(data)
    panels = [open_panel(viewer) for viewer in viewers]
    push(panels[0], "Colours")
    viewers[1].dims.set_point(0, 2)
    for panel, viewer, at in zip(panels, viewers, [(10, 20), (2, 10, 20)], strict=True):
        ours(viewer, "points").add(at)
        settle(panel)
        panel.controls.accept.click()
    flat, deep = (panel.annotation.target.data for panel in panels)
    assert flat.shape == (40, 60)
    assert deep.shape == (3, 40, 60)
    assert flat[10, 20] == deep[2, 10, 20] == 1
    assert not deep[:2].any()
