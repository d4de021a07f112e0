"""Clicks and accepts that are quicker than the model: what is refused takes nothing else along."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_sam.errors import InputError, SessionError
from napari_sam.results import Prediction
from napari_sam.session import drawing
from tests.widgets.conftest import hold, ours, picture, rectangle

CELLS = (8, 10), (8, 30), (8, 50), (30, 10)


@pytest.fixture
def hurry(viewer, panel, model):
    """Return a function that clicks on places and accepts each, before the model answers any."""

    def hurry(*places):
        gate = hold(model)
        for place in places:
            ours(viewer, "points").add(place)
            panel.controls.accept.click()
        return gate

    return hurry


def owners(panel, places=CELLS):
    """Return the object at each place, 0 where there is none."""
    objects = panel.annotation.session.objects
    masks = {number: held.sections[None, None].mask.full() for number, held in objects.items()}
    return [next((n for n, mask in masks.items() if mask[place]), 0) for place in places]


def wrong_at(model, place, wrong):
    """Let the model answer a click there otherwise."""
    predict = model.predict

    def answer(embedding, prompts, pause=None):
        hit = (prompts.points == place).all(axis=1).any()
        return wrong(embedding) if hit else predict(embedding, prompts)

    model.predict = answer


def nothing(embedding):
    return Prediction(
        np.zeros((1, *embedding), bool), np.ones(1, np.float32), np.zeros((1, 8, 8), np.float32)
    )


def on_fire(embedding):
    raise RuntimeError("the device is on fire")


def no_memory(embedding):
    raise InputError("the device has no memory for this picture; choose a smaller model")


def test_hasty_clicks_are_an_object_each(viewer, panel, settle, hurry):
    gate = hurry(*CELLS)
    ours(viewer, "boxes").add(rectangle(20, 30, 36, 46), shape_type="rectangle")
    panel.controls.accept.click()
    ours(viewer, "points").add((30, 55))
    gate.set()
    settle(panel)
    labels = ours(viewer, "objects").data
    assert [labels[place] for place in (*CELLS, (28, 38))] == [1, 2, 3, 4, 5]
    assert panel.annotation.session.draft.points == ((30, 55),)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_one_that_is_an_object_already_takes_no_other_along(panel, settle, accept, hurry, at):
    accept(*CELLS[3])
    places = list(CELLS[:3])
    places.insert(at, CELLS[3])
    hurry(*places).set()
    settle(panel)
    assert sorted(owners(panel)) == [1, 2, 3, 4]
    assert panel.annotation.session.draft.points == (CELLS[3],)
    assert panel.annotation.queries.current.text == "All of this mask belongs to object 1."


@pytest.mark.parametrize("wrong", [nothing, on_fire, no_memory])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_an_answer_that_fails_takes_no_other_along(panel, settle, model, hurry, wrong, at):
    wrong_at(model, CELLS[at], wrong)
    hurry(*CELLS[:3]).set()
    settle(panel)
    there = owners(panel, CELLS[:3])
    assert there.pop(at) == 0
    assert there == [1, 2]
    assert panel.annotation.session.draft.points == (CELLS[at],)
    assert panel.controls.remark.text().startswith("⚠")


def test_all_that_is_refused_comes_back_one_after_the_other(panel, settle, model, hurry):
    for place in CELLS[:3]:
        wrong_at(model, place, nothing)
    hurry(*CELLS).set()
    settle(panel)
    assert owners(panel) == [0, 0, 0, 1]
    drafts = []
    for _ in range(3):
        drafts.append(panel.annotation.session.draft.points)
        panel.controls.reject.click()
        settle(panel)
    assert drafts == [(place,) for place in CELLS[:3]]
    assert panel.annotation.session.draft.is_empty


@pytest.mark.parametrize("rule", ["keep", "ask"])
def test_a_question_lets_the_others_go_first(panel, settle, accept, hurry, rule):
    accept(*CELLS[3])
    panel.controls.choices["rule"].value = rule
    hurry(CELLS[3], *CELLS[:2]).set()
    settle(panel)
    assert owners(panel) == [2, 3, 0, 1]
    assert panel.annotation.session.draft.points == (CELLS[3],)
    buttons = {button.text(): button for button in panel.controls.query.buttons}
    assert list(buttons) == ["Correct object 1", "Replace it there"]
    buttons["Replace it there"].click()
    settle(panel)
    assert owners(panel) == [2, 3, 0, 4]


def test_several_questions_come_one_after_the_other(panel, settle, accept, hurry):
    accept(*CELLS[2])
    accept(*CELLS[3])
    hurry(CELLS[3], CELLS[2], CELLS[0]).set()
    settle(panel)
    assert "object 2" in panel.annotation.queries.current.text
    panel.controls.reject.click()
    settle(panel)
    assert "object 1" in panel.annotation.queries.current.text
    panel.controls.reject.click()
    assert panel.annotation.queries.current is None
    assert owners(panel) == [3, 0, 1, 2]


def test_reject_throws_only_the_last_object_away(viewer, panel, settle, hurry):
    gate = hurry(*CELLS[:2])
    ours(viewer, "points").add(CELLS[2])
    panel.controls.reject.click()
    gate.set()
    settle(panel)
    assert owners(panel) == [1, 2, 0, 0]
    assert panel.annotation.session.draft.is_empty


def test_undo_takes_back_one_thing_after_the_other(viewer, panel, settle, hurry):
    gate = hurry(*CELLS[:2])
    panel.controls.undo.click()
    assert "not accepted" in panel.controls.remark.text()
    panel.controls.undo.click()
    assert "prompt is taken back" in panel.controls.remark.text()
    panel.controls.undo.click()
    gate.set()
    settle(panel)
    assert not panel.annotation.session.objects
    assert panel.annotation.session.draft.points == (CELLS[0],)


def test_another_model_and_other_pixels_forget_nothing(viewer, panel, settle, model, hurry):
    gate = hurry(*CELLS[:3])
    panel.annotation.asking.use(panel.annotation.model)
    viewer.layers["cells"].data = picture(40, 60) // 2
    gate.set()
    settle(panel)
    assert owners(panel) == [1, 2, 3, 0]


def test_a_full_disk_keeps_all_of_them(panel, settle, accept, hurry, monkeypatch):
    accept(*CELLS[3])
    folder = panel.annotation.saved_in
    append = folder.append
    gate = hurry(*CELLS[:3])

    def full(record):
        raise SessionError("the disk is full; make room and try again")

    monkeypatch.setattr(folder, "append", full)
    gate.set()
    settle(panel)
    assert owners(panel) == [0, 0, 0, 1]
    assert "disk is full" in panel.controls.remark.text()
    monkeypatch.setattr(folder, "append", append)
    panel.controls.accept.click()
    settle(panel)
    assert owners(panel) == [2, 3, 4, 1]


def test_the_correction_of_an_open_object_comes_back_as_one(viewer, panel, settle, model, accept):
    accept(*CELLS[0])
    panel.annotation.step(lambda s: drawing.reopen(s, 1, (None, None)))
    wrong_at(model, CELLS[0], nothing)
    gate = hold(model)
    ours(viewer, "points").add((12, 14))
    panel.controls.accept.click()
    ours(viewer, "points").add(CELLS[1])
    panel.controls.accept.click()
    gate.set()
    settle(panel)
    assert owners(panel, CELLS[:2]) == [1, 2]
    draft = panel.annotation.session.draft
    assert (draft.object_id, draft.points) == (1, (CELLS[0], (12, 14)))


def test_nothing_is_left_for_a_viewer_without_a_picture(open_panel):
    panel = open_panel(ViewerModel())
    for press in (panel.controls.undo, panel.controls.redo):
        press.click()
    assert panel.annotation is None
