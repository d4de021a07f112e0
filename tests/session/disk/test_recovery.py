"""Damaged snapshots, and what other programs do to a folder: nothing of it is deleted."""

from __future__ import annotations

import json
import shutil

import pytest

from napari_sam.errors import SessionError
from napari_sam.session import drawing
from napari_sam.session.disk.folder import SessionFolder, restore
from napari_sam.session.edit import curation
from napari_sam.session.session import Session
from tests.session.disk.damage import (
    PICTURE,
    add,
    line,
    square,
    values_of,
)
from tests.session.player import image_of


class TestSnapshot:
    @pytest.fixture
    def taken(self, begun):
        """The folder of a snapshot of five objects and a journal with a sixth."""
        session, folder = begun
        folder.take_snapshot()
        add(session, square(0, 40))
        folder.close()
        return folder.path

    @pytest.mark.parametrize(
        "damage",
        [
            lambda path: (path / "state.json").write_text("{"),
            lambda path: (path / "state.json").write_text("[" * 100_000),
            lambda path: (path / "state.json").unlink(),
            lambda path: shutil.rmtree(path / "masks.zarr"),
            lambda path: shutil.rmtree(path / "masks.zarr" / "c"),
            lambda path: (path / "masks.zarr" / "c" / "0").write_bytes(b"x" * 50),
            shutil.rmtree,
        ],
        ids=["torn", "deep", "no state", "no masks", "no chunk", "odd chunk", "gone"],
    )
    def test_what_came_after_a_damaged_one_is_recovered(self, taken, damage):
        snapshot = taken / "snapshot-000001"
        damage(snapshot)
        left = {str(f.relative_to(snapshot)) for f in snapshot.rglob("*")}
        restored = restore(taken)
        assert restored.damaged
        assert restored.lost
        assert list(restored.session.objects) == [6]
        restored.folder.close()
        kept = taken / "snapshot-000001.damaged"
        assert {str(f.relative_to(kept)) for f in kept.rglob("*")} == left
        assert (taken / "journal-000001.damaged").exists()
        assert not restore(taken).damaged

    def test_an_older_one_takes_its_place_if_it_is_still_there(self, begun):
        session, folder = begun
        copy = folder.path.with_name("copy")
        shutil.copytree(folder.path, copy)
        folder.take_snapshot()
        add(session, square(0, 40))
        image = image_of(session)
        folder.close()
        shutil.copy(copy / "journal-000000.jsonl", folder.path)
        (folder.path / "snapshot-000001" / "state.json").write_text("{")
        restored = restore(folder.path)
        assert restored.damaged
        assert restored.lost == 0
        assert image_of(restored.session) == image
        restored.folder.close()

    def test_a_later_one_that_is_none_hides_nothing(self, taken):
        """As a program leaves it that keeps folders in step, and has copied its folder only."""
        (taken / "snapshot-000009").mkdir()
        for damaged in (True, False):
            restored = restore(taken)
            assert restored.damaged is damaged
            assert list(restored.session.objects) == [1, 2, 3, 4, 5, 6]
            restored.folder.close()
        assert (taken / "snapshot-000001.damaged" / "state.json").exists()

    def test_a_changed_byte_is_noticed(self, taken):
        state = taken / "snapshot-000001" / "state.json"
        state.write_bytes(state.read_bytes().replace(b'"score": 0.9', b'"score": 0.8', 1))
        restored = restore(taken)
        assert restored.damaged
        assert list(restored.session.objects) == [1, 2, 3, 4, 5, 6]
        restored.folder.close()

    def test_one_without_checksums_is_read(self, taken):
        state = taken / "snapshot-000001" / "state.json"
        values = json.loads(state.read_text())
        del values["crc32"], values["masks_crc32"]
        state.write_text(json.dumps(values))
        restored = restore(taken)
        assert not restored.damaged
        assert len(restored.session.history.done) == 6
        restored.folder.close()

    def test_a_missing_first_journal_is_noticed(self, begun):
        begun[1].close()
        (begun[1].path / "journal-000000.jsonl").unlink()
        with pytest.raises(SessionError, match="nothing of what was saved"):
            restore(begun[1].path)
        assert (begun[1].path / "session.json").exists()

    def test_a_missing_journal_is_noticed(self, taken):
        (taken / "journal-000001.jsonl").unlink()
        restored = restore(taken)
        assert restored.damaged
        assert list(restored.session.objects) == [1, 2, 3, 4, 5]
        restored.folder.close()

    def test_steps_that_another_program_added_to_an_older_journal_are_kept(self, begun):
        _, folder = begun
        old = folder.path / "journal-000000.jsonl"
        before = old.read_bytes()
        folder.take_snapshot()
        folder.close()
        more = {"do": {**values_of([before.splitlines()[-1]])[0]["do"], "number": 6}, "line": 6}
        old.write_bytes(before + line(more))
        restore(folder.path).folder.close()
        assert old.with_suffix(".damaged").read_bytes() == before + line(more)


class TestWhatOthersDo:
    def test_files_of_other_names_stay(self, begun):
        session, folder = begun
        names = "journal-0 (conflicted copy).jsonl", "snapshot-000000 2", "notes.txt"
        for name in names:
            (folder.path / name).write_text("mine")
        folder.take_snapshot()
        curation.delete(session, list(session.objects))
        folder.close()
        restore(folder.path).folder.close()
        assert all((folder.path / name).read_text() == "mine" for name in names)

    @pytest.mark.parametrize(
        "name", ["journal-0 (conflicted copy).jsonl", "journal-000000.damaged"]
    )
    def test_an_empty_session_with_anything_else_in_its_folder_stays(self, tmp_path, name):
        session, path = Session(), tmp_path / "mine"
        folder = SessionFolder.create(path, PICTURE)
        folder.serve(session)
        drawing.draw(session, (None, None), [(5, 5)], [1])
        (path / name).write_text("mine")
        folder.close()
        assert (path / name).read_text() == "mine"
        assert (path / "session.json").exists()

    def test_a_folder_that_is_gone_can_be_closed(self, tmp_path):
        session, path = Session(), tmp_path / "mine"
        folder = SessionFolder.create(path, PICTURE)
        folder.serve(session)
        shutil.rmtree(path)
        folder.close()
        assert not path.exists()

    def test_objects_that_were_taken_back_keep_the_folder(self, begun):
        session, folder = begun
        for _ in range(5):
            session.undo()
        drawing.draw(session, (None, None), [(5, 5)], [1])  # nothing can be made again now
        folder.close()
        assert folder.path.exists()

    @pytest.mark.parametrize(
        "meddle",
        [
            lambda path: path.write_bytes(path.read_bytes() + b"more\n"),
            lambda path: path.write_bytes(path.read_bytes()[:100]),
            lambda path: path.replace(path.with_name("away")) and path.write_text("new"),
            lambda path: path.unlink(),
        ],
        ids=["longer", "shorter", "another file", "gone"],
    )
    def test_a_journal_that_changes_while_one_works_costs_nothing(self, begun, meddle):
        session, folder = begun
        journal = folder.path / "journal-000000.jsonl"
        meddle(journal)
        left = journal.read_bytes() if journal.exists() else None
        add(session, square(0, 40))
        image = image_of(session)
        folder.close()
        restored = restore(folder.path)
        assert not restored.damaged
        assert image_of(restored.session) == image
        restored.folder.close()
        kept = journal.with_suffix(".damaged")
        assert (kept.read_bytes() if kept.exists() else None) == left
