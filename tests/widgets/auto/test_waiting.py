"""What a search found and nobody has settled: out of sight in other tabs, but not out of mind."""

from __future__ import annotations

import pytest

from tests.widgets.conftest import open_tab
from tests.widgets.search.finding import model, open_picture


@pytest.fixture
def bench(open_picture):
    """Return the tab Auto with five objects found, and then left."""
    bench = open_picture()
    open_tab(bench.panel, "Auto")
    bench.find()
    open_tab(bench.panel, "Prompt")
    return bench


def question(bench):
    return bench.panel.annotation.queries.current


def answer(bench, text):
    query = question(bench)
    one = next(answer for answer in query.answers if answer.text == text)
    bench.panel.annotation.queries.answer(query, one)


def layer(bench):
    return bench.viewer.layers["napari-sam found"]


def title(bench):
    tabs = bench.panel.tabs
    return tabs.tabText(tabs.currentIndex())


def test_it_hides_with_the_tab_and_comes_back_with_it(bench):
    assert not layer(bench).visible
    assert question(bench).text == "5 found objects wait in Auto."
    open_tab(bench.panel, "Auto")
    assert layer(bench).visible
    assert bench.preview.any()
    assert question(bench) is None


def test_show_them_goes_there(bench):
    answer(bench, "Show them")
    assert title(bench) == "Auto"
    assert layer(bench).visible


def test_only_prompt_says_so(bench):
    prompt, *others = bench.panel._areas
    assert prompt.query.text.text() == "5 found objects wait in Auto."
    assert not any(area.query.text.text() for area in others)


def test_later_leaves_them_where_they_are(bench):
    answer(bench, "Later")
    assert question(bench) is None
    open_tab(bench.panel, "Stack")
    assert question(bench) is None
    open_tab(bench.panel, "Auto")
    assert layer(bench).visible
    assert bench.preview.any()


def test_discard_forgets_them_where_one_is(bench):
    answer(bench, "Discard")
    assert title(bench) == "Prompt"
    assert question(bench) is None
    assert bench.tab.presenter.findings.found is None
    assert not bench.session.objects
    open_tab(bench.panel, "Auto")
    assert not bench.preview.any()


@pytest.mark.parametrize("button", ["accept", "propose"])
def test_what_is_in_the_session_waits_no_more(bench, button):
    open_tab(bench.panel, "Auto")
    getattr(bench.controls, button).click()
    open_tab(bench.panel, "Prompt")
    assert question(bench) is None
    bench.panel.review.actions["next_unsure"]()
    assert question(bench) is None


def test_a_search_that_ends_out_of_sight_is_named_then(bench):
    bench.controls.start.click()
    assert question(bench) is None
    bench.rest()
    assert question(bench).text == "5 found objects wait in Auto."
    assert not layer(bench).visible


def test_another_picture_takes_the_question_along(bench, settle):
    first = bench.panel.annotation
    other = bench.viewer.add_image(first.picture.layer.data[:40], name="other")
    bench.panel.controls.picture.choose(other)
    settle(bench.panel)
    assert first.queries.current is None
    assert question(bench) is None


def test_one_is_not_many(bench):
    open_tab(bench.panel, "Auto")
    bench.slide("score", low=0.93)
    open_tab(bench.panel, "Prompt")
    assert question(bench).text == "1 found object waits in Auto."
