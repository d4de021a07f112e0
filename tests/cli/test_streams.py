"""Nobody has to listen, and every name can be said."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from napari_sam.cli.streams import TolerantStream, print_json


def run(code, **more):
    head = "import sys\nfrom napari_sam.cli.streams import tolerant_streams\n"
    return subprocess.run([sys.executable, "-c", head + code], text=True, check=False, **more)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_work_goes_on_when_the_reader_has_gone(stream, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    code = f"""
with tolerant_streams():
    for number in range(3):
        print("hello " * 10000, file=sys.{stream})
    open({str(tmp_path / "done")!r}, "w").close()
"""
    done = run(code, **{stream: writer})
    os.close(writer)
    assert done.returncode == 0
    assert (tmp_path / "done").exists()


def test_without_streams_it_is_silent(monkeypatch):
    nowhere = TolerantStream(None, wanted=True)
    assert nowhere.write("hello") == 5
    nowhere.flush()


@pytest.mark.parametrize(("stream", "status"), [("stdout", 1), ("stderr", 0)])
def test_a_full_disk_is_an_error_only_where_the_answer_goes(stream, status):
    code = f"""
with tolerant_streams():
    print("hello", file=sys.{stream}, flush=True)
"""
    with open("/dev/full", "w") as full:
        done = run(code, **{stream: full})
    assert done.returncode == status


def test_characters_that_the_stream_lacks_become_numbers():
    stream = io.TextIOWrapper(io.BytesIO(), "ascii")
    print("ü \udcff", file=TolerantStream(stream, wanted=True), flush=True)
    assert stream.buffer.getvalue() == b"\\xfc \\udcff\n"


def test_json_has_no_numbers_that_are_none(capsys):
    print_json({"a": [float("nan"), -float("inf"), 1.5], "\udcff": (True, None)}, None)
    assert capsys.readouterr().out == '{"a": [null, null, 1.5], "\\udcff": [true, null]}\n'
