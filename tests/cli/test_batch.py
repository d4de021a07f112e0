"""Commands over many files: failures, resuming, boxes, what is said beside outputs."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sam.cli.main import main
from napari_sam.inference.automatic import search
from napari_sam.inference.refinement import refine as refining
from napari_sam.io.labels import open_labels
from napari_sam.progress import Progress
from napari_sam.results import Proposal, SearchResult


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three pictures of a bright square, one of which is no picture."""
    monkeypatch.setenv("NAPARI_SAM_EMBEDDINGS", str(tmp_path / "embeddings"))
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "in"
    place.mkdir()
    for number, name in enumerate("ac"):
        Image.fromarray(square(5 + 20 * number)).save(place / f"{name}.png")
    (place / "b.png").write_bytes(b"no picture")
    return tmp_path


def square(column):
    image = np.random.default_rng(0).integers(0, 20, (32, 64)).astype(np.uint8)
    image[8:20, column : column + 12] = 200
    return image


@pytest.fixture
def searched(monkeypatch):
    """Everything bright is one object; notes what is searched."""
    seen = []

    def find(predictor, image, settings, **named):
        seen.append(image)
        one = Proposal.of(image > 100, image, score=0.9, stability=0.9, point=(0, 0))
        yield Progress(1, 1, SearchResult([], [one]))

    monkeypatch.setattr(search, "iter_proposals", find)
    return seen


def segment(*more):
    return main(["segment", "in/*.png", "-o", "out", "--device", "cpu", *more])


def test_one_bad_file_does_not_stop_the_rest(folder, searched, capsys):
    assert segment("--json") == 1
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert [one["objects"] for one in report["images"]] == [1, 1]
    [(path, reason)] = report["failures"].items()
    assert path.endswith("b.png")
    assert "cannot be read" in reason
    assert "1 of 3 failed" in err
    assert tifffile.imread(folder / "out" / "c_labels.tif")[10, 30] == 1


def test_what_is_done_is_skipped(folder, searched, capsys):
    segment()
    assert len(searched) == 2
    before = (folder / "out" / "a_labels.tif").stat().st_mtime_ns
    assert segment("--resume") == 1  # b is still no picture
    assert len(searched) == 2
    assert "1 objects, done before" in capsys.readouterr().out
    assert (folder / "out" / "a_labels.tif").stat().st_mtime_ns == before
    Image.fromarray(square(40)).save(folder / "in" / "b.png")
    (folder / "out" / "c_labels.tif").write_bytes(b"half")
    assert segment("--resume") == 0
    assert len(searched) == 4
    assert "c.png: made again, it is damaged" in capsys.readouterr().err
    assert segment("--resume", "--split", "0.6") == 0
    assert len(searched) == 7
    assert "made again, it was made with other settings" in capsys.readouterr().err


@pytest.mark.parametrize("report", [None, {}, {"objects": 1}, [1], "done"])
def test_a_report_that_is_not_as_it_was_written_is_made_again(folder, searched, capsys, report):
    segment()
    beside = folder / "out" / "a_labels.tif.json"
    beside.write_text(json.dumps(json.loads(beside.read_text("utf-8")) | {"report": report}))
    segment("--resume")
    assert "a.png: made again, what says how it was made is not" in capsys.readouterr().err
    assert json.loads(beside.read_text("utf-8"))["report"]["objects"] == 1


def test_how_it_was_made_is_said_beside_it(folder, searched):
    segment()
    about = json.loads((folder / "out" / "a_labels.tif.json").read_text("utf-8"))
    assert about["inputs"]["image"]["path"] == str(folder / "in" / "a.png")
    assert about["model"]["name"] == "cells_tiny"
    assert about["model"]["digest"].startswith("sha256:")
    assert about["settings"]["split"] == 0.45
    assert about["model"]["decoder"].startswith("sha256:")
    assert about["settings"]["gap"] == 1
    assert about["report"]["objects"] == 1


def test_quiet_says_errors_only(folder, searched, capsys):
    assert segment("--quiet") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 2
    assert "b.png" in err


