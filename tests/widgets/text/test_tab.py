"""Words in the panel: what fits is shown, put into the session as classes, and taken back."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.results import Prediction
from napari_sam.session.objects import Status
from napari_sam.settings import load_settings
from napari_sam.text.reader import Reader
from tests.fakes import FakeEncoder
from tests.widgets.conftest import open_tab
from tests.widgets.search.finding import (
    BATCH,
    DISCS,
    Bench,
    FindingSegmenter,
    disc,
    hatching,
    model,
    seen,
)

LARGE, SMALL = [2], [3, 4]  # of the discs, beside the median one


class TextBench(Bench):
    """The tab Text, and what a person does there."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.panel.auto.controls.choices["points"].value = 16
        open_tab(self.panel, "Text")
        self.tab, self.controls = self.panel.text, self.panel.text.controls

    def say(self, words, way="objects"):
        self.controls.words.setText(words)
        self.controls.choices["way"].value = way
        self.find()

    def colours(self, numbers):
        """What is shown of some discs."""
        return np.setdiff1d(self.preview[area(numbers)], [0])

    @property
    def classes(self):
        names = self.session.classes
        return [names[held.class_id] for held in self.session.objects.values()]


@pytest.fixture
def encoder():
    return FakeEncoder()


@pytest.fixture
def open_text(qtbot, host, encoder):
    """Return a function that opens a picture of discs in the tab Text."""

    def open_text(data=None, reader=None, **options):
        reader = reader or Reader(lambda: encoder)
        return TextBench(qtbot, host, seen() if data is None else data, reader=reader, **options)

    return open_text


def area(numbers):
    return np.logical_or.reduce([disc(*DISCS[n][:3]) for n in numbers])


class TestObjects:
    def test_what_fits_has_the_colour_of_its_word_and_the_rest_is_faint(self, open_text):
        bench = open_text()
        bench.say("large, small")
        assert bench.status.startswith("3 of 5 objects fit.")
        large, small, faint = map(bench.colours, (LARGE, SMALL, [0, 1]))
        assert len(large) == len(small) == 1
        assert len({0, *large, *small, *faint}) == 4
        legend = bench.controls.legend.text()
        assert "large: <b>1</b>" in legend
        assert "small: <b>2</b>" in legend
        assert not bench.session.objects

    def test_one_word_or_the_other(self, open_text):
        bench = open_text()
        found = []
        for word in ("large", "small"):
            bench.say(word)
            bench.controls.propose.click()
            found.append(bench.labels != 0)
            bench.controls.undo.click()
        np.testing.assert_array_equal(found[0], area(LARGE))
        np.testing.assert_array_equal(found[1], area(SMALL))

    def test_put_as_proposals_of_classes_and_taken_back_as_one_step(self, open_text):
        bench = open_text()
        bench.say("large, small")
        bench.controls.propose.click()
        assert bench.session.classes == {1: "large", 2: "small"}
        assert sorted(bench.classes) == ["large", "small", "small"]
        assert set(bench.statuses().values()) == {Status.PROPOSED}
        assert bench.status.startswith("3 objects to look at")
        bench.controls.undo.click()
        assert not bench.session.objects
        assert bench.session.classes == {1: "object"}
        assert bench.status.startswith("3 of 5 objects fit.")

    def test_accepted_ones_are_not_found_again_and_other_words_stay(self, open_text):
        bench = open_text()
        bench.say("small")
        bench.controls.propose.click()
        bench.say("large")
        bench.controls.accept.click()
        assert sorted(bench.classes) == ["large", "small", "small"]
        bench.say("large, small")  # proposals of these words make room
        assert "1 object found again is left out" in bench.status
        bench.controls.accept.click()
        assert sorted(bench.classes) == ["large", "small", "small"]
        assert set(bench.statuses().values()) == {Status.ACCEPTED}

    def test_in_a_map_of_classes_the_labels_are_their_numbers(self, open_text):
        bench = open_text()
        bench.session.configure(semantic=True)
        bench.say("large, small")
        bench.controls.accept.click()
        np.testing.assert_array_equal(bench.labels, area(LARGE) + 2 * area(SMALL))

    def test_other_words_need_no_other_search(self, open_text, model, encoder):
        bench = open_text()
        bench.say("large")
        looks = list(encoder.looks)
        bench.say("small")
        assert bench.status.startswith("2 of 5 objects fit.")
        assert len(model.searches) == 1
        assert encoder.looks == looks

    def test_another_slice_is_another_search(self, open_text, model):
        bench = open_text(np.stack([seen(), seen() * (area([2]))]))
        bench.say("small")
        bench.viewer.dims.set_point(0, 1)
        bench.qtbot.waitUntil(lambda: "another slice" in bench.status)
        bench.say("small")
        assert len(model.searches) == 2
        assert bench.status.startswith("None of 1 object fits so well")

    def test_another_picture_is_another_search(self, open_text, model):
        bench = open_text()
        bench.say("small")
        bench.viewer.layers["discs"].data = seen() * area([2])
        bench.say("small")
        assert len(model.searches) == 2

    def test_the_slider_and_the_number_need_no_model(self, open_text, model):
        bench = open_text()
        bench.say("small")
        assert bench.controls.filters["similarity"].value == FakeEncoder.threshold
        bench.controls.filters["similarity"].value = 0.5
        bench.rest()
        assert bench.status.startswith("4 of 5 objects fit.")
        bench.controls.filters["most"].value = 1
        bench.rest()
        assert bench.status.startswith("1 of 5 objects fit.")
        smallest = hatching(area([3]))
        np.testing.assert_array_equal(bench.preview == 1, smallest)
        bench.controls.filters["similarity"].value = 1
        bench.rest()
        assert bench.status.startswith("None of 5 objects fits so well; the best one has 0.")
        assert not bench.controls.propose.isEnabled()
        bench.say("large")  # what somebody has chosen stays
        assert bench.controls.filters["similarity"].value == 1

    def test_cancelled(self, open_text, model):
        bench = open_text()
        model.go = threading.Semaphore(3)
        bench.controls.words.setText("small")
        bench.controls.start.click()
        bench.qtbot.waitUntil(lambda: bench.controls.bar.value() == 3 * BATCH, timeout=10_000)
        assert bench.status.startswith("48 of 256 points asked")
        bench.controls.cancel.click()
        bench.rest()
        assert bench.status == "It ended early: you cancelled it."
        assert bench.controls.tuning.isHidden()


