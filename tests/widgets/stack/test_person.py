"""Somebody takes five objects through a movie in a real window, with mouse and keys, and saves."""

from __future__ import annotations

import pytest
import tifffile
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_sam.session.objects import Status
from napari_sam.widgets.panel import Panel
from tests.inference.moving import draw
from tests.widgets.counting import Counting
from tests.widgets.hands import SHIFT
from tests.widgets.stack.test_tab import START

pytestmark = pytest.mark.gui

JUMP = 7  # the frame to which the fifth jumps, further than its width
DISCS = {
    1: lambda z: (12, 14, 6),
    2: lambda z: (12, 40, 5),
    3: lambda z: (12, 64, 5),
    4: lambda z: (40, 14 + z, 6),
    5: lambda z: (40, 64, 5) if z < JUMP else (60, 64, 5),
}


class Person(Counting):
    """Waits until objects are followed."""

    def followed(self):
        self.wait_until(lambda: not self.panel.stack.work.busy)
        self.wait(0.3)


@pytest.fixture
def begin(make_napari_viewer, host):
    """Return a function that opens the movie: pytest would hold a person itself for too long."""

    def begin():
        viewer = make_napari_viewer(show=True)
        viewer.add_image(draw(DISCS, shape=(80, 80)), name="movie", axis_labels=("t", "y", "x"))
        panel = Panel(viewer, host)
        viewer.window.add_dock_widget(panel, name="Click to segment")
        person = Person(viewer, panel)
        panel.precompute.switch(False)
        viewer.dims.set_point(0, START)
        person.focus()
        viewer.reset_view()
        person.settle()
        return person

    return begin


def test_five_objects_through_a_movie_reviewed_and_saved(begin, tmp_path):
    person = begin()
    c, session = person.panel.stack.controls, person.panel.annotation.session
    for disc in DISCS.values():
        person.click(START, *disc(START)[:2])
        person.press(Qt.Key.Key_N)
    person.turn_to("Stack")
    person.push(c.start)
    person.followed()
    assert c.review.text() == "Review 1"
    person.push(c.review)
    assert person.panel.annotation.seen == (JUMP, None, None)
    person.push(c.buttons["open"])
    person.click(JUMP, *DISCS[5](JUMP)[:2])
    person.press(Qt.Key.Key_N)
    person.press(Qt.Key.Key_T, SHIFT)
    person.followed()
    person.turn_to("Stack")
    assert not c.review.isEnabled()
    person.push(c.accept_certain)
    path = tmp_path / "labels.tif"
    person.panel.saver.save(person.panel.annotation, person.panel.annotation.target, path)
    person.wait_until(lambda: not person.panel.saver.busy)
    saved = tifffile.imread(path)
    for number, disc in DISCS.items():
        assert all(saved[z][disc(z)[:2]] == number for z in range(10))
    assert all(held.status is Status.ACCEPTED for held in session.objects.values())
    assert (person.clicks, person.keys) == (12, 7)


def test_clicks_on_bars_and_keys_lead_through_the_movie(begin):
    person = begin()
    c = person.panel.stack.controls
    for disc in (DISCS[1], DISCS[2]):
        person.click(START, *disc(START)[:2])
        person.press(Qt.Key.Key_N)
    person.turn_to("Stack")
    person.push(c.start)
    person.followed()
    index = c.list.slices.index(1)
    bar = c.list.delegate.bar(c.list.visualRect(index))
    place = bar.center()
    place.setX(bar.left() + round(2.5 * bar.width() / 10))
    QTest.mouseClick(c.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    person.settle()
    assert person.panel.annotation.seen == (2, None, None)
    assert person.panel.controls.objects.selected == [2]
    person.push(c.buttons["accept_object"])
    assert person.panel.annotation.session.objects[2].status is Status.ACCEPTED
