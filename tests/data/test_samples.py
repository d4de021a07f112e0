"""Folders and pairs of arrays in, labelled pictures or a plain reason out."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sam.data.samples import data_digest, images_from_arrays, load_images
from napari_sam.errors import InputError
from napari_sam.io.labels import write_labels


def squares(shape=(40, 50)):
    """Two squares, numbered 3 and 700, on a grey ramp."""
    labels = np.zeros(shape, np.uint16)
    labels[..., 5:15, 5:15] = 3
    labels[..., 20:36, 30:46] = 700
    ramp = np.broadcast_to(np.arange(shape[-1], dtype=np.uint8), shape)
    return ramp + np.uint8(100) * (labels > 0), labels


def save(folder, image, labels, ending="png"):
    folder.mkdir(parents=True)
    for name, array in (("image", image), ("labels", labels)):
        if ending == "png":
            Image.fromarray(array).save(folder / f"{name}.png")
        else:
            tifffile.imwrite(folder / f"{name}.{ending}", array)


def test_objects_are_numbered_and_measured():
    (picture,) = images_from_arrays("mine", *squares())
    assert (picture.dataset, picture.source, picture.plane) == ("mine", "mine", 0)
    assert picture.rgb.shape == (40, 50, 3)
    assert picture.rgb.dtype == np.uint8
    assert picture.labels[10, 10] == 1
    assert picture.labels[30, 40] == 2
    assert picture.ids.tolist() == [1, 2]
    assert picture.centres.tolist() == [[9.5, 9.5], [27.5, 37.5]]
    np.testing.assert_allclose(np.pi / 4 * picture.diameters**2, [100, 256])
    assert not picture.partial
    assert images_from_arrays("mine", *squares(), partial=True)[0].partial


def test_specks_and_fillings_are_no_objects():
    image, labels = squares()
    labels[0, :8] = 9  # one pixel short of an object
    assert len(images_from_arrays("a", image, labels)[0].ids) == 2
    with pytest.raises(InputError, match="smaller than 9 pixels or covers more than 90%"):
        images_from_arrays("a", image, np.ones_like(labels))


def test_huge_label_numbers_cost_nothing():
    image, labels = squares()
    labels = labels.astype(np.uint32) * 5_000_000
    assert images_from_arrays("a", image, labels)[0].ids.tolist() == [1, 2]


@pytest.mark.parametrize("axis", [0, 2])
def test_two_channels_become_red_and_green(axis):
    image, labels = squares()
    both = np.stack([image.astype(np.uint16) * 50, 255 - image], axis=axis)
    (picture,) = images_from_arrays("a", both, labels)
    red, green, blue = np.moveaxis(picture.rgb, 2, 0)
    assert red[10, 10] > red[10, 25]
    assert green[10, 10] < green[10, 25]
    assert (blue == 0).all()


def test_the_colours_of_rgb_keep_their_ratio_and_alpha_is_dropped():
    _, labels = squares()
    image = np.zeros((40, 50, 4), np.uint8)
    image[..., 0] = np.linspace(0, 200, 50)
    image[..., 1] = image[..., 0] // 2
    image[..., 3] = 255
    (picture,) = images_from_arrays("a", image, labels)
    assert picture.rgb[0, 49].tolist() == [255, 128, 0]


def test_a_stack_gives_spaced_planes_that_hold_objects():
    image, labels = squares((30, 40, 50))
    labels[:4] = 0
    pictures = images_from_arrays("a", image, labels, max_planes=6)
    assert [p.plane for p in pictures] == [4, 9, 14, 19, 24, 29]
    assert len(images_from_arrays("a", image[:6], labels[:6])) == 2
    channels = np.stack([image, image], axis=1)  # (Z, C, Y, X), as ImageJ has it
    assert images_from_arrays("a", channels, labels)[0].rgb.shape == (40, 50, 3)


def test_planes_are_stretched_by_the_range_of_their_stack():
    image, labels = squares((2, 40, 50))
    image = image.astype(np.float32)
    image[1] *= 0.5
    first, second = images_from_arrays("a", image, labels)
    assert first.rgb.max() == 255
    assert second.rgb.max() == pytest.approx(128, abs=2)


@pytest.mark.parametrize(
    ("image", "labels", "reason"),
    [
        (np.eye(9), np.ones((8, 9), int), r"\(9, 9\) and labels \(8, 9\) do not fit"),
        (np.zeros((7, 9, 9)), np.ones((9, 9), int), "up to 4 channels"),
        (np.eye(9), np.zeros((9, 9), int), "no object"),
        (np.eye(9), np.full((9, 9), 0.5), "fractions or NaN"),
        (np.eye(9), np.full((9, 9), np.nan), "fractions or NaN"),
        (np.eye(9), np.full((9, 9), -1), "negative"),
        (np.eye(9), np.full((9, 9), "a"), "whole numbers"),
        (np.eye(9), np.ones((9, 9, 3), int), "colour"),
        (np.eye(9), np.ones(9, int), "two axes"),
        (np.full((9, 9), np.nan), np.eye(9, dtype=int), "finite"),
        (np.full((9, 9), 7.0), np.eye(9, dtype=int), "all values are 7"),
        (np.zeros((0, 9)), np.zeros((0, 9), int), "empty"),
        (np.eye(9) * 1j, np.eye(9, dtype=int), "real numbers"),
        (np.eye(9), 255 * np.eye(9, dtype=int)[:, ::-1] * (np.arange(9) % 2), "one number, 255"),
    ],
)
def test_each_bad_sample_has_its_reason(image, labels, reason):
    with pytest.raises(InputError, match=reason):
        images_from_arrays("a", image, labels)


def test_whole_numbers_may_be_floats_and_one_object_may_have_a_stray_dot():
    image, labels = squares()
    labels[labels == 700] = 0
    labels[30:32, 30:32] = 3
    assert len(images_from_arrays("a", image, labels.astype(float))[0].ids) == 1


def test_bad_samples_are_named_and_the_rest_is_read(tmp_path, caplog):
    image, labels = squares()
    save(tmp_path / "a/one", image, labels)
    save(tmp_path / "b/deep/two", image, labels, "tif")
    save(tmp_path / "b/no object", image, labels * 0)
    save(tmp_path / "b/no image", image, labels)
    (tmp_path / "b/no image/image.png").unlink()
    save(tmp_path / "b/damaged", image, labels)
    (tmp_path / "b/damaged/image.png").write_bytes((tmp_path / "a/one/image.png").read_bytes()[:60])
    (tmp_path / "b/notes").mkdir()  # no sample, no complaint
    bad = {}
    pictures = load_images(tmp_path, on_bad=bad.__setitem__)
    assert [(p.dataset, p.source) for p in pictures] == [("a", "a/one"), ("b", "b/deep/two")]
    assert not caplog.text
    load_images(tmp_path)
    assert set(bad) == {"b/no object", "b/no image", "b/damaged"}
    assert bad["b/no image"] == "there is no image.tif or image.png"
    for source, reason in bad.items():
        assert f"left out {source}: {reason}" in caplog.text


def test_a_set_has_the_same_sources_read_alone_or_with_others(tmp_path):
    save(tmp_path / "cells/one", *squares())
    for folder in (tmp_path, tmp_path / "cells", tmp_path / "cells" / "one"):
        (picture,) = load_images(folder)
        assert (picture.dataset, picture.source) == ("cells", "cells/one")


def test_pictures_with_labels_beside_them_are_samples_of_any_format(tmp_path):
    image, labels = squares()
    folder = tmp_path / "day"
    folder.mkdir()
    tifffile.imwrite(folder / "cells.tif", image)
    write_labels(folder / "cells_labels.zarr", labels)
    tifffile.imwrite(folder / "alone.tif", image)  # no sample, no complaint
    for where in (tmp_path, folder):
        (picture,) = load_images(where)
        assert (picture.dataset, picture.source) == ("day", "day/cells")
        assert picture.ids.tolist() == [1, 2]


def test_a_folder_without_samples_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no usable sample"):
        load_images(tmp_path)


def test_the_colours_of_a_palette_are_the_picture_but_not_the_labels(tmp_path):
    image, labels = squares()
    folder = tmp_path / "a/one"
    save(folder, image, labels)
    palette = [v for i in range(256) for v in (255 - i, 0, 0)]
    for name, values in (("image", image), ("labels", np.minimum(labels, 5).astype(np.uint8))):
        indexed = Image.fromarray(values)
        indexed.putpalette(palette)
        indexed.save(folder / f"{name}.png")
    (picture,) = load_images(tmp_path)
    assert picture.ids.tolist() == [1, 2]
    assert picture.rgb[0, 0, 0] > picture.rgb[10, 10, 0]
    assert (picture.rgb[..., 1] == 0).all()


def test_a_set_of_several_kinds_of_picture_is_read_as_several_sets(tmp_path):
    kinds = {
        "x": "fluorescence (nuclei)",
        "y": "histology / stained tissue",
        "z": "brightfield grey, stained",
    }
    lines = ["dataset,name,modality"]
    for name, kind in kinds.items():
        save(tmp_path / "dsb2018_train" / name, *squares())
        lines.append(f'dsb2018_train,{name},"{kind}"')
    (tmp_path / "manifest.csv").write_text("\n".join(lines))
    expected = [f"dsb2018_train, {part}" for part in ("fluorescence", "stained", "grey")]
    for folder in (tmp_path, tmp_path / "dsb2018_train"):
        assert [p.dataset for p in load_images(folder)] == expected


def test_the_digest_changes_with_the_pixels_but_not_with_the_order():
    image, labels = squares()
    first, second = (images_from_arrays(name, image, labels)[0] for name in "ab")
    assert data_digest([first, second]) == data_digest([second, first])
    assert data_digest([first]) != data_digest([second])
    labels[5, 5] = 0
    assert data_digest(images_from_arrays("a", image, labels)) != data_digest([first])