def test_boxes_become_objects_row_by_row(folder, capsys):
    tifffile.imwrite(
        folder / "stack.tif",
        np.stack([square(5), square(25), square(40)]),
        photometric="minisblack",
    )
    (folder / "boxes.csv").write_text(
        "slice,y0,x0,y1,x1,id\n0,7.5,4.5,19.5,16.5,7\n2,7.5,39.5,19.5,51.5,9\n"
    )
    assert main(["segment", "stack.tif", "-o", "boxed.zarr", "--boxes", "boxes.csv"]) == 0
    assert "2 objects" in capsys.readouterr().out
    with open_labels(folder / "boxed.zarr") as found:
        labels = np.asarray(found[...])
    assert [np.unique(one[one > 0]).tolist() for one in labels] == [[7], [], [9]]
    for plane, column, id_ in ((0, 5, 7), (2, 40, 9)):
        truth = np.zeros((32, 64), bool)
        truth[8:20, column : column + 12] = True
        mask = labels[plane] == id_
        assert (mask & truth).sum() > 0.7 * (mask | truth).sum()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("y0,x0,y1\n1,2,3\n", "columns y0, x0, y1, x1"),
        ("y0,x0,y1,x1\n", "holds no box"),
        ("y0,x0,y1,x1\n1,1,90,9\n", "leaves the picture"),
        ("y0,x0,y1,x1,id\n1,1,9,9,2\n2,2,8,8,2\n", "once on each slice"),
        ("y0,x0,y1,x1,id\n1,1,9,9,0\n", "ids must be from 1"),
    ],
)
def test_tables_that_cannot_be_used(folder, capsys, table, message):
    (folder / "boxes.csv").write_text(table)
    assert main(["segment", "in/a.png", "-o", "no.tif", "--boxes", "boxes.csv"]) == 1
    assert message in capsys.readouterr().err
    assert not (folder / "no.tif").exists()


def test_every_box_gets_a_label_or_a_word(folder, capsys, caplog):
    good = "7.5,4.5,19.5,16.5"
    rows = [good, "3.1,3.1,3.9,3.9", good, "3,3,3,9", "100,100,120,120"]
    (folder / "boxes.csv").write_text("\n".join(["y0,x0,y1,x1", *rows]))
    arguments = ["segment", "in/a.png", "-o", "boxed.tif", "--boxes", "boxes.csv", "--json"]
    assert main(arguments) == 0
    (report,) = json.loads(capsys.readouterr().out)["images"]
    assert report["objects"] == 1
    assert [*report["unlabelled"]] == ["2", "4", "5", "3"]
    assert "others have more than half of its mask" in report["unlabelled"]["3"]
    assert all(f"{number} (" in caplog.text for number in (2, 3, 4, 5))
    with open_labels(folder / "boxed.tif") as found:
        assert np.unique(found[...]).tolist() == [0, 1]
    (folder / "boxes.csv").write_text("y0,x0,y1,x1\n3.1,3.1,3.9,3.9\n")
    assert main(["segment", "in/a.png", "-o", "no.tif", "--boxes", "boxes.csv"]) == 1
    assert "no box can be used; 1 (it has no area, or holds" in capsys.readouterr().err
    assert not (folder / "no.tif").exists()


def test_boxes_and_seeds_do_not_go_together(folder, capsys):
    more = ["--boxes", "boxes.csv", "--seeds", "grid"]
    assert main(["segment", "in/a.png", "-o", "no.tif", *more]) == 1
    assert "--boxes says what to segment; leave --seeds out" in capsys.readouterr().err


