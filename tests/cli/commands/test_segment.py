"""`napari-sam segment` on files, as a user calls it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy import ndimage

from napari_sam.batch import segment as work
from napari_sam.cli.main import main
from napari_sam.inference.automatic import search as grid
from napari_sam.inference.automatic import tiled
from napari_sam.inference.automatic.tiles import Tiling
from napari_sam.io.labels import write_labels
from napari_sam.io.scale import read_spacing
from napari_sam.io.spacing import Spacing
from napari_sam.progress import Progress
from napari_sam.results import Proposal, SearchResult

CENTRES = [(14, 16), (30, 46)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A picture of two bright discs, and a stack of two slices of it."""
    monkeypatch.setenv("NAPARI_SAM_EMBEDDINGS", str(tmp_path / "embeddings"))
    rows, columns = np.indices((48, 64))
    image = np.random.default_rng(0).integers(0, 20, (48, 64)).astype(np.uint8)
    for row, column in CENTRES:
        image[(rows - row) ** 2 + (columns - column) ** 2 <= 64] += 180
    Image.fromarray(image).save(tmp_path / "cells.png")
    tifffile.imwrite(tmp_path / "stack.tif", np.stack([image, image[::-1]]))
    return tmp_path


def segment(folder, images, output, *more):
    paths = [str(folder / image) for image in images]
    return main(["segment", *paths, "-o", str(folder / output), "--points", "8", *more])


def test_a_picture(folder, capsys):
    assert segment(folder, ["cells.png"], "out.tif") == 0
    labels = tifffile.imread(folder / "out.tif")
    assert labels.shape == (48, 64)
    discs = {labels[centre] for centre in CENTRES}
    assert len(discs - {0}) == 2
    said = capsys.readouterr().out
    assert f"cells.png: {labels.max()} objects" in said
    assert f"Labels: {folder / 'out.tif'}" in said


@pytest.mark.parametrize("kind", ["rgb", "rgb, planes apart", "grey and alpha", "white is zero"])
def test_labels_have_rows_and_columns_however_the_colours_are_stored(folder, kind):
    with Image.open(folder / "cells.png") as image:
        grey = np.asarray(image)
    if kind == "grey and alpha":
        name = "a.png"
        Image.fromarray(np.stack([grey, np.full_like(grey, 255)], -1), "LA").save(folder / name)
    else:
        name = "a.tif"
        data, about = {
            "rgb": (np.stack([grey] * 3, -1), {"photometric": "rgb"}),
            "rgb, planes apart": (
                np.stack([grey] * 3),
                {"photometric": "rgb", "planarconfig": "separate"},
            ),
            "white is zero": (255 - grey, {"photometric": "miniswhite"}),
        }[kind]
        tifffile.imwrite(folder / name, data, **about)
    assert segment(folder, [name], "out.tif", "-q") == 0
    labels = tifffile.imread(folder / "out.tif")
    assert labels.shape == grey.shape
    assert len({labels[centre] for centre in CENTRES} - {0}) == 2


def test_a_stack_of_few_columns_is_no_colour_picture(folder):
    stack = np.random.default_rng(0).integers(0, 200, (2, 24, 4), dtype=np.uint8)
    tifffile.imwrite(folder / "thin.tif", stack, photometric="minisblack")
    assert segment(folder, ["thin.tif"], "out.tif", "-q") == 0
    assert tifffile.imread(folder / "out.tif").shape == stack.shape


@pytest.mark.parametrize("how", ["maxima", "distance", "adaptive", "grid"])
def test_ways_to_choose_points(folder, how):
    assert segment(folder, ["cells.png"], "out.tif", "--seeds", how) == 0
    labels = tifffile.imread(folder / "out.tif")
    assert len({labels[centre] for centre in CENTRES} - {0}) == 2


def test_points_from_a_file(folder):
    (row, column), other = CENTRES
    table = f"index,axis-0,axis-1,axis-2\n0,0,{row},{column}\n1,1,{47 - row},{column}\n"
    (folder / "points.csv").write_text(table)
    how = "--seeds", str(folder / "points.csv"), "--no-link"
    assert segment(folder, ["stack.tif"], "out.tif", *how) == 0
    labels = tifffile.imread(folder / "out.tif")
    assert labels[0, row, column]
    assert labels[1, 47 - row, column]
    assert not labels[0][other]
    assert not labels[1, 47 - other[0], other[1]]


