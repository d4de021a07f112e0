"""More objects like examples, in the panel: the slider, the count, the class, all slices."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.inference.similar.features import Described
from napari_sam.results import Proposal
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.edit import curation
from napari_sam.session.objects import Status
from tests.widgets.conftest import open_tab
from tests.widgets.search.finding import DISCS, controls_shown, disc, model, open_picture, seen

SMALL, LARGE = (0, 1, 3, 4), 2  # discs by their radius


class SizeReader:
    """Describes objects by their area and nothing else."""

    missing = ""

    def __init__(self):
        self.described = []
        self.missed = []

    def describe(self, segmenter, image, masks, contrast, pause):
        self.described.append(len(masks))
        areas = np.array([[one.area / 2000] for one in masks]).reshape(-1, 1)
        return Described({"crop": areas})

    def unfound(self, segmenter, image, examples, found, held, contrast, pause):
        return self.missed


@pytest.fixture
def open_examples(open_picture):
    """Return a function that opens discs of which some are accepted, as classes by name."""

    def open_examples(numbers=(0,), data=None, names=("small", "large")):
        bench = open_picture(data, reader=SizeReader())
        session = bench.session
        session.configure(False, dict(enumerate(names, 1)), 1)
        plane = bench.panel.annotation.seen
        made = [
            NewMask(disc(*DISCS[n][:3]), status=Status.ACCEPTED, class_id=2 if n == LARGE else 1)
            for n in numbers
        ]
        with Batch(session, Kind.AUTOMATIC) as batch:
            bench.ids = batch.add(plane, made)
        return bench

    return open_examples


def find_alike(bench, ids=None):
    bench.panel.review.refresh()
    bench.panel.controls.objects.select((ids or bench.ids)[0])
    bench.panel.review.actions["alike"]()
    rest(bench)


def rest(bench):
    presenter = bench.tab.presenter
    bench.qtbot.waitUntil(lambda: not presenter.busy, timeout=10_000)
    bench.rest()


def slide(bench, value):
    bench.controls.alike.choices["similarity"].value = value
    rest(bench)


class TestSlice:
    def test_what_is_like_the_example_becomes_proposals_of_its_class(self, open_examples):
        bench = open_examples()
        find_alike(bench)
        assert bench.panel.tabs.tabText(bench.panel.tabs.currentIndex()) == "Auto"
        kept = bench.tab.presenter._kept
        assert {one.area for one in kept} == {disc(*DISCS[n][:3]).sum() for n in SMALL[1:]}
        assert bench.controls.alike.about.text() == "Like object 1 (small)."
        assert bench.status.startswith("3 kept by their similarity. Of the kind 3 are new.")
        bench.controls.propose.click()
        new = [one for one in bench.session.objects.values() if one.id not in bench.ids]
        assert [one.status for one in new] == [Status.PROPOSED] * 3
        assert {bench.session.classes[one.class_id] for one in new} == {"small"}
        bench.session.undo()
        assert list(bench.session.objects) == bench.ids

    def test_the_kind_is_kept_of_other_pictures_too(self, open_examples):
        bench = open_examples()
        assert bench.tab.kind is None
        find_alike(bench)
        kind = bench.tab.kind
        found = bench.tab.presenter.findings.found.new
        kept = kind.keep(None, np.zeros((9, 9)), None, found, lambda: None)
        assert kind.name == "small"
        assert 0 < len(kept) < len(found)
        assert {one.area for one in kept} == {one.area for one in bench.tab.presenter._kept}

    def test_what_the_search_missed_is_among_the_kept(self, open_examples):
        bench = open_examples()
        mask = np.zeros(bench.tab.presenter.findings.shape, bool)
        mask[:6, :6] = True
        missed = Proposal.of(mask, mask.astype(float), score=1, stability=1, point=(3, 3))
        bench.panel.text.work.reader.missed = [missed]
        find_alike(bench)
        assert missed in bench.tab.presenter.findings.found.new
        slide(bench, 0.0)
        assert missed in bench.tab.presenter._kept

    def test_the_slider_asks_no_model(self, open_examples, model):
        bench = open_examples()
        find_alike(bench)
        searches, reader = len(model.searches), bench.panel.text.work.reader
        described = len(reader.described)
        slide(bench, 0.0)
        assert len(bench.tab.presenter._kept) == 4
        slide(bench, 1.0)
        assert not bench.tab.presenter._kept
        assert (len(model.searches), len(reader.described)) == (searches, described)

    def test_objects_of_other_classes_are_counter_examples(self, open_examples):
        bench = open_examples((0, LARGE))
        find_alike(bench)
        sought = bench.tab.presenter.alike.sought
        assert sought.ids == (1,)
        assert [len(masks) for masks in sought.against.values()] == [1]

    def test_any_kind_again(self, open_examples):
        bench = open_examples()
        find_alike(bench)
        bench.controls.alike.anything.click()
        rest(bench)
        assert len(bench.tab.presenter._kept) == 4
        assert bench.controls.alike.isHidden()

    def test_a_press_of_find_everything_finds_everything(self, open_examples):
        bench = open_examples()
        find_alike(bench)
        bench.find()
        assert bench.tab.presenter.alike.sought is None
        assert len(bench.tab.presenter._kept) == 4

    def test_nothing_selected_is_said(self, open_picture):
        bench = open_picture(reader=SizeReader())
        bench.tab.find_alike([])
        assert bench.status.startswith("⚠ Select one or a few objects")

    def test_examples_of_two_classes_are_refused(self, open_examples):
        bench = open_examples((0, LARGE))
        bench.tab.find_alike(bench.ids)
        assert bench.status == (
            "⚠ The examples are small and large: select objects of one class only."
        )

    def test_a_failure_is_said_and_what_was_found_stays(self, open_examples):
        bench = open_examples()
        bench.panel.text.work.reader.describe = None  # it cannot be called
        find_alike(bench)
        assert "not compared with the examples" in bench.status
        assert len(bench.tab.presenter._kept) == 4

    def test_the_first_screen_stays_as_it_is(self, open_examples):
        bench = open_examples()
        open_tab(bench.panel, "Auto")
        assert len(controls_shown(bench)) <= 5


class TestStack:
    def test_all_slices_keep_what_is_alike_as_one_step(self, open_examples):
        bench = open_examples(data=np.stack([seen()] * 3))
        bench.viewer.dims.set_point(0, 0)
        find_alike(bench, bench.ids)
        where = bench.controls.where
        where.setCurrentIndex(1)
        where.activated.emit(1)
        bench.rest()
        steps = len(bench.session.history.done)
        bench.controls.propose.click()
        bench.qtbot.waitUntil(lambda: not bench.tab.stack.busy, timeout=10_000)
        new = [one for one in bench.session.objects.values() if one.id not in bench.ids]
        areas = {one.sections[plane].mask.area for one in new for plane in one.planes}
        assert areas == {disc(*DISCS[n][:3]).sum() for n in SMALL}
        assert {one.class_id for one in new} == {1}
        assert len(bench.session.history.done) == steps + 1


def test_examples_are_taken_from_the_nearest_slice(open_examples):
    from napari_sam.widgets.auto.alike import sought

    bench = open_examples(data=np.stack([seen()] * 3))
    session, mask = bench.session, disc(*DISCS[0][:3])
    with Batch(session, Kind.AUTOMATIC) as batch:
        batch.add((2, None, None), [NewMask(mask, bench.ids[0], status=Status.ACCEPTED)])
    assert list(sought(session, bench.ids, (2, None, None)).shown) == [(2, None, None)]
    curation.delete(session, bench.ids)
    with pytest.raises(Exception, match="Select one or a few objects"):
        sought(session, bench.ids, None)
