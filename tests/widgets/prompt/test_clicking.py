"""Clicks in a real window: they always work, whatever layer is active and whatever its mode."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_sam.widgets.panel import Panel
from tests.widgets.conftest import ours, picture
from tests.widgets.hands import MIDDLE, SHIFT, Hands

pytestmark = pytest.mark.gui
KEY = Qt.Key
SHOW = "Show it"
OURS = "points", "boxes", "preview"
TURNED = {"scale": (0.3, 0.3), "translate": (40, -7), "rotate": 25}


class Desk(Hands):
    """A viewer with a panel, and hands to use it."""

    def __init__(self, viewer, host):
        super().__init__(viewer, Panel(viewer, host))
        self.host = host
        self.dock = viewer.window.add_dock_widget(self.panel, name="Click to segment")
        self.focus()
        self.wait(0.05)

    @property
    def layers(self):
        return self.viewer.layers

    @property
    def draft(self):
        return self.panel.annotation.session.draft

    @property
    def objects(self):
        return self.panel.annotation.session.objects

    @property
    def controls(self):
        return self.panel.controls

    @property
    def asked(self):
        """What is asked, and what can be answered."""
        query = self.panel.annotation.queries.current
        return None if query is None else [query.text, *(a.text for a in query.answers)]

    @property
    def lit(self):
        """The words on the tool that is lit."""
        c = self.controls
        buttons = (*c.tools.values(), c.shape.button)
        return [b.accessibleName() for b in buttons if b.isChecked()]

    def answer(self, text):
        query = self.controls.query
        self.push(next(button for button in query.buttons if button.text() == text))
        self.focus()

    def accept(self, *position):
        self.click(*position)
        self.press(KEY.Key_N)

    def clicked(self, *position, label=1):
        """Whether a click here is the last prompt of the open object."""
        return (
            bool(self.draft.points)
            and np.allclose(self.draft.points[-1], position, atol=1.5)
            and self.draft.labels[-1] == label
        )


@pytest.fixture
def desk(make_napari_viewer, host):
    def desk(data=None, **options):
        viewer = make_napari_viewer(show=True)
        viewer.add_image(picture(80, 120) if data is None else data, name="cells", **options)
        return Desk(viewer, host)

    return desk


class TestAlways:
    def test_while_the_layer_of_the_picture_is_selected(self, desk):
        d = desk()
        d.layers.selection.active = d.layers["cells"]
        d.click(20, 90)
        assert d.clicked(20, 90)
        assert d.layers.selection.active is d.layers["cells"]
        assert d.lit == ["+ Include"]

    def test_while_no_layer_is_selected(self, desk):
        d = desk()
        d.layers.selection.clear()
        d.click(20, 90)
        assert d.clicked(20, 90)

    def test_after_a_picture_was_opened_into_the_running_viewer(self, make_napari_viewer, host):
        d = Desk(make_napari_viewer(show=True), host)
        d.viewer.add_image(picture(80, 120), name="mine")
        d.settle()
        d.click(20, 90)
        assert d.clicked(20, 90)
        d.press(KEY.Key_N)
        assert d.panel.annotation.target.data[20, 90] == 1

    def test_after_one_of_our_layers_was_deleted(self, desk):
        d = desk()
        for number, role in enumerate(OURS, 1):
            d.layers.remove(ours(d.viewer, role))
            d.wait(0.05)
            d.click(20, 30 * number)
            assert d.clicked(20, 30 * number), role
            d.press(KEY.Key_N)
            assert d.panel.annotation.target.data[20, 30 * number] == number, role

    def test_after_one_of_our_layers_was_hidden(self, desk):
        d = desk()
        for role in OURS:
            layer = ours(d.viewer, role)
            d.layers.selection.active = layer
            layer.visible = False
            d.click(20, 90)
            assert d.clicked(20, 90), role
            d.drag((50, 20), (70, 60))
            assert d.draft.box is not None, role
            assert d.lit == ["+ Include"], role
            if role == "preview":
                assert d.asked == [
                    "Masks are not seen: the layer 'napari-sam preview' is hidden.",
                    SHOW,
                ]
                d.answer(SHOW)
                assert layer.visible
            assert d.asked is None, role
            d.press(KEY.Key_N, SHIFT)

    def test_after_one_of_our_layers_was_renamed(self, desk):
        d = desk()
        for number, role in enumerate(OURS, 1):
            ours(d.viewer, role).name = "mine now"
            d.click(20, 30 * number)
            assert d.clicked(20, 30 * number), role

    def test_after_the_panel_was_closed_and_opened_again(self, desk):
        d = desk()
        d.click(20, 90)
        drags, doubles = d.viewer.mouse_drag_callbacks, d.viewer.mouse_double_click_callbacks
        d.viewer.window.remove_dock_widget(d.dock)
        d.wait(0.05)
        assert [f.__name__ for f in (*drags, *doubles)] == ["drag_to_zoom", "double_click_to_zoom"]
        again = Desk(d.viewer, d.host)
        again.click(20, 90)
        assert again.clicked(20, 90)

    def test_after_the_panel_was_hidden_and_shown(self, desk):
        d = desk()
        d.dock.hide()
        d.wait(0.05)
        d.click(30, 30)
        assert d.draft.is_empty
        d.dock.show()
        d.focus()
        d.wait(0.05)
        d.click(20, 90)
        assert d.clicked(20, 90)

    def test_on_a_second_picture_before_anything_was_drawn(self, desk):
        d = desk()
        d.viewer.add_image(picture(60, 90), name="second")
        d.settle()
        d.click(20, 30)
        assert d.panel.annotation.picture.layer is d.layers["second"]
        assert d.clicked(20, 30)
        assert d.asked is None

    def test_on_a_second_picture_when_the_first_has_objects(self, desk):
        d = desk()
        d.accept(20, 90)
        labels = d.panel.annotation.target
        d.viewer.add_image(picture(80, 120), name="second")
        assert d.asked == ["Clicks go to 'cells', not to 'second'.", "Work on 'second'"]
        d.answer("Work on 'second'")
        d.settle()
        d.accept(60, 30)
        assert d.panel.annotation.picture.layer is d.layers["second"]
        assert d.panel.annotation.target.data[60, 30] == 1
        assert labels.data[20, 90] == 1
        assert labels.data[60, 30] == 0

    def test_on_a_second_picture_that_is_chosen(self, desk):
        d = desk()
        d.click(20, 90)
        d.viewer.add_image(picture(80, 120), name="second")
        d.controls.picture.choose(d.layers["second"])
        d.settle()
        d.click(60, 30)
        assert d.panel.annotation.picture.layer is d.layers["second"]
        assert d.clicked(60, 30)

    def test_while_the_mouse_slides(self, desk):
        d = desk()
        for column, by in ((30, (8, 0)), (60, (0, -8)), (90, (-5, 5))):
            d.slide(20, column, by=by)
            assert d.clicked(20, column), by
            assert d.draft.box is None, by

    def test_without_moving_the_view(self, desk):
        d = desk()
        d.layers.selection.active = d.layers["cells"]
        before = d.viewer.scene.camera.center, d.viewer.scene.camera.zoom
        d.slide(20, 90)
        d.right_click(20, 30)
        d.drag((50, 20), (70, 60))
        d.double_click(60, 40)
        d.drag((50, 20), (70, 60), modifier=Qt.KeyboardModifier.AltModifier)
        np.testing.assert_allclose(d.viewer.scene.camera.center, before[0])
        assert d.viewer.scene.camera.zoom == before[1]

    def test_not_in_the_3d_view_and_again_after_it(self, desk):
        d = desk(picture(3, 80, 120))
        d.viewer.dims.ndisplay = 3
        d.click(1, 20, 90)
        assert d.draft.is_empty
        d.viewer.dims.ndisplay = 2
        d.wait(0.05)
        d.click(1, 20, 90)
        assert d.clicked(20, 90)


class TestGestures:
    def test_right_click_and_alt_click_exclude(self, desk):
        d = desk()
        d.click(40, 60)
        d.right_click(40, 70)
        assert d.clicked(40, 70, label=0)
        d.alt_click(48, 60)
        assert d.clicked(48, 60, label=0)
        d.click(35, 60)
        assert d.clicked(35, 60)
        assert d.lit == ["+ Include"]
        colours = ours(d.viewer, "points").face_color
        assert len(np.unique(colours, axis=0)) == 2
        np.testing.assert_array_equal(colours[0], colours[3])

    def test_drag_is_a_box_with_any_tool(self, desk):
        d = desk()
        for key in (None, KEY.Key_Q, KEY.Key_G):
            if key is not None:
                d.press(key)
            d.drag((60, 100), (20, 40))
            np.testing.assert_allclose(d.draft.box, (20, 40, 60, 100), atol=1.5)
            assert not d.draft.points, key
            d.press(KEY.Key_U)
            assert d.draft.is_empty, key
            assert len(ours(d.viewer, "boxes").data) == 0, key

    @pytest.mark.parametrize("place", [{}, TURNED], ids=["plain", "turned"])
    def test_the_box_is_seen_while_it_is_dragged(self, desk, place):
        d = desk(**place)
        ends = (60, 100), (20, 40)
        d.begin_drag(*ends)
        outline = d.panel.annotation.pointing.dragged.outline
        assert outline.isVisible()
        expected = [d.at(*at) for at in ((60, 100), (60, 40), (20, 40), (20, 100))]
        expected = [(at.y(), at.x()) for at in expected]
        np.testing.assert_allclose(outline.corners, expected, atol=2)
        assert d.draft.is_empty
        d.end_drag(*ends)
        assert not outline.isVisible()
        np.testing.assert_allclose(d.draft.box, (20, 40, 60, 100), atol=1.5)

    def test_a_box_along_another_axis(self, desk):
        d = desk(picture(60, 80, 100))
        d.viewer.dims.order = (1, 0, 2)
        d.viewer.dims.set_point(1, 40)
        d.wait(0.05)
        camera = d.viewer.scene.camera
        camera.center, camera.zoom = (0, 30, 50), 4
        d.drag((10, 40, 20), (40, 40, 70))
        assert d.draft.plane == (None, 40, None)
        np.testing.assert_allclose(d.draft.box, (10, 20, 40, 70), atol=1.5)

    def test_a_click_in_box_mode_is_a_click(self, desk):
        d = desk()
        d.press(KEY.Key_G)
        d.click(40, 60)
        assert d.clicked(40, 60)
        assert d.lit == ["Box"]

    def test_space_and_the_middle_button_move_the_view(self, desk):
        d = desk()
        centre = np.array(d.viewer.scene.camera.center)
        start, end = d.at(40, 60), d.at(50, 80)
        d.hold(KEY.Key_Space)
        d.slide(40, 60, by=(end.x() - start.x(), end.y() - start.y()))
        d.let_go(KEY.Key_Space)
        moved = np.array(d.viewer.scene.camera.center)
        np.testing.assert_allclose(moved - centre, (0, -10, -20), atol=1)
        d.slide(40, 60, by=(start.x() - end.x(), start.y() - end.y()), button=MIDDLE)
        np.testing.assert_allclose(d.viewer.scene.camera.center, centre, atol=1)
        assert d.draft.is_empty
        d.click(40, 60)
        assert d.clicked(40, 60)

    def test_the_shapes_layer_draws_outlines_when_another_layer_was_selected(self, desk):
        d = desk()
        action = d.controls.shape.entries
        outline = next(tool for tool in action if tool.name == "OUTLINE")
        action[outline].trigger()
        d.layers.selection.active = d.layers["cells"]
        assert d.lit == ["Outline"]
        d.drag((20, 40), (20, 100), (60, 100), (60, 40), (22, 40))
        assert d.draft.mask is not None
        d.right_click(40, 70)
        assert d.clicked(40, 70, label=0)
        assert len(ours(d.viewer, "boxes").data) == 1


class TestOnPurpose:
    """A tool of napari's works, and the panel says so."""

    def test_the_select_arrow_of_our_points(self, desk):
        d = desk()
        d.click(20, 30)
        points = ours(d.viewer, "points")
        d.layers.selection.active = points
        points.mode = "select"
        assert d.lit == []
        assert d.asked == [
            "Clicks now move points of 'napari-sam points'.",
            "Click on objects again",
        ]
        d.drag((20, 30), (26, 36))
        np.testing.assert_allclose(d.draft.points, [(26, 36)], atol=1.5)
        d.press(KEY.Key_N)
        assert d.lit == ["+ Include"]
        assert d.asked is None
        d.click(60, 90)
        assert d.clicked(60, 90)

    def test_painting_goes_on_until_clicks_are_wanted_again(self, desk):
        d = desk()
        d.accept(20, 30)
        labels = d.panel.annotation.target
        d.layers.selection.active = labels
        labels.selected_label = 1
        labels.mode = "paint"
        assert d.asked == [f"Clicks now paint in '{labels.name}'.", "Click on objects again"]
        d.click(60, 90)
        assert d.draft.is_empty
        assert labels.data[60, 90] == 1
        d.answer("Click on objects again")
        assert d.lit == ["+ Include"]
        assert str(labels.mode) == "pan_zoom"
        d.click(70, 20)
        assert d.clicked(70, 20)
        assert labels.data[70, 20] == 0

    def test_selecting_a_layer_that_was_left_in_a_mode_does_not_take_clicks(self, desk):
        d = desk()
        d.accept(20, 30)
        labels = d.panel.annotation.target
        d.layers.selection.active = d.layers["cells"]
        labels.mode = "paint"
        d.layers.selection.active = labels
        assert d.lit == ["+ Include"]
        d.click(60, 90)
        assert d.clicked(60, 90)
        assert labels.data[60, 90] == 0

    def test_q_only_brings_the_tool_back(self, desk):
        d = desk()
        d.press(KEY.Key_Q)
        d.layers.selection.active = d.layers["cells"]
        d.layers["cells"].mode = "transform"
        assert d.lit == []
        d.press(KEY.Key_Q)
        assert d.lit == ["- Exclude"]
        assert str(d.layers["cells"].mode) == "pan_zoom"
        d.press(KEY.Key_Q)
        assert d.lit == ["+ Include"]

    def test_the_layer_whose_tool_was_picked_is_deleted(self, desk):
        d = desk()
        theirs = d.viewer.add_points(np.array([[5.0, 5.0]]))
        theirs.mode = "add"
        assert d.lit == []
        d.click(60, 90)
        assert len(theirs.data) == 2
        d.layers.remove(theirs)
        assert d.lit == ["+ Include"]
        d.click(60, 90)
        assert d.clicked(60, 90)


