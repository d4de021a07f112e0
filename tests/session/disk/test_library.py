"""The folder of all sessions: one odd thing in it hides nothing, and is named with its reason."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from napari_sam.errors import SessionError
from napari_sam.session.disk.fingerprint import Fingerprint, Match
from napari_sam.session.disk.folder import locked
from napari_sam.session.disk.library import all_saved, all_unreadable, delete_saved, matches
from napari_sam.session.disk.manifest import Manifest
from tests.session.disk.damage import PICTURE

HEAD = {"format": "napari-sam session", "version": 1, "name": "x"}
PLACE = {"shape": [3, 4], "dtype": "|u1", "digest": "abc"}


def put(text):
    """Return what makes a folder with this in its session.json, and a journal."""

    def put(path):
        path.mkdir()
        (path / "session.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        (path / "journal-000000.jsonl").touch()

    return put


def said(**values):
    return put(json.dumps({**HEAD, "picture": PLACE, **values}))


def without_manifest(path):
    said()(path)
    (path / "session.json").unlink()


def with_a_folder_for_a_manifest(path):
    (path / "session.json").mkdir(parents=True)


ODD = {
    "deep": put("[" * 100_000),
    "binary": put(bytes(range(256))),
    "large": put('"' + "x" * 2_000_000 + '"'),
    "nothing": put(""),
    "null": put("null"),
    "another format": said(format="mine"),
    "no version": said(version=None),
    "version not a number": put(json.dumps({**HEAD, "picture": PLACE}).replace("1", "NaN")),
    "version in words": said(version="one"),
    "later": said(version=2, picture={"seen": True}),
    "shape of fractions": said(picture={**PLACE, "shape": [1.5]}),
    "digest of another kind": said(picture={**PLACE, "digest": 3}),
    "picture of another kind": said(picture=[1]),
    "name of another kind": said(name=["x"]),
    "source of another kind": said(source=None),
    "no manifest": without_manifest,
    "a folder for a manifest": with_a_folder_for_a_manifest,
    "a file": lambda path: path.write_text("x"),
    "a link to nothing": lambda path: path.symlink_to(path.with_name("nowhere")),
    "a link to itself": lambda path: path.symlink_to(path),
}


@pytest.fixture
def shelf(begun):
    """The folder of all sessions, in which one is."""
    begun[1].close()
    return begun[1].path.parent


@pytest.mark.parametrize("make", ODD.values(), ids=ODD.keys())
def test_an_odd_one_hides_no_other_and_is_named_with_its_reason(shelf, make):
    make(shelf / "odd")
    (found,) = all_saved(shelf)
    assert found.count() == 5
    (odd,) = all_unreadable(shelf)
    assert odd.path == shelf / "odd"
    assert "odd" in odd.reason
    delete_saved(odd)
    assert not os.path.lexists(shelf / "odd")
    assert len(all_saved(shelf)) == 1


def test_a_name_that_is_no_text_hides_nothing(shelf):
    os.mkdir(os.fsencode(shelf) + b"/\xff\xfe")
    with open(os.fsencode(shelf) + b"/\xff\xfe/journal-000000.jsonl", "wb"):
        pass
    assert len(all_saved(shelf)) == len(all_unreadable(shelf)) == 1


def test_what_holds_nothing_is_not_named(shelf):
    (shelf / "empty").mkdir()
    (shelf / ".hidden").write_text("x")
    (shelf / "lock alone").mkdir()
    (shelf / "lock alone" / "lock").touch()
    assert not all_unreadable(shelf)


def test_a_session_without_its_journal_is_there(begun):
    _, folder = begun
    folder.take_snapshot()
    folder.close()
    (folder.path / "journal-000001.jsonl").unlink()
    (found,) = all_saved(folder.path.parent)
    assert found.count() == 5


def test_whose_it_is_tell_the_manifest_and_the_name_of_the_folder(shelf):
    digest = PICTURE.picture.digest
    (shelf / "mine").rename(shelf / "later")
    path = shelf / "later" / "session.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 2}))
    without_manifest(shelf / f"{digest[:16]}-3")
    without_manifest(shelf / "0123456789abcdef-3")
    assert [odd.is_of(PICTURE) for odd in all_unreadable(shelf)] == [
        odd.path.name != "0123456789abcdef-3" for odd in all_unreadable(shelf)
    ]
    assert "later version" in next(
        o.reason for o in all_unreadable(shelf) if o.path.name == "later"
    )


def test_why_nobody_can_go_on_with_it(shelf):
    (found,) = all_saved(shelf)
    assert found.obstacle == ""
    lock = locked(found.path)
    assert "open in another window" in found.obstacle
    lock.release()
    (found.path / "lock").unlink(missing_ok=True)
    (found.path / "lock").mkdir()  # as with a disk that can only be read
    assert "nothing can be written" in found.obstacle
    assert [match for _, match in matches([found], PICTURE)] == [Match.SAME]
    assert not matches([found], Manifest(Fingerprint.of((3, 3), np.ones((3, 3))), "b.tif"))


def test_a_shelf_that_cannot_be_read_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    for look in (all_saved, all_unreadable):
        with pytest.raises(SessionError, match="saved work cannot be looked for"):
            look(tmp_path / "file")
        assert look(tmp_path / "nowhere") == []


def test_drives_that_cannot_lock_are_said(shelf, monkeypatch):
    def unable(self):
        raise NotImplementedError

    monkeypatch.setattr("filelock.FileLock.acquire", unable)
    with pytest.raises(SessionError, match="cannot lock files"):
        locked(shelf / "mine")
