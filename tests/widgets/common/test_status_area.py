"""The area that says and asks, and keeps its height."""

from __future__ import annotations

import pytest
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_sam.widgets.common.questions import Question
from napari_sam.widgets.common.status_area import StatusArea

LONG = "A sentence that is long enough to be broken into several lines of a narrow panel. " * 4


@pytest.fixture
def area(qtbot):
    area = StatusArea()
    window = QWidget()
    QVBoxLayout(window).addWidget(area)
    window.resize(320, 400)
    qtbot.addWidget(window)
    window.show()
    area.window_of_test = window  # else it is collected
    return area


def test_its_height_stays_whatever_is_said(area, qtbot):
    question = Question("Long", "Yes", "No")
    area.add_question(question)
    before = area.geometry()
    for text in ("", "Short.", LONG):
        area.status.setText(text)
        area.show_remark(text)
        area.show_work(text)
        area.query.show_query(text, [("One", "", print, None), ("Two", "", print, None)])
        question.ask(text)
        qtbot.wait(10)
        assert area.geometry() == before


def test_the_buttons_of_a_question_are_in_sight_however_long_it_is(area, qtbot):
    said = []
    answers = [
        (f"A rather long answer {n}", "", lambda n=n: said.append(n), None) for n in range(3)
    ]
    area.show_remark(LONG)
    area.query.show_query(LONG, answers)
    qtbot.wait(10)
    for button in area.query.buttons:
        assert button.isVisible()
        assert area.rect().contains(
            button.rect().translated(button.mapTo(area, button.rect().topLeft()))
        )
        assert button.width() >= button.minimumSizeHint().width()
        button.click()
    assert said == [0, 1, 2]


def test_a_question_takes_the_place_of_the_hint_and_leaves_the_remark(area):
    area.status.setText("Click on an object.")
    area.show_remark("Object 1 is in the labels.")
    area.query.show_query("What now?", [("Nothing", "", print, None)])
    assert not area.status.isVisible()
    assert area.remark.isVisible()
    area.query.show_query("")
    assert area.status.isVisible()
    assert not area.query.isVisible()


def test_the_question_asked_last_is_on_show_and_the_one_before_comes_back(area):
    first, second = Question("First", "Yes"), Question("Second", "Yes")
    area.add_question(first)
    area.add_question(second)
    first.ask("First?")
    second.ask("Second?")
    assert second.isVisible()
    assert not first.isVisible()
    second.ask("")
    assert first.isVisible()


def test_a_line_below_is_within_the_height(area, qtbot):
    before, line = area.height(), QLabel("Working")
    area.add_line(line)
    qtbot.wait(10)
    assert area.height() == before
    assert line.geometry().bottom() <= area.rect().bottom()


def test_an_urgent_question_is_shown_before_one_that_is_asked_later(area):
    question = Question("Saved work", "Yes", "No")
    area.add_question(question, urgent=True)
    question.ask("Continue?")
    area.query.show_query("Depth, or time?", [("Depth", "", print, None)])
    assert question.isVisible()
    assert not area.query.isVisible()
    area.show_remark("11 slices.")
    assert not area.remark.isVisible()
    question.ask("")
    assert area.query.isVisible()
    assert area.remark.isVisible()
