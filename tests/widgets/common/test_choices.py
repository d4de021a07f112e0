"""A table of options becomes widgets that are read, set and remembered as one."""

from __future__ import annotations

import json

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractSpinBox, QLabel, QSlider, QWidget

from napari_sam.settings import Settings, load_settings, save_settings
from napari_sam.widgets.common.choices import Choice, Choices
from napari_sam.widgets.common.forms import new_form

TABLE = (
    Choice("kind", "&Kind", "What is seen", entries={"a": "Ants", "b": "Bees"}, tips={"b": "Buzz"}),
    Choice("look", "&Look", "How near", 1, entries={0: "Far", 1: "Near"}),
    Choice("points", "&Points", "How many", 32, limits=(0, 256), unit=" points", lowest="All"),
    Choice("floor", "&Floor", "From where", 0.0, limits=(0, 0.99), lowest="As it is"),
    Choice("sure", "&Sure from", "From where on", 0.7, slider=True),
    Choice("edge", "Leave out the edge", "What is cut", True),
    Choice("words", "&Words", "What is said", ""),
)
DEFAULTS = {
    **{"kind": "a", "look": 1, "points": 32, "floor": 0.0, "sure": 0.7},
    **{"edge": True, "words": ""},
}


@pytest.fixture
def choices(qtbot):
    return Choices(TABLE, "auto")


@pytest.fixture
def form(qtbot, choices):
    """Return a window with all of them in a form."""
    frame = QWidget()
    qtbot.addWidget(frame)
    choices.add_to(new_form(frame))
    return frame


def test_the_table_says_which_widget_there_is(choices):
    assert choices.values == DEFAULTS
    assert type(choices["points"].value) is int
    assert choices["points"].native.text() == "32 points"
    assert choices["floor"].native.text() == "As it is"
    assert choices["floor"].native.singleStep() == 0.01
    kind = choices["kind"].native
    assert kind.itemText(1) == "Bees"
    assert kind.itemData(1, Qt.ItemDataRole.ToolTipRole) == "Buzz"
    assert choices["edge"].native.text() == "Leave out the edge"
    assert {choices[one.name].native.toolTip() for one in TABLE} == {one.tip for one in TABLE}


def test_a_hand_is_told_of_and_a_put_is_not(choices):
    told = []
    choices.changed.connect(told.append)
    choices.put({**DEFAULTS, "kind": "b", "points": 8, "sure": 0.25, "edge": False})
    assert told == []
    assert (choices["kind"].value, choices["points"].value, choices["sure"].value) == ("b", 8, 0.25)
    assert choices["sure"].native.findChild(QAbstractSpinBox).value() == 0.25
    choices["points"].native.stepUp()
    choices["edge"].native.click()
    choices["kind"].native.setCurrentIndex(0)
    QTest.keyClick(choices["sure"].native.findChild(QSlider), Qt.Key.Key_Right)
    assert told == ["points", "edge", "kind", "sure"]
    assert choices["points"].value == 9
    assert choices["sure"].value == 0.26


def test_what_a_widget_cannot_hold_is_left(choices):
    wrong = {"kind": "c", "points": "257", "floor": "deep", "sure": None, "edge": "yes", "new": 1}
    choices.put(wrong)
    assert choices.values == DEFAULTS


def test_a_number_beyond_its_limits_becomes_the_nearest(choices):
    choices.put({"points": 257, "floor": 1.5, "sure": -1})
    numbers = {"points": 256, "floor": 0.99, "sure": 0.0}
    assert choices.values == DEFAULTS | numbers


def test_they_are_remembered_with_the_settings(choices, qtbot, tmp_path):
    save_settings(Settings(embed_ahead=False))
    choices.put({"kind": "b", "sure": 0.4})
    choices.remember()
    assert load_settings() == Settings(embed_ahead=False, auto=choices.values)
    assert json.loads((tmp_path / "settings.json").read_text())["auto"]["points"] == 32
    later = Choices(TABLE, "auto")
    assert later.values == DEFAULTS
    later.recall()
    assert later.values == choices.values


def test_letters_and_names_lead_to_the_widgets(choices, form):
    labels = {label.text(): label.buddy() for label in form.findChildren(QLabel)}
    assert labels["&Points"] is choices["points"].native
    assert labels["&Points"].accessibleName() == "Points"
    slider = choices["sure"].native.findChild(QSlider)
    assert labels["&Sure from"] is slider
    assert slider.accessibleName() == "Sure from"
    assert slider.toolTip() == "From where on"
    assert set(labels) == {one.label for one in TABLE if one.name != "edge"}


def test_a_click_beside_the_handle_moves_it_a_tenth(choices, form, qtbot):
    form.show()
    QTest.keyClick(choices["sure"].native.findChild(QSlider), Qt.Key.Key_PageDown)
    assert choices["sure"].value == pytest.approx(0.6)


def test_some_are_let_be(choices):
    choices.enable(False, "kind", "edge")
    assert not choices["kind"].native.isEnabled()
    assert choices["points"].native.isEnabled()
    choices.enable(False)
    assert not choices["points"].native.isEnabled()
    choices.enable(True)
    assert choices["edge"].native.isEnabled()
