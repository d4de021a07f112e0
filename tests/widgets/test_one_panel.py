"""One panel a viewer: a second by hand says that there is one, and brings it to the front."""

from __future__ import annotations

import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

from napari_sam.errors import DISTRIBUTION, InputError
from napari_sam.widgets.panel import Panel
from tests.widgets.conftest import close_at_end, ours, picture
from tests.widgets.hands import Hands


class TestWithoutAWindow:
    def test_a_second_is_refused_and_the_first_goes_on(self, viewer, panel, host, settle):
        ours(viewer, "points").add((10, 20))
        settle(panel)
        layers = list(viewer.layers)
        with pytest.raises(InputError, match=r"already.*close that one before"):
            Panel(viewer, host)
        assert list(viewer.layers) == layers
        panel.controls.accept.click()
        assert panel.annotation.target.data[10, 20] == 1

    def test_another_viewer_has_its_own(self, panel, host, open_panel):
        other = open_panel(ViewerModel())
        assert other is not panel

    def test_when_the_first_is_closed_there_may_be_another(self, viewer, panel, host, qtbot):
        panel.close_panel()
        second = Panel(viewer, host)  # the first is not deleted yet
        close_at_end(qtbot, second)
        assert second.annotation.picture.layer is viewer.layers["cells"]

    def test_one_that_could_not_be_made_is_not_in_the_way(self, viewer, host, qtbot, monkeypatch):
        with monkeypatch.context() as broken:
            broken.setattr("napari_sam.widgets.panel.StackTab", None)
            with pytest.raises(TypeError) as error:  # whose traceback still knows the panel
                Panel(viewer, host)
        second = Panel(viewer, host)
        close_at_end(qtbot, second)
        assert error.value.__traceback__ is not None
        assert second.annotation.picture.layer is viewer.layers["cells"]


@pytest.mark.gui
class TestInAWindow:
    @pytest.fixture
    def window(self, make_napari_viewer):
        viewer = make_napari_viewer(show=True)
        viewer.add_image(picture(80, 120), name="cells")
        return viewer

    @pytest.fixture
    def refused(self, window, host):
        def refused():
            with pytest.raises(InputError, match="in front now"):
                Panel(window, host)

        return refused

    @pytest.fixture
    def menu(self, window, host, monkeypatch):
        monkeypatch.setattr("napari_sam.widgets.panel.ModelHost", lambda: host)
        return lambda: window.window.add_plugin_dock_widget(DISTRIBUTION, "Click to segment")

    def test_keys_and_work_stay_with_the_first(self, window, menu, refused):
        _, panel = menu()
        hands = Hands(window, panel)
        hands.focus()
        hands.click(20, 90)
        refused()
        hands.focus()
        hands.press(Qt.Key.Key_N)
        assert panel.annotation.target.data[20, 90] == 1

    def test_a_first_that_is_hidden_is_shown(self, window, menu, refused):
        dock, panel = menu()
        dock.hide()
        refused()
        assert panel.isVisible()

    def test_a_first_behind_another_tab_comes_to_the_front(self, window, menu, refused):
        _, panel = menu()
        hands = Hands(window, panel)
        window.window.add_dock_widget(QWidget(), name="other", tabify=True)
        hands.wait_until(lambda: panel.visibleRegion().isEmpty())
        refused()
        hands.wait_until(lambda: not panel.visibleRegion().isEmpty())

    def test_one_that_was_never_shown_gets_a_dock(self, window, host, menu, refused):
        panel = Panel(window, host)
        hands = Hands(window, panel)
        refused()
        assert panel.isVisible()
        dock, same = menu()  # which finds it there
        assert same is panel
        hands.focus()
        hands.click(20, 90)
        hands.press(Qt.Key.Key_N)
        assert panel.annotation.target.data[20, 90] == 1
        window.window.remove_dock_widget(dock)
        assert panel.annotation is None

    def test_the_menu_after_one_by_hand(self, window, host, menu):
        panel = Panel(window, host)
        window.window.add_dock_widget(panel, name="by hand")
        with pytest.raises(InputError, match="in front now"):
            menu()
        assert [one for one in window.window.dock_widgets.values() if isinstance(one, Panel)] == [
            panel
        ]
