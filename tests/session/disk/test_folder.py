"""Saved sessions: what comes back, what is noticed, and what cannot be done twice at once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from napari_sam.errors import SessionError
from napari_sam.session import drawing
from napari_sam.session.disk.autosave import Autosave
from napari_sam.session.disk.fingerprint import Fingerprint, Match
from napari_sam.session.disk.folder import SessionFolder, restore
from napari_sam.session.disk.journal import Journal, read_journal
from napari_sam.session.disk.library import all_saved, best_match, delete_saved, sessions_folder
from napari_sam.session.disk.manifest import Manifest
from napari_sam.session.edit import curation
from napari_sam.session.session import Session
from tests.fakes import ArrayTarget, FakeSegmenter
from tests.session.player import image_of

SHAPE = 3, 20, 30
PICTURE = Fingerprint.of(SHAPE, np.arange(12).reshape(3, 4))
MANIFEST = Manifest(PICTURE, "cells.tif", "/data/cells.tif")


def at(z):
    return z, None, None


def accept(session, z, row, column):
    drawing.draw(session, at(z), [(row, column)], [1])
    session.receive(session.request, session.request.run(FakeSegmenter(), SHAPE[1:]))
    return drawing.accept(session)


@pytest.fixture
def saved(tmp_path):
    """A session with two objects and an open draft, and its folder."""
    session = Session()
    session.labels.write_to(ArrayTarget(np.zeros(SHAPE, np.uint16)))
    folder = SessionFolder.create(tmp_path / "s", Manifest(PICTURE, "cells.tif"))
    folder.serve(session)
    accept(session, 0, 5, 5)
    accept(session, 1, 5, 20)
    drawing.draw(session, at(2), [(10, 10)], [1])
    session.keep_view({"zoom": 2.5, "tab": "Stack"})
    yield session, folder
    if session.log is not None:
        folder.close()


def test_everything_comes_back(saved):
    session, folder = saved
    image = image_of(session)
    folder.close()
    restored = restore(folder.path)
    assert image_of(restored.session) == image
    assert restored.session.view == {"zoom": 2.5, "tab": "Stack"}
    assert restored.folder.manifest.name == "cells.tif"
    assert restored.session.request.plane == at(2)
    labels = np.zeros(SHAPE, np.uint16)
    restored.session.labels.write_to(ArrayTarget(labels))
    assert labels[0, 5, 5] == 1
    assert labels[1, 5, 20] == 2
    for _ in range(2):
        restored.session.undo()
    assert labels[0, 5, 5] == 1
    assert not labels[1].any()
    restored.session.redo()
    assert labels[1, 5, 20] == 2
    assert accept_after(restored.session).object_id == 3
    restored.folder.close()


def accept_after(session):
    drawing.reject(session)
    return accept(session, 2, 15, 25)


def test_a_snapshot_takes_the_place_of_the_journal(saved):
    session, folder = saved
    image = image_of(session)
    folder.take_snapshot()
    names = {entry.name for entry in folder.path.iterdir()} - {"lock"}
    assert names == {"session.json", "snapshot-000001", "journal-000001.jsonl"}
    session.undo()
    session.redo()
    folder.close()
    again = restore(folder.path)
    assert image_of(again.session) == image
    again.folder.close()


@pytest.mark.parametrize("junk", [b"0", b"deadbeef {}", b"\x00" * 40])
def test_a_torn_last_line_is_dropped(saved, junk):
    session, folder = saved
    image = image_of(session)
    folder.close()
    journal = folder.path / "journal-000000.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + junk)
    again = restore(folder.path)
    assert not again.damaged
    assert image_of(again.session) == image
    assert journal.read_bytes() == whole
    again.session.undo()
    image = image_of(again.session)
    again.folder.close()
    third = restore(folder.path)
    assert image_of(third.session) == image
    third.folder.close()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8, 0.9])
def test_cut_anywhere_the_steps_before_are_there(saved, share):
    session, folder = saved
    folder.close()
    journal = folder.path / "journal-000000.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole[: int(share * len(whole))])
    again = restore(folder.path)
    steps = len(again.session.history.done)
    assert steps < len(session.history.done)
    assert [c.kind for c in again.session.history.done] == [
        c.kind for c in session.history.done[:steps]
    ]
    again.folder.close()


def test_damage_in_the_middle_is_said_and_kept(saved):
    _, folder = saved
    folder.close()
    journal = folder.path / "journal-000000.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"5", b"6", 1)
    journal.write_bytes(b"".join(lines))
    again = restore(folder.path)
    assert again.damaged
    assert list(again.session.objects) == [1, 2]  # the line was a click
    assert journal.with_suffix(".damaged").read_bytes() == b"".join(lines)
    again.folder.close()


def test_leftovers_of_a_crash_do_no_harm(saved):
    session, folder = saved
    folder.take_snapshot()
    image = image_of(session)
    folder.close()
    (folder.path / "snapshot-000002.part").mkdir()
    (folder.path / "journal-000000.jsonl").write_bytes(b"old")
    again = restore(folder.path)
    assert image_of(again.session) == image
    assert not (folder.path / "journal-000000.jsonl").exists()
    again.folder.take_snapshot()
    again.folder.close()
    restore(folder.path).folder.close()


def test_one_at_a_time(saved):
    _, folder = saved
    with pytest.raises(SessionError, match="another window"):
        restore(folder.path)
    code = f"""