def test_points_from_labels(folder, capsys):
    rough = np.zeros((48, 64), np.uint8)
    row, column = CENTRES[1]
    rough[row - 3 : row + 4, column - 3 : column + 4] = 9
    write_labels(folder / "rough.tif", rough)
    assert segment(folder, ["cells.png"], "out.tif", "--seeds", str(folder / "rough.tif")) == 0
    labels = tifffile.imread(folder / "out.tif")
    assert labels[CENTRES[1]]
    assert not labels[CENTRES[0]]
    write_labels(folder / "rough.tif", rough[1:])
    assert segment(folder, ["cells.png"], "no.tif", "--seeds", str(folder / "rough.tif")) == 1
    assert "shape (47, 64); those of the picture must have (48, 64)" in capsys.readouterr().err


def test_seeds_that_are_none(folder, capsys):
    assert segment(folder, ["cells.png"], "out.tif", "--seeds", "stars") == 1
    assert "adaptive, maxima, distance, grid, or a file; got 'stars'" in capsys.readouterr().err
    assert not (folder / "out.tif").exists()


def test_thresholds_and_json(folder, capsys):
    high = ("--min-score", "0.999", "--min-stability", "0.999", "--json")
    assert segment(folder, ["cells.png"], "out.tif", *high) == 0
    (report,) = json.loads(capsys.readouterr().out)["images"]
    assert report["objects"] == 0
    assert not tifffile.imread(folder / "out.tif").any()


def test_several_pictures_and_slices(folder, capsys):
    assert segment(folder, ["cells.png", "stack.tif"], "labels", "--no-link") == 0
    assert {path.name for path in (folder / "labels").iterdir()} == {
        *("cells_labels.tif", "cells_labels.tif.json"),
        *("stack_labels.tif", "stack_labels.tif.json"),
    }
    stack = tifffile.imread(folder / "labels" / "stack_labels.tif")
    assert stack.shape == (2, 48, 64)
    first, second = (set(np.unique(one)) - {0} for one in stack)
    assert first == set(range(1, len(first) + 1))
    assert second == set(range(len(first) + 1, len(first) + len(second) + 1))
    assert "2 objects" in capsys.readouterr().out


@pytest.fixture
def bright(monkeypatch):
    """Everything bright is an object; finds it without a model, and says in which order."""
    searched = []

    def find(predictor, image, settings, **named):
        searched.append(image)
        regions, count = ndimage.label(image > 100)
        kept = [
            Proposal.of(regions == id_, image, score=0.9, stability=0.9, point=(0, 0))
            for id_ in range(1, count + 1)
        ]
        yield Progress(1, 1, SearchResult([], kept))

    monkeypatch.setattr(grid, "iter_proposals", find)
    return searched


def squares(*columns):
    """Return a slice with a square of eight pixels from each of the columns on."""
    image = np.zeros((16, 64), np.uint8)
    for column in columns:
        image[4:12, column : column + 8] = 200
    return image


def test_slices_of_a_stack_are_linked(folder, bright, capsys):
    stack = [squares(5, 30), squares(7), squares(9, 31), squares(50)]
    tifffile.imwrite(folder / "moving.tif", np.stack(stack), photometric="minisblack")

    def segmented(*more):
        assert segment(folder, ["moving.tif"], "out.tif", *more) == 0
        labels = tifffile.imread(folder / "out.tif")
        return [np.unique(one[one > 0]).tolist() for one in labels]

    assert segmented() == [[1, 2], [1], [1, 2], [3]]
    said = capsys.readouterr().out
    assert "moving.tif: 3 objects, linked through z, anisotropy 1\n" in said
    assert segmented("--gap", "0") == [[1, 2], [1], [1, 3], [4]]
    capsys.readouterr()
    assert segmented("--no-link", "--json") == [[1, 2], [3], [4, 5], [6]]
    (report,) = json.loads(capsys.readouterr().out)["images"]
    assert (report["objects"], report["linked"]) == (6, None)
    assert segmented("--json")
    (report,) = json.loads(capsys.readouterr().out)["images"]
    assert (report["objects"], report["linked"], report["anisotropy"]) == (3, "z", 1)
    assert segment(folder, ["moving.tif"], "out.tif", "--gap", "-1") == 1
    assert "gap must be a number of slices" in capsys.readouterr().err


def test_how_far_slices_lie_apart_is_read_and_written(folder, bright, capsys):
    stack = np.stack([squares(5), squares(11)])  # an IoU of 2 / 14
    for step, expected in [(0.5, 2), (2, 1)]:
        spacing = Spacing.of(3, {"scale": (step, 0.5, 0.5), "units": ("micrometer",) * 3})
        write_labels(folder / "scaled.tif", stack, spacing)
        assert segment(folder, ["scaled.tif"], "out.tif") == 0
        assert tifffile.imread(folder / "out.tif").max() == expected
        assert f"anisotropy {step / 0.5:.3g}\n" in capsys.readouterr().out
        assert read_spacing(folder / "out.tif", 3) == read_spacing(folder / "scaled.tif", 3)


