"""Zarr arrays and groups: what they say of axes, or what is assumed."""

from __future__ import annotations

import json

import numpy as np
import pytest
import zarr

from napari_sam.errors import InputError
from napari_sam.io.images.read import open_image
from napari_sam.io.labels import open_labels
from napari_sam.io.scale import read_spacing

DATA = np.random.default_rng(0).integers(0, 200, (5, 20, 3), dtype=np.uint8)


@pytest.fixture
def write(tmp_path):
    """Write an OME-Zarr whose axes are called so; without names a plain array."""

    def written(data, names=""):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.zarr"
        if names:
            steps = [float(place) for place in range(1, len(names) + 1)]
            level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": steps}]}
            axes = [{"name": name} for name in names]
            about = {"multiscales": [{"version": "0.4", "axes": axes, "datasets": [level]}]}
            zarr.create_group(path, zarr_format=2, attributes=about).create_array("0", data=data)
        else:
            zarr.save_array(path, data)
        return path

    return written


def read(path):
    with open_image(path) as data:
        pixels = np.asarray(data)
        assert (data.shape, data.dtype) == (pixels.shape, pixels.dtype)
        return pixels, data.colours


@pytest.mark.parametrize(
    ("names", "order", "colours"),
    [
        ("zyx", (0, 1, 2), False),
        ("cyx", (0, 1, 2), False),
        ("yxc", (0, 1, 2), True),
        ("yxz", (2, 0, 1), False),
        ("xyc", (1, 0, 2), True),
    ],
)
def test_named_axes_are_put_into_order_with_their_scale(write, caplog, names, order, colours):
    path = write(DATA, names)
    pixels, found = read(path)
    assert found is colours
    np.testing.assert_array_equal(pixels, DATA.transpose(order))
    spacing = read_spacing(path, 3 - colours)
    assert "".join(spacing.names) == "".join(names[axis] for axis in order[: 3 - colours])
    assert spacing.scale == tuple(axis + 1.0 for axis in order[: 3 - colours])
    assert not caplog.text


def test_an_array_may_name_its_axes_itself(tmp_path):
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=(5, 20, 3), dtype="u1", dimension_names="zyx"
    )
    array[...] = DATA
    assert read(tmp_path / "a.zarr")[1] is False


def test_what_is_assumed_of_axes_without_names_is_told(write, caplog):
    assert read(write(DATA))[1]
    assert "its axes (5, 20, 3) have no names; taken as its last axis as colours" in caplog.text
    caplog.clear()
    assert not read(write(np.moveaxis(DATA, -1, 0)))[1]
    assert "taken as a stack of slices" in caplog.text
    caplog.clear()
    read(write(DATA[0]))
    assert not caplog.text


def test_labels_are_numbers_whatever_their_shape(write):
    with open_labels(write(DATA)) as labels:
        np.testing.assert_array_equal(labels[...], DATA)


def test_colours_are_no_labels(write):
    with pytest.raises(InputError, match="colour picture"), open_labels(write(DATA, "yxc")):
        pass


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shape": [10**18, 20, 3]}, "more than any disk can hold"),
        ({"shape": [0, 20, 3]}, "it has 0 x 20 x 3 pixels"),
        ({"chunks": [0, 20, 3]}, "cannot be read"),
        ({"compressor": {"id": "nothing"}}, "cannot be read"),
        ({"dtype": "<c8", "fill_value": None}, "no real numbers but complex64"),
        ({"dtype": "<M8[ns]"}, "no real numbers but datetime64"),
        ({"dtype": "|O"}, "cannot be read"),
    ],
)
def test_descriptions_that_cannot_be(tmp_path, changes, words):
    zarr.create_array(tmp_path / "a.zarr", shape=DATA.shape, dtype="u1", zarr_format=2)
    about = tmp_path / "a.zarr" / ".zarray"
    about.write_text(json.dumps(json.loads(about.read_text()) | changes))
    with pytest.raises(InputError, match=words):
        read(tmp_path / "a.zarr")
