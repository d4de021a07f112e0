"""Everything at once, in the tab Auto: the way that the model knows, and live thresholds."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from napari_sam.inference.automatic.settings import GridSettings, InstanceSettings
from napari_sam.settings import load_settings
from tests.widgets.conftest import open_tab
from tests.widgets.search.finding import (
    DISCS,
    SHAPE,
    Bench,
    controls_shown,
    disc,
    hatching,
    model,
    open_picture,
    seen,
)


@pytest.fixture
def bench(open_picture, model):
    """Return a bench whose model has an instance decoder."""
    model.has_instances = True
    return open_picture()


def tune(bench, **values):
    for name, value in values.items():
        bench.controls.choices.tuning[name].value = value
    bench.rest()


def choose(bench, way):
    bench.controls.choices["way"].value = way


def entries(bench):
    box = bench.controls.choices["way"].native
    return [box.model().item(i) for i in range(box.count())]


def shown(bench, widget):
    return widget.native.isVisibleTo(bench.controls)


def test_one_button_finds_everything_at_once(bench, model):
    assert bench.status == "Ready: press the button to find everything in this slice at once."
    bench.find()
    (settings, _, _) = model.searches[0]
    assert settings == InstanceSettings()
    assert bench.status.startswith("5 objects found.")
    np.testing.assert_array_equal(bench.preview != 0, hatching(seen()))
    assert not bench.session.objects


def test_the_kind_of_picture_is_asked_for_points_only(bench):
    c = bench.controls
    assert not shown(bench, c.choices["preset"])
    assert not shown(bench, c.choices["points"])
    choose(bench, "points")
    assert shown(bench, c.choices["preset"])
    assert shown(bench, c.choices["points"])
    assert c.choices.ranges["roundness"].range == (0.5, None)  # what is a nucleus at points
    choose(bench, "refined")
    assert not shown(bench, c.choices["preset"])
    assert c.choices.ranges["roundness"].range == (None, None)


def test_the_first_screen_has_no_more_than_a_dozen_controls(bench):
    open_tab(bench.panel, "Auto")
    assert len(controls_shown(bench)) <= 3
    bench.find()
    assert len(controls_shown(bench)) <= 12


def test_the_way_is_remembered(bench, model, qtbot, host):
    choose(bench, "refined")
    bench.find()
    assert model.searches[-1][0].refine
    assert load_settings().auto["way"] == "refined"
    assert Bench(qtbot, host, seen()).controls.choices["way"].value == "refined"


def test_a_model_without_a_decoder_is_asked_at_points_and_the_list_says_why(open_picture, model):
    bench = open_picture()
    bench.find()
    assert isinstance(model.searches[0][0], GridSettings)
    assert [entry.isEnabled() for entry in entries(bench)] == [False, False, True]
    assert "has no instance decoder" in entries(bench)[0].toolTip()
    assert bench.controls.choices["way"].value == "points"
    assert load_settings().auto["way"] == "instances"  # for the next model, that has one
    model.has_instances = True
    bench.tab.presenter.refresh()
    assert bench.controls.choices["way"].value == "instances"
    assert all(entry.isEnabled() for entry in entries(bench))


def test_own_points_are_asked_at(bench, model):
    bench.viewer.add_points([DISCS[0][:2]], name="mine")
    bench.controls.at.choose(bench.viewer.layers["mine"])
    bench.find()
    assert isinstance(model.searches[0][0], GridSettings)
    assert bench.status.startswith("1 object found")


class TestLive:
    def test_a_slider_makes_other_instances_without_the_encoder(self, bench, model):
        bench.find()
        tune(bench, foreground=0.75)
        assert model.searches[-1][0].foreground == 0.75
        assert model.ran == 1
        assert bench.status.startswith("3 objects found")
        kept = hatching(np.logical_or.reduce([disc(*one[:3]) for one in DISCS if one[3] > 0.75]))
        np.testing.assert_array_equal(bench.preview != 0, kept)
        tune(bench, foreground=0.5)
        assert bench.status.startswith("5 objects found")
        assert model.ran == 1

    def test_nothing_is_left_and_the_slider_stays(self, bench):
        bench.find()
        tune(bench, foreground=0.99)
        assert "Nothing new was found. Move the slider" in bench.status
        assert bench.controls.tuning.isVisibleTo(bench.controls)
        assert not bench.controls.accept.isEnabled()
        tune(bench, foreground=0.5)
        assert bench.status.startswith("5 objects found")

    def test_sizes_are_diameters_of_discs(self, bench, model):
        bench.find()
        tune(bench, smallest=11, largest=15, diameter=12)
        settings = model.searches[-1][0]
        assert settings.smallest == pytest.approx(np.pi / 4 * 121)
        assert settings.diameter == 12
        assert bench.status.startswith("2 objects found")
        tune(bench, smallest=0, largest=0, diameter=0)
        assert model.searches[-1][0] == InstanceSettings()

    def test_the_filters_count_on_top(self, bench):
        bench.find()
        bench.slide("score", low=0.85)
        tune(bench, foreground=0.75)
        assert bench.status.startswith("2 objects from 3 mask")

    def test_the_newest_wins_and_those_between_are_not_made(self, bench, model):
        bench.find()
        model.go = threading.Semaphore(0)
        for value in np.linspace(0.5, 0.85, 30):
            bench.controls.choices.tuning["foreground"].value = value
            bench.qtbot.wait(5)
        assert not bench.controls.accept.isEnabled()  # what is on show is not what is set
        model.go.release(99_999)
        bench.rest()
        assert 2 <= len(model.searches) <= 3
        assert model.searches[-1][0].foreground == pytest.approx(0.85)
        assert bench.status.startswith("2 objects found")

    def test_one_that_fails_keeps_what_is_shown(self, bench, model):
        bench.find()
        model.fails = "the device has no memory"
        tune(bench, foreground=0.75)
        assert "the device has no memory. What was found stays" in bench.status
        assert bench.preview.any()
        bench.controls.accept.click()
        assert len(bench.session.objects) == 5

    def test_what_is_accepted_stays_out(self, bench, model):
        bench.find()
        bench.slide("score", low=0.85)
        bench.controls.accept.click()
        bench.slide("score")
        tune(bench, foreground=0.55)
        assert bench.status.startswith("3 objects found")
        assert len(bench.session.objects) == 2

    def test_pixels_that_change_in_place_are_looked_at_anew(self, bench, model):
        bench.find()
        layer = bench.panel.annotation.picture.layer
        layer.data[:5] = 3
        tune(bench, foreground=0.75)
        assert model.ran == 2

    def test_another_model_knows_nothing_of_it(self, bench, model):
        bench.find()
        bench.panel.annotation.began_afresh.emit()
        tune(bench, foreground=0.75)
        assert model.ran == 2

    def test_a_slice_is_kept_while_others_are_looked_at(self, open_picture, model):
        model.has_instances = True
        bench = open_picture(np.stack([seen(), seen() // 2, seen() // 3]))
        for z in (0, 1, 2, 0):
            bench.viewer.dims.set_point(0, z)
            bench.find()
        assert model.ran == 3

    def test_a_large_picture_says_to_search_again(self, open_picture, model):
        model.has_instances = True
        bench = open_picture(np.full((64, 2100), 9, np.uint8))
        assert bench.status.endswith("everything in this slice at once, in 3 tiles.")
        bench.find()
        tune(bench, foreground=0.75)
        assert "press the button to find everything with these settings" in bench.status
        assert len(model.searches) == 1
        bench.find()
        assert model.searches[-1][0].foreground == 0.75

    def test_the_button_does_not_wait_for_a_slider(self, bench, model):
        bench.find()
        model.go = threading.Semaphore(0)
        bench.controls.choices.tuning["foreground"].value = 0.75
        bench.qtbot.waitUntil(lambda: bench.tab.work.busy)
        bench.controls.start.click()
        model.go.release(99_999)
        bench.rest()
        assert bench.status.startswith("3 objects found")

    def test_the_panel_is_closed_meanwhile(self, bench, model):
        bench.find()
        model.go = threading.Semaphore(0)
        bench.controls.choices.tuning["foreground"].value = 0.75
        bench.qtbot.waitUntil(lambda: bench.tab.work.busy)
        bench.panel.close_panel()
        model.go.release(99_999)
        assert [layer.name for layer in bench.viewer.layers] == ["discs"]


def test_all_slices_with_the_thresholds_in_force(open_picture, model):
    model.has_instances = True
    bench = open_picture(np.stack([seen()] * 3))
    bench.viewer.dims.set_point(0, 0)
    bench.find()
    tune(bench, foreground=0.75)
    where = bench.controls.where
    where.setCurrentIndex(1)
    where.activated.emit(1)
    bench.controls.accept.click()
    bench.qtbot.waitUntil(lambda: not bench.tab.stack.busy, timeout=10_000)
    assert [settings.foreground for settings, *_ in model.searches[-3:]] == [0.75] * 3
    assert len(bench.session.objects) == 3
    assert np.count_nonzero(bench.labels.any(axis=(1, 2))) == 3
    assert bench.labels.shape[1:] == SHAPE


def test_what_is_certain_has_a_limit_for_each_score(bench):
    bench.find()
    c = bench.controls
    assert c.choices.certain is c.choices["sure"]
    c.choices["sure"].value = 0.85
    assert c.fill.text() == "Fill in what is certain: 2"
    choose(bench, "refined")
    assert c.choices.certain is c.choices["certain"]
    assert shown(bench, c.choices["certain"])
    assert not shown(bench, c.choices["sure"])
