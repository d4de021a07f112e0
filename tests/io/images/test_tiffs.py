"""TIFFs of every kind: what they say of axes, samples, colours and size, or a sentence."""

from __future__ import annotations

import logging
import zlib
from importlib.util import find_spec

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sam.errors import InputError
from napari_sam.io.images.read import open_image
from napari_sam.io.labels import open_labels
from napari_sam.io.scale import read_spacing

GREY = np.random.default_rng(0).integers(0, 200, (20, 30), dtype=np.uint8)
RGB = np.stack([GREY, GREY // 2, 255 - GREY], axis=-1)
BLUE = np.stack([np.zeros(256), np.zeros(256), np.arange(256) * 257]).astype(np.uint16)


@pytest.fixture
def write(tmp_path):
    def written(data, **options):
        path = tmp_path / "a.tif"
        tifffile.imwrite(path, data, **options)
        return path

    return written


def read(path):
    with open_image(path) as data:
        pixels = np.asarray(data)
        assert (data.shape, data.dtype) == (pixels.shape, pixels.dtype)
        return pixels, data.colours


def planes_of(samples, planarconfig):
    return {
        "data": np.moveaxis(samples, -1, 0 if planarconfig == "separate" else -1),
        "planarconfig": planarconfig,
    }


@pytest.mark.parametrize("planarconfig", ["contig", "separate"])
class TestSamples:
    def test_red_green_and_blue_stand_last_wherever_they_lie(self, write, planarconfig):
        pixels, colours = read(write(**planes_of(RGB, planarconfig), photometric="rgb"))
        assert colours
        np.testing.assert_array_equal(pixels, RGB)

    def test_more_than_alpha_beside_them_is_left_out_with_a_word(self, write, planarconfig, caplog):
        five = np.concatenate([RGB, RGB[..., :2]], axis=-1)
        pixels, _ = read(write(**planes_of(five, planarconfig), photometric="rgb"))
        np.testing.assert_array_equal(pixels, RGB)
        assert "of 5 samples red, green and blue are taken" in caplog.text
        four = {**planes_of(five[..., :4], planarconfig), "extrasamples": ["unspecified"]}
        np.testing.assert_array_equal(read(write(**four, photometric="rgb"))[0], RGB)
        assert "of 4 samples red, green and blue are taken" in caplog.text
        four["extrasamples"] = ["unassalpha"]
        assert read(write(**four, photometric="rgb"))[0].shape == (20, 30, 4)
        assert caplog.text.count("are taken") == 2

    def test_of_grey_and_alpha_grey_is_taken(self, write, planarconfig, caplog):
        both = np.stack([GREY, np.full_like(GREY, 255)], axis=-1)
        told = {"photometric": "minisblack", "extrasamples": ["unassalpha"]}
        pixels, colours = read(write(**planes_of(both, planarconfig), **told))
        assert not colours
        np.testing.assert_array_equal(pixels, GREY)
        assert not caplog.text
        pixels, _ = read(write(**planes_of(both, planarconfig), photometric="minisblack"))
        np.testing.assert_array_equal(pixels, GREY)
        assert "of 2 samples in each pixel the first is taken as grey" in caplog.text

    def test_three_samples_of_no_said_kind_are_colours_with_a_word(
        self, write, planarconfig, caplog
    ):
        pixels, colours = read(write(**planes_of(RGB, planarconfig), photometric="minisblack"))
        assert colours
        np.testing.assert_array_equal(pixels, RGB)
        assert "the file does not say what they are" in caplog.text

    def test_inks_become_colours(self, write, planarconfig):
        inks = np.concatenate([255 - RGB, np.zeros_like(RGB[..., :1])], axis=-1)
        pixels, _ = read(write(**planes_of(inks, planarconfig), photometric="separated"))
        np.testing.assert_array_equal(pixels, RGB)

    @pytest.mark.parametrize("kind", ["cielab", "ycbcr", "miniswhite"])
    def test_what_is_neither_grey_nor_rgb_is_refused(self, write, planarconfig, kind):
        path = write(**planes_of(RGB, planarconfig), photometric=kind)
        with pytest.raises(InputError, match=f"3 samples of the kind {kind.upper()}; save it as"):
            read(path)

    def test_labels_have_one_number_for_each_pixel(self, write, planarconfig):
        path = write(**planes_of(RGB, planarconfig), photometric="rgb")
        with pytest.raises(InputError, match="it is a colour picture"), open_labels(path):
            pass


@pytest.mark.parametrize("shape", [(3, 20, 30), (4, 20, 30), (5, 20, 3), (5, 20, 4), (20, 4)])
@pytest.mark.parametrize("about", [{}, {"metadata": None}, {"imagej": True}, {"ome": True}])
def test_grey_stays_grey_however_few_slices_or_columns_there_are(write, shape, about):
    data = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    pixels, colours = read(write(data, photometric="minisblack", **about))
    assert not colours
    np.testing.assert_array_equal(pixels, data)


@pytest.mark.parametrize("samples", [3, 4])
@pytest.mark.parametrize("planes", [(), (2,)])
def test_pages_as_narrow_as_colours_are_colours_with_a_word(write, planes, samples, caplog):
    data = np.broadcast_to(RGB[..., :1], (*planes, 20, 30, samples))
    pixels, colours = read(write(data, photometric="minisblack"))
    assert colours
    np.testing.assert_array_equal(pixels, data)
    assert f"20 pages of 30 x {samples} pixels; taken as one picture of 20 x 30" in caplog.text


def test_pages_of_two_columns_are_asked_about(write):
    with pytest.raises(InputError, match="20 pages of 30 x 2 pixels, as if the channels"):
        read(write(RGB[..., :2], photometric="minisblack"))


@pytest.mark.parametrize("side", [(3, 3), (1, 1), (1, 4)])
def test_colours_stay_colours_however_small_the_picture_is(write, side):
    pixels, colours = read(write(RGB[: side[0], : side[1]], photometric="rgb"))
    assert colours
    assert pixels.shape == (*side, 3)


def test_a_stack_with_colours_apart_is_read_slice_by_slice(write):
    stack = np.stack([RGB, RGB // 2])
    path = write(np.moveaxis(stack, -1, 1), photometric="rgb", planarconfig="separate")
    with open_image(path) as data:
        assert (data.shape, data.colours, len(data)) == ((2, 20, 30, 3), True, 2)
        np.testing.assert_array_equal(data[1, 3:9, ::2], stack[1, 3:9, ::2])
        np.testing.assert_array_equal(data[..., 1], stack[..., 1])
    assert read_spacing(path, 3).axes == "zyx"


def test_axes_that_the_file_names_are_put_into_order(write):
    path = write(RGB, photometric="minisblack", metadata={"axes": "YXC"})
    pixels, colours = read(path)
    assert not colours
    np.testing.assert_array_equal(pixels, np.moveaxis(RGB, -1, 0))
    assert read_spacing(path, 3).axes == "cyx"


def test_of_a_palette_pictures_show_the_colours_and_labels_hold_the_numbers(write):
    path = write(np.stack([GREY, GREY]), photometric="palette", colormap=BLUE)
    pixels, colours = read(path)
    assert colours
    np.testing.assert_array_equal(pixels[1, ..., 2], GREY)
    assert not pixels[..., :2].any()
    with open_labels(path) as labels:
        np.testing.assert_array_equal(labels[1], GREY)
    grey = np.stack([BLUE[2]] * 3)
    pixels, colours = read(write(GREY, photometric="palette", colormap=grey))
    assert not colours
    np.testing.assert_array_equal(pixels, GREY)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (GREY, 255 - GREY),
        (GREY.astype(np.uint16), 65535 - GREY.astype(np.uint16)),
        (GREY.astype(np.int16), -1 - GREY.astype(np.int16)),
        (GREY > 90, GREY <= 90),
        (GREY.astype(np.float32), -GREY.astype(np.float32)),
    ],
)
def test_where_zero_is_white_bright_and_dark_are_exchanged(write, data, expected):
    path = write(data, photometric="miniswhite")
    pixels, _ = read(path)
    assert pixels.dtype == expected.dtype
    np.testing.assert_array_equal(pixels, expected)
    with open_labels(path) as labels:  # numbers are numbers
        np.testing.assert_array_equal(labels[...], data)


def test_a_picture_is_turned_as_its_tag_says_and_so_is_its_spacing(tmp_path, write, caplog):
    turned = {2: GREY[:, ::-1], 3: GREY[::-1, ::-1], 4: GREY[::-1], 5: GREY.T}
    turned |= {6: GREY.T[:, ::-1], 7: GREY.T[::-1, ::-1], 8: GREY.T[::-1]}
    about = {"axes": "YX", "PhysicalSizeY": 2, "PhysicalSizeX": 3}
    for number, expected in turned.items():
        caplog.clear()
        path = write(GREY, ome=True, metadata=about, extratags=[(274, 3, 1, number, True)])
        with open_image(path) as data:
            assert data.shape == expected.shape
            np.testing.assert_array_equal(data[...], expected)
            np.testing.assert_array_equal(data[2:9, 3:5], expected[2:9, 3:5])
        assert "turned as the file says" in caplog.text
        assert read_spacing(path, 2).scale == ((2, 3) if number < 5 else (3, 2))
        path = write(np.stack([RGB, RGB]), photometric="rgb", extratags=[(274, 3, 1, number, True)])
        with open_image(path) as data:
            np.testing.assert_array_equal(data[1, 2:9, 3:5, 0], expected[2:9, 3:5])


def test_more_pictures_in_a_file_are_told(tmp_path, caplog):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(GREY)
        file.write(GREY[:9])
    assert read(tmp_path / "a.tif")[0].shape == (20, 30)
    assert "it holds 2 pictures; the first is read" in caplog.text


class TestDamaged:
    @pytest.mark.parametrize("shape", [(0, 2, 2), (2, 0), (3, 0, 3)])
    def test_nothing_to_see(self, write, shape):
        with pytest.warns(UserWarning, match="zero-size"):
            path = write(np.zeros(shape, np.uint8))
        size = " x ".join(map(str, shape))
        with pytest.raises(InputError, match=f"it has {size} pixels; a picture needs rows"):
            read(path)

    @pytest.mark.parametrize("content", [b"hello", b"<html></html>", b"\x89PNG\r\n\x1a\n"])
    def test_no_tiff(self, tmp_path, content):
        (tmp_path / "a.tif").write_bytes(content)
        with pytest.raises(InputError, match=r"a\.tif cannot be read: it is no TIFF, whatever"):
            read(tmp_path / "a.tif")

    def test_an_empty_file_and_a_folder(self, tmp_path):
        (tmp_path / "a.tif").touch()
        (tmp_path / "b.tif").mkdir()
        for name, words in (("a", "the file is empty"), ("b", "it is a folder")):
            with pytest.raises(InputError, match=words):
                read(tmp_path / f"{name}.tif")

    def test_no_real_numbers(self, write):
        with pytest.raises(InputError, match="no real numbers but complex64"):
            read(write(GREY.astype(np.complex64)))

    @pytest.mark.parametrize(
        "options", [{}, {"compression": "zlib"}, {"tile": (16, 16)}, {"rowsperstrip": 4}]
    )
    def test_a_file_cut_short_is_never_read_as_if_it_were_whole(self, write, options):
        path = write(np.stack([GREY, GREY]), photometric="minisblack", **options)
        whole = path.read_bytes()
        for length in range(0, len(whole), 61):
            path.write_bytes(whole[:length])
            with pytest.raises(InputError):
                read(path)

    def test_sizes_that_no_such_file_can_hold(self, write):
        path = write(GREY)
        with tifffile.TiffFile(path, mode="r+") as file:
            for name in ("ImageWidth", "ImageLength", "RowsPerStrip"):
                file.pages[0].tags[name].overwrite(10**9, dtype="I")
        with pytest.raises(InputError, match=r"holds 1,000,000,000 GB of pixels, which a file"):
            read(path)

    def test_a_part_that_unpacks_to_far_more_than_its_pixels(self, write):
        path = write(GREY, compression="zlib")
        bomb = zlib.compress(bytes(2**28))
        with tifffile.TiffFile(path, mode="r+") as file:
            tags = file.pages[0].tags
            tags["StripOffsets"].overwrite([path.stat().st_size], dtype="I")
            tags["StripByteCounts"].overwrite([len(bomb)], dtype="I")
        with path.open("ab") as file:
            file.write(bomb)
        with pytest.raises(InputError, match="a part of it is far longer than its pixels"):
            read(path)

    def test_sizes_below_zero_do_not_hang(self, write):
        path = write(GREY, description='{"shape": [-20, 30]}', metadata=None)
        with pytest.raises(InputError, match="it says shape -20, which is no size"):
            read(path)

    @pytest.mark.parametrize("codec", ["tiff_lzw", "jpeg"])
    def test_a_picture_whose_codec_is_missing_says_so_and_is_read_with_it(self, tmp_path, codec):
        Image.fromarray(GREY).save(tmp_path / "a.tif", compression=codec)
        if find_spec("imagecodecs") is None:
            with pytest.raises(InputError, match="pip install imagecodecs"):
                read(tmp_path / "a.tif")
        else:
            assert read(tmp_path / "a.tif")[0].shape == GREY.shape

    def test_imagej_that_says_more_slices_than_there_are(self, write):
        path = write(
            GREY, description="ImageJ=1.53\nimages=1000000000\nslices=1000000000\n", metadata=None
        )
        pixels, _ = read(path)
        np.testing.assert_array_equal(pixels, GREY)


OME = (
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image>'
    '<Pixels DimensionOrder="XYZCT" Type="uint8" SizeX="{x}" SizeY="20" SizeZ="{z}" SizeC="1" '
    'SizeT="1"><TiffData>{uuid}</TiffData></Pixels></Image></OME>'
)
OTHER = '<UUID FileName="{}">urn:uuid:1</UUID>'


class TestOme:
    @pytest.fixture
    def ome(self, write):
        def written(x=30, z=1, uuid=""):
            return write(GREY, description=OME.format(x=x, z=z, uuid=uuid), metadata=None)

        return written

    def test_what_fits_is_read(self, ome):
        np.testing.assert_array_equal(read(ome())[0], GREY)

    @pytest.mark.parametrize("sizes", [{"z": 10**8}, {"x": 10**12}, {"z": 10**18}])
    def test_more_slices_than_any_file_has(self, ome, sizes):
        with pytest.raises(
            InputError, match=r"OME-XML says that it has .* slices; up to 1,000,000"
        ):
            read(ome(**sizes))

    @pytest.mark.parametrize("size", ["", "0", "-3", "1e3", "NaN", "many"])
    def test_sizes_that_are_none(self, ome, size):
        with pytest.raises(InputError, match=f"OME-XML says SizeZ='{size}'; it must be a whole"):
            read(ome(z=size))

    def test_slices_that_are_missing_are_not_read_as_zeros(self, ome, caplog):
        caplog.set_level(logging.CRITICAL, "tifffile")
        with pytest.raises(InputError, match="4 of its 5 slices are missing"):
            read(ome(z=5))
        with pytest.raises(
            InputError, match="cannot be read"
        ):  # all are in a file that is not here
            read(ome(uuid=OTHER.format("gone.tif")))

    @pytest.mark.parametrize("name", ["/dev/zero", "../a.tif", "deep/a.tif"])
    def test_files_elsewhere_are_not_opened(self, ome, name):
        with pytest.raises(InputError, match=f"OME-XML names '{name}', which is no file beside it"):
            read(ome(uuid=OTHER.format(name)))
