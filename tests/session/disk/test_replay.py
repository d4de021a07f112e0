"""Damaged journals: what is left is recovered, what is missing is noticed, nothing is deleted."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from napari_sam.errors import SessionError
from napari_sam.session.disk.folder import SessionFolder, restore
from napari_sam.session.disk.manifest import Manifest
from napari_sam.session.edit import curation
from napari_sam.session.paint import paint
from napari_sam.session.session import Session
from tests.fakes import ArrayTarget
from tests.session.disk.damage import (
    SIDE,
    add,
    as_before,
    flip,
    line,
    lines_of,
    opened,
    square,
    values_of,
)
from tests.session.player import HISTORY, Player, image_of
from tests.session.player import PICTURE as PLAYED
from tests.session.test_random import shown


@pytest.mark.parametrize("at", range(5))
def test_a_damaged_line_costs_that_line_alone(written, at):
    lines = lines_of(written)
    lines[at] = flip(lines[at])
    damaged = b"".join(lines)
    written.write_bytes(damaged)
    restored = opened(written)
    assert restored.damaged
    assert (restored.recovered, restored.lost) == (4, 1)
    assert sorted(restored.session.objects) == [n for n in range(1, 6) if n != at + 1]
    assert written.with_suffix(".damaged").read_bytes() == damaged


def test_what_was_damaged_is_kept_by_all_that_follows(written):
    lines = lines_of(written)
    lines[0] = flip(lines[0])
    written.write_bytes(b"".join(lines))
    image = image_of(opened(written).session)
    again = restore(written.parent)
    assert not again.damaged
    assert image_of(again.session) == image
    curation.delete(again.session, list(again.session.objects))
    again.folder.take_snapshot()
    again.folder.close()
    opened(written)
    assert written.with_suffix(".damaged").read_bytes() == b"".join(lines)


@pytest.mark.parametrize("old", [False, True], ids=["numbered", "before lines had numbers"])
@pytest.mark.parametrize("at", range(4))
def test_a_missing_line_is_noticed(written, at, old):
    lines = as_before(lines_of(written)) if old else lines_of(written)
    del lines[at]
    written.write_bytes(b"".join(lines))
    restored = opened(written)
    assert restored.damaged
    assert (restored.recovered, restored.lost) == (4, 1)
    assert sorted(restored.session.objects) == [n for n in range(1, 6) if n != at + 1]
    assert written.with_suffix(".damaged").read_bytes() == b"".join(lines)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"\n", b"\r"),
        lambda data: data.replace(b"\n", b"\n\n"),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.rstrip(b"\n"),
        lambda data: b"\xef\xbb\xbf\r\n" + data.replace(b"\n", b"\r\n\r\n").rstrip(),
    ],
    ids=["CRLF", "CR", "empty lines", "mark", "no end", "all"],
)
def test_line_ends_of_other_programs_are_no_damage(written, change):
    written.write_bytes(change(written.read_bytes()))
    restored = restore(written.parent)
    assert not restored.damaged
    assert sorted(restored.session.objects) == [1, 2, 3, 4, 5]
    add(restored.session, square(0, 40))
    restored.folder.close()
    again = opened(written)
    assert not again.damaged
    assert sorted(again.session.objects) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("old", [False, True], ids=["numbered", "before lines had numbers"])
def test_doubled_lines_are_read_once(written, old):
    lines = as_before(lines_of(written)) if old else lines_of(written)
    written.write_bytes(b"".join([*lines[:3], lines[1], *lines[2:], *lines]))
    restored = opened(written)
    assert not restored.damaged
    assert sorted(restored.session.objects) == [1, 2, 3, 4, 5]
    assert len(restored.session.history.done) == 5


def test_swapped_lines_are_put_in_order(written):
    lines = lines_of(written)
    written.write_bytes(b"".join(reversed(lines)))
    restored = opened(written)
    assert not restored.damaged
    assert [c.number for c in restored.session.history.done] == [1, 2, 3, 4, 5]


def test_lines_of_another_branch_are_kept_and_said(written):
    lines = lines_of(written)
    other = values_of(lines)[3]
    other["do"]["edits"] = []
    written.write_bytes(b"".join([*lines, line(other)]))
    restored = opened(written)
    assert restored.damaged
    assert restored.lost == 1
    assert sorted(restored.session.objects) == [1, 2, 3, 4, 5]
    assert line(other) in written.with_suffix(".damaged").read_bytes()


@pytest.mark.parametrize(
    "value",
    [
        {"turn": 90},
        {"undo": "once"},
        {"do": {"number": 6, "kind": "PAINTED", "before": {}, "after": {}, "edits": [7]}},
        {"grow": 5, "edits": [{"id": 0, "traits_before": None, "traits_after": None}]},
        {"adopt": [{"id": 1.5, "traits_before": None, "traits_after": None}]},
        {"view": [1]},
        [{"undo": True}],
        "undo",
    ],
)
def test_a_line_that_is_not_understood_is_kept_and_said(written, value):
    data = written.read_bytes() + line(value)
    written.write_bytes(data)
    restored = opened(written)
    assert restored.damaged
    assert sorted(restored.session.objects) == [1, 2, 3, 4, 5]
    assert written.with_suffix(".damaged").read_bytes() == data


def test_a_whole_last_line_that_is_damaged_is_said(written):
    lines = lines_of(written)
    written.write_bytes(b"".join([*lines[:4], flip(lines[4])]))
    restored = opened(written)
    assert (restored.damaged, restored.lost) == (True, 1)


def test_half_a_line_is_no_damage_and_is_kept(written):
    lines = lines_of(written)
    written.write_bytes(b"".join(lines[:4]) + lines[4][:100])
    restored = opened(written)
    assert not restored.damaged
    assert written.read_bytes() == b"".join(lines[:4])
    assert written.with_suffix(".torn").read_bytes() == lines[4][:100] + b"\n"


def test_a_step_back_from_what_is_lost_takes_nothing_else_back(begun):
    session, folder = begun
    session.undo()
    folder.close()
    journal = folder.path / "journal-000000.jsonl"
    whole = lines_of(journal)
    for lines in (whole, as_before(whole)):
        lines[4] = flip(lines[4])
        for entry in folder.path.glob("*-*"):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        journal.write_bytes(b"".join(lines))
        assert sorted(opened(journal).session.objects) == [1, 2, 3, 4]


def test_an_object_whose_beginning_is_lost_begins_where_it_is_mentioned_next(begun):
    session, folder = begun
    curation.set_class(session, [2], 1)
    curation.lock(session, [2])
    rows, columns = (at.ravel() for at in np.mgrid[30:33, 30:33])
    zeros, labels = np.zeros(len(rows), int), np.zeros((SIDE, SIDE), np.uint16)
    curation.lock(session, [2], False)
    session.labels.write_to(ArrayTarget(labels))
    labels[rows, columns] = 2
    paint(session, (None, None), rows, columns, zeros, zeros + 2)
    pixels = session.objects[2].pixels
    folder.close()
    journal = folder.path / "journal-000000.jsonl"
    lines = lines_of(journal)
    del lines[1]
    journal.write_bytes(b"".join(lines))
    restored = opened(journal)
    assert restored.session.objects[2].pixels == pixels == 90


def test_no_pixel_has_two_owners_where_what_freed_it_is_lost(begun):
    session, folder = begun
    curation.delete(session, [1])
    add(session, square(0, 3))
    folder.close()
    journal = folder.path / "journal-000000.jsonl"
    lines = lines_of(journal)
    del lines[5]
    journal.write_bytes(b"".join(lines))
    session = opened(journal).session
    assert session.objects[1].pixels == 9 * 3
    assert sum(held.pixels for held in session.objects.values()) == 9 * 3 + 5 * 81
    labels = np.zeros((SIDE, SIDE), np.uint16)
    session.labels.write_to(ArrayTarget(labels))
    session.undo()
    assert np.count_nonzero(labels == 1) == session.objects[1].pixels == 81


@pytest.mark.parametrize("old", [False, True], ids=["numbered", "before lines had numbers"])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_damaged_labels_and_objects_agree_and_nothing_is_gone(tmp_path, seed, old):
    rng = np.random.default_rng(seed)
    session, path = Session(history_bytes=HISTORY), tmp_path / "s"
    folder = SessionFolder.create(path, Manifest(PLAYED))
    folder.serve(session)
    session.configure(classes={1: "cell", 2: "nucleus"})
    player = Player(session, seed)
    for _ in range(40):
        player.step()
    folder.close()
    journal = path / "journal-000000.jsonl"
    whole = as_before(lines_of(journal)) if old else lines_of(journal)
    for _ in range(3):
        lines = list(whole)
        for at in rng.choice(len(lines), 3, replace=False):
            lines[at] = flip(lines[at]) if old or rng.random() < 0.5 else b""
        for entry in (*path.glob("journal-*"), *path.glob("snapshot-*")):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        journal.write_bytes(b"".join(lines))
        restored = restore(path, HISTORY)
        assert restored.damaged
        labels = np.zeros((3, 24, 32), int)
        restored.session.labels.write_to(ArrayTarget(labels))
        np.testing.assert_array_equal(labels, shown(restored.session))
        while restored.session.can_undo:
            restored.session.undo()
            np.testing.assert_array_equal(labels, shown(restored.session))
        restored.folder.close()
        assert journal.with_suffix(".damaged").read_bytes() == b"".join(lines)


def test_nothing_that_can_be_read_is_no_reason_to_touch_anything(written):
    written.write_bytes(b"x" * 50 + b"\n")
    with pytest.raises(SessionError, match=r"nothing of what was saved .* can be read"):
        restore(written.parent)
    assert written.read_bytes() == b"x" * 50 + b"\n"
    assert not list(written.parent.glob("*.damaged"))
