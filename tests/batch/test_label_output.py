"""The place for labels: empty ones while they are made, and what is found out before."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from napari_sam.batch.label_output import LabelOutput
from napari_sam.errors import InputError
from napari_sam.reasons import reason


@pytest.fixture
def target(tmp_path):
    return LabelOutput(tmp_path / "out" / "a_labels.tif", {})


@pytest.mark.parametrize(("shape", "dtype"), [((3, 4), np.int32), ((2, 0, 4), np.uint8)])
def test_empty_labels_have_no_file_that_could_be_left(target, shape, dtype):
    with target.room(shape, dtype) as labels:
        assert (labels.shape, labels.dtype) == (shape, dtype)
        assert not labels.any()
        labels[...] = 7
        assert (labels == 7).all()
        assert os.listdir(target.scratch) == []


def test_a_full_disk_is_an_error_before_anything_is_written(target, monkeypatch):
    def full(descriptor, begin, size):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(OSError, match="is full") as caught, target.room((1000, 1000)):
        pass
    assert "4.0 MB are needed" in reason(caught.value)


def test_a_killed_process_leaves_nothing_that_fills_the_disk(target):
    code = f"""
from pathlib import Path
from napari_sam.batch.label_output import LabelOutput
with LabelOutput(Path({str(target.output)!r}), {{}}).room((1000, 1000)) as labels:
    labels[...] = 1
    print("there", flush=True)
    input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "there\n"
        process.kill()
    assert os.listdir(target.scratch) == []


def test_parts_of_a_dead_run_go_and_those_of_a_live_one_stay(target):
    target.prepare()
    old, new = (target.folder / f"a_labels.tif.{12 * letter}.part" for letter in "ab")
    for part in (old, new):
        part.touch()
    os.utime(old, (time.time() - 7200,) * 2)
    with target.room((2, 2)):
        assert not old.exists()
    target.clean()
    assert new.exists()
    assert not target.scratch.exists()


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("taken/a.tif", OSError, "is needed as a folder, and a file of that name is in its way"),
        ("folder", OSError, "is a folder, where a file is needed"),
        ("folder.zarr", InputError, "holds no labels"),
        ("x" * 249 + ".tif", OSError, "is too long for this disk"),
    ],
)
def test_what_cannot_be_written_is_known_before(tmp_path, name, error, said):
    (tmp_path / "taken").touch()
    for folder in ("folder", "folder.zarr"):
        (tmp_path / folder).mkdir()
    with pytest.raises(error) as caught:
        LabelOutput(tmp_path / name, {}).prepare()
    assert said in reason(caught.value)


def test_nothing_is_left_of_the_trial(target):
    target.prepare()
    assert os.listdir(target.folder) == []