def test_of_time_and_z_the_slices_of_each_moment_are_linked(folder, bright, capsys):
    series = np.stack([[squares(5, 30), squares(6)], [squares(5), squares(6, 50)]])  # T, Z, Y, X
    expected = [[[1, 2], [1]], [[3], [3, 4]]]
    for name in ("tzyx", "ztyx"):
        given = series if name == "tzyx" else series.swapaxes(0, 1)
        spacing = Spacing.of(4, {"axis_labels": tuple(name)})
        tifffile.imwrite(folder / "series.ome.tif", given, metadata={"axes": spacing.axes.upper()})
        assert segment(folder, ["series.ome.tif"], "out.tif") == 0
        labels = tifffile.imread(folder / "out.tif")
        assert labels.shape == given.shape
        labels = labels if name == "tzyx" else labels.swapaxes(0, 1)
        found = [[np.unique(one[one > 0]).tolist() for one in moment] for moment in labels]
        assert found == expected
        assert "4 objects, linked through z" in capsys.readouterr().out
    assert len(bright) == 8


def test_a_time_series_is_linked_and_channels_are_not(folder, bright, capsys):
    images = np.stack([squares(5), squares(6), squares(7)])
    for axes, count, words in [("TYX", 1, "1 objects, linked through time"), ("CYX", 3, "3 obj")]:
        tifffile.imwrite(folder / "a.ome.tif", images, metadata={"axes": axes})
        assert segment(folder, ["a.ome.tif"], "out.tif") == 0
        assert tifffile.imread(folder / "out.tif").max() == count
        said = capsys.readouterr().out
        assert words in said
        assert ("linked through" in said) == (axes == "TYX")
        assert (", each of 3 channels on its own" in said) == (axes == "CYX")


def test_an_interrupted_stack_is_gone_on_with(folder, monkeypatch, capsys):
    whole, searched = grid.iter_proposals, []

    def interrupted(*given, **named):
        searched.append(None)
        if len(searched) == 2:
            raise KeyboardInterrupt
        return whole(*given, **named)

    monkeypatch.setattr(grid, "iter_proposals", interrupted)
    assert segment(folder, ["stack.tif"], "out.tif") == 130
    assert "0 of 1 are done; the same command with --resume goes on" in capsys.readouterr().err
    assert not (folder / "out.tif").exists()
    assert segment(folder, ["stack.tif"], "out.tif", "--resume") == 0
    assert len(searched) == 3
    labels = tifffile.imread(folder / "out.tif")
    assert labels[0].any()
    assert labels[1].any()
    assert not list(folder.glob(".*"))


def test_a_large_picture_is_searched_in_tiles_and_gone_on_with(folder, monkeypatch, capsys):
    monkeypatch.setattr(Tiling, "alone", 40)
    for place in (tiled, work):
        monkeypatch.setattr(place, "Tiling", lambda: Tiling(32, 24))
    real, searched = tiled.search, []

    def search(*given):
        searched.append(None)
        if len(searched) == 3:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(tiled, "search", search)
    assert segment(folder, ["cells.png"], "out.tif") == 130
    assert not (folder / "out.tif").exists()
    before = set(folder.iterdir())
    assert segment(folder, ["cells.png"], "out.tif") == 0
    assert len(searched) == 3 + 2
    labels = tifffile.imread(folder / "out.tif")
    assert len({labels[centre] for centre in CENTRES} - {0}) == 2
    assert set(folder.iterdir()) - before == {folder / "out.tif", folder / "out.tif.json"}
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize(
    ("images", "output", "message"),
    [
        (["missing.tif"], "out.tif", "there is no picture or folder"),
        (["cells.png", "stack.tif"], "out.tif", "2 pictures need a folder"),
        (["cells.png"], "cells.png", "is an input, too"),
    ],
)
def test_what_cannot_be_done_is_said(folder, capsys, images, output, message):
    assert segment(folder, images, output) == 1
    assert message in capsys.readouterr().err


def test_what_is_named_twice_is_done_once(folder, capsys):
    assert segment(folder, ["cells.png", "../" + folder.name + "/cells.png"], "labels") == 0
    assert capsys.readouterr().out.count("Labels:") == 1


def test_bad_options(folder, capsys):
    with_no_points = ["segment", str(folder / "cells.png"), "-o", "x.tif", "--points", "0"]
    assert main(with_no_points) == 1
    assert "points_per_side must be at least 1" in capsys.readouterr().err
