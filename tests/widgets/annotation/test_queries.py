"""Questions with buttons: the last one is on show, and each is answered once."""

from __future__ import annotations

from napari_sam.widgets.annotation.queries import Answer, Queries, Query


def test_the_last_question_is_on_show_and_the_older_one_after_it():
    queries, done = Queries(), []
    first = Query("labels", "Work on them?", (Answer("Yes", lambda: done.append("labels")),))
    second = Query("overlap", "Who?", (Answer("I", lambda: done.append("overlap")),))
    queries.ask(first)
    queries.ask(second)
    assert queries.current is second
    queries.answer(second, second.answers[0])
    assert queries.current is first
    assert done == ["overlap"]
    queries.answer(second, second.answers[0])  # its button was pressed twice
    assert done == ["overlap"]


def test_a_question_replaces_the_older_one_of_its_kind():
    queries = Queries()
    queries.ask(Query("overlap", "1", ()))
    queries.ask(Query("labels", "2", ()))
    queries.ask(Query("overlap", "3", ()))
    assert queries.current.text == "3"
    queries.withdraw("overlap")
    assert queries.current.text == "2"


def test_buttons_of_the_panel_answer(panel):
    queries, done = panel.annotation.queries, []
    queries.ask(Query("labels", "Work on them?", (Answer("Work on them", lambda: done.append(1)),)))
    assert not panel.controls.query.isHidden()
    assert not panel.stack.controls.area.query.isHidden()
    assert panel.training.controls.area.query.isHidden()  # it is not about the picture
    panel.controls.query.buttons[0].click()
    assert done == [1]
    assert panel.controls.query.isHidden()
