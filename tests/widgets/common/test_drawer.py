"""Options that open over a column."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QComboBox, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_sam.widgets.common.drawer import Drawer


class Column(QWidget):
    """A column with a drawer, and a button below it."""

    def __init__(self):
        super().__init__()
        self.content, self.field, self.box = QWidget(), QLineEdit(), QComboBox()
        inside = QVBoxLayout(self.content)
        inside.addWidget(self.field)
        inside.addWidget(self.box)
        self.drawer = Drawer("Options", self.content, self)
        self.below = QPushButton("Below")
        layout = QVBoxLayout(self)
        layout.addWidget(self.drawer.button)
        layout.addWidget(self.below)
        layout.addStretch()


@pytest.fixture
def column(qtbot):
    column = Column()
    column.resize(300, 400)
    qtbot.addWidget(column)
    column.show()
    return column


def test_it_opens_over_the_column_and_moves_nothing(column, qtbot):
    before = column.below.geometry()
    column.drawer.button.click()
    qtbot.wait(10)
    assert column.field.isVisible()
    assert column.drawer.geometry().intersects(column.below.geometry())
    assert column.below.geometry() == before
    column.drawer.button.click()
    assert not column.field.isVisible()


def test_escape_closes_it(column):
    column.drawer.button.click()
    column.field.setFocus()
    QTest.keyClick(column.field, Qt.Key.Key_Escape)
    assert not column.drawer.isVisible()
    assert not column.drawer.button.isChecked()


def test_it_closes_when_the_keyboard_goes_elsewhere_but_not_inside(column):
    column.drawer.button.click()
    follow = column.drawer._follow_focus  # whoever has the focus offscreen, nobody knows
    for inside in (column.field, column.box.view(), column.drawer.button, None):
        follow(column.field, inside)
        assert column.drawer.isVisible()
    follow(column.field, column.below)
    assert not column.drawer.isVisible()


def test_it_stays_when_what_was_pressed_goes_or_greys(column):
    column.drawer.button.click()
    follow = column.drawer._follow_focus  # as Qt does, to what is next anywhere
    column.field.setEnabled(False)
    follow(column.field, column.below)
    assert column.drawer.isVisible()
    column.box.hide()
    follow(column.box, column.below)
    assert column.drawer.isVisible()


def test_it_stays_within_the_column(column, qtbot):
    column.content.setMinimumHeight(2000)
    column.drawer.button.click()
    column.resize(200, 250)
    qtbot.wait(10)
    assert column.rect().contains(column.drawer.geometry())
    assert column.drawer.width() == 200
