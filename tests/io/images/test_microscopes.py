"""Files of microscopes: bioio's own library reads what another one has written."""

from __future__ import annotations

import sys

import bioio
import dask.array
import mrc
import numpy as np
import pytest

from napari_sam.cli.main import main
from napari_sam.errors import InputError
from napari_sam.io.images.find import find_images, name_of
from napari_sam.io.images.microscopes import LazyDask
from napari_sam.io.images.read import open_image
from napari_sam.io.labels import write_labels
from napari_sam.io.provenance import describe_run
from napari_sam.io.scale import read_spacing

STACK = np.random.default_rng(0).integers(0, 4000, (2, 3, 20, 30)).astype(np.uint16)


@pytest.fixture
def folder(tmp_path):
    """A time series and a stack in the format of DeltaVision, one of them deeper."""
    (tmp_path / "deep").mkdir()
    sizes = {"dxy": 0.25, "dz": 0.5}
    mrc.save(STACK, str(tmp_path / "series.dv"), zAxisOrder="tz", metadata=sizes)
    mrc.save(STACK[0], str(tmp_path / "deep" / "stack.r3d"), zAxisOrder="z", metadata=sizes)
    return tmp_path


@pytest.fixture
def several(folder, monkeypatch):
    """Bioio finds two pictures in a file."""
    image = bioio.BioImage

    def two(file, **more):
        return image([STACK[0], STACK[1]], dim_order="ZYX")

    monkeypatch.setattr(bioio, "BioImage", two)
    return folder / "series.dv"


def test_planes_and_distances_are_read_from_folders_patterns_and_by_name(folder):
    series, stack = folder / "series.dv", folder / "deep" / "stack.r3d"
    assert find_images([folder]) == [stack, series]
    assert find_images([folder / "*.dv", stack]) == [series, stack]
    for path, pixels, axes in ((series, STACK, "tzyx"), (stack, STACK[0], "zyx")):
        with open_image(path) as data:
            assert not data.colours
            assert (data.shape, data.ndim, data.dtype) == (pixels.shape, pixels.ndim, "uint16")
            first = (0,) * (pixels.ndim - 2)
            np.testing.assert_array_equal(data[first], pixels[first])
            np.testing.assert_array_equal(np.asarray(data), pixels)
        spacing = read_spacing(path, pixels.ndim)
        assert (spacing.axes, spacing.scale[-3:]) == (axes, (0.5, 0.25, 0.25))
        assert spacing.units[-3:] == ("micrometer",) * 3


def test_only_what_is_looked_at_is_read():
    seen = []

    def block(block_id=None):
        seen.append(block_id[0])
        return np.full((1, 4, 5), block_id[0])

    lazy = LazyDask(dask.array.map_blocks(block, chunks=((1,) * 6, (4,), (5,)), dtype=int))
    seen.clear()
    assert (lazy[4] == 4).all()
    assert seen == [4]


def test_a_command_measures_in_their_units(folder, capsys):
    labels = np.zeros(STACK[0].shape, np.uint8)
    labels[:2, 4:8, 4:8] = 1
    write_labels(folder / "labels.tif", labels)
    image, table = folder / "deep" / "stack.r3d", folder / "cells.csv"
    arguments = [folder / "labels.tif", "-o", table, "--image", image]
    assert main(["convert", *map(str, arguments)]) == 0
    header, row = (line.split(",") for line in table.read_text().splitlines())
    about = dict(zip(header, row, strict=True))
    assert float(about["volume_um3"]) == 2 * 4 * 4 * 0.5 * 0.25**2
    assert float(about["intensity_max"]) == STACK[0][labels > 0].max()


def test_a_file_of_several_pictures_is_that_many(several):
    found = find_images([several])
    assert found == [several / "0", several / "1"] == find_images(found)
    assert [name_of(path) for path in found] == ["series_0", "series_1"]
    with open_image(found[1]) as data:
        np.testing.assert_array_equal(data[...], STACK[1])
    which = r"holds 2 pictures; say which.*series\.dv/1"
    with pytest.raises(InputError, match=which), open_image(several):
        pass
    with pytest.raises(InputError, match="cannot be read"), open_image(several / "7"):
        pass
    known = describe_run("segment", {"image": found[1]}, "m", "d", {})["inputs"]["image"]
    assert known["bytes"] == several.stat().st_size


def test_without_bioio_it_is_said_how_to_get_it(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "bioio", None)
    monkeypatch.setitem(sys.modules, "bioio.plugins", None)
    (path,) = find_images([folder / "series.dv"])  # what is in the folder beside it goes on
    needed = r'series\.dv needs bioio: pip install "napari-sam\[bioio\]"; .*bioio-dv'
    with pytest.raises(InputError, match=needed), open_image(path):
        pass
    (folder / "a.oib").touch()
    with pytest.raises(InputError, match=r"a\.oib' is no picture"):
        find_images([folder / "a.oib"])


def test_without_its_reader_or_with_a_damaged_file_that_is_said(folder):
    (folder / "a.czi").write_bytes(b"nothing")
    (folder / "bad.dv").write_bytes(b"nothing")
    for name, problem in (("a.czi", "pip install bioio-czi"), ("bad.dv", "cannot be read")):
        (path,) = find_images([folder / name])
        with pytest.raises(InputError, match=problem), open_image(path):
            pass
