"""PNG, JPEG and BMP by Pillow's modes: grey, colours, or a sentence."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from napari_sam.errors import InputError
from napari_sam.io.images.read import open_image
from napari_sam.io.labels import open_labels

GREY = np.random.default_rng(0).integers(0, 200, (20, 30), dtype=np.uint8)
RGB = np.stack([GREY, GREY // 2, 255 - GREY], axis=-1)
CLEAR = np.full_like(GREY, 255)


def read(path):
    with open_image(path) as data:
        pixels = np.asarray(data)
        assert (data.shape, data.dtype) == (pixels.shape, pixels.dtype)
        return pixels, data.colours


def read_labels(path):
    with open_labels(path) as labels:
        return labels[...]


def png(path, size, bits, kind, rows):
    """Write a PNG as Pillow does not: any number of bits, any claim of a size."""

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", *size, bits, kind, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    return path


@pytest.mark.parametrize("columns", [3, 4, 30])
def test_of_grey_with_transparency_grey_is_taken(tmp_path, columns):
    grey = GREY[:, :columns]
    Image.fromarray(np.stack([grey, CLEAR[:, :columns]], -1), "LA").save(tmp_path / "a.png")
    pixels, colours = read(tmp_path / "a.png")
    assert not colours
    np.testing.assert_array_equal(pixels, grey)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png"), grey)


@pytest.mark.parametrize("ending", ["png", "bmp"])
def test_of_a_palette_pictures_show_the_colours_and_labels_hold_the_numbers(tmp_path, ending):
    image = Image.fromarray(GREY, "P")
    image.putpalette([value for number in range(256) for value in (number, 0, 255 - number)])
    image.save(tmp_path / f"a.{ending}")
    pixels, colours = read(tmp_path / f"a.{ending}")
    assert colours
    np.testing.assert_array_equal(pixels[..., 0], GREY)
    np.testing.assert_array_equal(read_labels(tmp_path / f"a.{ending}"), GREY)


def test_inks_become_colours(tmp_path):
    inks = np.concatenate([255 - RGB, np.zeros_like(RGB[..., :1])], axis=-1)
    Image.fromarray(inks, "CMYK").save(tmp_path / "a.jpg", quality=100, subsampling=0)
    pixels, colours = read(tmp_path / "a.jpg")
    assert colours
    assert pixels.shape == RGB.shape
    assert np.abs(pixels - RGB.astype(int)).mean() < 5


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_picture_is_turned_as_its_exif_says(tmp_path, caplog, number, ending):
    path, exif = tmp_path / f"a.{ending}", Image.Exif()
    exif[274] = number
    Image.fromarray(RGB).save(path, exif=exif)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(read(path)[0], expected)
    assert ("turned as the file says" in caplog.text) is (number > 1)


def test_several_pictures_in_one_file_are_refused(tmp_path):
    frames = [Image.fromarray(GREY), Image.fromarray(GREY[::-1])]
    for name, kind in (("a.png", "PNG"), ("b.png", "GIF")):
        frames[0].save(tmp_path / name, kind, save_all=True, append_images=frames[1:])
        with pytest.raises(InputError, match="it holds 2 pictures; save them as slices"):
            read(tmp_path / name)


def test_the_small_ones_beside_a_camera_picture_are_left_out(tmp_path):
    small = Image.fromarray(GREY[::2, ::2])
    Image.fromarray(GREY).save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[small])
    assert read(tmp_path / "a.jpg")[0].shape == GREY.shape


def test_of_sixteen_bits_a_colour_it_is_told_that_eight_are_read(tmp_path, caplog):
    path = png(tmp_path / "a.png", (2, 1), 16, 2, b"\0" + bytes(range(12)))
    assert read(path)[0].tolist() == [[[0, 2, 4], [6, 8, 10]]]
    assert "of 16 bits a colour the upper 8 are read" in caplog.text


@pytest.mark.parametrize(("bits", "rows"), [(1, b"\0\x50"), (2, b"\0\x1b"), (4, b"\0\x01\x23")])
def test_labels_of_few_bits_keep_their_numbers(tmp_path, bits, rows):
    labels = read_labels(png(tmp_path / "a.png", (4, 1), bits, 0, rows))
    assert labels.tolist() == [[0, 1, 0, 1] if bits == 1 else [0, 1, 2, 3]]


def test_labels_that_are_colours_or_changed_by_jpeg_are_refused(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "a.png")
    Image.fromarray(np.stack([GREY, GREY], -1), "LA").save(tmp_path / "b.png")
    Image.fromarray(GREY).save(tmp_path / "c.jpg")
    for name, words in (("a.png", "colour"), ("b.png", "colour"), ("c.jpg", "changes numbers")):
        with pytest.raises(InputError, match=words):
            read_labels(tmp_path / name)


@pytest.mark.parametrize(
    ("size", "words"),
    [((10**5, 10**5), "more pixels than a picture of this kind may"), ((99, 99), "it is damaged")],
)
def test_a_size_that_is_not_there(tmp_path, size, words):
    path = png(tmp_path / "a.png", size, 8, 0, b"\0" * 10)
    with pytest.raises(InputError, match=words):
        read(path)


@pytest.mark.parametrize("ending", ["png", "jpg", "bmp"])
@pytest.mark.parametrize("content", [b"hello", b"<html></html>", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_is_no_picture(tmp_path, ending, content):
    (tmp_path / f"a.{ending}").write_bytes(content)
    with pytest.raises(InputError, match=f"a.{ending} cannot be read: it is no picture, whatever"):
        read(tmp_path / f"a.{ending}")
