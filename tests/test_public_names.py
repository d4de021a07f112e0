from __future__ import annotations

import inspect
import re
import subprocess
import sys

import pytest

import napari_sam


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_every_public_name_is_there():
    for name in napari_sam.__all__:
        assert getattr(napari_sam, name) is not None
    assert dir(napari_sam) == sorted(napari_sam.__all__)
    assert napari_sam.__version__.startswith("1.")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = napari_sam.nothing


def test_every_public_name_tells_what_it_takes_and_shows_it():
    names = [n for n in napari_sam.__all__ if n not in ("ABSENT", "__version__", "text")]
    public = [getattr(napari_sam, name) for name in names]
    public += [getattr(napari_sam.text, name) for name in napari_sam.text.__all__]
    for one in public:
        told = inspect.getdoc(one)
        assert "Examples\n--------\n>>> " in told, one
        entries = re.findall(r"^([\w, ]+) :", told, re.MULTILINE)
        documented = {name for entry in entries for name in entry.split(", ")}
        assert set(inspect.signature(one).parameters) <= documented, one
        assert inspect.isclass(one) or re.search(r"^(Returns|Yields)\n---", told, re.MULTILINE), one


def test_importing_is_quick_and_loads_nothing_large():
    code = """
import sys, time
start = time.process_time()
import napari_sam
seconds = time.process_time() - start
large = {"torch", "numpy", "skimage", "qtpy", "napari", "requests"} & set(sys.modules)
print(seconds, large or "")
"""
    # The quickest of three: another program may hold up one of them.
    measured = [run(code).split() for _ in range(3)]
    assert min(float(words[0]) for words in measured) < 0.1
    assert all(len(words) == 1 for words in measured)


def test_prompts_load_no_torch():
    run("import sys, napari_sam; napari_sam.Prompts; assert 'torch' not in sys.modules")


def test_waiting_threads_sleep_unless_the_user_wants_otherwise(monkeypatch):
    code = "import os, napari_sam; print(os.environ['OMP_WAIT_POLICY'])"
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert run(code) == "PASSIVE\n"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert run(code) == "ACTIVE\n"
