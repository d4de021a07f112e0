from __future__ import annotations

import errno
import os
import time

import pytest

from napari_sam.files import clear_left_over, replacing, replacing_folder, scratch


def test_an_error_leaves_the_old_file_and_no_part(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail():
        with replacing(path) as part:
            part.write_text("half")
            assert path.read_text() == "old"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]
    with replacing(path) as part:
        part.write_text("new")
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_a_folder_is_replaced_complete_or_not_at_all(tmp_path):
    path = tmp_path / "folder"

    def write(text, error=None):
        with replacing_folder(path) as part:
            part.mkdir()
            (part / text).write_text(text)
            if error is not None:
                raise error

    write("old")
    with pytest.raises(RuntimeError):
        write("half", RuntimeError())
    assert os.listdir(path) == ["old"]
    write("new")
    assert os.listdir(path) == ["new"]
    assert os.listdir(tmp_path) == ["folder"]


def test_a_name_as_long_as_the_disk_takes_is_written(tmp_path):
    for name in ("x" * 251 + ".tif", "細" * 84 + ".ok"):
        with replacing(tmp_path / name) as part:
            part.write_text("whole")
        assert (tmp_path / name).read_text() == "whole"
        leave(tmp_path / name, age=2 * 3600)
        clear_left_over(tmp_path / name)
        assert os.listdir(tmp_path) == [name]
        (tmp_path / name).unlink()


def leave(path, age):
    """Be killed while the file is written, some seconds ago."""
    with replacing(path) as part:
        part.write_text("half")
        left = part.rename(part.with_suffix(".kept"))
        part.write_text("whole")
    left = left.rename(left.with_suffix(".part"))
    os.utime(left, (time.time() - age,) * 2)
    return left


def test_what_a_killed_process_left_is_deleted_and_nothing_else(tmp_path):
    path = tmp_path / "a[1].tif"
    old, new = leave(path, 2 * 3600), leave(path, 60)
    others = [leave(tmp_path / name, 2 * 3600) for name in ("a1.tif", "a[1].tif.json")]
    for name in ("a[1].tif.mine.part", "a[1].tif.part"):
        others.append(tmp_path / name)
        others[-1].touch()
        os.utime(others[-1], (0, 0))
    clear_left_over(path)
    assert not old.exists()
    assert all(one.exists() for one in (path, new, *others))


def test_scratch_has_no_name_and_its_size_at_once(tmp_path):
    with scratch(tmp_path, 12345) as file:
        assert os.fstat(file.fileno()).st_size == 12345
        assert os.listdir(tmp_path) == []


def test_scratch_that_has_no_room_says_how_much_is_needed(tmp_path, monkeypatch):
    def full(descriptor, begin, size):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    said = rf"the disk of {tmp_path} is full: 7\.5 MB are needed, [\d,.]+ MB are free"
    with pytest.raises(OSError, match=said), scratch(tmp_path, 7_500_000):
        pass
    assert os.listdir(tmp_path) == []


def test_without_help_of_the_system_scratch_is_written(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    with scratch(tmp_path, (1 << 20) + 1) as file:
        assert os.fstat(file.fileno()).st_size == (1 << 20) + 1


def test_a_full_disk_names_the_file_and_not_its_part(tmp_path):
    path = tmp_path / "a.tif"
    with pytest.raises(OSError, match="No space") as caught, replacing(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.filename == str(path)
    assert os.listdir(tmp_path) == []
