"""The mask below the resting mouse, in a real window."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QLabel

from napari_sam.settings import Settings, load_settings, save_settings
from napari_sam.widgets.jobs import trials
from napari_sam.widgets.layers.outlines import edges
from napari_sam.widgets.panel import Panel
from napari_sam.widgets.prompt import hover
from tests.widgets.conftest import hold, open_tab, ours, picture
from tests.widgets.hands import Hands

pytestmark = pytest.mark.gui
PLACE = 40, 60
OUTLINED = 2  # in the layer of the preview, where a mask has 1
BEGIN = trials.Trials.begin


class Desk(Hands):
    """A viewer with a panel, and a mouse that rests."""

    def __init__(self, viewer, host):
        super().__init__(viewer, Panel(viewer, host))
        viewer.window.add_dock_widget(self.panel, name="Click to segment")
        self.focus()
        self.settle()

    @property
    def hover(self):
        return self.panel.hover

    @property
    def outline(self):
        return ours(self.viewer, "preview").data == OUTLINED

    def covered(self, shape=(80, 120)):
        """Which pixels of the picture the outline is drawn on."""
        layer, image = ours(self.viewer, "preview"), self.panel.annotation.picture.layer
        world = [layer.data_to_world(at) for at in np.argwhere(self.outline)]
        at = np.array([image.world_to_data(one) for one in world]).round().astype(int)
        covered = np.zeros(shape, bool)
        covered[tuple(at.T)] = True
        return covered

    @property
    def tag(self):
        return next(one for one in self.canvas.findChildren(QLabel) if "quality" in one.text())

    def look_at(self, *position):
        """Go so near that the mouse can be on one pixel."""
        camera = self.viewer.scene.camera
        camera.zoom, camera.center = 2, position

    def rest(self, *position):
        self.point_at(*position)
        self.wait_until(lambda: self.hover.shown is not None and not self.hover.busy)

    def rest_in_vain(self, *position):
        self.point_at(*position)
        self.wait(3 * hover.REST_MS / 1000)
        self.wait_until(lambda: not self.hover.busy)
        self.wait(0.05)
        assert self.hover.shown is None
        assert not self.outline.any()


@pytest.fixture
def desk(make_napari_viewer, host):
    def desk(data=None, hover=True):
        save_settings(Settings(hover=hover, embed_ahead=False))
        viewer = make_napari_viewer(show=True)
        viewer.add_image(picture(80, 120) if data is None else data)
        return Desk(viewer, host)

    return desk


def disc(radius, shape=(80, 120)):
    rows, columns = np.indices(shape)
    return (rows - PLACE[0]) ** 2 + (columns - PLACE[1]) ** 2 <= radius**2


def test_the_mask_below_the_resting_mouse_shows_with_its_quality(desk, model):
    d = desk()
    active, layers = d.viewer.layers.selection.active, list(d.viewer.layers)
    d.rest(*PLACE)
    assert np.array_equal(d.covered(), edges(disc(model.radius)))
    assert "quality 0.90" in d.tag.text()
    assert d.tag.isVisible()
    assert d.viewer.layers.selection.active is active
    assert list(d.viewer.layers) == layers  # to add one takes longer than a click may wait
    assert len(ours(d.viewer, "points").data) == 0
    assert d.panel.annotation.session.draft.is_empty
    assert not d.panel.annotation.session.can_undo


def test_it_goes_with_the_mouse(desk, model):
    d = desk()
    d.rest(*PLACE)
    d.point_at(*np.add(PLACE, (0, 4 * model.radius)))
    assert d.hover.shown is None or not d.hover.shown[PLACE]
    d.point_at(-6, 60)
    d.wait(0.3)
    assert d.hover.shown is None
    assert not d.tag.isVisible()


def test_a_click_takes_the_size_that_is_shown(desk, model):
    d = desk()
    d.rest(*PLACE)
    d.press(Qt.Key.Key_W)
    assert "quality 0.70" in d.tag.text()
    assert "size 2 of 3" in d.tag.text()
    assert np.array_equal(d.covered(), edges(disc(2 * model.radius)))
    d.click(*PLACE)
    assert d.panel.annotation.session.choice == 1
    wide = disc(2 * model.radius)  # the mouse may be a part of a pixel beside the place
    assert np.count_nonzero((ours(d.viewer, "preview").data == 1) ^ wide) < 0.2 * wide.sum()
    assert d.hover.shown is None
    assert not d.outline.any()
    d.press(Qt.Key.Key_W)  # what is drawn goes on from there
    assert d.panel.annotation.session.choice == 2


def test_a_click_on_the_first_size_is_one_step(desk):
    d = desk()
    d.rest(*PLACE)
    d.click(*PLACE)
    assert d.panel.annotation.session.choice == 0
    d.press(Qt.Key.Key_U)
    assert not d.panel.annotation.session.can_undo


def test_accepted_before_the_answer_is_there_it_is_the_size_that_was_shown(desk, model):
    d = desk()
    d.rest(*PLACE)
    d.press(Qt.Key.Key_W)
    gate = hold(model)
    d.viewer.layers.selection.active = ours(d.viewer, "points")
    d.move(d.at(*PLACE))
    ours(d.viewer, "points").add(PLACE)
    d.panel.controls.accept.click()
    gate.set()
    d.wait_until(lambda: d.panel.annotation.target is not None)
    d.settle()
    assert np.array_equal(d.panel.annotation.target.data == 1, disc(2 * model.radius))


def wheel(d, modifier):
    place, none = QPointF(d.at(*PLACE)), Qt.MouseButton.NoButton
    event = QWheelEvent(
        place,
        QPointF(d.canvas.mapToGlobal(place)),
        QPoint(0, 0),
        QPoint(0, 120),
        none,
        modifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(d.canvas, event)


def test_ctrl_and_wheel_show_the_other_sizes(desk):
    d = desk()
    d.rest(*PLACE)
    zoom = d.viewer.scene.camera.zoom
    wheel(d, Qt.KeyboardModifier.ControlModifier)
    assert "size 2 of 3" in d.tag.text()
    assert d.viewer.scene.camera.zoom == zoom


def test_in_a_stack_ctrl_and_wheel_go_on_moving_the_slider(desk):
    d = desk(picture(5, 80, 120))
    d.viewer.dims.set_point(0, 2)
    d.wait_until(lambda: d.panel.annotation.planes.of((2, None, None)).pixels.size > 1)
    d.settle()
    d.rest(2, *PLACE)
    wheel(d, Qt.KeyboardModifier.ControlModifier)
    assert d.viewer.dims.current_step[0] != 2
    assert d.hover.shown is None


def test_nothing_shows_while_an_object_is_open_nor_over_one(desk):
    d = desk()
    d.click(*PLACE)
    d.rest_in_vain(20, 30)
    d.press(Qt.Key.Key_N)
    d.rest_in_vain(*PLACE)
    d.rest(20, 30)


def test_nothing_shows_where_the_edge_of_the_mask_may_be_anywhere(desk, model):
    d = desk()
    predict = model.predict

    def vaguely(embedding, prompts, pause=None):
        answer = predict(embedding, prompts)
        return type(answer)(answer.masks, answer.scores, answer.logits / 20)

    model.predict = vaguely
    d.rest_in_vain(*PLACE)
    model.predict = predict
    d.rest(20, 30)


def test_nothing_shows_with_another_tool_or_tab_or_in_3d(desk):
    d = desk()
    d.press(Qt.Key.Key_Q)
    d.rest_in_vain(*PLACE)
    d.press(Qt.Key.Key_Q)
    open_tab(d.panel, "Auto")
    d.rest_in_vain(20, 30)
    open_tab(d.panel, "Prompt")
    d.rest(*PLACE)


def test_switched_off_nothing_is_asked_and_that_is_remembered(desk, model):
    d = desk()
    d.rest(*PLACE)
    d.panel.controls.choices["hover"].value = False
    assert d.hover.shown is None
    asked = len(model.asked)
    d.rest_in_vain(20, 30)
    assert len(model.asked) == asked
    assert load_settings().hover is False


@pytest.fixture
def timed(monkeypatch):
    """Time the decoder, and return a function that says below which time this is on."""
    monkeypatch.setattr(trials.Trials, "begin", BEGIN)
    return lambda seconds: monkeypatch.setattr(hover, "QUICK_S", seconds)


def test_where_the_decoder_is_quick_it_is_on_before_any_click(desk, model, timed):
    timed(10.0)
    d = desk(hover=None)
    d.wait_until(lambda: d.panel.controls.choices["hover"].value)
    assert len(model.asked) == trials.CALLS
    d.rest(*PLACE)
    assert np.array_equal(d.covered(), edges(disc(model.radius)))
    assert d.panel.annotation.session.draft.is_empty
    assert load_settings().hover is None


def test_where_the_decoder_is_slow_it_is_off_and_asked_no_more(desk, model, timed):
    timed(0.0)
    d = desk(hover=None)
    d.wait_until(lambda: len(model.asked) == trials.CALLS and not d.hover.busy)
    d.rest_in_vain(*PLACE)
    assert d.panel.controls.choices["hover"].value is False
    d.click(*PLACE)
    d.settle()
    assert len(model.asked) == trials.CALLS + 1
    assert load_settings().hover is None


def test_each_picture_is_timed_on_its_own(desk, model, timed):
    timed(0.0)
    d = desk(hover=None)
    d.wait_until(lambda: len(model.asked) == trials.CALLS and not d.hover.busy)
    timed(10.0)
    d.panel.controls.picture.choose(d.viewer.add_image(picture(80, 120), name="another"))
    d.wait_until(lambda: d.panel.controls.choices["hover"].value)


@pytest.mark.parametrize("chosen", [True, False])
def test_what_somebody_has_chosen_is_not_timed(desk, model, timed, chosen):
    timed(0.0 if chosen else 10.0)
    d = desk(hover=chosen)
    d.wait(0.3)
    assert d.panel.controls.choices["hover"].value is chosen
    assert not model.asked


def test_what_the_model_does_not_believe_in_is_not_shown(desk, monkeypatch):
    d = desk()
    monkeypatch.setattr(hover, "LOWEST", 0.95)
    d.rest_in_vain(*PLACE)
    monkeypatch.setattr(hover, "LOWEST", 0.9)
    d.rest(*PLACE)


def test_what_is_shown_goes_where_the_mouse_comes_to_an_object_in_it(desk, model):
    d = desk()
    d.click(*PLACE)
    d.press(Qt.Key.Key_N)
    beside = PLACE[0], PLACE[1] + model.radius + 2  # its mask covers a part of the object
    d.rest(*(int(at) for at in beside))
    assert d.hover.shown[PLACE[0], PLACE[1] + int(model.radius) - 1]
    d.point_at(PLACE[0], PLACE[1] + int(model.radius) - 1)
    assert d.hover.shown is None


def test_a_slice_that_is_not_embedded_shows_nothing(desk, model):
    d = desk()
    d.rest(*PLACE)
    d.panel.annotation.planes.forget()
    asked = len(model.asked)
    d.rest_in_vain(20, 100)
    assert len(model.asked) == asked


def test_of_many_rests_the_newest_is_answered(desk, model):
    d = desk()
    d.rest(20, 30)
    asked = len(model.asked)
    gate = hold(model)
    for column in (50, 70, 90):
        d.point_at(60, column)
        d.wait(0.2)
    gate.set()
    d.wait_until(lambda: d.hover.shown is not None and d.hover.shown[60, 90])
    assert len(model.asked) == asked + 2  # the one under way, and the newest


def test_on_a_large_slice_the_outline_is_a_small_layer_in_the_right_place(desk, model):
    d = desk(picture(2400, 3000))
    model.radius = 20
    for place in (1200, 1500), (1230, 1600), (2380, 2985), (30, 20):
        d.look_at(*place)
        d.rest(*place)
        assert max(d.outline.shape) == 512
        there = d.hover.shown
        assert there[place]
        assert np.array_equal(d.covered(there.shape), edges(np.pad(there, 1))[1:-1, 1:-1])
    assert np.array_equal(d.viewer.layers.extent.world[1], (2399, 2999))


def test_a_mask_larger_than_that_is_outlined_coarsely(desk, model):
    d = desk(picture(2400, 3000))
    model.radius = 700
    d.look_at(1200, 1500)
    d.rest(1200, 1500)
    layer = ours(d.viewer, "preview")
    assert layer.data.shape == (800, 1000)
    rows, columns = (layer.data_to_world(at) for at in ((400, 0), (0, 500)))
    assert (rows[0], columns[1]) == (1201, 1501)  # the middle of three rows, and columns
    ends = np.flatnonzero(layer.data[400])
    assert np.allclose(3 * ends[[0, -1]] + 1, (800, 2200), atol=6)


def test_the_outline_goes_with_a_picture_that_is_moved_and_turned(desk, model):
    d = desk()
    d.rest(*PLACE)
    image = d.panel.annotation.picture.layer
    image.scale, image.rotate, image.translate = (0.5, 0.5), 30, (7, -3)
    layer = ours(d.viewer, "preview")
    assert np.allclose(layer.data_to_world((10, 20)), image.data_to_world((10, 20)))
