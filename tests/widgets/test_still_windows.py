"""Real windows: nothing moves under the mouse, and nothing is cut in a small one."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QScrollArea,
    QToolButton,
    QWidget,
)

from napari_sam.progress import Progress
from napari_sam.serving.precompute import Precomputed
from napari_sam.widgets.annotation.queries import Answer, Query
from napari_sam.widgets.common.questions import QueryRow
from napari_sam.widgets.layers.prompt_layers import Tool
from napari_sam.widgets.panel import Panel
from tests.widgets.conftest import picture
from tests.widgets.hands import Hands

pytestmark = pytest.mark.gui

TITLES = ("Prompt", "Stack", "Auto", "Text", "Refine", "Train")
LONG = "Something is said at length, as of a file with a long name in a deep folder. " * 3
SMALL = 330, 600
DOZEN = 12
KINDS = QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit, QAbstractItemView
WINDOW = 1200, 850


class Desk(Hands):
    """A viewer with a floating panel of the smallest size."""

    def __init__(self, viewer, host):
        super().__init__(viewer, Panel(viewer, host))
        self.dock = viewer.window.add_dock_widget(self.panel, name="Click to segment")
        self.window.resize(*WINDOW)  # napari's own docks need as much
        self.panel.precompute.switch(False)
        self.wait(0.05)

    def first_screen(self):
        """The controls of the tab in front that are in sight, greyed ones too.

        What is asked comes and goes; the three candidates with their button are one choice, and
        the list with what belongs to it is one.
        """
        area, c, s = self.panel.tabs.currentWidget(), self.panel.controls, self.panel.stack.controls
        masks = *c.thumbnails.findChildren(QAbstractButton), c.cycle
        groups = [masks, c.objects.findChildren(QWidget), [s.list, *s.buttons.values()]]
        found = [
            one
            for kind in KINDS
            for one in area.findChildren(kind)
            if one.isVisible()
            and one.mapTo(area, QPoint(0, 0)).y() < area.height()
            and not isinstance(one.parent(), KINDS)
            and not any(asked.isAncestorOf(one) for asked in area.findChildren(QueryRow))
        ]
        alone = [one for one in found if not any(one in group for group in groups)]
        return alone + [group for group in groups if any(one in group for one in found)]

    def places(self):
        """Where each control of the tab Prompt that one sees is, by what it is called."""
        controls = self.panel.controls
        row = *controls.tools.values(), controls.shape, controls.accept, controls.reject
        row += controls.undo, controls.redo, controls.cycle, controls.thumbnails, controls.area
        row += controls.picture, controls.more, controls.objects.heading
        row += self.panel.footer.save, self.panel.footer.measure
        corner = QPoint(0, 0)
        return {
            one.accessibleName() or one.metaObject().className() + str(at): (
                one.mapTo(self.panel, corner).x(),
                one.mapTo(self.panel, corner).y(),
                one.width(),
                one.height(),
            )
            for at, one in enumerate(row)
            if one.isVisible()
        }


@pytest.fixture
def desk(make_napari_viewer, host):
    return lambda: Desk(make_napari_viewer(show=True), host)


def test_nothing_moves_whatever_is_said_or_asked(desk):
    d = desk()
    panel, c = d.panel, d.panel.controls
    d.wait(0.1)
    still = d.places()

    def look(state):
        d.wait(0.05)
        places = d.places()
        assert not still.keys() - places.keys(), state
        moved = {
            name: (place, places[name]) for name, place in still.items() if place != places[name]
        }
        assert not moved, state

    d.viewer.add_image(picture(4, 80, 120), name="cells")
    d.settle()
    panel.precompute.switch(False)
    d.focus()
    look("a picture")
    still |= d.places()  # the list of objects is where the samples were
    heading = c.objects.heading.accessibleName()
    assert heading in still
    d.push(c.tools[Tool.INCLUDE])
    d.click(0, 20, 90)
    look("a click, and its candidates")
    panel.prompting.remark("Short.")
    look("a short message")
    panel.prompting.remark(LONG)
    look("a long message")
    answers = tuple(Answer(f"An answer of some length, {n}", lambda: None) for n in range(3))
    panel.annotation.queries.ask(Query("test", LONG, answers))
    look("a question")
    panel.annotation.queries.withdraw("test")
    c.go_on.ask(LONG)
    look("an offer")
    c.go_on.ask("")
    c.precompute.show_progress(Progress(1, 4, Precomputed(0, False, ""), 100.0))
    look("slices are embedded")
    c.precompute.show_end("there is no room")
    look("no more slices")
    c.precompute.show_end("")
    c.area.show_work("Downloading weights with a long name: 12 of 358 MB…")
    look("a download")
    c.area.show_work("")
    c.more.click()
    look("the options")
    c.more.click()
    d.press(Qt.Key.Key_Q)
    look("exclude")
    d.press(Qt.Key.Key_N)
    look("accepted")
    assert panel.annotation.session.objects, c.remark.text()
    c.choices["rule"].value = "ask"
    d.click(0, 20, 92)
    d.press(Qt.Key.Key_N)
    assert c.query.isVisible()
    look("whose pixels")
    d.push(c.query.buttons[0])
    look("an answer")
    d.press(Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    d.viewer.dims.ndisplay = 3
    look("3D")
    d.viewer.layers.remove("cells")
    del still[heading]
    look("no picture")


def test_the_options_close_by_their_button_and_by_a_click_on_the_picture(desk):
    d = desk()
    d.viewer.add_image(picture(80, 120))
    d.settle()
    d.focus()
    d.push(d.panel.controls.more)
    d.wait_until(lambda: not d.canvas.hasFocus())
    d.push(d.panel.controls.more)
    d.wait_until(d.panel.controls.more.hasFocus)
    assert not d.panel.controls.options.isVisible()
    d.push(d.panel.controls.more)
    d.click(60, 20)
    d.canvas.setFocus()  # as the window system does at a click
    d.wait_until(lambda: not d.panel.controls.more.isChecked())
    assert not d.panel.controls.options.isVisible()


def test_the_smallest_panel_cuts_nothing(desk):
    d = desk()
    d.viewer.add_image(
        picture(4, 80, 120), name="a picture with quite a long name of its file.ome.tif"
    )
    d.settle()
    d.focus()
    d.push(d.panel.controls.tools[Tool.INCLUDE])
    d.click(0, 20, 90)
    d.press(Qt.Key.Key_N)
    d.panel.review.refresh()
    d.dock.setFloating(True)
    d.panel.setFixedSize(*SMALL)
    d.wait(0.2)
    assert (d.panel.width(), d.panel.height()) == SMALL
    for title in TITLES:
        d.turn_to(title)
        d.wait(0.05)
        area = d.panel.tabs.currentWidget()
        if isinstance(area, QScrollArea):
            assert area.horizontalScrollBar().maximum() == 0, title
        for kind in (QAbstractButton, QComboBox):
            for one in area.findChildren(kind):
                if one.isVisible() and not isinstance(one.parent(), QComboBox):
                    right = one.mapTo(area, QPoint(one.width(), 0)).x()
                    assert right <= area.width(), (title, one.accessibleName())
                if kind is QAbstractButton and one.isVisible() and one.text():
                    assert one.width() >= one.minimumSizeHint().width(), (title, one.text())
        assert 1 <= len(d.first_screen()) <= DOZEN, title
    d.turn_to("Stack")
    options = d.panel.stack.controls.options
    drawer = d.panel.stack.controls.findChild(QToolButton)
    d.push(drawer)
    d.wait(0.1)
    area = options.parentWidget()
    for one in options.findChildren(QWidget):
        if one.isVisible() and one.parent() is options:
            end = one.mapTo(area, QPoint(one.width(), one.height()))
            assert end.x() <= area.width(), one.accessibleName()
            assert end.y() <= area.height(), one.accessibleName()
    d.push(drawer)
    d.turn_to("Prompt")
    assert d.panel.tabs.currentWidget().verticalScrollBar().maximum() == 0
    assert d.panel.controls.objects.table.horizontalScrollBar().maximum() == 0
    table = d.panel.controls.objects.table
    assert table.height() >= 3 * table.rowHeight(0)


def test_the_smallest_panel_without_a_picture_cuts_nothing(desk):
    d = desk()
    d.dock.setFloating(True)
    d.panel.setFixedSize(*SMALL)
    d.wait(0.2)
    area = d.panel.tabs.currentWidget()
    assert area.horizontalScrollBar().maximum() == 0
    assert area.verticalScrollBar().maximum() == 0
    assert d.panel.controls.welcome.isVisible()
    for button in d.panel.controls.welcome.buttons.values():
        assert button.mapTo(area, QPoint(button.width(), 0)).x() <= area.width()


@pytest.mark.parametrize("size", [SMALL, (350, 640)])
def test_an_empty_panel_shows_all_of_its_offers_without_a_scroll_bar(desk, size):
    d = desk()
    d.dock.setFloating(True)
    d.dock.resize(*size)
    d.wait(0.3)
    bar = d.panel._prompt_tab.verticalScrollBar()
    d.wait_until(lambda: bar.maximum() == 0)
    welcome = d.panel.controls.welcome
    for button in welcome.buttons.values():
        corner = button.mapTo(d.panel, button.rect().bottomRight())
        assert button.isVisible()
        assert corner.y() < d.panel.footer.y()
        assert corner.x() < d.panel.width()
    before = d.places()
    welcome.buttons["nuclei"].click()
    d.wait_until(lambda: d.panel.annotation is not None)
    d.settle()
    after = d.places()
    # A floating dock rounds its own width anew, and so grows by a pixel.
    assert all(np.abs(np.subtract(after[name], before[name])).max() <= 1 for name in before)
