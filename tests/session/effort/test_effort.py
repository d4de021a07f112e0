"""What work has cost: counted as it goes on, saved with it, and never a time of day."""

from __future__ import annotations

import json

import numpy as np
import pytest

from napari_sam.session import drawing
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.disk.fingerprint import Fingerprint
from napari_sam.session.disk.folder import SessionFolder, read_session, restore
from napari_sam.session.disk.manifest import Manifest
from napari_sam.session.effort.clock import PAUSE, WorkClock
from napari_sam.session.effort.effort import effort_of
from napari_sam.session.effort.methods import describe_methods, methods_paragraph
from napari_sam.session.objects import Status
from napari_sam.session.session import Session
from tests.fakes import ArrayTarget, FakeSegmenter

SHAPE = 30, 40
PLANE = None, None


class Hands:
    """A session in a folder, its model, and a clock that is set by hand."""

    def __init__(self, path):
        self.now = 0.0
        self.session = Session()
        self.session.labels.write_to(ArrayTarget(np.zeros(SHAPE, np.int32)), 0)
        picture = Manifest(Fingerprint.of(SHAPE, np.zeros(SHAPE)), "secret name.tif")
        self.folder = SessionFolder.create(path, picture, WorkClock(lambda: self.now))
        self.folder.serve(self.session)

    def click(self, *points, labels=None, after=2.0):
        self.now += after
        drawing.draw(self.session, PLANE, points, labels or [1] * len(points))
        if self.session.request is not None:
            answer = self.session.request.run(FakeSegmenter(3), SHAPE)
            self.session.receive(self.session.request, answer)

    def accept(self, after=1.0):
        self.now += after
        return drawing.accept(self.session)


@pytest.fixture
def hands(tmp_path):
    return Hands(tmp_path / "session")


def work(hands):
    """Two objects clicked, one of them with a second click; two found, one of them corrected."""
    hands.click((5, 5))
    hands.accept()
    hands.click((15, 15))
    hands.click((15, 15), (18, 15))
    hands.accept()
    mask = np.zeros(SHAPE, bool)
    mask[22:28, 5:12] = True
    with Batch(hands.session, Kind.AUTOMATIC) as batch:
        found = batch.add(PLANE, [NewMask(mask), NewMask(np.roll(mask, 20, 1))])
    drawing.reopen(hands.session, found[0], PLANE)
    hands.click((25, 8))
    hands.accept()


def test_objects_are_counted_by_how_they_came_about(hands):
    work(hands)
    effort = effort_of(hands.session)
    assert (effort.objects, effort.to_review) == (4, 1)
    assert (effort.clicked, effort.found, effort.corrected) == (2, 2, 1)
    assert (effort.prompts, effort.corrections) == (4, 2)
    assert effort.prompts_per_object == pytest.approx(4 / 3)
    hands.session.undo()
    assert effort_of(hands.session).corrected == 0
    hands.session.redo()
    assert effort_of(hands.session).corrected == 1


def test_pauses_are_left_out_and_times_survive_a_snapshot(hands, tmp_path):
    work(hands)
    seconds = 4 * 2 + 3 * 1
    hands.click((5, 30), after=PAUSE + 1)
    hands.accept()
    assert hands.session.ledger.tally.seconds == seconds + 1
    assert effort_of(hands.session).per_hour == pytest.approx(4 * 3600 / (seconds + 1))
    before = hands.session.ledger.tally
    assert read_session(hands.folder.path).ledger.tally == before
    hands.folder.take_snapshot()
    hands.session.undo()
    hands.folder.close()
    restored = restore(hands.folder.path)
    assert restored.session.ledger.tally.seconds == before.seconds
    assert restored.session.ledger.tally.undone == 1
    restored.folder.close()


def test_sessions_without_times_are_read_and_give_no_rate(hands):
    work(hands)
    hands.folder.close()
    journal = hands.folder.path / "journal-000000.jsonl"
    lines = [json.loads(line[9:]) for line in journal.read_text().splitlines()]
    assert all("worked" in line for line in lines)
    for line in lines:
        del line["worked"]
    restored = rewritten(journal, lines)
    effort = effort_of(restored)
    assert (effort.clicked, effort.prompts, effort.seconds) == (2, 4, 0)
    assert effort.untimed == len(lines)
    assert effort.per_hour is None


def rewritten(journal, lines):
    from napari_sam.session.disk.journal import Journal

    journal.unlink()
    file = Journal(journal)
    for line in lines:
        file.append(line)
    file.close()
    return read_session(journal.parent)


def test_the_methods_tell_no_names_and_no_times_of_day_unless_asked(hands):
    hands.session.configure(classes={1: "hidden kind"})
    work(hands)
    hands.session.keep_view({"model": "cells_tiny", "settings": {"overlap": "keep"}})
    sessions = {"secret name.tif": hands.session}
    about = describe_methods(sessions)
    text = methods_paragraph(about)
    assert about["models"][0]["digest"].startswith("sha256:")
    assert about["settings"] == {"overlap": "keep"}
    assert about["objects"]["found"] == 2
    assert "2 drawn with clicks, boxes or shapes, 2 found automatically" in text
    assert "1 was corrected by hand" in text
    said = json.dumps(about) + text
    assert "secret" not in said
    assert "hidden" not in said
    named = describe_methods(sessions, names=True)
    assert named["names"] == ["secret name.tif"]
    assert "hidden kind" in methods_paragraph(named)


def test_what_nobody_has_accepted_is_said(hands):
    work(hands)
    unreviewed = [n for n, o in hands.session.objects.items() if o.status is not Status.ACCEPTED]
    assert len(unreviewed) == 1
    assert "1 was not accepted by then" in methods_paragraph(describe_methods({"": hands.session}))
