"""The kind of picture in the tab Auto: guessed for each picture, and kept where it was chosen."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.settings import load_settings
from napari_sam.widgets.auto import kind_guess
from napari_sam.widgets.layers.stack_axes import remember
from tests.widgets.search.finding import Bench, model, seen

GREY = 120 - seen()


@pytest.fixture
def bench(qtbot, host):
    bench = Bench(qtbot, host, seen())
    rest(bench)
    return bench


def rest(bench):
    bench.qtbot.waitUntil(lambda: not bench.tab.kinds.busy)


def kind(bench):
    """Return what the list says."""
    return bench.controls.choices["preset"].native.currentText()


def choose(bench, name):
    box = bench.controls.choices["preset"].native
    box.setCurrentIndex(box.findText(name))
    box.activated.emit(box.currentIndex())


def turn_to(bench, layer):
    bench.panel.controls.picture.choose(layer)
    rest(bench)


def test_the_kind_is_guessed_and_said(bench):
    assert kind(bench) == "Nuclei (guessed)"
    assert "guessed" in bench.controls.choices["preset"].native.toolTip()
    turn_to(bench, bench.viewer.add_image(GREY))
    assert kind(bench) == "Cells (guessed)"
    assert bench.controls.choices.preset.title == "Cells"
    assert bench.controls.choices["seeds"].value == "adaptive"


def test_a_choice_by_hand_is_kept_for_its_picture(bench):
    first = bench.panel.annotation.picture.layer
    choose(bench, "Tissue")
    assert kind(bench) == "Tissue"
    bench.controls.choices["points"].value = 20
    bench.controls.choices.ranges["score"].set_range((0.3, None))
    turn_to(bench, bench.viewer.add_image(GREY))
    assert kind(bench) == "Cells (guessed)"
    turn_to(bench, first)
    choices = bench.controls.choices
    assert (kind(bench), choices["points"].value) == ("Tissue", 20)
    assert choices.ranges["score"].range[0] == pytest.approx(0.3)


def test_a_guess_is_kept_too_with_what_was_set_for_it(bench):
    first = bench.panel.annotation.picture.layer
    bench.controls.choices["points"].value = 20
    turn_to(bench, bench.viewer.add_image(GREY))
    turn_to(bench, first)
    assert kind(bench) == "Nuclei (guessed)"
    assert bench.controls.choices["points"].value == 20


def test_the_next_picture_that_looks_alike_is_what_was_chosen_for_this_one(bench, qtbot, host):
    turn_to(bench, bench.viewer.add_image(GREY))
    choose(bench, "Bacteria")
    turn_to(bench, bench.viewer.add_image(GREY + 3))
    assert kind(bench) == "Bacteria (guessed)"
    assert load_settings().kinds == {"cells": "bacteria"}
    later = Bench(qtbot, host, GREY)
    rest(later)
    assert kind(later) == "Bacteria (guessed)"
    assert later.controls.choices["points"].value == 64


def test_a_kind_that_is_not_there_any_more_is_not_taken(qtbot, host, tmp_path):
    (tmp_path / "settings.json").write_text('{"kinds": {"nuclei": "dragons"}}')
    bench = Bench(qtbot, host, seen())
    rest(bench)
    assert kind(bench) == "Nuclei (guessed)"


def test_what_is_set_before_the_guess_stays(qtbot, host):
    bench = Bench(qtbot, host, GREY)
    bench.controls.choices["points"].value = 20
    rest(bench)
    assert kind(bench) == "Nuclei"
    assert bench.controls.choices["points"].value == 20


def test_a_search_begun_before_the_guess_goes_on_as_it_is(qtbot, host, model):
    bench = Bench(qtbot, host, GREY)
    bench.find()
    rest(bench)
    assert kind(bench) == "Nuclei"


def test_a_picture_that_cannot_be_read_changes_nothing(qtbot, host, monkeypatch):
    def fail(image):
        raise OSError("gone")

    monkeypatch.setattr(kind_guess, "guess_kind", fail)
    bench = Bench(qtbot, host, GREY)
    rest(bench)
    assert kind(bench) == "Nuclei"


@pytest.mark.parametrize("shape", [(2, 64, 96), (7, 64, 96)])
def test_stacks_and_channels(qtbot, host, shape):
    bench = Bench(qtbot, host, np.broadcast_to(seen(), shape).copy())
    rest(bench)
    assert kind(bench) == "Nuclei (guessed)"


def test_it_is_guessed_again_where_other_axes_are_the_channels(qtbot, host):
    data = np.stack([seen()] * 2, axis=-1)
    bench = Bench(qtbot, host, np.stack([data] * 7), axis_labels=("t", "y", "x", "q"))
    rest(bench)
    assert kind(bench) == "Cells (guessed)"
    remember(bench.panel.annotation.picture.layer, channel_axis=3)
    bench.panel._current.open_again()
    rest(bench)
    assert kind(bench) == "Nuclei (guessed)"


def test_a_pyramid(qtbot, host):
    bench = Bench(qtbot, host, [seen(), seen()[::2, ::2]], multiscale=True)
    rest(bench)
    assert kind(bench) == "Nuclei (guessed)"


def test_without_a_picture_nothing_is_guessed(bench, qtbot):
    bench.viewer.layers.clear()
    rest(bench)
    assert kind(bench) == "Nuclei"
