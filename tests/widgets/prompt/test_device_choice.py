"""The choice of a device asks for the address of a cluster, once."""

from __future__ import annotations

import pytest
from qtpy.QtWidgets import QInputDialog

from napari_sam.settings import load_settings
from napari_sam.widgets.prompt.device_choice import ASK, DeviceChoice

ADDRESS = "tcp://10.0.0.5:8786"


@pytest.fixture
def choice(qtbot):
    choice = DeviceChoice()
    qtbot.addWidget(choice)
    choice.told = []
    choice.changed.connect(lambda: choice.told.append(choice.device))
    return choice


def texts(choice):
    return [choice.itemText(i) for i in range(choice.count())]


@pytest.mark.parametrize("typed", [ADDRESS, f" {ADDRESS.removeprefix('tcp://')} "])
def test_an_address_becomes_a_device_and_is_remembered(choice, monkeypatch, typed, qtbot):
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: (typed, True))
    choice.setCurrentText(ASK)
    assert choice.told == [ADDRESS]
    assert choice.currentText() == ADDRESS
    assert choice.local == "auto"
    assert load_settings().scheduler == ADDRESS
    again = DeviceChoice()
    qtbot.addWidget(again)
    assert texts(again) == ["auto", "cpu", ADDRESS, ASK]
    assert again.device == "auto"  # offered, not taken


def test_no_answer_changes_nothing(choice, monkeypatch):
    choice.setCurrentText("cpu")
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("", False))
    choice.setCurrentText(ASK)
    assert choice.told == ["cpu"]
    assert choice.currentText() == "cpu"


def test_an_address_of_the_environment_goes_first(monkeypatch, qtbot):
    monkeypatch.setenv("NAPARI_SAM_SCHEDULER", "tls://lab:8786")
    choice = DeviceChoice()
    qtbot.addWidget(choice)
    assert texts(choice) == ["auto", "cpu", "tls://lab:8786", ASK]


def test_devices_that_a_model_knows_are_added_once(choice):
    choice.offer(["cuda", "cpu", "cuda"])
    assert texts(choice) == ["auto", "cpu", "cuda", ASK]
    assert choice.told == []


def test_a_cluster_that_is_chosen_once_more_is_asked_again(choice, qtbot):
    again = []
    choice.chosen_again.connect(lambda: again.append(choice.device))
    choice.offer([ADDRESS])
    for text in ("cpu", "cpu", ADDRESS):
        pick(choice, text)
        assert again == []
    pick(choice, ADDRESS)
    assert again == [ADDRESS]
    assert choice.told == ["cpu", ADDRESS]


def pick(choice, text):
    """Open the list and choose, as a person does."""
    choice.showPopup()
    row = choice.findText(text)
    choice.hidePopup()
    choice.setCurrentIndex(row)
    choice.activated.emit(row)
