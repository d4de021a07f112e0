"""Pictures from files, read plane by plane."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

from napari_sam.errors import InputError
from napari_sam.io.images.find import find_images, name_of
from napari_sam.io.images.read import open_image

STACK = np.random.default_rng(0).integers(0, 4000, (5, 20, 30), dtype=np.uint16)


def read(path):
    with open_image(path) as data:
        return np.asarray(data[...])


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"byteorder": ">"}])
def test_tiff(tmp_path, options):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, STACK, **options)
    np.testing.assert_array_equal(read(path), STACK)
    with open_image(path) as data:
        np.testing.assert_array_equal(data[(3,)], STACK[3])
        with pytest.raises(InputError, match="slice 7 cannot be read"):
            data[(7,)]


@pytest.mark.parametrize(
    ("mode", "expected"), [("L", (4, 6)), ("RGB", (4, 6, 3)), ("P", (4, 6, 3)), ("I;16", (4, 6))]
)
def test_png(tmp_path, mode, expected):
    pixels = np.random.default_rng(0).integers(0, 255, (4, 6), dtype=np.uint8)
    if mode == "I;16":
        image = Image.fromarray(pixels.astype(np.uint16) * 100)
    else:
        image = Image.fromarray(pixels).convert(mode)
    image.save(tmp_path / "a.png")
    assert read(tmp_path / "a.png").shape == expected


def test_other_endings(tmp_path):
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(tmp_path / "a.jpg")
    tifffile.imwrite(tmp_path / "a.btf", STACK, bigtiff=True)
    pyramid = tmp_path / "a.svs"
    with tifffile.TiffWriter(pyramid) as slide:
        slide.write(STACK[0], subifds=1, metadata={"axes": "YX"})
        slide.write(STACK[0, ::2, ::2], subfiletype=1)
    assert [path.name for path in find_images([tmp_path])] == ["a.btf", "a.jpg", "a.svs"]
    assert read(tmp_path / "a.jpg").shape == (4, 6, 3)
    np.testing.assert_array_equal(read(tmp_path / "a.btf"), STACK)
    np.testing.assert_array_equal(read(pyramid), STACK[0])


def test_zarr_array_and_pyramids(tmp_path):
    zarr.save_array(tmp_path / "plain.zarr", STACK)
    for name, attributes in (
        ("old.zarr", {"multiscales": [{"datasets": [{"path": "fine"}, {"path": "coarse"}]}]}),
        ("new.zarr", {"ome": {"multiscales": [{"datasets": [{"path": "fine"}]}]}}),
    ):
        group = zarr.create_group(tmp_path / name, attributes=attributes)
        group.create_array("fine", data=STACK)
        group.create_array("coarse", data=STACK[:, ::2, ::2])
    for name in ("plain", "old", "new"):
        np.testing.assert_array_equal(read(tmp_path / f"{name}.zarr"), STACK)


def test_what_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"nothing")
    (tmp_path / "a.png").write_bytes(b"nothing")
    (tmp_path / "a.zarr").mkdir()
    zarr.create_group(tmp_path / "b.zarr")
    for name in ("a.tif", "a.png", "a.zarr"):
        with pytest.raises(InputError, match=f"{name} cannot be read"):
            read(tmp_path / name)
    with pytest.raises(InputError, match="multiscales"):
        read(tmp_path / "b.zarr")


def test_folders_are_searched_but_not_the_zarr_ones(tmp_path):
    deep = tmp_path / "deep" / "er"
    deep.mkdir(parents=True)
    for path in (tmp_path / "b.TIF", deep / "a.png", tmp_path / "notes.txt"):
        path.write_bytes(b"")
    inside = tmp_path / "c.zarr"
    inside.mkdir()
    (inside / "x.png").write_bytes(b"")
    assert find_images([tmp_path]) == [tmp_path / "b.TIF", inside, deep / "a.png"]
    assert find_images([deep / "a.png"]) == [deep / "a.png"]
    (tmp_path / "empty").mkdir()
    for wrong in ("empty", "notes.txt", "none.tif"):
        with pytest.raises(InputError, match=wrong):
            find_images([tmp_path / wrong])


class TestFinding:
    @pytest.fixture
    def folder(self, tmp_path):
        for name in ("b/2.tif", "b/1.tif", "c/3.tif"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            tifffile.imwrite(tmp_path / name, STACK[0])
        return tmp_path

    def test_patterns_that_the_shell_left_alone(self, folder):
        assert [p.name for p in find_images([folder / "*" / "*.tif"])] == [
            "1.tif",
            "2.tif",
            "3.tif",
        ]
        assert [p.name for p in find_images([folder / "**" / "[12].tif"])] == ["1.tif", "2.tif"]
        with pytest.raises(InputError, match="nothing here matches"):
            find_images([folder / "*.png"])

    def test_a_plate_is_its_fields_of_view(self, folder):
        plate = zarr.create_group(folder / "plate.zarr", zarr_format=2)
        plate.attrs["plate"] = {"wells": [{"path": "B/3"}, {"path": "A/1"}]}
        for well, count in (("B/3", 2), ("A/1", 1)):
            group = plate.create_group(well)
            group.attrs["well"] = {"images": [{"path": str(i)} for i in range(count)]}
            for i in range(count):
                field = group.create_group(str(i))
                field.attrs["multiscales"] = [{"datasets": [{"path": "0"}]}]
                field.create_array("0", data=STACK[i])
        found = find_images([folder / "plate.zarr"])
        assert [name_of(path) for path in found] == ["plate_B_3_0", "plate_B_3_1", "plate_A_1_0"]
        np.testing.assert_array_equal(read(found[1]), STACK[1])
        assert len(find_images([folder])) == 6


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A picture in each of two folders, and links that go in circles."""
    monkeypatch.chdir(tmp_path)
    for name in ("in/a.tif", "in/sub/b.tif", "other/c.tif"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(name, np.eye(9, dtype=np.uint8))
    for name, leads in (
        *(("in/here", "."), ("in/sub/up", ".."), ("in/sub/self", "self")),
        *(("in/sub/root", ".."), ("in/to", "../other"), ("other/back", "../in")),
    ):
        Path(name).symlink_to(leads)
    return tmp_path


@pytest.mark.parametrize(
    "named", [["in"], ["in", "in"], ["in", "./in/a.tif"], ["in/../in"], ["in/sub", "in"]]
)
def test_links_in_circles_lead_to_nothing_new(tree, named):
    found = [os.path.normpath(path) for path in find_images(map(Path, named))]
    assert sorted(found) == ["in/a.tif", "in/sub/b.tif", "in/to/c.tif"]


@pytest.mark.parametrize("pattern", ["in/**/*.tif", "i*/**/?.tif", "in/**", "in/**/**/*.tif"])
def test_patterns_do_not_go_in_circles(tree, pattern):
    found = [path.as_posix() for path in find_images([Path(pattern)])]
    assert sorted(found) == ["in/a.tif", "in/sub/b.tif", "in/to/c.tif"]


def test_patterns_are_those_of_the_shell(tree):
    Path("other/back").unlink()
    Path("in/.hidden").mkdir()
    Path("in/a.tif").rename("in/.hidden/a.tif")
    Path("in/[1]").mkdir()
    Path("in/sub/b.tif").rename("in/[1]/b.tif")
    assert find_images([Path("**/[[]1]/*.tif")]) == [Path("in/[1]/b.tif")]
    assert {path.name for path in find_images([Path("**/?.tif")])} == {"b.tif", "c.tif"}


def test_folders_may_be_as_deep_as_paths_are_long(tmp_path):
    deep = tmp_path
    while len(str(deep)) < 3700:
        deep = deep / ("d" * 200)
    deep.mkdir(parents=True)
    tifffile.imwrite(deep / "a.tif", np.eye(9, dtype=np.uint8))
    assert find_images([tmp_path]) == [deep / "a.tif"]


def test_a_folder_that_cannot_be_listed_is_told_and_left_out(tree, monkeypatch):
    real, bad = os.scandir, {}

    def listed(path):
        if Path(path).name == "sub":
            raise PermissionError(13, os.strerror(13), str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", listed)
    found = find_images([Path("in")], bad.__setitem__)
    assert [path.as_posix() for path in found] == ["in/a.tif", "in/to/c.tif"]
    assert bad == {"in/sub": "in/sub may not be read or written by you: look at its permissions"}
    with pytest.raises(InputError, match="in/sub may not be read"):
        find_images([Path("in")])
