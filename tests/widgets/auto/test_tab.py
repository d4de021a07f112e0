"""The automatic mode in the panel: search, filter, fill in, undo, and being cut short."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

from napari_sam.errors import NapariSamError
from napari_sam.session.edit import curation
from napari_sam.session.objects import Source, Status
from napari_sam.settings import load_settings
from tests.widgets.conftest import open_tab, ours
from tests.widgets.search.finding import (
    BATCH,
    DISCS,
    SHAPE,
    Bench,
    controls_shown,
    disc,
    halt,
    hatching,
    model,
    open_picture,
    seen,
)


class TestSearch:
    def test_everything_is_shown_and_nothing_written(self, open_picture, model):
        bench = open_picture()
        assert bench.status.endswith("to look for objects at up to 256 places.")
        bench.find()
        assert bench.status.startswith("5 objects found. Move the handles")
        np.testing.assert_array_equal(bench.preview != 0, hatching(seen()))
        assert len(np.unique(bench.preview)) == 6
        assert bench.panel.annotation.target is None
        assert not bench.session.objects
        assert model.searches[0][0].points_per_side == 16
        assert model.searches[0][1] is None

    def test_the_first_screen_has_no_more_than_a_dozen_controls(self, open_picture):
        bench = open_picture()
        open_tab(bench.panel, "Auto")
        assert len(controls_shown(bench)) <= 5
        bench.find()
        assert len(controls_shown(bench)) <= 12

    def test_progress_and_cancel_keep_what_was_found(self, halt):
        bench = halt()
        assert bench.controls.bar.maximum() == 256
        assert bench.status.startswith("48 of 256 points asked, 4 found")
        assert bench.controls.start.isHidden()
        bench.controls.cancel.click()
        bench.rest()
        assert "you cancelled it" in bench.status
        two = hatching(disc(*DISCS[0][:3]) | disc(*DISCS[1][:3]))
        np.testing.assert_array_equal(bench.preview != 0, two)
        bench.controls.accept.click()
        assert len(bench.session.objects) == 2

    def test_a_search_that_fails_keeps_what_was_found(self, open_picture, model):
        model.fails = "the device has no memory"
        bench = open_picture()
        bench.find()
        assert "the device has no memory. What was found stays" in bench.status
        bench.find()
        assert not bench.tab.work.busy

    def test_on_a_stack_only_the_slice_in_view(self, open_picture, model):
        bench = open_picture(np.stack([seen()] * 3))
        bench.viewer.dims.set_point(0, 1)
        bench.find()
        bench.viewer.dims.set_point(0, 2)
        bench.qtbot.waitUntil(lambda: "another slice" in bench.status)
        bench.controls.propose.click()
        assert {p for o in bench.session.objects.values() for p in o.planes} == {(1, None, None)}
        assert not bench.labels[[0, 2]].any()
        assert model.searches[0][2] is not None

    @pytest.mark.parametrize("change", [lambda a: a[0], lambda a: a[None], lambda a: a[:, :40]])
    def test_a_slice_that_is_gone_takes_what_was_found_along(self, open_picture, change):
        bench = open_picture(np.stack([seen()] * 3))
        bench.viewer.dims.set_point(0, 2)
        bench.find()
        layer = bench.panel.annotation.picture.layer
        layer.data = change(layer.data)
        assert "does not have its slice any more. Find again." in bench.status
        assert not bench.controls.accept.isEnabled()
        bench.rest()
        bench.find()
        bench.controls.accept.click()
        assert bench.session.objects

    @pytest.mark.parametrize("change", [lambda a: a[0], lambda a: a[None]])
    def test_a_search_of_a_slice_that_is_gone_ends(self, halt, change):
        bench = halt(data=np.stack([seen()] * 3))
        layer = bench.panel.annotation.picture.layer
        layer.data = change(layer.data)
        bench.rest()
        assert "stays" not in bench.status
        assert not bench.tab.work.busy

    def test_only_at_points_or_labels_of_a_layer(self, open_picture, model):
        bench = open_picture()
        bench.viewer.add_points([DISCS[0][:2], (1, 1)], name="mine")
        rough = np.zeros(seen().shape, np.uint8)
        rough[disc(*DISCS[1][:2], 3)] = 7
        bench.viewer.add_labels(rough, name="rough")
        for name, number in (("mine", 0), ("rough", 1)):
            bench.controls.at.choose(bench.viewer.layers[name])
            bench.find()
            (one,) = bench.tab.presenter.findings.found.new
            assert one.mask[DISCS[number][:2]]
        bench.viewer.layers["mine"].data = np.zeros((0, 2))
        bench.controls.at.choose(bench.viewer.layers["mine"])
        bench.find()
        assert bench.tab.presenter.findings.found.new == []

    def test_only_inside_a_drawn_shape(self, open_picture, model):
        bench = open_picture(scale=(2, 2))
        corners = np.array([(0, 0), (0, 60), (30, 60), (30, 0)])
        bench.viewer.add_shapes([corners * 2.0], shape_type="polygon", name="here")
        bench.controls.inside.choose(bench.viewer.layers["here"])
        bench.find()
        rows, columns = np.nonzero(model.searches[0][1])
        assert (rows.min(), rows.max(), columns.min(), columns.max()) == (0, 30, 0, 60)
        assert bench.status.startswith("2 objects found")

    def test_a_shape_beside_the_picture_says_so(self, open_picture, model):
        bench = open_picture()
        bench.viewer.add_shapes([np.array([(200, 200), (200, 220), (220, 220), (220, 200)])])
        bench.controls.inside.choose(bench.viewer.layers[-1])
        bench.controls.start.click()
        assert "no place left" in bench.status
        assert not model.searches

    def test_the_grid_is_coarser_than_the_objects(self, open_picture, model):
        model.discs = tuple((r, c, 2, 0.9) for r in (4, 20, 36, 52) for c in range(6, 96, 12))
        bench = open_picture(np.full(SHAPE, 9, np.uint8))
        bench.controls.choices["points"].value = 8
        bench.find()
        assert bench.controls.advice.isHidden()
        bench.controls.choices["seeds"].value = "grid"
        bench.find()
        text = bench.controls.advice.text.text()
        assert "they are 4 pixels wide, its points are 12 apart" in text
        assert bench.controls.finer.text() == "Search with 24 per side"
        bench.controls.finer.click()
        bench.rest()
        assert model.searches[-1][0].points_per_side == 24
        assert bench.controls.advice.isHidden()

    def test_a_large_picture_is_searched_in_tiles(self, open_picture, model, qtbot):
        model.discs = tuple((24, c, 6, 0.9) for c in range(24, 2000, 384))
        bench = open_picture(np.full((64, 2100), 9, np.uint8))
        assert bench.status == (
            "Ready: press the button to look for objects at 44 places in 3 tiles."
        )
        assert not bench.controls.choices["crops"].native.isEnabled()
        model.go = threading.Semaphore(2)
        bench.controls.start.click()
        qtbot.waitUntil(lambda: bench.controls.bar.value() == 2)
        assert bench.status.startswith("Tile 2 of 3 searched, ")
        model.go.release(99)
        bench.rest()
        assert "its points are 48 apart" in bench.controls.advice.text.text()
        assert bench.controls.finer.text() == "Search with 72 per side"
        bench.controls.finer.click()
        bench.rest()
        assert bench.controls.advice.isHidden()
        assert model.searches[-1][0].seeds == "grid"


class TestFilters:
    def test_a_slider_filters_without_the_model(self, open_picture, model):
        bench = open_picture()
        bench.find()
        searches, asked = len(model.searches), len(model.asked)
        bench.slide("score", low=0.85)
        assert bench.status.startswith("2 objects from 5 mask")
        faint = bench.preview.max()
        kept = hatching(disc(*DISCS[0][:3]) | disc(*DISCS[1][:3]))
        np.testing.assert_array_equal((bench.preview != 0) & (bench.preview != faint), kept)
        bench.controls.choices["faint"].value = False
        bench.rest()
        np.testing.assert_array_equal(bench.preview != 0, kept)
        bench.slide("score")
        assert bench.status.startswith("5 objects found")
        assert (len(model.searches), len(model.asked)) == (searches, asked)

    def test_sizes_are_diameters(self, open_picture):
        bench = open_picture()
        bench.find()
        bench.slide("area", low=11, high=14)
        assert bench.status.startswith("2 objects from 5 mask")

    def test_objects_at_the_edge(self, open_picture):
        bench = open_picture()
        bench.find()
        bench.controls.choices["no_edge"].native.click()
        bench.rest()
        assert bench.status.startswith("4 objects from 5 mask")

    @pytest.mark.parametrize("on_top", ["larger", "smaller"])
    def test_who_is_on_top(self, open_picture, model, on_top):
        model.discs = ((30, 30, 9, 0.9), (30, 38, 6, 0.8))
        bench = open_picture(np.full(SHAPE, 9, np.uint8))
        c = bench.controls
        c.choices["on_top"].value = on_top
        bench.find()
        c.accept.click()
        number = bench.labels[30, 36]
        assert number == bench.labels[30, 22 if on_top == "larger" else 43]

    def test_typed_numbers_do_the_same(self, open_picture):
        bench = open_picture()
        bench.find()
        bench.controls.choices.ranges["score"].low.setValue(0.85)
        bench.rest()
        assert bench.status.startswith("2 objects from 5 mask")
        assert bench.controls.choices.ranges["score"].shown[0] == pytest.approx(0.85)

    def test_a_preset_sets_grid_and_filters(self, open_picture):
        bench = open_picture()
        c = bench.controls
        c.choices["preset"].value = "bacteria"
        c.choices["preset"].native.activated.emit(2)
        assert c.choices["points"].value == 64
        assert c.choices["on_top"].value == "larger"
        assert c.choices.ranges["score"].range == (0.6, None)
        assert load_settings().auto["preset"] == "bacteria"


class TestFilling:
    def test_into_the_list_as_one_step(self, open_picture):
        bench = open_picture()
        bench.find()
        bench.slide("score", low=0.65)
        bench.controls.propose.click()
        assert bench.status.startswith("4 objects to look at, most useful first: J goes")
        assert set(bench.statuses().values()) == {Status.PROPOSED}
        assert np.unique(bench.labels).tolist() == [0, 1, 2, 3, 4]
        assert not bench.preview.any()
        section = bench.session.objects[1].sections[None, None]
        assert section.origin.source is Source.AUTOMATIC
        bench.controls.undo.click()
        bench.rest()
        assert not bench.session.objects
        assert not bench.labels.any()
        assert bench.preview.any()

    def test_a_refused_step_keeps_what_was_found(self, open_picture, monkeypatch):
        def refuse(*args):
            raise NapariSamError("the disk is full")

        bench = open_picture()
        bench.find()
        monkeypatch.setattr("napari_sam.widgets.search.findings.fill", refuse)
        bench.controls.accept.click()
        assert bench.status == "⚠ the disk is full"
        assert bench.preview.any()
        monkeypatch.undo()
        bench.controls.accept.click()
        assert len(bench.session.objects) == 5

    def test_only_the_own_step_is_offered_to_be_taken_back(self, open_picture):
        bench = open_picture()
        undo = bench.controls.undo
        bench.find()
        assert not undo.isVisibleTo(bench.controls)
        bench.controls.propose.click()
        assert undo.isVisibleTo(bench.controls)
        curation.lock(bench.session, [1])
        assert not undo.isVisibleTo(bench.controls)

    def test_accept_all(self, open_picture):
        bench = open_picture()
        bench.find()
        bench.controls.accept.click()
        assert list(bench.statuses().values()) == [Status.ACCEPTED] * 5
        np.testing.assert_array_equal(bench.labels != 0, seen() != 0)
        assert not bench.controls.accept.isEnabled()
        bench.session.undo()
        assert not bench.labels.any()

    def test_the_certain_is_accepted_and_the_doubtful_waits(self, open_picture):
        bench = open_picture()
        bench.find()
        bench.controls.choices["certain"].value = 0.85
        assert bench.controls.fill.text() == "Fill in what is certain: 2"
        bench.controls.fill.click()
        assert sorted(bench.statuses().values(), key=lambda s: s.value) == (
            [Status.ACCEPTED] * 2 + [Status.UNCLEAR] * 3
        )
        scores = [bench.session.objects[n].confidence for n in (3, 4, 5)]
        assert scores == pytest.approx([0.8, 0.7, 0.6])

    def test_a_second_run_respects_what_is_accepted(self, open_picture, model):
        bench = open_picture()
        bench.find()
        bench.controls.choices["certain"].value = 0.85
        bench.controls.fill.click()
        accepted = [n for n, status in bench.statuses().items() if status is Status.ACCEPTED]
        before = {n: bench.session.objects[n] for n in accepted}
        bench.find()
        np.testing.assert_array_equal(model.searches[-1][1], ~np.isin(bench.labels, accepted))
        assert bench.status.startswith("3 objects found")
        bench.controls.propose.click()
        assert {n: bench.session.objects[n] for n in accepted} == before
        assert len(bench.session.objects) == 5

    def test_what_was_put_may_be_filtered_and_put_again(self, open_picture):
        bench = open_picture()
        bench.find()
        bench.controls.propose.click()
        bench.slide("score", low=0.85)
        assert bench.preview.any()
        bench.controls.accept.click()
        assert list(bench.statuses().values()) == [Status.ACCEPTED] * 2

    def test_what_is_accepted_meanwhile_leaves_the_preview(self, open_picture, settle):
        bench = open_picture()
        bench.find()
        ours(bench.viewer, "points").add((12, 12))
        settle(bench.panel)
        bench.panel.prompting.accept()
        bench.qtbot.waitUntil(lambda: not bench.preview[12, 12])
        assert bench.status.startswith("4 objects found")
        assert "1 object found again" in bench.status

    def test_classes_in_a_semantic_session(self, open_picture):
        bench = open_picture()
        bench.session.configure(classes={1: "a", 2: "b"}, new_class=2, semantic=True)
        bench.find()
        bench.controls.accept.click()
        np.testing.assert_array_equal(bench.labels == 2, seen() != 0)

    def test_existing_labels_stay(self, open_picture):
        bench = open_picture()
        data = np.zeros(SHAPE, np.uint16)
        data[disc(*DISCS[0][:3])] = 7
        layer = bench.viewer.add_labels(data.copy(), name="mine")
        bench.panel.controls.labels.choose(layer)
        bench.find()
        assert bench.status.startswith("4 objects found")
        bench.controls.accept.click()
        np.testing.assert_array_equal(layer.data == 7, data == 7)
        assert len(np.unique(layer.data)) == 6


@pytest.mark.parametrize("tab", ["auto", "text"])
def test_nothing_of_another_picture_is_kept(open_picture, tab):
    bench = open_picture()
    tab = getattr(bench.panel, tab)
    if tab is bench.tab:
        bench.find()
    before = weakref.ref(tab.presenter)
    bench.panel.controls.picture.choose(bench.viewer.add_image(seen(), name="other"))
    bench.qtbot.waitUntil(lambda: gc.collect() >= 0 and before() is None)
    assert tab.presenter is not None
    assert tab.controls.tuning.isHidden()
    bench.viewer.layers.clear()
    assert tab.presenter is None
    assert tab.controls.status.text().startswith("Choose a picture")
    assert not tab.controls.start.isEnabled()


class TestCutShort:
    def test_the_picture_is_deleted(self, halt):
        bench = halt()
        bench.viewer.layers.remove("discs")
        assert not bench.tab.work.busy
        assert bench.status.startswith("Choose a picture")
        assert bench.preview is None

    def test_another_picture(self, halt, model):
        bench = halt()
        other = bench.viewer.add_image(seen(), name="other")
        bench.panel.controls.picture.choose(other)
        assert not bench.tab.work.busy
        assert bench.status.startswith("Ready")
        model.go.release(9999)
        bench.find()
        assert bench.status.startswith("5 objects found")

    def test_another_model(self, halt):
        bench = halt()
        bench.panel.annotation.asking.use(None)
        bench.rest()
        assert "another one now. What was found stays" in bench.status
        bench.controls.accept.click()
        assert len(bench.session.objects) == 2

    def test_the_panel_is_closed(self, halt, model):
        bench = halt()
        bench.panel.close_panel()
        model.go.release(9999)
        assert [layer.name for layer in bench.viewer.layers] == ["discs"]

    def test_the_preview_and_the_labels_are_deleted(self, open_picture):
        bench = open_picture()
        bench.find()
        bench.viewer.layers.remove("napari-sam found")
        bench.slide("score", low=0.85)
        assert bench.preview.any()
        bench.controls.propose.click()
        bench.viewer.layers.remove(bench.panel.annotation.target)
        bench.slide("score", low=0.65)
        bench.controls.accept.click()
        assert np.count_nonzero(np.unique(bench.labels)) == 4
        assert bench.panel.annotation.target in bench.viewer.layers

    def test_prompts_are_answered_meanwhile(self, halt, settle):
        bench = halt()
        ours(bench.viewer, "points").add((30, 30))
        settle(bench.panel)
        assert bench.session.mask is not None
        assert bench.tab.work.busy


def test_choices_are_remembered(open_picture, qtbot, host):
    bench = open_picture()
    c = bench.controls
    c.choices["certain"].value = 0.5
    c.choices["on_top"].value = "larger"
    bench.find()
    later = Bench(qtbot, host, seen()).controls.choices
    assert later["points"].value == 16
    assert later["certain"].value == 0.5
    assert later["on_top"].value == "larger"


def test_remembered_choices_that_make_no_sense_are_left_out(qtbot, host, tmp_path):
    (tmp_path / "settings.json").write_text(
        '{"auto": {"preset": "dragons", "points": "many", "other": 3, "certain": 0.4}}'
    )
    choices = Bench(qtbot, host, seen()).controls.choices
    assert choices["preset"].value == "nuclei"
    assert choices["points"].value == 32
    assert choices["certain"].value == 0.4
