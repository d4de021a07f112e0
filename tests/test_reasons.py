"""Whatever was raised becomes one plain sentence."""

from __future__ import annotations

import errno
import os

import pytest

from napari_sam.reasons import reason, shown


def of(number, path=None):
    return OSError(number, os.strerror(number), path)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (of(errno.EROFS, "out"), "out cannot be written: the disk is read-only"),
        (of(errno.EACCES, b"out"), "out may not be read or written by you: look at its permiss"),
        (of(errno.ENAMETOOLONG, "x" * 300), "is too long for this disk"),
        (of(errno.ENOTDIR, "out/a"), "a file of that name is in its way"),
        (of(errno.EIO, "a.tif"), "a.tif: " + os.strerror(errno.EIO)),
        (of(errno.EIO), os.strerror(errno.EIO)),
        (of(errno.ENOSPC), "the disk is full"),
        (of(errno.ENOSPC, "gone/for/good"), "the disk of gone/for is full"),
        (OSError("the disk has 3 MB left"), "the disk has 3 MB left"),
        (OSError(errno.ENOSPC, "it is full: we know"), "it is full: we know"),
        (MemoryError(), "the memory is not enough"),
        (KeyError("x"), "'x'"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_a_reason_is_a_sentence_without_numbers_of_errors(error, said):
    assert said in reason(error)
    assert "Errno" not in reason(error)


def test_of_a_full_disk_it_says_how_much_is_left(tmp_path):
    said = reason(of(errno.EDQUOT, str(tmp_path / "a.tif")))
    assert said.startswith(f"the disk of {tmp_path} is full: ")
    assert said.endswith(" MB are free")


def test_a_name_is_one_line_that_any_terminal_shows():
    assert shown("a\tb\n\x1b[31m\udcff ü 細胞.tif") == r"a\tb\n\x1b[31m\udcff ü 細胞.tif"