class TestObjects:
    def test_a_click_selects_and_asks(self, desk):
        d = desk()
        d.accept(20, 30)
        d.accept(60, 90)
        d.click(20, 30)
        assert d.draft.is_empty
        assert d.controls.objects.selected == [1]
        assert d.asked == ["Object 1", "Correct", "Cut", "Delete", "New object here"]
        d.click(60, 90)
        assert d.controls.objects.selected == [2]
        assert d.asked[0] == "Object 2"
        d.click(20, 110)
        assert d.asked is None
        assert d.clicked(20, 110)
        assert d.controls.objects.selected == []

    def test_the_answers(self, desk):
        d = desk()
        d.accept(20, 30)
        d.click(20, 30)
        d.answer("Correct")
        assert d.draft.object_id == 1
        assert d.asked is None
        d.press(KEY.Key_N, Qt.KeyboardModifier.ShiftModifier)
        d.click(20, 30)
        d.answer("New object here")
        assert d.draft.object_id is None
        assert d.clicked(20, 30)
        d.press(KEY.Key_N, Qt.KeyboardModifier.ShiftModifier)
        d.click(20, 30)
        d.answer("Delete")
        assert not d.objects
        d.press(KEY.Key_U)
        assert 1 in d.objects

    def test_a_locked_object_is_only_asked_about(self, desk):
        d = desk()
        d.accept(20, 30)
        d.click(20, 30)
        d.press(KEY.Key_X, Qt.KeyboardModifier.ShiftModifier)
        for touch in (d.click, d.right_click, d.double_click):
            touch(20, 30)
            assert d.asked == ["Object 1, locked", "Unlock", "New object here"]
            assert d.draft.is_empty
        d.answer("Unlock")
        assert d.asked == ["Object 1", "Correct", "Cut", "Delete", "New object here"]

    def test_a_double_click_opens(self, desk):
        d = desk()
        d.accept(20, 30)
        d.double_click(20, 30)
        assert d.draft.object_id == 1
        assert d.draft.shows_held
        assert d.asked is None
        assert d.controls.objects.selected == [1]

    @pytest.mark.parametrize("way", ["right_click", "alt_click"])
    def test_an_exclude_click_opens_and_excludes(self, desk, way):
        d = desk()
        d.accept(20, 30)
        getattr(d, way)(20, 34)
        assert d.draft.object_id == 1
        assert d.clicked(20, 34, label=0)

    def test_with_an_open_object_it_is_a_plain_click(self, desk):
        d = desk()
        d.accept(20, 30)
        d.click(60, 90)
        d.click(20, 30)
        assert d.draft.object_id is None
        assert d.clicked(20, 30)
        assert len(d.draft.points) == 2
