"""A mask that lies mostly on an accepted object: asked and answered in a real window."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_sam.session.edit import curation
from napari_sam.widgets.layers.prompt_layers import Tool
from tests.widgets.conftest import ours, picture
from tests.widgets.hands import SHIFT
from tests.widgets.test_windows import Desk

pytestmark = pytest.mark.gui

FIRST, NEAR = (40, 50), (40, 58)


@pytest.fixture
def window(make_napari_viewer, host, model, qtbot):
    """Return a function that opens a window in which one object, 24 pixels across, is accepted."""

    def window():
        model.radius = 12
        viewer = make_napari_viewer(show=True)
        viewer.add_image(picture(80, 120), name="cells")
        hands = Desk(qtbot, viewer, host)
        hands.wait_until(lambda: not hands.panel.resuming.busy)
        hands.settle()
        hands.click(*FIRST)
        hands.press(Qt.Key.Key_N)
        return hands

    return window


def labels(hands):
    return ours(hands.viewer, "objects").data


def answers(hands):
    return {button.text(): button for button in hands.panel.controls.query.buttons}


def click(hands, place):
    """Click on the object, and say that another one is meant."""
    hands.click(*place)
    hands.push(answers(hands)["New object here"])


def ask(hands, place=NEAR):
    """Click on the object, so that the new mask lies on it, and press N."""
    before = labels(hands).copy()
    click(hands, place)
    hands.press(Qt.Key.Key_N)
    np.testing.assert_array_equal(labels(hands), before)  # nothing is written unasked
    return before


def mask(hands):
    return hands.panel.annotation.session.mask.copy()


def test_it_is_asked_with_three_answers_and_the_draft_stays(window):
    hands = window()
    ask(hands)
    row = hands.panel.controls.query
    assert row.isVisible()
    assert row.text.text() == "57 % of this mask belongs to object 1."
    correct, replace, keep = answers(hands)
    assert (correct, replace) == ("Correct object 1", "Replace it there")
    assert keep.startswith("Keep the rest: 1")
    assert hands.panel.annotation.session.draft.points
    hands.press(Qt.Key.Key_N, SHIFT)  # rejected, and there is nothing more to answer
    assert not row.isVisible()


def test_the_rest_is_kept_and_taken_back(window):
    hands = window()
    before = ask(hands)
    wanted = mask(hands)
    text, button = next((t, b) for t, b in answers(hands).items() if t.startswith("Keep"))
    hands.push(button)
    got = labels(hands) == 2
    assert text == f"Keep the rest: {got.sum()} pixels"
    assert not (got & ~(wanted & (before == 0))).any()
    np.testing.assert_array_equal(labels(hands) == 1, before == 1)
    hands.press(Qt.Key.Key_U)
    np.testing.assert_array_equal(labels(hands), before)
    assert hands.panel.annotation.session.draft.points


def test_it_is_replaced_and_taken_back(window):
    hands = window()
    before = ask(hands)
    wanted = mask(hands)
    hands.push(answers(hands)["Replace it there"])
    np.testing.assert_array_equal(labels(hands) == 2, wanted)
    np.testing.assert_array_equal(labels(hands) == 1, (before == 1) & ~wanted)
    assert "Object 1 keeps" in hands.panel.controls.remark.text()
    hands.press(Qt.Key.Key_U)
    np.testing.assert_array_equal(labels(hands), before)


def test_the_one_in_the_way_is_corrected_with_the_keyboard(window):
    hands = window()
    before = ask(hands)
    session = hands.panel.annotation.session
    draft = session.draft
    QTest.keyClick(hands.window.focusWidget(), Qt.Key.Key_Space)  # the first answer has the focus
    hands.settle()
    assert session.draft.object_id == 1
    assert len(session.draft.points) == 2
    hands.press(Qt.Key.Key_U)
    assert session.draft == draft
    hands.settle()
    hands.press(Qt.Key.Key_N)
    hands.push(answers(hands)["Correct object 1"])
    hands.press(Qt.Key.Key_N)
    assert set(np.unique(labels(hands))) == {0, 1}
    assert (labels(hands) == 1).sum() > (before == 1).sum()


def test_a_locked_one_can_be_neither_corrected_nor_replaced(window):
    hands = window()
    hands.panel.annotation.step(lambda s: curation.lock(s, [1]))
    ask(hands)
    text = hands.panel.controls.query.text.text()
    assert text == "57 % of this mask belongs to object 1. Object 1 is locked."
    keep, unlock = answers(hands)
    assert keep.startswith("Keep the rest: 1")
    hands.push(answers(hands)[unlock])
    assert hands.panel.controls.query.text.text() == "57 % of this mask belongs to object 1."
    assert "Replace it there" in answers(hands)


def test_with_a_locked_one_all_covered_it_is_said_and_nothing_is_lost(window):
    hands = window()
    hands.panel.annotation.step(lambda s: curation.lock(s, [1]))
    ask(hands, FIRST)
    assert "All of this mask belongs to object 1" in hands.panel.controls.query.text.text()
    assert list(answers(hands)) == ["Unlock it"]
    assert hands.panel.annotation.session.draft.points


def test_a_click_elsewhere_leaves_the_question_and_begins_another_object(window):
    hands = window()
    before = ask(hands)
    session = hands.panel.annotation.session
    unanswered = session.draft
    hands.click(20, 100)
    assert len(session.draft.points) == 1
    assert not hands.panel.controls.query.isVisible()
    assert "The mask before is not written" in hands.panel.controls.remark.text()
    hands.press(Qt.Key.Key_N)
    assert labels(hands)[20, 100] == 2
    np.testing.assert_array_equal(labels(hands) == 1, before == 1)
    for _ in range(3):  # what was accepted, its click, and the mask that was let go of
        hands.press(Qt.Key.Key_U)
    assert session.draft == unanswered


def test_a_box_elsewhere_begins_another_object(window):
    hands = window()
    ask(hands)
    hands.drag((10, 85), (30, 110))
    draft = hands.panel.annotation.session.draft
    assert draft.box is not None
    assert not draft.points


def draw(hands, tool, *places):
    hands.panel.controls.shape.entries[tool].trigger()
    hands.drag(*places)
    hands.wait(0.1)  # napari finishes the drawing first
    hands.settle()


@pytest.mark.parametrize("tool", [Tool.OUTLINE, Tool.SCRIBBLE])
def test_what_is_drawn_elsewhere_begins_another_object(window, tool):
    hands = window()
    ask(hands)
    session = hands.panel.annotation.session
    unanswered = session.draft
    draw(hands, tool, (10, 85), (10, 110), (30, 110), (30, 85), (12, 85))
    drawn = session.draft
    assert (drawn.mask is not None) == (tool is Tool.OUTLINE)
    assert (len(drawn.points) > 1) == (tool is Tool.SCRIBBLE)
    assert unanswered.points[0] not in drawn.points
    assert len(ours(hands.viewer, "points").data) == len(drawn.points)
    assert "The mask before is not written" in hands.panel.controls.remark.text()
    assert not hands.panel.controls.query.isVisible()
    for _ in range(2):  # what was drawn, and the mask that was let go of
        hands.press(Qt.Key.Key_U)
    assert session.draft == unanswered


def test_a_scribble_through_the_mask_corrects_it(window):
    hands = window()
    ask(hands)
    points = hands.panel.annotation.session.draft.points
    draw(hands, Tool.SCRIBBLE, (40, 64), (40, 80))
    drawn = hands.panel.annotation.session.draft.points
    assert drawn[: len(points)] == points
    assert len(drawn) > len(points)


def test_a_click_on_the_object_in_the_way_is_about_that_one(window):
    hands = window()
    ask(hands)
    hands.click(40, 41)  # of object 1, beside the mask
    assert hands.panel.annotation.session.draft.is_empty
    assert hands.panel.controls.query.text.text() == "Object 1"


@pytest.mark.parametrize("hand", ["click", "right_click"])
def test_a_click_into_the_mask_or_against_it_corrects_it(window, hand):
    hands = window()
    ask(hands)
    getattr(hands, hand)(40, 66)
    assert len(hands.panel.annotation.session.draft.points) == 2


def test_what_is_left_too_thin_is_said(window):
    hands = window()
    ask(hands, (40, 52))
    assert "thinner than three pixels" in hands.panel.controls.query.text.text()
    assert list(answers(hands)) == ["Correct object 1", "Replace it there"]


def test_a_small_overlap_is_no_question_and_slivers_are_said(window):
    hands = window()
    hands.click(40, 68)
    wanted = mask(hands)
    hands.press(Qt.Key.Key_N)
    free = wanted & (labels(hands) != 1)
    written = (labels(hands) == 2).sum()
    said = hands.panel.controls.remark.text()
    assert not answers(hands)
    assert f"Object 2 is in the labels: {written} pixels." in said
    assert ("too thin" in said) == (written < free.sum())


def test_under_replace_only_a_locked_one_is_a_question(window):
    hands = window()
    hands.panel.controls.choices["rule"].value = "replace"
    hands.panel.annotation.step(lambda s: curation.lock(s, [1]))
    ask(hands)
    assert not any(text.startswith(("Replace", "Correct")) for text in answers(hands))
    hands.press(Qt.Key.Key_N, SHIFT)
    hands.panel.annotation.step(lambda s: curation.lock(s, [1], False))
    click(hands, NEAR)
    wanted = mask(hands)
    hands.press(Qt.Key.Key_N)
    np.testing.assert_array_equal(labels(hands) == 2, wanted)
