"""Labels find their way: from pictures of the same name to folders that mirror theirs, and back."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sam.cli.main import main
from napari_sam.cli.pairing import pair_labels
from napari_sam.cli.paths import input_images, output_paths
from napari_sam.cli.progress import Failures
from napari_sam.data.pairs import find_pairs, labels_beside
from napari_sam.errors import InputError
from napari_sam.inference.automatic import search
from napari_sam.io.provenance import write_provenance
from napari_sam.progress import Progress
from napari_sam.results import Proposal, SearchResult


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names):
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def outputs(*named, to="out"):
    """Return where the labels of all that is named go, by picture, as text."""
    named, failures = [*map(Path, named)], Failures()
    images = input_images(named, failures)
    found = output_paths(images, named, Path(to), failures)
    assert failures.reasons == {}
    return {image.as_posix(): output.as_posix() for image, output in found.items()}


def test_names_are_flat_where_none_collides(here):
    touch("in/a.tif", "in/deep/b.png")
    assert outputs("in") == {
        "in/a.tif": "out/a_labels.tif",
        "in/deep/b.png": "out/b_labels.tif",
    }


SAMPLES = ("in/day1/s1/image.png", "in/day1/s2/image.png", "in/day2/s1/image.tif")


@pytest.mark.parametrize(
    "named",
    [["in"], ["in/*/*/image.*"], ["in/**/*"], SAMPLES, ["in/day1", "in/day2"], ["in", "./in"]],
)
def test_folders_are_mirrored_where_names_collide(here, named):
    touch(*SAMPLES, "in/day1/other.png")
    found = outputs(*named)
    assert {found[sample] for sample in SAMPLES} == {
        "out/day1/s1/image_labels.tif",
        "out/day1/s2/image_labels.tif",
        "out/day2/s1/image_labels.tif",
    }
    assert found.get("in/day1/other.png", "out/other_labels.tif") == "out/other_labels.tif"


def test_in_one_folder_the_ending_tells_them_apart(here):
    touch("in/a.tif", "in/a.png", "in/b.tif", "in/deep/a.tif")
    assert outputs("in") == {
        "in/a.png": "out/a.png_labels.tif",
        "in/a.tif": "out/a.tif_labels.tif",
        "in/b.tif": "out/b_labels.tif",
        "in/deep/a.tif": "out/deep/a_labels.tif",
    }


def test_what_would_be_written_twice_is_a_failure(here):
    touch("in/a.tif", "in/a.png", "in/a.tif.png")
    named, failures = [Path("in")], Failures()
    found = output_paths(input_images(named, failures), named, Path("out"), failures)
    assert len(set(found.values())) == len(found) == 2
    assert "would replace those of" in failures.reasons["in/a.tif.png"]


def test_labels_are_no_pictures_where_their_pictures_are(here, capsys):
    touch("in/s1/image.png", "in/s1/labels.png", "in/cells.tif", "in/cells_labels.tif")
    touch("in/out/far_labels.tif", "in/far.tif", "in/alone_labels.tif", "in/s2/labels.tif")
    touch("in/old/gone_labels.tif", "in/old/image_labels.tif")
    write_provenance(Path("in/old/gone_labels.tif"), {"command": "", "inputs": {}, "model": {}})
    failures = Failures()
    found = input_images([Path("in")], failures, Path("in/out"))
    assert [path.as_posix() for path in found] == [
        *("in/alone_labels.tif", "in/cells.tif", "in/far.tif", "in/old/image_labels.tif"),
        *("in/s1/image.png", "in/s2/labels.tif"),
    ]
    assert "left out, as labels of others: 4 files, such as in/" in capsys.readouterr().err
    assert input_images([Path("in/s1/labels.png")], failures) == [Path("in/s1/labels.png")]
    input_images([Path("in")], failures, quiet=True)
    assert (capsys.readouterr().err, failures.reasons) == ("", {})


def pairs(images, labels, *named):
    failures = Failures()
    found = pair_labels([*map(Path, images)], [*map(Path, named)], Path(labels), failures)
    return {image.as_posix(): path.as_posix() for image, path in found.items()}, failures.reasons


def test_labels_are_found_where_they_were_written(here):
    touch(*SAMPLES, "in/image.tif", "in/a.tif", "in/a.png")
    where = outputs("in")
    touch(*where.values())
    assert pairs(where, "out", "in") == (where, {})
    [some] = [image for image in where if "s2" in image]
    assert pairs([some], "out", some) == ({some: where[some]}, {})


def test_another_samples_labels_are_never_taken(here):
    touch(*SAMPLES, "out/day1/s1/image_labels.tif")
    found, failures = pairs(SAMPLES, "out", "in")
    assert found == {SAMPLES[0]: "out/day1/s1/image_labels.tif"}
    assert {*failures} == {*SAMPLES[1:]}
    assert all("got none of the 1 there" in reason for reason in failures.values())


@pytest.mark.parametrize(
    ("images", "named", "labels", "found"),
    [
        (["in/d2/s1/image.tif"], "in/d2", ["out/d1/s1/image.tif", "out/d1/s2/image.tif"], []),
        (["in/d3/image.tif"], "in/d3/image.tif", ["out/image.tif", "out/d1/image.tif"], []),
        (["in/d1/image.tif"], "in/d1", ["out/image.tif", "out/d1/image.tif"], ["out/d1/image.tif"]),
        (["in/1/a.tif", "in/2/a.tif"], "in", ["out/a.tif"], []),
        (["in/1/a.tif", "in/a.tif"], "in", ["out/a.tif"], [None, "out/a.tif"]),
        (["in/1/a.tif", "in/2/a.tif"], "in", ["out/2/a.tif", "x/2/a.tif"], [None, "out/2/a.tif"]),
        (["in/a.tif", "in/a.png", "in/b.tif"], "in", ["out/a.zarr"], ["out/a.zarr", "out/a.zarr"]),
        (["in/a.tif", "in/b.tif"], "in", ["out/x/a.tif", "out/y/a.tif"], []),
        (["in/a.tif", "in/b.tif"], "in", ["out/x/a.tif", "out/b"], ["out/x/a.tif"]),
        (["in/1/a.tif", "in/2/a.tif"], "in", ["out/1/a.tif", "out/1/a.png", "out/2/a.tif"],
         [None, "out/2/a.tif"]),
    ],
)  # fmt: skip
def test_labels_go_with_pictures_only_if_that_is_sure(here, images, named, labels, found):
    touch(*images, *(path for path in labels if not path.endswith("zarr")))
    for path in labels:
        Path(path).mkdir(parents=True) if path.endswith("zarr") else None
    pairs_, failures = pairs(images, "out", named)
    assert [pairs_.get(image) for image in images] == (found + 3 * [None])[: len(images)]
    assert len(failures) == len(images) - len(pairs_)


def test_labels_may_lie_beside_their_pictures(here):
    touch("in/s1/image.png", "in/s1/labels.png", "in/s2/image.png", "in/s2/image_labels.tif")
    found, failures = pairs(["in/s1/image.png", "in/s2/image.png"], "in", "in")
    assert found == {
        "in/s1/image.png": "in/s1/labels.png",
        "in/s2/image.png": "in/s2/image_labels.tif",
    }
    assert failures == {}


def test_training_finds_what_was_written_beside(here):
    touch("in/s1/image.png", "in/s1/image_labels.tif", "in/s2/image.png", "in/s2/labels.png")
    touch("in/a.tif", "in/a.tif_labels.tif", "in/a.png", "in/a.png_labels.tif")
    touch("in/s2/image_labels.tif")
    found = {pair.image.name: pair.labels.name for pair in find_pairs(Path("in/s1"))}
    assert found == {"image.png": "image_labels.tif"}
    found = {pair.image: pair.labels.name for pair in find_pairs(Path("in"))}
    assert {path.relative_to(here / "in").as_posix(): name for path, name in found.items()} == {
        "a.png": "a.png_labels.tif",
        "a.tif": "a.tif_labels.tif",
        "s1/image.png": "image_labels.tif",
        "s2/image.png": "labels.png",
    }
    assert [labels_beside(path).name for path in found] == [*found.values()]


def test_a_disk_that_is_blind_to_case_is_noticed(here, monkeypatch):
    touch("in/a.tif", "in/A.tif")
    assert outputs("in") == {"in/A.tif": "out/A_labels.tif", "in/a.tif": "out/a_labels.tif"}
    monkeypatch.setattr(Path, "exists", lambda path: True)
    failures, images = Failures(), [Path("in/A.tif"), Path("in/a.tif")]
    found = output_paths(images, images, Path("out"), failures)
    assert [*found] == [Path("in/A.tif")]
    assert "would replace those of in/A.tif" in failures.reasons["in/a.tif"]


def test_our_own_layout_goes_round(here, monkeypatch, capsys):
    def find(predictor, image, settings, **named):
        one = Proposal.of(image > 100, image, score=0.9, stability=0.9, point=(0, 0))
        yield Progress(1, 1, SearchResult([], [one]))

    for number in (1, 2):
        image = np.random.default_rng(number).integers(0, 20, (32, 48)).astype(np.uint8)
        image[8:20, 9 * number : 9 * number + 12] = 200
        folder = here / "data" / f"s{number}"
        folder.mkdir(parents=True)
        Image.fromarray(image).save(folder / "image.png")
        Image.fromarray((image > 100).astype(np.uint8)).save(folder / "labels.png")
    common = ["--device", "cpu", "--json", "-q"]
    for more, skipped in ([], [False, False]), (["--resume"], [True, True]):
        with monkeypatch.context() as patched:  # no longer: others import it late
            patched.setattr(search, "iter_proposals", find)
            assert main(["segment", "data", "-o", "out", *common, *more]) == 0
        images = json.loads(capsys.readouterr().out)["images"]
        assert ["skipped" in one for one in images] == skipped
        assert [os.path.relpath(one["labels"], here) for one in images] == [
            os.path.join("out", sample, "image_labels.tif") for sample in ("s1", "s2")
        ]
    assert tifffile.imread("out/s2/image_labels.tif")[10, 20] == 1
    assert main(["refine", "data", "--labels", "out", "-o", "sharp", *common]) == 0
    assert main(["evaluate", "data", "--labels", "out", "--most", "1", *common]) == 0
    assert main(["convert", "out", "-o", "all.json", "--image", "data"]) == 0
    assert main(["convert", "all.json", "-o", "back"]) == 0
    for sample in ("s1", "s2"):
        before = tifffile.imread(here / "out" / sample / "image_labels.tif")
        [path] = (here / "back" / sample).iterdir()
        np.testing.assert_array_equal(tifffile.imread(path), before)


def test_several_need_a_folder(here):
    touch("in/a.tif", "in/b.tif")
    with pytest.raises(InputError, match="labels of 2 pictures need a folder"):
        outputs("in", to="out.tif")
