"""Pyramids of all kinds of files: what their levels say, and what is read of them."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
import zarr

from napari_sam.inference.pyramid import tile_at
from napari_sam.io.images.read import LazyPlane, open_image

SHAPE = (2304, 2560)
CHUNK = 256
FORMATS = {"0.4": 2, "0.5": 3}


def waves():
    rows, columns = np.ogrid[: SHAPE[0], : SHAPE[1]]
    return (127 + 120 * np.sin(rows / 20) * np.cos(columns / 25)).astype(np.uint8)


def half(pixels):
    """Return the means of 2 x 2 pixels of the last two axes."""
    *others, height, width = pixels.shape
    blocks = pixels.reshape(*others, height // 2, 2, width // 2, 2)
    return blocks.mean(axis=(-3, -1)).round().astype(pixels.dtype)


def write_ome(path, levels, version="0.4", place=None, shards=None, axes="yx"):
    """Write an OME-Zarr; `place` gives the translation of a level in pixels of the finest."""
    group = zarr.create_group(path, zarr_format=FORMATS[version])
    datasets = []
    for number, pixels in enumerate(levels):
        chunks = (1,) * (pixels.ndim - 2) + (CHUNK, CHUNK)
        more = {} if version == "0.4" else {"shards": shards}
        group.create_array(str(number), data=pixels, chunks=chunks, **more)
        steps = np.divide(levels[0].shape, pixels.shape)
        said = [{"type": "scale", "scale": (0.3 * steps).tolist()}]
        if place is not None:
            shift = [7 + 0.3 * place(step) for step in steps]
            said.append({"type": "translation", "translation": shift})
        datasets.append({"path": str(number), "coordinateTransformations": said})
    about = {"axes": [{"name": name} for name in axes], "datasets": datasets}
    if version == "0.4":
        group.attrs["multiscales"] = [{"version": version, **about}]
    else:
        group.attrs["ome"] = {"version": version, "multiscales": [about]}


def write_tiff(path, levels, **options):
    with tifffile.TiffWriter(path) as file:
        file.write(levels[0], tile=(CHUNK, CHUNK), subifds=len(levels) - 1, **options)
        for pixels in levels[1:]:
            file.write(pixels, tile=(CHUNK, CHUNK), subfiletype=1, **options)


def middle(step):
    return (step - 1) / 2


@pytest.fixture(scope="module")
def levels():
    return [waves(), half(waves()), half(half(waves()))]


WRITERS = {
    "0.4.zarr": lambda path, levels: write_ome(path, levels, place=middle),
    "0.5.zarr": lambda path, levels: write_ome(path, levels, "0.5", middle, shards=(512, 512)),
    "unplaced.zarr": lambda path, levels: write_ome(path, levels, "0.5"),
    "every-other.zarr": lambda path, levels: write_ome(
        path, [levels[0][:: 2**n, :: 2**n] for n in range(3)], place=lambda step: 0
    ),
    "pyramid.ome.tif": lambda path, levels: write_tiff(path, levels, metadata={"axes": "YX"}),
    "slide.svs": lambda path, levels: write_tiff(
        path, [np.stack([one] * 3, axis=-1) for one in levels], photometric="rgb"
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_coarse_tiles_come_from_a_coarse_level_and_lie_where_the_finest_has_them(
    name, levels, tmp_path
):
    WRITERS[name](tmp_path / name, levels)
    with open_image(tmp_path / name) as image:
        plane = LazyPlane(image, ())
        assert [one.steps for one in plane.coarser] == [(2, 2), (4, 4)]
        assert image.shape[:2] == SHAPE
        tile = tile_at(SHAPE, (1100, 1300), level=1)
        pixels, _ = tile.read(plane, (0, 255))
        image._data = None  # the finest level is not needed
        np.testing.assert_array_equal(pixels, tile.read(plane, (0, 255))[0])
    expected, _ = tile.read(levels[0], (0, 255))
    inner = (slice(8, -8), slice(8, -8), 0)
    away = np.abs(pixels[inner].astype(float) - expected[inner]).mean()
    half_a_pixel = np.abs(np.diff(levels[0].astype(float), axis=0)).mean() / 2
    assert away < half_a_pixel / 2


def test_a_level_is_used_for_slices_that_it_holds_alone(tmp_path):
    volume = np.random.default_rng(0).integers(0, 99, (4, 16, 16), dtype=np.uint8)
    flat = half(volume)
    deep = flat.reshape(2, 2, 8, 8).mean(axis=1).astype(np.uint8)[:, ::2, ::2]
    write_ome(tmp_path / "a.zarr", [volume, flat, deep], place=middle, axes="zyx")
    with open_image(tmp_path / "a.zarr") as image:
        assert [one.steps for one in image.coarser] == [(1, 2, 2), (2, 4, 4)]
        [level] = LazyPlane(image, (3,)).coarser
        np.testing.assert_array_equal(level.pixels[:, :], flat[3])


def test_levels_that_make_no_sense_are_left_out(tmp_path, levels):
    write_ome(tmp_path / "a.zarr", levels)
    about = zarr.open_group(tmp_path / "a.zarr")
    scales = about.attrs["multiscales"]
    _, second, third = scales[0]["datasets"]
    second["path"] = "gone"
    third["coordinateTransformations"] = [{"type": "scale", "scale": ["wide", None]}]
    about.attrs["multiscales"] = scales
    with open_image(tmp_path / "a.zarr") as image:
        assert [(one.steps, one.first) for one in image.coarser] == [((4, 4), (1.5, 1.5))]


def test_a_large_tiff_in_one_piece_is_mapped(tmp_path, levels):
    tifffile.imwrite(tmp_path / "a.tif", levels[0], byteorder=">")
    with open_image(tmp_path / "a.tif") as image:
        assert isinstance(image._data, np.memmap)
        np.testing.assert_array_equal(image[700:800, 900:990], levels[0][700:800, 900:990])
