"""Long names of layers: without their middle in the list, and whole in its tooltip."""

from __future__ import annotations

import pytest
from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QPoint, QRect, Qt
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QApplication, QToolTip

from napari_sam.widgets.common.layer_choice import LayerChoice, Offer
from tests.widgets.conftest import picture

LONG = "2026-11-30 a long name of an experiment position 17 {}.tif"


@pytest.fixture
def shown(qtbot):
    """Return a function that shows the list with the layer of this name chosen, and grabs it."""

    def shown(name):
        viewer = ViewerModel()
        choice = LayerChoice(viewer, lambda layer: isinstance(layer, Image), "No picture")
        qtbot.addWidget(choice)
        choice.setToolTip("The picture to segment")
        choice.choose(viewer.add_image(picture(8, 8), name=name))
        choice.resize(160, 26)
        choice.show()
        return choice

    return shown


def test_the_ends_tell_two_long_names_apart(shown):
    images = [shown(LONG.format(end)).grab().toImage() for end in ("A", "B")]
    assert images[0] != images[1]


def test_a_short_name_is_whole(shown):
    wide, narrow = shown("cells"), shown("cells")
    wide.resize(300, 26)
    part = QRect(0, 0, 100, 26)
    assert wide.grab(part).toImage() == narrow.grab(part).toImage()


def test_the_tooltip_says_the_whole_name(shown):
    choice = shown(LONG.format("A"))
    place = QPoint(5, 5)
    QApplication.sendEvent(
        choice, QHelpEvent(QHelpEvent.Type.ToolTip, place, choice.mapToGlobal(place))
    )
    assert QToolTip.text() == f"{LONG.format('A')}\nThe picture to segment"


def test_keys_take_no_offer_while_the_list_is_closed(shown, qtbot):
    choice = shown("cells")
    taken = []
    choice.more = lambda: [Offer("New in the file", lambda: taken.append(True))]
    choice.showPopup()
    assert choice.itemText(choice.count() - 1) == "New in the file"
    choice.hidePopup()
    for _ in range(3):
        qtbot.keyClick(choice, Qt.Key.Key_Down)
    assert choice.layer.name == "cells"
    assert not taken
