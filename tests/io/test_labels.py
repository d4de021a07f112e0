"""Labels in files: what comes back is what was there, and what else other programs are told."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
import zarr
from napari.layers import Labels
from npe2 import DynamicPlugin, write
from PIL import Image

from napari_sam.errors import DISTRIBUTION, InputError
from napari_sam.io.export import save_layer
from napari_sam.io.labels import check_output, open_labels, write_labels
from napari_sam.io.spacing import Spacing

STACK = np.random.default_rng(0).integers(0, 70000, (3, 20, 30), dtype=np.uint32)
MICRONS = {
    "axis_labels": ("z", "y", "x"),
    "scale": (2, 0.5, 0.25),
    "translate": (0, 10, 0),
    "units": ("micrometer",) * 3,
}


class OnePlaneAtATime:
    """Labels too large to be read as a whole."""

    def __init__(self, data):
        self.data, self.shape, self.dtype = data, data.shape, data.dtype

    def __getitem__(self, index):
        assert isinstance(index, tuple)
        assert len(index) == len(self.shape) - 2
        return self.data[index]


def read(path):
    with open_labels(path) as labels:
        return np.asarray(labels[...])


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.zarr"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("shape", [(4, 6), (3, 4, 6), (2, 3, 4, 6), (2, 1, 3, 4, 6)])
def test_every_label_comes_back_in_its_own_dtype(tmp_path, name, dtype, shape):
    labels = np.arange(np.prod(shape), dtype=dtype).reshape(shape)
    write_labels(tmp_path / name, OnePlaneAtATime(labels))
    found = read(tmp_path / name)
    assert found.dtype == labels.dtype
    np.testing.assert_array_equal(found, labels)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_ome_tiff_says_what_its_axes_are(tmp_path):
    write_labels(tmp_path / "a.tif", STACK, Spacing.of(3, MICRONS))
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.series[0].axes == "ZYX"
        assert file.pages[0].compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        (pixels,) = (
            one["Pixels"] for one in [tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]]
        )
    for axis, step in zip("ZYX", MICRONS["scale"], strict=True):
        assert pixels[f"PhysicalSize{axis}"] == step
        assert pixels[f"PhysicalSize{axis}Unit"] == "µm"


def test_no_unit_is_made_up(tmp_path):
    write_labels(tmp_path / "plain.tif", STACK)
    write_labels(tmp_path / "scaled.tif", STACK, Spacing.of(3, {"scale": (3, 1, 1)}))
    with tifffile.TiffFile(tmp_path / "plain.tif") as file:
        assert "PhysicalSize" not in file.ome_metadata
    with tifffile.TiffFile(tmp_path / "scaled.tif") as file:
        assert 'PhysicalSizeZ="3.0" PhysicalSizeZUnit="pixel"' in file.ome_metadata
        assert "µm" not in file.ome_metadata


def test_an_ome_zarr_is_a_label_image_by_the_specification(tmp_path):
    write_labels(tmp_path / "cells.ome.zarr", STACK, Spacing.of(3, MICRONS))
    about = json.loads((tmp_path / "cells.ome.zarr" / ".zattrs").read_text())
    (image,) = about["multiscales"]
    assert image["version"] == about["image-label"]["version"] == "0.4"
    assert image["name"] == "cells"
    assert image["axes"] == [
        {"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"
    ]
    (level,) = image["datasets"]
    scale, translation = level["coordinateTransformations"]
    assert scale == {"type": "scale", "scale": [2, 0.5, 0.25]}
    assert translation == {"type": "translation", "translation": [0, 10, 0]}
    array = json.loads((tmp_path / "cells.ome.zarr" / level["path"] / ".zarray").read_text())
    assert array["dimension_separator"] == "/"
    assert array["chunks"] == [1, 20, 30]


def test_axes_are_put_into_the_order_of_the_specification(tmp_path):
    labels = np.arange(2 * 3 * 4 * 5, dtype=np.uint16).reshape(2, 3, 4, 5)
    layer = {"axis_labels": ("z", "time", "row", "col"), "scale": (4, 3, 2, 1)}
    write_labels(tmp_path / "a.zarr", labels, Spacing.of(4, layer))
    about = zarr.open_group(tmp_path / "a.zarr", mode="r").attrs["multiscales"][0]
    assert [axis["name"] for axis in about["axes"]] == ["t", "z", "y", "x"]
    assert about["axes"][0]["type"] == "time"
    assert about["datasets"][0]["coordinateTransformations"][0]["scale"] == [3, 4, 2, 1]
    np.testing.assert_array_equal(read(tmp_path / "a.zarr"), labels.swapaxes(0, 1))


@pytest.mark.parametrize(
    ("names", "axes"),
    [
        (("-3", "-2", "-1"), "zyx"),
        (("t", "", ""), "tyx"),
        (("", "Time", "", ""), "ztyx"),
        (("t", "t", "", ""), "tzyx"),
        (("", "", "", "", ""), "tczyx"),
        (("z", "y", "z", "y", "x"), "tczyx"),
    ],
)
def test_axes_are_named_as_somebody_said_or_else_as_is_usual(names, axes):
    assert Spacing.of(len(names), {"axis_labels": names}).axes == axes


def test_six_axes_fit_into_a_plain_tiff_only(tmp_path):
    labels = np.arange(2**6, dtype=np.uint8).reshape((2,) * 6)
    with pytest.raises(InputError, match="6 axes"):
        write_labels(tmp_path / "a.zarr", labels)
    write_labels(tmp_path / "a.tif", labels)
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), labels)


@pytest.mark.parametrize("name", ["a.tif", "a.zarr"])
def test_what_cannot_be_written_leaves_the_old_labels(tmp_path, name):
    class Broken(OnePlaneAtATime):
        def __getitem__(self, index):
            if index == (2,):
                raise OSError("the disk is gone")
            return super().__getitem__(index)

    write_labels(tmp_path / name, STACK)
    with pytest.raises(OSError, match="the disk is gone"):
        write_labels(tmp_path / name, Broken(STACK + 1))
    np.testing.assert_array_equal(read(tmp_path / name), STACK)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    write_labels(tmp_path / name, STACK + 1)
    np.testing.assert_array_equal(read(tmp_path / name), STACK + 1)


def test_nothing_but_labels_is_replaced_by_an_ome_zarr(tmp_path):
    picture = zarr.create_group(tmp_path / "p.zarr", attributes={"multiscales": [{}]})
    picture.create_array("0", data=STACK)
    (tmp_path / "notes.zarr").mkdir()
    (tmp_path / "notes.zarr" / "notes.txt").write_text("mine")
    for name in ("p.zarr", "notes.zarr"):
        with pytest.raises(InputError, match="holds no labels"):
            write_labels(tmp_path / name, STACK)
    np.testing.assert_array_equal(zarr.open_group(tmp_path / "p.zarr")["0"][:], STACK)
    assert (tmp_path / "notes.zarr" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["a.jpg", "a"])
def test_other_formats_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"\.tif, \.zarr"):
        check_output(tmp_path / name)


def test_napari_saves_a_labels_layer(tmp_path):
    layer = Labels(STACK, **MICRONS)
    path = str(tmp_path / "a.zarr")
    with DynamicPlugin("saver") as plugin:
        plugin.contribute.writer(layer_types=["labels"], filename_extensions=[".zarr"])(save_layer)
        assert write(path, [layer.as_layer_data_tuple()]) == [path]
    np.testing.assert_array_equal(read(tmp_path / "a.zarr"), STACK)
    (image,) = zarr.open_group(path, mode="r").attrs["multiscales"]
    assert {axis["unit"] for axis in image["axes"]} == {"micrometer"}


def test_the_manifest_offers_it_for_labels(tmp_path):
    from npe2 import PluginManifest

    manifest = PluginManifest.from_distribution(DISTRIBUTION)
    writers = manifest.contributions.writers
    (used,) = {writer.command for writer in writers}
    (command,) = (c for c in manifest.contributions.commands if c.id == used)
    assert command.python_name == f"{save_layer.__module__}:{save_layer.__name__}"
    assert {tuple(map(str, writer.layer_types)) for writer in writers} == {("labels",)}
    endings = [ending for writer in writers for ending in writer.filename_extensions]
    assert endings == [".zarr", ".json", ".geojson", ".zip"]


def test_of_several_levels_the_finest_is_saved(tmp_path):
    save_layer(str(tmp_path / "a.tif"), [STACK, STACK[:, ::2, ::2]], {})
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), STACK)


def test_numbers_behind_a_palette_are_the_labels(tmp_path):
    image = Image.fromarray(np.array([[0, 3], [7, 0]], np.uint8), mode="P")
    image.putpalette([channel for value in range(256) for channel in (value, 0, 255 - value)])
    image.save(tmp_path / "labels.png")
    with open_labels(tmp_path / "labels.png") as labels:
        assert labels[...].tolist() == [[0, 3], [7, 0]]


def test_a_png_that_cannot_hold_the_labels_is_refused(tmp_path):
    for labels in (np.ones((2, 3, 3), np.uint8), np.full((3, 3), 70000, np.uint32)):
        with pytest.raises(InputError, match=r"write a \.tif"):
            write_labels(tmp_path / "labels.png", labels)
    assert not list(tmp_path.iterdir())


def test_a_colour_picture_is_no_labels(tmp_path):
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "labels.png")
    with pytest.raises(InputError, match="colour picture"), open_labels(tmp_path / "labels.png"):
        pass


def test_a_large_plane_gets_levels_each_pixel_the_label_in_its_middle(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_sam.io.ome_zarr.MOST", 2**18)  # pixels in memory at once
    labels = np.random.default_rng(0).integers(0, 900, (2051, 2052)).astype(np.uint16)
    write_labels(tmp_path / "a.zarr", labels)
    group = zarr.open_group(tmp_path / "a.zarr")
    assert [group[name].shape for name in "012"] == [(2051, 2052), (1026, 1026), (513, 513)]
    np.testing.assert_array_equal(group["0"][:], labels)
    for name in "12":
        places = [
            ((np.arange(n) + 0.5) * whole / n).astype(int)
            for n, whole in zip(group[name].shape, labels.shape, strict=True)
        ]
        np.testing.assert_array_equal(group[name][:], labels[np.ix_(*places)])
    place = group.attrs["multiscales"][0]["datasets"][1]["coordinateTransformations"]
    assert place[1]["translation"][1] == 0.5
