from __future__ import annotations

import os

import pytest

from napari_sam.files import replacing, replacing_folder


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
