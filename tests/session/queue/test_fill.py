"""Sessions that a search fills: kept like any work, and known again by the queue."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from napari_sam.inference.automatic.selection import Selection
from napari_sam.results import Proposal
from napari_sam.session.changes import LabelScheme
from napari_sam.session.disk.fingerprint import Fingerprint
from napari_sam.session.disk.library import all_saved
from napari_sam.session.disk.manifest import Manifest
from napari_sam.session.queue.fill import FillRules, Found, expected_corrections, fill_in
from napari_sam.session.queue.progress import Carried, latest_work, sessions_of, with_progress
from napari_sam.session.queue.queue import Entry, State

SHAPE = 40, 50
PLANE = None, None


def found(*scores):
    proposals = []
    for place, score in enumerate(scores):
        mask = np.zeros(SHAPE, bool)
        mask[2:9, 2 + 10 * place : 9 + 10 * place] = True
        proposals.append(
            Proposal.of(mask, mask.astype(float), score=score, stability=1, point=(5, 5))
        )
    return proposals


def saved(folder, *scores, carried=None):
    carried = carried or Carried(model="cells_tiny")
    entry = Entry(Path("/pictures/a.tif"))
    picture = Manifest(Fingerprint.of(SHAPE, np.zeros(SHAPE)), "a", str(entry.path))
    rules = FillRules(Selection(), 0.5, carried=carried)
    what = Found([[PLANE]], {PLANE: found(*scores)})
    return entry, fill_in(entry, picture, what, rules, folder)


def test_what_is_certain_is_accepted_and_the_rest_waits(tmp_path):
    entry, after = saved(tmp_path, 0.9, 0.8, 0.2)
    assert (after.state, after.objects, after.to_review) == (State.FILLED, 3, 1)
    assert after.expected == np.float64(0.1 + 0.2 + 0.8).round(6)
    [(_, session)] = sessions_of([entry], tmp_path)
    assert len(session.objects) == 3
    assert session.ledger.tally.models == ["cells_tiny"]
    assert session.ledger.tally.seconds == 0
    assert with_progress([entry], tmp_path)[0].state is State.FILLED
    session.undo()
    assert not session.objects


def test_nothing_found_saves_nothing(tmp_path):
    _, after = saved(tmp_path)
    assert (after.state, after.objects, after.expected) == (State.FILLED, 0, 0)
    assert not all_saved(tmp_path)


def test_classes_and_model_go_along(tmp_path):
    scheme = LabelScheme(False, {1: "nucleus", 2: "debris"}, 2)
    entry, _ = saved(tmp_path, 0.9, carried=Carried(scheme, "mine"))
    assert latest_work([entry], tmp_path) == Carried(scheme, "mine")
    [(_, session)] = sessions_of([entry], tmp_path)
    assert session.objects[1].class_id == 2
    assert latest_work([Entry(Path("/elsewhere/b.tif"))], tmp_path) == Carried()


def test_expected_corrections_count_what_is_kept_only():
    assert expected_corrections(found(0.9, 0.6), Selection()) == np.float64(0.5).round(6)
    assert expected_corrections([], Selection()) == 0
    assert math.isclose(expected_corrections(found(1.2), Selection()), 0)


def test_a_stack_is_linked_and_one_step(tmp_path):
    planes = [(z, None, None) for z in range(3)]
    what = Found([planes], {planes[0]: found(0.9, 0.9), planes[1]: [], planes[2]: found(0.9)})
    shape = (3, *SHAPE)
    entry = Entry(Path("/pictures/a.tif"))
    picture = Manifest(Fingerprint.of(shape, np.zeros(shape)), "a", str(entry.path))
    after = fill_in(entry, picture, what, FillRules(Selection(), math.inf, word="rod"), tmp_path)
    assert (after.objects, after.to_review) == (2, 2)
    [(_, session)] = sessions_of([entry], tmp_path)
    assert [sorted(one.sections) for one in session.objects.values()] == [
        [planes[0], planes[2]],
        [planes[0]],
    ]
    assert {session.classes[one.class_id] for one in session.objects.values()} == {"rod"}
    session.undo()
    assert not session.objects