@pytest.mark.parametrize(("command", "option"), [("refine", "--labels"), ("propagate", "--seeds")])
def test_labels_go_with_pictures_by_name(folder, capsys, command, option):
    truth = square(5) > 100
    rough = np.zeros((2, 32, 64), np.uint8)
    if command == "refine":
        rough[:, 6:21, 4:18] = 7
    else:
        rough[0][truth] = 7
    (folder / "rough").mkdir()
    for name, labels in (("s.tif", "s_labels.tif"), ("t.tif", "t.tif")):
        stack = np.stack([square(5), square(5)])
        tifffile.imwrite(folder / "in" / name, stack, photometric="minisblack")
        tifffile.imwrite(folder / "rough" / labels, rough, photometric="minisblack")
    (folder / "rough" / "b_labels.png").write_bytes(b"no labels")
    arguments = [command, "in", option, "rough/*", "-o", "out", "--device", "cpu", "--json"]
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert [one["image"] for one in report["images"]] == ["in/s.tif", "in/t.tif"]
    assert all([*one["objects"]] == ["7"] for one in report["images"])
    why = report["failures"]
    assert [*why] == ["in/a.png", "in/c.png", "in/b.png"]
    assert "must have the same name; got none of the 3 there" in why["in/a.png"]
    assert "3 of 5 failed" in err
    for name in ("s", "t"):
        labels = folder / "out" / f"{name}_labels.tif"
        found = tifffile.imread(labels) == 7
        assert all((mask & truth).sum() > 0.7 * (mask | truth).sum() for mask in found)
        about = json.loads(labels.with_name(f"{labels.name}.json").read_text("utf-8"))
        assert (about["command"], about["contrast"]) == (command, "percentile")
        assert about["inputs"][option[2:]]["path"].startswith(str(folder / "rough" / name))
    (folder / "out" / "t_labels.tif").unlink()
    assert main([*arguments, "--resume"]) == 1
    again = json.loads(capsys.readouterr().out)["images"]
    assert ["skipped" in one for one in again] == [True, False]
    assert [one["objects"] for one in again] == [one["objects"] for one in report["images"]]


def test_an_interrupted_refinement_is_gone_on_with(folder, monkeypatch):
    asked, real = [], refining.refine

    def interrupted(*given, **named):
        asked.append(None)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return real(*given, **named)

    monkeypatch.setattr(refining, "refine", interrupted)
    for name in ("stack", "rough"):
        images = np.stack([square(5), square(25)]) // (1 if name == "stack" else 150)
        tifffile.imwrite(folder / f"{name}.tif", images, photometric="minisblack")
    arguments = ["refine", "stack.tif", "--labels", "rough.tif", "-o", "out.tif", "--quiet"]
    assert main(arguments) == 130
    assert main(arguments) == 0
    assert len(asked) == 3
    assert tifffile.imread(folder / "out.tif").any(axis=(1, 2)).all()
    assert not list(folder.glob(".*"))


def test_no_command_loads_a_window(folder):
    """All of them are run, `train` and `evaluate` up to the samples that they do not find."""
    code = """
import sys
sys.modules |= dict.fromkeys(("qtpy", "PyQt6", "napari", "magicgui", "vispy", "superqt"))
from napari_sam.cli.main import main
labels = "-o", "a.tif", "--quiet"
assert main(["segment", "in/a.png", "--points", "2", *labels]) == 0
assert main(["refine", "in/a.png", "--labels", "a.tif", "-o", "b.tif", "--quiet"]) == 0
assert main(["propagate", "stack.tif", "--seeds", "seeds.tif", "-o", "c.tif", "--quiet"]) == 0
assert main(["embed", "in/a.png", "--quiet"]) == 0
print("so far so quiet", flush=True)
assert main(["convert", "a.tif", "-o", "a.csv"]) == 0
assert main(["models", "list"]) == 0
assert main(["demo", "--headless"]) == 0
assert main(["train", "empty", "-o", "mine"]) == main(["evaluate", "empty"]) == 1
"""
    (folder / "empty").mkdir()
    image = square(5)
    for name, pixels in (("stack", image), ("seeds", image // 150)):
        stack = np.stack([pixels, pixels * (name == "stack")])
        tifffile.imwrite(folder / f"{name}.tif", stack, photometric="minisblack")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("so far so quiet")
    assert done.stderr.count("no usable sample") == len(done.stderr.splitlines()) == 2
