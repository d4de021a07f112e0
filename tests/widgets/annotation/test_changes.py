"""The picture, its labels and our own layers are changed by others while somebody annotates."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import zarr
from napari.components import ViewerModel

from napari_sam.session import drawing
from napari_sam.session.disk.fingerprint import Fingerprint
from napari_sam.widgets.layers.prompt_layers import Tool
from tests.widgets.conftest import hold, ours, picture, rectangle

SHAPES = {"2D": (40, 60), "3D": (5, 40, 60), "4D": (3, 5, 40, 60)}
STATES = "nothing", "click", "box", "accepted", "accepted and click", "opened again", "waiting"


@pytest.fixture
def at_work(open_panel, settle, model):
    """Return a function that opens a panel on a picture and brings it into a state."""

    def at_work(shape, state, **options):
        viewer = ViewerModel()
        viewer.add_image(picture(*shape), name="cells", **options)
        viewer.dims.set_point(range(viewer.dims.ndim), [0] * viewer.dims.ndim)
        panel = open_panel(viewer)
        settle(panel)
        lead = (0,) * (viewer.layers["cells"].ndim - 2)
        if "accepted" in state or "again" in state:
            ours(viewer, "points").add((*lead, 10, 20))
            settle(panel)
            panel.controls.accept.click()
        if "again" in state:
            panel.annotation.step(lambda s: drawing.reopen(s, 1, panel.annotation.seen))
        if "box" in state:
            corners = [(*lead, *corner) for corner in rectangle(5, 30, 25, 50)]
            ours(viewer, "boxes").add(np.array(corners), shape_type="rectangle")
        gate = hold(model) if "waiting" in state else None
        if "click" in state or "waiting" in state:
            ours(viewer, "points").add((*lead, 30, 40))
        if gate is None:
            settle(panel)
        else:
            gate.set()
        return viewer, panel

    return at_work


def click(viewer, panel, *position):
    """Click on a pixel of the plane in view."""
    plane, at = panel.annotation.seen, iter(position)
    ours(viewer, "points").add([next(at) if i is None else i for i in plane])


@pytest.mark.parametrize(
    ("first", "then", "state"),
    [
        *((*axes, state) for axes in (("2D", "3D"), ("3D", "2D")) for state in STATES),
        *(("3D", "4D", "accepted and click"), ("3D", "4D", "waiting"), ("4D", "3D", "box")),
        *(("4D", "3D", "opened again"), ("2D", "4D", "click"), ("2D", "4D", "accepted")),
    ],
)
def test_another_number_of_axes(at_work, settle, first, then, state):
    viewer, panel = at_work(SHAPES[first], state)
    session, draft = panel.annotation.session, panel.annotation.session.draft
    objects, labels = list(session.objects), panel.annotation.target
    viewer.layers["cells"].data = picture(*SHAPES[then])
    settle(panel)
    assert panel.annotation.session is session
    assert session.draft == draft
    assert list(session.objects) == objects
    gone = "a slice that the picture does not have any more" in panel.controls.remark.text()
    assert gone == ("whose slice is gone" in panel.controls.status.text()) == (not draft.is_empty)
    if state == "accepted":
        assert "choose a layer of the same shape" in panel.controls.remark.text()
    names = [layer.name for layer in viewer.layers]
    assert "napari-sam points" in names
    assert "napari-sam boxes" in names
    panel.prompting.reject()
    click(viewer, panel, 10, 20)
    settle(panel)
    assert session.mask[10, 20]
    panel.controls.accept.click()
    if objects:
        assert "has shape" in panel.controls.remark.text()
        panel.prompting.undo()
        assert labels.data.any() == bool(session.objects)
    else:
        assert panel.annotation.target.data.shape == SHAPES[then]


@pytest.mark.parametrize("state", ["click", "accepted and click", "opened again"])
def test_a_picture_that_is_itself_again(at_work, settle, state):
    viewer, panel = at_work(SHAPES["3D"], state)
    draft, pixels = panel.annotation.session.draft, viewer.layers["cells"].data
    viewer.layers["cells"].data = pixels[0]
    settle(panel)
    viewer.layers["cells"].data = pixels
    settle(panel)
    assert "any more" not in panel.controls.remark.text()
    viewer.dims.set_point(0, 0)
    assert panel.annotation.session.draft == draft
    np.testing.assert_allclose(ours(viewer, "points").data[0], (0, *draft.points[0]))
    panel.controls.accept.click()
    settle(panel)
    number = panel.annotation.target.data[0][tuple(map(int, draft.points[0]))]
    assert number == max(panel.annotation.session.objects)


def test_boxes_that_wait_are_let_go_of_with_a_word(at_work, settle, model):
    viewer, panel = at_work(SHAPES["2D"], "nothing")
    gate = hold(model)
    panel.annotation.arm(Tool.BOXES)
    ours(viewer, "boxes").add(rectangle(5, 30, 25, 50), shape_type="rectangle")
    viewer.layers["cells"].data = picture(5, 40, 60)
    gate.set()
    settle(panel)
    assert not panel.annotation.asking.boxes.waiting
    assert not panel.annotation.session.objects
    assert "drawn for 1 object" in panel.controls.remark.text()


@pytest.mark.parametrize("kind", [np.float32, bool, np.uint16, da.from_array, zarr.array])
@pytest.mark.parametrize("state", ["click", "opened again", "waiting"])
def test_another_kind_of_pixels(at_work, settle, model, kind, state):
    viewer, panel = at_work(SHAPES["3D"], state)
    draft, pixels = panel.annotation.session.draft, picture(5, 40, 60)
    now = pixels.astype(kind) if isinstance(kind, type) else kind(pixels)
    viewer.layers["cells"].data = now
    settle(panel)
    assert panel.annotation.session.draft == draft
    np.testing.assert_array_equal(model.embedded[-1][0], np.asarray(now[0]))
    panel.controls.accept.click()
    assert panel.annotation.target.data.any()


def test_the_channels_are_asked_again_for_other_axes(at_work, settle):
    viewer, panel = at_work((3, 40, 60), "nothing")
    panel.controls.query.buttons[0].click()
    assert panel.annotation.picture.channel_axis == 0
    viewer.layers["cells"].data = picture(3, 5, 40, 60)
    settle(panel)
    assert panel.annotation.picture.channel_axis is None
    assert "colours" in panel.controls.query.text.text()
    click(viewer, panel, 10, 20)
    settle(panel)
    assert panel.annotation.session.mask[10, 20]


class TestChangedInPlace:
    @pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
    def test_the_next_mask_is_from_the_new_pixels(self, at_work, settle, model, shape):
        viewer, panel = at_work(shape, "accepted")
        layer = viewer.layers["cells"]
        layer.data[...] = 255 - layer.data
        layer.refresh()
        click(viewer, panel, 30, 40)
        settle(panel)
        seen = layer.data[(0,) * (layer.ndim - 2)]
        np.testing.assert_array_equal(model.embedded[-1][0], seen)
        assert panel.annotation.session.mask[30, 40]
        plane = panel.annotation.session.draft.plane
        np.testing.assert_array_equal(panel.annotation.planes.of(plane).pixels, seen)

    def test_the_open_object_is_asked_again_without_a_click(self, at_work, settle, model, qtbot):
        viewer, panel = at_work(SHAPES["3D"], "click")
        layer = viewer.layers["cells"]
        asked, draft = len(model.asked), panel.annotation.session.draft
        layer.data[0, 0, 0] ^= 1  # a single pixel
        layer.refresh()
        qtbot.waitUntil(lambda: len(model.asked) > asked)
        settle(panel)
        np.testing.assert_array_equal(model.embedded[-1][0], layer.data[0])
        assert panel.annotation.session.draft == draft

    def test_an_answer_to_the_old_pixels_is_dropped(self, at_work, settle, model):
        viewer, panel = at_work(SHAPES["2D"], "nothing")
        gate, layer = hold(model), viewer.layers["cells"]
        click(viewer, panel, 30, 40)
        panel.controls.accept.click()
        layer.data[...] = 255 - layer.data
        layer.refresh()
        gate.set()
        settle(panel)
        np.testing.assert_array_equal(model.embedded[-1][0], layer.data)
        assert panel.annotation.target.data[30, 40] == 1

    def test_the_same_pixels_are_not_looked_at_again(self, at_work, settle, model, qtbot):
        viewer, panel = at_work(SHAPES["3D"], "click")
        for _ in range(3):
            viewer.layers["cells"].refresh()
            qtbot.wait(120)
            settle(panel)
        assert len(model.embedded) == 1
        assert len(model.asked) == 1

    def test_what_is_saved_belongs_to_the_new_pixels(self, at_work, settle, qtbot):
        viewer, panel = at_work(SHAPES["2D"], "click")
        layer = viewer.layers["cells"]
        layer.data[...] = 255 - layer.data
        layer.refresh()
        click(viewer, panel, 10, 20)
        settle(panel)
        qtbot.waitUntil(lambda: panel.annotation.identity.known is not None)
        click(viewer, panel, 12, 22)
        settle(panel)
        panel.controls.accept.click()
        expected = Fingerprint.of(layer.data.shape, layer.data).shape
        assert panel.annotation.saved_in.manifest.picture.shape == expected
        assert panel.annotation.saved_in.manifest == panel.annotation.identity.known


class TestOurLayers:
    @pytest.mark.parametrize("role", ["boxes", "preview"])  # napari refuses such points itself
    def test_one_of_other_axes_is_made_anew(self, at_work, settle, role):
        viewer, panel = at_work(SHAPES["3D"], "click")
        draft, layer = panel.annotation.session.draft, ours(viewer, role)
        layer.data = {
            "boxes": [rectangle(5, 5, 9, 9)],
            "preview": np.zeros((2, 2), np.uint8),
        }[role]
        settle(panel)
        assert panel.annotation.session.draft == draft
        assert ours(viewer, "points").ndim == ours(viewer, "boxes").ndim == 3
        click(viewer, panel, 32, 42)
        settle(panel)
        assert len(panel.annotation.session.draft.points) == 2
        assert ours(viewer, "preview").data.shape == (1, 40, 60)
        viewer.layers["cells"].scale = (2, 2, 2)
        np.testing.assert_allclose(ours(viewer, "points").scale, (2, 2, 2))

    def test_points_that_are_nowhere_are_left_out(self, at_work, settle):
        viewer, panel = at_work(SHAPES["3D"], "click")
        ours(viewer, "points").add((np.nan, 10, 20))
        settle(panel)
        assert panel.annotation.session.draft.points == ((30, 40),)
        assert "outside" in panel.controls.remark.text()

    def test_points_without_their_features(self, at_work, settle):
        viewer, panel = at_work(SHAPES["2D"], "click")
        with pytest.warns(RuntimeWarning, match="dropped"):
            ours(viewer, "points").features = {}
        settle(panel)
        assert "neither include nor exclude" in panel.controls.remark.text()
        panel.prompting.undo()
        assert panel.annotation.session.draft.points == ((30, 40),)


class TestLabels:
    @pytest.fixture
    def desk(self, at_work):
        return at_work(SHAPES["3D"], "accepted")

    @pytest.mark.parametrize(
        "change",
        [
            lambda data: data[0].copy(),
            lambda data: data[None].copy(),
            lambda data: np.zeros((5, 41, 60), data.dtype),
            lambda data: da.from_array(data),
            lambda data: np.broadcast_to(data, data.shape),
        ],
        ids=["fewer axes", "more axes", "size", "dask", "read-only"],
    )
    def test_labels_that_become_others_lose_no_object(self, desk, settle, change):
        viewer, panel = desk
        labels, session = panel.annotation.target, panel.annotation.session
        before = labels.data.copy()
        labels.data = change(before)
        assert "Your objects are kept" in panel.controls.remark.text()
        click(viewer, panel, 30, 40)
        settle(panel)
        panel.controls.accept.click()
        assert "⚠" in panel.controls.remark.text()
        for name in ("undo", "undo", "redo"):
            panel.prompting.actions[name]()
        assert list(session.objects) == [1]
        labels.data = np.zeros_like(before)
        np.testing.assert_array_equal(labels.data, before)

    def test_their_objects_go_to_a_new_layer(self, desk, settle):
        viewer, panel = desk
        labels, before = panel.annotation.target, panel.annotation.target.data.copy()
        labels.data = before[0]
        viewer.layers.remove(labels)
        click(viewer, panel, 30, 40)
        settle(panel)
        panel.controls.accept.click()
        assert panel.annotation.target is not labels
        np.testing.assert_array_equal(panel.annotation.target.data == 1, before == 1)
        assert panel.annotation.target.data[0, 30, 40] == 2

    def test_labels_of_another_picture_hold_nothing_below_the_mouse(self, desk, settle):
        viewer, panel = desk
        viewer.layers["cells"].data = picture(2, 5, 40, 60)
        settle(panel)
        panel.review.actions["pick"]()
        assert panel.controls.remark.text()
