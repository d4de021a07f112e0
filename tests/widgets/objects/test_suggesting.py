"""Classes suggested by example, in the panel: asked, taken as one step, looked through, saved."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.edit import curation
from napari_sam.session.objects import Status
from napari_sam.widgets.objects.objects_model import Column
from tests.widgets.auto.test_alike import SizeReader
from tests.widgets.search.finding import DISCS, Bench, disc, seen

KIND = "suggested classes"


@pytest.fixture
def bench(qtbot, host):
    """Five accepted discs of a class that nobody has named, and two classes."""
    bench = Bench(qtbot, host, seen(), reader=SizeReader())
    bench.session.configure(False, {1: "small", 2: "large"}, 1)
    plane = bench.panel.annotation.seen
    made = [NewMask(disc(*one[:3]), status=Status.ACCEPTED) for one in DISCS]
    with Batch(bench.session, Kind.AUTOMATIC) as batch:
        bench.ids = batch.add(plane, made)
    return bench


def suggest(bench, small=0, large=2):
    curation.set_class(bench.session, [bench.ids[small]], 1)
    curation.set_class(bench.session, [bench.ids[large]], 2)
    bench.panel.review.actions["suggest"]()
    queries = bench.panel.annotation.queries
    bench.qtbot.waitUntil(lambda: "Take all" in answers(queries), timeout=10_000)
    return queries


def answers(queries):
    return [] if queries.current is None else [one.text for one in queries.current.answers]


def answer(queries, text):
    query = queries.current
    queries.answer(query, next(one for one in query.answers if one.text == text))


def test_the_rest_is_suggested_a_class_as_one_step(bench):
    queries = suggest(bench)
    assert queries.current.text.startswith("Suggested: 3 small.")
    before = {n: one.traits for n, one in bench.session.objects.items()}
    answer(queries, "Take all")
    objects = bench.session.objects
    rest = [objects[n] for n in bench.ids if n not in (bench.ids[0], bench.ids[2])]
    assert all(one.class_id == 1 and 0.5 < one.certainty < 1 for one in rest)
    assert objects[bench.ids[2]].certainty == 1
    bench.session.undo()
    assert {n: one.traits for n, one in objects.items()} == before


def test_the_least_certain_is_next_and_accepting_confirms_it(bench):
    answer(suggest(bench), "Take all")
    objects = bench.session.objects
    least = min((one for one in objects.values() if one.is_suggested), key=lambda x: x.certainty)
    bench.panel.review.refresh()
    bench.panel.controls.objects.table.clearSelection()
    bench.panel.review.actions["next_unsure"]()
    assert bench.panel.controls.objects.selected == [least.id]
    bench.panel.review.actions["accept_slice"]()
    assert objects[least.id].certainty == 1
    assert bench.panel.controls.objects.selected != [least.id]


def test_the_list_and_the_table_say_how_certain_it_is(bench, tmp_path):
    answer(suggest(bench), "Take all")
    bench.panel.review.refresh()
    model, one = bench.panel.controls.objects.model, bench.session.objects[bench.ids[1]]
    said = model.data(model.index(model.find(one.id), Column.CLASS))
    assert said == f"small {one.certainty:.0%}"
    annotation = bench.panel.annotation
    annotation.binding.ensure_target(5)
    done = []
    bench.panel.saver.said.connect(done.append)
    bench.panel.saver.save(annotation, annotation.target, tmp_path / "cells.csv")
    bench.qtbot.waitUntil(lambda: any("measured:" in text for text in done), timeout=10_000)
    with (tmp_path / "cells.csv").open() as file:
        rows = {int(row["label"]): row for row in csv.DictReader(file)}
    assert float(rows[one.id]["class_certainty"]) == pytest.approx(one.certainty)
    assert rows[bench.ids[0]]["class_certainty"] == "1.0"


def test_discarded_suggestions_change_nothing(bench):
    queries = suggest(bench)
    steps = len(bench.session.history.done)
    answer(queries, "Discard")
    assert len(bench.session.history.done) == steps
    assert not any(one.is_suggested for one in bench.session.objects.values())


def test_without_examples_it_is_said_what_is_needed(bench):
    said = []
    bench.panel.annotation.remarked.connect(said.append)
    bench.panel.review.actions["suggest"]()
    assert said[-1].startswith("Name a few objects of each class first")


def test_what_was_named_or_locked_meanwhile_stays(bench):
    queries = suggest(bench)
    curation.set_class(bench.session, [bench.ids[1]], 2)
    curation.lock(bench.session, [bench.ids[3]])
    answer(queries, "Take all")
    objects = bench.session.objects
    assert objects[bench.ids[1]].class_id == 2
    assert objects[bench.ids[3]].certainty is None
    assert np.sum([one.is_suggested for one in objects.values()]) == 1
