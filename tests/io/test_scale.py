"""What is read of the axes of pictures from their files."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
import zarr

from napari_sam.io.labels import write_labels
from napari_sam.io.scale import read_spacing, spacing_of_array
from napari_sam.io.spacing import Spacing

STACK = np.zeros((3, 5, 20, 30), np.uint8)


def test_ome_tiff(tmp_path):
    about = {"axes": "ZYX", "PhysicalSizeZ": 2, "PhysicalSizeY": 0.5, "PhysicalSizeX": 0.5}
    tifffile.imwrite(tmp_path / "a.tif", STACK[0], ome=True, metadata=about)
    spacing = read_spacing(tmp_path / "a.tif", 3)
    assert (spacing.axes, spacing.scale) == ("zyx", (2, 0.5, 0.5))
    assert spacing.units == ("micrometer",) * 3  # as OME says where the file does not
    assert spacing.anisotropy == 4


@pytest.mark.parametrize("unit", ["um", "micron", "\\u00B5m"])
def test_tiff_of_imagej(tmp_path, unit):
    about = {"axes": "TZYX", "spacing": 0.6, "unit": unit}
    tifffile.imwrite(tmp_path / "a.tif", STACK, imagej=True, resolution=(5, 5), metadata=about)
    spacing = read_spacing(tmp_path / "a.tif", 4)
    assert (spacing.axes, spacing.scale) == ("tzyx", (1, 0.6, 0.2, 0.2))
    assert spacing.units == ("pixel", "micrometer", "micrometer", "micrometer")
    assert (spacing.along, round(spacing.anisotropy, 9)) == (1, 3)


def test_imagej_knows_the_pixel_but_not_how_far_slices_lie_apart(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif", STACK[0], imagej=True, resolution=(5, 5), metadata={"axes": "TYX"}
    )
    spacing = read_spacing(tmp_path / "a.tif", 3)
    assert (spacing.axes, spacing.along, spacing.anisotropy) == ("tyx", 0, 1)


def test_lsm(tmp_path):
    kinds = [(name, kind) for name, kind in tifffile.TIFF.CZ_LSMINFO if isinstance(kind, str)]
    about = np.zeros(1, [(name, f"<{kind}") for name, kind in kinds])
    said = {"MagicNumber": 0x400494C, "StructureSize": about.nbytes}
    said |= {"DimensionX": 30, "DimensionY": 20, "DimensionZ": 5, "DimensionTime": 1}
    said |= {"VoxelSizeX": 2e-7, "VoxelSizeY": 2e-7, "VoxelSizeZ": 1e-6}
    for name, value in said.items():
        about[name] = value
    with tifffile.TiffWriter(tmp_path / "a.lsm", byteorder="<") as file:
        tag = 34412, 1, about.nbytes, about.tobytes(), True
        for plane in STACK[0]:
            file.write(plane, metadata=None, extratags=[tag], contiguous=False)
            file.write(plane[::4, ::4], metadata=None, subfiletype=1)
    spacing = read_spacing(tmp_path / "a.lsm", 3)
    assert (spacing.axes, round(spacing.anisotropy, 9)) == ("zyx", 5)
    assert spacing.units == ("micrometer",) * 3


@pytest.mark.parametrize("name", ["labels.tif", "labels.zarr"])
def test_what_is_written_is_read_again(tmp_path, name):
    spacing = Spacing(
        ("t", "z", "y", "x"), (1, 3, 0.5, 0.5), (0, 0, 0, 0), ("second", *["micrometer"] * 3)
    )
    write_labels(tmp_path / name, STACK, spacing)
    read = read_spacing(tmp_path / name, 4)
    assert (read.axes, read.scale, read.units[1:]) == ("tzyx", spacing.scale, spacing.units[1:])


def test_zarr_with_channels_and_colours(tmp_path):
    axes = [{"name": name} for name in "zyxc"]
    steps = [
        {"type": "scale", "scale": [4, 2, 2, 1]},
        {"type": "translation", "translation": [10, 20, 30, 0]},
    ]
    data = {"path": "0", "coordinateTransformations": steps}
    about = {"ome": {"multiscales": [{"axes": axes, "datasets": [data]}]}}
    group = zarr.create_group(tmp_path / "a.zarr", attributes=about)
    group.create_array("0", data=np.zeros((5, 20, 30, 3), np.uint8))
    spacing = read_spacing(tmp_path / "a.zarr", 3)
    assert (spacing.axes, spacing.anisotropy) == ("zyx", 2)
    assert spacing.translate == (10, 20, 30)


def test_files_that_say_nothing_or_nonsense(tmp_path):
    tifffile.imwrite(tmp_path / "plain.tif", STACK)
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((4, 20, 30, 3), np.uint8), photometric="rgb")
    zarr.save_array(tmp_path / "plain.zarr", STACK)
    for name, axes in [("few", ["y", "x"]), ("odd", 3), ("none", None)]:
        about = {"multiscales": [{"axes": axes, "datasets": [{"path": "0"}]}]}
        zarr.create_group(tmp_path / f"{name}.zarr", attributes=about)
    for name, ndim in [("plain.tif", 4), ("rgb.tif", 3), ("plain.zarr", 4), ("few.zarr", 3)]:
        spacing = read_spacing(tmp_path / name, ndim)
        assert spacing.axes == Spacing.usual(ndim).axes
        assert spacing.scale == (1,) * ndim
    for name in ("odd.zarr", "none.zarr", "cells.png"):
        assert read_spacing(tmp_path / name, 2) == Spacing.usual(2)


@pytest.mark.parametrize("size", ["NaN", "INF", "0", "1e-400"])
def test_a_pixel_size_that_is_none_is_left_out_with_a_word(tmp_path, caplog, size):
    about = {"axes": "TYX", "PhysicalSizeX": size, "PhysicalSizeY": 1.0}
    tifffile.imwrite(tmp_path / "a.tif", STACK[0], ome=True, metadata=about)
    spacing = read_spacing(tmp_path / "a.tif", 3)
    assert (spacing.axes, spacing.scale, spacing.units) == ("tyx", (1, 1, 1), ("pixel",) * 3)
    assert "its pixels cannot lie" in caplog.text


def test_metadata_that_cannot_be_understood_are_left_out_with_a_word(tmp_path, caplog):
    about = {"axes": "ZYX", "PhysicalSizeX": "wide"}
    tifffile.imwrite(tmp_path / "a.tif", STACK[0], ome=True, metadata=about)
    unit = {"axes": "ZYX", "unit": "um"}
    zero = {"imagej": True, "metadata": unit, "resolution": ((0, 1), (0, 1))}
    tifffile.imwrite(tmp_path / "b.tif", STACK[0], **zero)
    for name in ("a.tif", "b.tif"):
        assert read_spacing(tmp_path / name, 3) == Spacing.usual(3)
        assert f"{name}: what it says of its axes and their scale" in caplog.text


def test_where_slices_follow_each_other():
    def along(*names, **more):
        spacing = Spacing.of(len(names), {"axis_labels": names, **more})
        return spacing.along, spacing.anisotropy

    scaled = {"scale": (9, 4, 2, 2)}
    assert along("t", "z", "y", "x", **scaled) == (1, 2)
    assert along("z", "c", "y", "x", **scaled) == (0, 4.5)
    assert along("t", "c", "y", "x", **scaled) == (0, 1)  # time has no distance in pixels
    assert along("c", "y", "x") == (None, 1)
    assert along("y", "x") == (None, 1)
    assert along(*"abcdyx") == (None, 1)
    units = {"units": ("micrometer", "pixel", "pixel"), "scale": (5, 1, 1)}
    assert along("z", "y", "x", **units) == (0, 1)
    for bad in (0, -1, float("nan")):
        assert along("z", "y", "x", scale=(bad, 1, 1)) == (0, 1)
    assert along("z", "y", "x", scale=(1, 0, 0)) == (0, 1)


class TestOfAnArray:
    """What counts for an array that somebody has read from a file."""

    def write(self, path, axes, shape, **more):
        data = np.zeros(shape, np.uint8)
        tifffile.imwrite(path, data, ome=True, metadata={"axes": axes, **more})
        return path

    def test_all_axes(self, tmp_path):
        path = self.write(tmp_path / "a.tif", "TZYX", (3, 5, 20, 30), PhysicalSizeX=0.5)
        assert spacing_of_array(path, (3, 5, 20, 30)) == read_spacing(path, 4)

    def test_without_channels(self, tmp_path):
        path = self.write(tmp_path / "a.tif", "TCYX", (3, 5, 20, 30))
        assert spacing_of_array(path, (3, 20, 30)).axes == "tyx"

    @pytest.mark.parametrize("shape", [(5, 20, 30), (3, 5, 20, 31), (2, 3, 5, 20, 30), (20, 30)])
    def test_of_another_shape(self, tmp_path, shape):
        path = self.write(tmp_path / "a.tif", "TCYX", (3, 5, 20, 30))
        assert spacing_of_array(path, shape) is None

    def test_colours(self, tmp_path):
        tifffile.imwrite(
            tmp_path / "a.tif", np.zeros((20, 30, 3), np.uint8), photometric="rgb", imagej=True,
            resolution=(5, 5), metadata={"unit": "um"},
        )  # fmt: skip
        assert spacing_of_array(tmp_path / "a.tif", (20, 30)).scale == (0.2, 0.2)

    def test_ome_zarr_with_axes_of_one_entry(self, tmp_path):
        group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
        group.create_array("0", shape=(1, 2, 5, 20, 30), dtype="u1")
        axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "tczyx"]
        steps = [{"type": "scale", "scale": [1, 1, 2, 0.5, 0.5]}]
        scales = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": steps}]}
        group.attrs["multiscales"] = [scales]
        assert spacing_of_array(tmp_path / "a.zarr", (5, 20, 30)).scale == (2, 0.5, 0.5)

    def test_no_picture(self, tmp_path):
        (tmp_path / "a.tif").write_bytes(b"no picture")
        assert spacing_of_array(tmp_path / "a.tif", (20, 30)) is None
        assert spacing_of_array(tmp_path / "none.tif", (20, 30)) is None
        assert spacing_of_array(tmp_path, (20, 30)) is None


class TestCompleted:
    UNITS = "second", "micrometer", "micrometer"
    FILE = Spacing.of(3, {"axis_labels": "tyx", "scale": (2, 0.5, 0.5), "units": UNITS})

    @pytest.mark.parametrize(
        ("own", "axes", "scale", "measured"),
        [
            ({}, "tyx", (2, 0.5, 0.5), True),
            ({"axis_labels": ("z", "y", "x")}, "zyx", (2, 0.5, 0.5), True),
            ({"scale": (3, 1, 1)}, "tyx", (3, 1, 1), False),
            ({"scale": (2, 0.5, 0.5)}, "tyx", (2, 0.5, 0.5), True),
            ({"units": ("pixel", "nanometer", "nanometer")}, "tyx", (1, 1, 1), True),
        ],
        ids=["nothing", "names", "scale", "the same scale", "units"],
    )
    def test_own_values_count_first(self, own, axes, scale, measured):
        spacing = Spacing.of(3, own).completed(self.FILE)
        assert (spacing.axes, spacing.scale, spacing.measured) == (axes, scale, measured)