class TestArea:
    @pytest.fixture
    def model(self):
        class Semantic(FindingSegmenter):
            @property
            def predictor(self):
                return SimpleNamespace(predict_batch=self.predict_areas)

            def predict_areas(self, embedding, prompts):
                if self.fails:
                    raise InputError(self.fails)
                of = [LARGE if one.text[0] else SMALL if one.text[1] else [] for one in prompts]
                masks = [area(some) if some else np.zeros(embedding, bool) for some in of]
                score = np.array([0.75], np.float32)
                return [Prediction(mask[None], score, np.zeros((1, 8, 8))) for mask in masks]

        return Semantic()

    def test_one_object_for_each_word_that_fits_anything(self, open_text):
        bench = open_text()
        bench.say("small, large, blue", "area")
        assert bench.status.startswith("2 areas found.")
        assert bench.controls.legend.text().count("quality 0.75") == 2
        assert "blue: <b>nothing</b>" in bench.controls.legend.text()
        assert bench.controls.filters["similarity"].native.isHidden()
        bench.controls.accept.click()
        assert bench.session.classes == {1: "small", 2: "large", 3: "blue"}
        assert bench.classes == ["small", "large"]
        np.testing.assert_array_equal(bench.labels, area(SMALL) + 2 * area(LARGE))

    def test_what_is_settled_is_cut_out(self, open_text):
        bench = open_text()
        bench.say("small")
        bench.controls.filters["most"].value = 1
        bench.controls.accept.click()
        bench.say("small", "area")
        bench.controls.accept.click()
        assert [held.pixels for held in bench.session.objects.values()] == [
            area([3]).sum(),
            area([4]).sum(),
        ]

    def test_a_model_that_understands_no_words_says_so(self, open_text, model):
        model.fails = "this model understands no words"
        bench = open_text()
        bench.say("small", "area")
        assert bench.status == "It ended early: this model understands no words."

    def test_nothing(self, open_text):
        bench = open_text()
        bench.say("blue", "area")
        assert bench.status == "Nothing in the slice fits these words."


class TestWords:
    def test_unknown_ones_are_told_before_and_after(self, open_text):
        bench = open_text()
        c = bench.controls
        c.words.setText("small, traffic lights")
        assert c.unknown.isHidden()
        c.words.editingFinished.emit()
        bench.qtbot.waitUntil(lambda: not c.unknown.isHidden(), timeout=10_000)
        assert "'traffic lights' is not among the words" in c.unknown.text()
        assert "small" not in c.unknown.text()
        bench.find()
        assert not c.unknown.isHidden()
        bench.say("small")
        assert c.unknown.isHidden()

    def test_without_words_there_is_nothing_to_do(self, open_text):
        bench = open_text()
        assert bench.status.startswith("Say what to find")
        bench.controls.words.setText(" , ")
        assert not bench.controls.start.isEnabled()
        bench.controls.words.setText(" large ,large, the  small ")
        assert bench.controls.said == ("large", "the small")

    def test_without_the_extra_it_says_what_to_install(self, open_text, monkeypatch):
        monkeypatch.setattr("napari_sam.text.installed.SENTENCES", "not_installed_anywhere")
        bench = open_text(reader=Reader())
        bench.controls.words.setText("small")
        assert "pip install 'napari-sam[text]'" in bench.status
        assert not bench.controls.start.isEnabled()

    def test_the_encoder_is_loaded_once_and_never_in_the_window_s_thread(self, open_text, encoder):
        threads = []

        def load():
            threads.append(threading.current_thread())
            return encoder

        bench = open_text(reader=Reader(load))
        bench.say("small")
        bench.say("large")
        (thread,) = threads
        assert thread is not threading.main_thread()

    def test_they_are_remembered(self, open_text):
        bench = open_text()
        bench.say("small")
        assert load_settings().text == {"words": "small", "way": "objects"}
        assert open_text().controls.words.text() == "small"

    def test_the_last_word_is_completed(self, open_text):
        completer = open_text().controls.words.completer()
        completer.setCompletionPrefix("bright, round nucle")
        found = set()
        while completer.setCurrentRow(len(found)):
            found.add(completer.currentCompletion())
        assert found == {"bright, round nuclei", "bright, round nucleus"}
