"""Keys can be changed: checked, saved, shown on the buttons, and used at once."""

from __future__ import annotations

import json

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QPushButton

import napari_sam.settings
from napari_sam.errors import InputError
from napari_sam.settings import load_settings
from napari_sam.widgets.common.keys import DEFAULTS, KEYS, NAMES, Keys, set_keyed_text
from napari_sam.widgets.common.keys_dialog import GROUPS, KeysDialog, taken_by_napari


@pytest.fixture(autouse=True)
def default_keys():
    KEYS.recall()
    yield
    KEYS.reset()


def test_every_key_has_a_name_and_is_unique():
    assert NAMES.keys() == DEFAULTS.keys()
    assert len(set(DEFAULTS.values())) == len(DEFAULTS)
    assert {action for group in GROUPS.values() for action in group} <= DEFAULTS.keys()


def test_a_changed_key_is_saved_and_recalled():
    KEYS.change("accept", "Y")
    assert KEYS["accept"] == "Y"
    assert load_settings().keys == {"accept": "Y"}
    KEYS.reset()
    assert KEYS["accept"] == DEFAULTS["accept"]
    assert load_settings().keys == {}


def test_the_default_key_given_again_is_no_own_key():
    KEYS.change("accept", "Y")
    KEYS.change("accept", "n")
    assert load_settings().keys == {}


@pytest.mark.parametrize("key", ["U", "u", "Shift+N"])
def test_a_key_of_another_action_is_refused_with_its_name(key):
    with pytest.raises(InputError, match="already"):
        KEYS.change("accept", key)
    assert KEYS["accept"] == "N"


@pytest.mark.parametrize("key", ["", "N, M", "Shift"])
def test_what_is_no_key_is_refused(key):
    with pytest.raises(InputError, match="cannot be a key"):
        KEYS.change("accept", key)


@pytest.mark.parametrize(
    "saved", [{"accept": "U"}, {"accept": ""}, {"nothing": "Y"}, {"accept": "Y", "reject": "Y"}]
)
def test_saved_keys_that_cannot_be_are_the_default_ones(saved):
    napari_sam.settings.settings_path().write_text(json.dumps({"keys": saved}))
    KEYS.recall()
    assert len({*KEYS.values()}) == len(KEYS)
    assert KEYS["reject"] == "Shift+N"


def test_buttons_and_shortcuts_follow_a_change(qtbot):
    window, done = QPushButton(), []
    qtbot.addWidget(window)
    button = QPushButton(window)
    set_keyed_text(button, "Accept", "accept")
    keys = Keys(window, {"accept": lambda: done.append(1)})
    keys.listen(True)
    KEYS.change("accept", "Y")
    assert button.text() == "Accept  [Y]"
    assert [one.key().toString() for one in keys.shortcuts] == ["Y"]
    keys.close()
    KEYS.change("accept", "Z")
    assert not keys.shortcuts


def test_the_window_of_keys_changes_them_and_tells_of_conflicts(qtbot):
    dialog = KeysDialog()
    qtbot.addWidget(dialog)
    dialog.show()
    field = dialog.fields["accept"]
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_U)
    qtbot.waitUntil(lambda: "Undo" in dialog.remark.text())
    assert field.keySequence().toString() == "N"
    QTest.keyClick(field, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: KEYS["accept"] == "A")
    assert "napari's key" in dialog.remark.text()
    dialog.defaults.click()
    assert field.keySequence().toString() == "N"


def test_no_default_key_is_napari_s():
    assert {key: taken_by_napari(key) for key in DEFAULTS.values()} == dict.fromkeys(
        DEFAULTS.values(), ""
    )