from pathlib import Path
from napari_sam.session.disk.folder import restore
restore(Path({str(folder.path)!r}))
"""
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "another window" in other.stderr
    folder.close()
    restore(folder.path).folder.close()


def test_a_full_disk_loses_nothing(saved, monkeypatch):
    session, folder = saved
    session.receive(session.request, session.request.run(FakeSegmenter(), SHAPE[1:]))
    image, labels = image_of(session), session.labels.target.data.copy()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SessionError, match=r"not taken: .*No space left"):
        drawing.accept(session)
    assert image_of(session) == image
    np.testing.assert_array_equal(session.labels.target.data, labels)
    monkeypatch.undo()
    assert drawing.accept(session).object_id == 3
    image = image_of(session)
    folder.close()
    again = restore(folder.path)
    assert image_of(again.session) == image
    again.folder.close()


@pytest.mark.parametrize("where", ["write_snapshot", "Journal"])
def test_a_snapshot_that_fails_leaves_what_was(saved, monkeypatch, where):
    session, folder = saved

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"napari_sam.session.disk.folder.{where}", full)
    with pytest.raises(OSError, match="No space left"):
        folder.take_snapshot()
    monkeypatch.undo()
    drawing.reject(session)  # goes on in the old journal
    image = image_of(session)
    folder.close()
    again = restore(folder.path)
    assert image_of(again.session) == image
    again.folder.take_snapshot()
    again.folder.close()
    restore(folder.path).folder.close()


def test_a_deleted_folder_takes_no_step(saved):
    session, folder = saved
    image = image_of(session)
    shutil.rmtree(folder.path)
    with pytest.raises(SessionError, match="moved or deleted"):
        curation.delete(session, [1])
    assert image_of(session) == image


def test_a_drive_that_cannot_sync_folders_will_do(tmp_path, monkeypatch):
    sync = os.fsync

    def unable(handle):
        if os.path.isdir(f"/proc/self/fd/{handle}"):
            raise OSError(22, "Invalid argument")
        sync(handle)

    monkeypatch.setattr("os.fsync", unable)
    SessionFolder.create(tmp_path / "mine", MANIFEST).close()


def test_what_is_no_session_is_said(tmp_path, saved):
    _, folder = saved
    folder.close()
    with pytest.raises(SessionError, match="no saved session"):
        restore(tmp_path)
    manifest = folder.path / "session.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "version": 2}))
    with pytest.raises(SessionError, match="later version"):
        restore(folder.path)


def test_a_damaged_snapshot_is_said(saved):
    _, folder = saved
    folder.take_snapshot()
    folder.close()
    (folder.path / "snapshot-000001" / "state.json").write_text("{")
    with pytest.raises(SessionError, match=r"nothing of what was saved in .* can be read"):
        restore(folder.path)
    assert (folder.path / "snapshot-000001").exists()


class TestPicture:
    def test_the_same_again(self):
        assert PICTURE.compare(Fingerprint.of(SHAPE, np.arange(12).reshape(3, 4))) is Match.SAME

    @pytest.mark.parametrize(
        ("now", "match"),
        [
            (None, Match.MISSING),
            (Fingerprint.of((3, 20, 31), np.arange(12).reshape(3, 4)), Match.RESHAPED),
            (Fingerprint.of(SHAPE, np.arange(12.0).reshape(3, 4)), Match.RESHAPED),
            (Fingerprint.of(SHAPE, np.arange(1, 13).reshape(3, 4)), Match.CHANGED),
        ],
    )
    def test_another_is_noticed(self, now, match):
        assert PICTURE.compare(now) is match

    def test_the_folder_knows_it(self, saved):
        _, folder = saved
        folder.close()
        again = restore(folder.path)
        assert again.folder.manifest.picture == PICTURE
        again.folder.close()


class TestAutosave:
    def test_a_folder_is_made_with_the_first_step(self, tmp_path):
        session = Session()
        save = Autosave(session, tmp_path, lambda: MANIFEST)
        session.labels.write_to(ArrayTarget(np.zeros(SHAPE, np.uint16)))
        assert not list(tmp_path.iterdir())
        accept(session, 0, 5, 5)
        image = image_of(session)
        save.close()
        (found,) = all_saved(tmp_path)
        again = restore(found.path)
        assert image_of(again.session) == image
        again.folder.close()
        assert found.manifest == MANIFEST

    def test_each_session_has_a_folder_of_its_own(self, tmp_path):
        saves = []
        for _ in range(2):
            session = Session()
            saves.append(Autosave(session, tmp_path, lambda: MANIFEST))
            session.labels.write_to(ArrayTarget(np.zeros(SHAPE, np.uint16)))
            accept(session, 0, 5, 5)
        assert len(all_saved(tmp_path)) == 2
        for save in saves:
            save.close()

    def test_nothing_is_left_of_a_session_without_objects(self, tmp_path):
        session = Session()
        save = Autosave(session, tmp_path, lambda: MANIFEST)
        drawing.draw(session, at(0), [(5, 5)], [1])
        assert len(list(tmp_path.iterdir())) == 1
        save.close()
        assert not list(tmp_path.iterdir())

    def test_no_place_to_write_is_said(self, tmp_path):
        (tmp_path / "file").write_text("")
        session = Session()
        Autosave(session, tmp_path / "file", lambda: MANIFEST)
        with pytest.raises(SessionError, match="cannot be saved"):
            drawing.draw(session, at(0), [(5, 5)], [1])
        assert session.draft.is_empty

    def test_what_lies_there_can_be_looked_at_and_deleted(self, tmp_path):
        session = Session()
        save = Autosave(session, tmp_path, lambda: MANIFEST)
        session.labels.write_to(ArrayTarget(np.zeros(SHAPE, np.uint16)))
        accept(session, 0, 5, 5)
        (tmp_path / "no session").mkdir()
        (found,) = all_saved(tmp_path)
        assert found.manifest == MANIFEST
        assert found.count() == 1
        assert found.size == sum(f.stat().st_size for f in found.path.iterdir())
        assert found.is_open
        with pytest.raises(SessionError, match="open in another window"):
            delete_saved(found)
        save.close()
        assert not found.is_open
        delete_saved(found)
        assert not all_saved(tmp_path)

    @pytest.mark.parametrize(
        ("source", "digest", "match"),
        [
            ("/data/cells.tif", "same", Match.SAME),
            ("/elsewhere/cells.tif", "same", Match.SAME),
            ("/data/cells.tif", "other", Match.CHANGED),
            ("/elsewhere/cells.tif", "other", None),
            ("", "other", None),
        ],
    )
    def test_which_of_them_goes_on(self, tmp_path, source, digest, match):
        for number, kept in enumerate(["/data/cells.tif", ""]):
            one = SessionFolder.create(tmp_path / f"{number}", Manifest(PICTURE, "cells.tif", kept))
            Session(log=one)
            one.close()
        now = Manifest(PICTURE if digest == "same" else Fingerprint(SHAPE, "<i8", "x"), "", source)
        found = best_match(all_saved(tmp_path), now)
        assert (found and found[1]) == match

    def test_where_they_lie(self, tmp_path, monkeypatch):
        monkeypatch.setenv("NAPARI_SAM_SESSIONS", str(tmp_path))
        assert sessions_folder() == tmp_path
        monkeypatch.delenv("NAPARI_SAM_SESSIONS")
        assert "napari-sam" in sessions_folder().parts


def test_a_journal_is_as_before_after_a_failed_write(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "j")
    journal.append({"a": 1})
    before = (tmp_path / "j").read_bytes()

    def fail(handle):
        raise OSError("gone")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="gone"):
        journal.append({"b": 2})
    assert (tmp_path / "j").read_bytes() == before
    with monkeypatch.context() as also:
        also.setattr("os.ftruncate", lambda *args: fail(0))
        with pytest.raises(OSError, match="gone"):
            journal.append({"b": 2})
    monkeypatch.undo()
    journal.append({"c": 3})
    journal.close()
    assert read_journal(tmp_path / "j")[0] == [{"a": 1}, {"c": 3}]
