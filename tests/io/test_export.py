"""Objects in the formats of other programs: their readers open them, and every pixel comes back."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import logging

import bioio_ome_zarr
import numpy as np
import ome_types
import pytest
import roifile
import shapely
import tifffile
from bioio import BioImage
from PIL import Image
from pycocotools.coco import COCO

from napari_sam.errors import InputError
from napari_sam.io.export import (
    as_labels,
    read_objects,
    save_layer,
    write_instances,
    write_objects,
)
from napari_sam.io.labels import open_labels
from napari_sam.io.objects.coco import read_coco
from napari_sam.io.objects.instances import Instances, Piece, cut_out, paint
from napari_sam.io.scale import read_spacing
from napari_sam.io.spacing import Spacing

MICRONS = {"scale": (2, 0.5, 0.25), "units": ("micrometer",) * 3}


def ragged(*shape):
    """Return objects with holes, in parts, touching at corners and at the border."""
    rng = np.random.default_rng(0)
    coarse = rng.choice([0, 3, 4, 70_000], (*shape[:-2], *(-(-n // 5) for n in shape[-2:])))
    labels = coarse.repeat(5, axis=-2).repeat(5, axis=-1)[..., : shape[-2], : shape[-1]]
    return np.where(rng.random(shape) < 0.3, 0, labels).astype(np.uint32)


def ring():
    labels = np.zeros((12, 14), np.uint8)
    labels[2:9, 3:10] = 7
    labels[4:6, 5:8] = 0
    labels[10:, 12:] = 2
    return labels


def centres_in(shape):
    """Return the pixels (12, 14) whose centres lie in a shape of x and y."""
    rows, columns = np.indices(ring().shape) + 0.5
    return shapely.contains_xy(shape, columns, rows)


def coco(path):
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


@pytest.mark.parametrize("name", ["a.json", "a.geojson", "a.zip"])
@pytest.mark.parametrize("shape", [(23, 31), (3, 17, 21), (2, 3, 11, 13)])
def test_every_pixel_comes_back(tmp_path, name, shape):
    labels = ragged(*shape)
    write_objects(tmp_path / name, labels)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    axes = Spacing.usual(len(shape)).axes
    found, lost = paint(read_objects(tmp_path / name, shape, axes))
    np.testing.assert_array_equal(found, labels)
    assert lost == 0


@pytest.mark.parametrize("name", ["a.json", "a.geojson", "a.zip"])
def test_a_picture_without_objects_comes_back_empty(tmp_path, name):
    write_objects(tmp_path / name, np.zeros((5, 6), np.uint8))
    found, _ = paint(read_objects(tmp_path / name, (5, 6), "yx"))
    assert found.shape == (5, 6)
    assert not found.any()


@pytest.mark.parametrize("outlines", [False, True])
def test_cocos_own_reader_sees_the_same_objects(tmp_path, outlines):
    labels = ring()
    drawn = cut_out(labels, "yx", {7: "nucleus", 2: "debris"})
    other = cut_out(labels[::-1], "yx", {7: "nucleus"})
    write_instances(tmp_path / "a.json", {"one.tif": drawn, "two.tif": other}, outlines=outlines)
    data = coco(tmp_path / "a.json")
    assert {one["file_name"] for one in data.imgs.values()} == {"one.tif", "two.tif"}
    assert {one["name"] for one in data.cats.values()} == {"nucleus", "debris", "object"}
    for one in data.anns.values():
        image = data.imgs[one["image_id"]]
        truth = labels if image["file_name"] == "one.tif" else labels[::-1]
        np.testing.assert_array_equal(data.annToMask(one), truth == one["object_id"])
        assert one["area"] == (truth == one["object_id"]).sum()
        held = isinstance(one["segmentation"], list)
        assert held == (outlines and one["object_id"] == 2)  # no polygon of COCO has a hole
    back = read_coco(tmp_path / "a.json")
    np.testing.assert_array_equal(paint(back["two.tif"])[0], labels[::-1])
    assert {piece.name for piece in back["one.tif"].pieces} == {"nucleus", "debris"}
    with pytest.raises(InputError, match=r"one\.tif, two\.tif"):
        read_objects(tmp_path / "a.json")


def test_foreign_coco_with_overlaps_is_read(tmp_path, caplog):
    counts = [0, 4, 2, 4, 2, 4, 2, 4, 26]  # four columns of four pixels, of six rows
    data = {
        "images": [{"id": 5, "file_name": "a.png", "height": 6, "width": 8}],
        "categories": [{"id": 9, "name": "cell"}],
        "annotations": [
            {"id": 1, "image_id": 5, "category_id": 9, "segmentation": [[2, 2, 8, 2, 8, 6, 2, 6]]},
            {
                "id": 2,
                "image_id": 5,
                "category_id": 9,
                "iscrowd": 1,
                "segmentation": {"size": [6, 8], "counts": counts},
            },
        ],
    }
    (tmp_path / "a.json").write_text(json.dumps(data))
    drawn = read_objects(tmp_path / "a.json")
    assert [int(piece.mask.sum()) for piece in drawn.pieces] == [24, 16]
    with caplog.at_level(logging.WARNING):
        labels = as_labels(drawn)
    assert "4 pixels" in caplog.text
    assert (labels == 1).sum() == 24
    assert (labels == 2).sum() == 12


def test_overlaps_go_from_format_to_format(tmp_path):
    square = np.ones((4, 4), bool)
    drawn = Instances(
        (9, 9), "yx", (Piece(1, (), (0, 0), square, "a"), Piece(2, (), (2, 2), square, "b"))
    )
    for name in ("a.json", "a.geojson", "a.zip"):
        write_instances(tmp_path / name, {"p": drawn})
        back = read_objects(tmp_path / name, (9, 9), "yx")
        assert [(p.id, p.corner, p.mask.sum(), p.name) for p in back.pieces] == [
            (1, (0, 0), 16, "a"),
            (2, (2, 2), 16, "b"),
        ]


def test_geojson_is_what_qupath_reads(tmp_path):
    write_objects(tmp_path / "a.geojson", np.stack([ring(), ring()]), classes={7: "nucleus"})
    whole = json.loads((tmp_path / "a.geojson").read_text())
    assert whole["type"] == "FeatureCollection"
    feature = next(one for one in whole["features"] if one["properties"]["name"] == "7")
    assert feature["properties"]["objectType"] == "annotation"
    kind = feature["properties"]["classification"]
    assert kind["name"] == "nucleus"
    assert all(0 <= value < 256 for value in kind["color"])
    assert len(kind["color"]) == 3
    shape = shapely.geometry.shape(feature["geometry"])
    assert shape.is_valid
    assert shape.bounds == (3, 2, 10, 9)
    assert len(shape.interiors) == 1
    assert {one["geometry"]["plane"]["z"] for one in whole["features"]} == {0, 1}
    found = np.zeros((2, *ring().shape), int)
    for one in whole["features"]:
        inside = centres_in(shapely.geometry.shape(one["geometry"]))
        found[one["geometry"]["plane"]["z"]][inside] = int(one["properties"]["name"])
    np.testing.assert_array_equal(found, [ring(), ring()])


def test_qupaths_own_annotations_are_read(tmp_path):
    polygon = {"type": "Polygon", "coordinates": [[[1, 1], [4.2, 1], [4.2, 3], [1, 3], [1, 1]]]}
    point = {"type": "Point", "coordinates": [3, 3]}
    features = [
        {"type": "Feature", "geometry": polygon, "properties": {"classification": {"name": "a"}}},
        {"type": "Feature", "geometry": point, "properties": {}},
    ]
    (tmp_path / "a.geojson").write_text(json.dumps(features))
    (piece,) = read_objects(tmp_path / "a.geojson").pieces
    assert (piece.id, piece.corner, piece.mask[:, :3].sum(), piece.name) == (1, (1, 1), 6, "a")
    with pytest.raises(InputError, match="another"):
        read_objects(tmp_path / "a.geojson", (1, 1), "yx")


def test_imagej_sees_traced_and_composite_rois(tmp_path):
    write_objects(tmp_path / "a.zip", np.stack([ring(), ring()]), classes={7: "nucleus"})
    rois = roifile.roiread(tmp_path / "a.zip")
    assert [(roi.name, roi.position, roi.composite) for roi in rois] == [
        ("object 2 z0", 1, False),
        ("object 7 z0", 1, True),
        ("object 2 z1", 2, False),
        ("object 7 z1", 2, True),
    ]
    assert (rois[1].top, rois[1].left, rois[1].bottom, rois[1].right) == (2, 3, 9, 10)
    found = np.zeros((2, *ring().shape), int)
    for roi in rois:
        rings = [centres_in(shapely.Polygon(ring)) for ring in roi.coordinates(multi=True)]
        found[roi.position - 1][np.logical_xor.reduce(rings)] = int(roi.name.split()[1])
    np.testing.assert_array_equal(found, [ring(), ring()])


def test_imagejs_own_rois_are_read(tmp_path):
    box = roifile.ImagejRoi(roitype=roifile.ROI_TYPE.RECT, top=2, left=3, bottom=5, right=7)
    box.name, box.position = "0002-0003", 2
    roifile.roiwrite(tmp_path / "a.zip", [box])
    drawn = read_objects(tmp_path / "a.zip", (3, 8, 9), "zyx")
    labels, _ = paint(drawn)
    assert labels[1, 2:5, 3:7].all()
    assert labels.sum() == 12


@pytest.mark.parametrize("name", ["a.json", "a.geojson", "a.zip"])
def test_what_is_no_such_file_is_said(tmp_path, name):
    with pytest.raises(InputError, match="there is no file"):
        read_objects(tmp_path / name)
    (tmp_path / name).write_text("{1}")
    with pytest.raises(InputError, match=r"is no|cannot be read"):
        read_objects(tmp_path / name)


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "shapely", None)
    with pytest.raises(InputError, match=r"napari-sam\[formats\]"):
        write_objects(tmp_path / "a.geojson", ring())
    assert not list(tmp_path.iterdir())


def test_a_tif_opens_in_imagej_with_its_spacing(tmp_path):
    labels = np.stack([ring(), ring() * 2])
    write_objects(tmp_path / "a.tif", labels, Spacing.of(3, MICRONS))
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.is_imagej
        assert file.series[0].axes == "ZYX"
        assert file.imagej_metadata["spacing"] == 2
        assert file.imagej_metadata["unit"] == "micron"
        assert file.pages[0].resolution == (4, 2)
    with open_labels(tmp_path / "a.tif") as found:
        np.testing.assert_array_equal(found[...], labels)
    about = read_spacing(tmp_path / "a.tif", 3)
    assert about.scale == (2, 0.5, 0.25)
    assert about.units == ("micrometer",) * 3


def test_an_ome_tif_has_physical_sizes_for_omes_reader(tmp_path):
    write_objects(tmp_path / "a.ome.tif", np.stack([ring(), ring()]), Spacing.of(3, MICRONS))
    pixels = ome_types.from_tiff(tmp_path / "a.ome.tif").images[0].pixels
    assert (pixels.physical_size_z, pixels.physical_size_y, pixels.physical_size_x) == (
        2,
        0.5,
        0.25,
    )
    assert pixels.physical_size_x_unit.value == "µm"
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.ome.tif"), [ring(), ring()])


@pytest.mark.parametrize("axes", ["zyx", "tzyx", "yx"])
def test_an_ome_zarr_opens_in_a_reader_of_ome_zarr(tmp_path, axes):
    labels = ragged(*(2, 3, 11, 13)[-len(axes) :])
    known = {"t": (9, "second"), "z": (2, "micrometer"), "y": (0.5, "micrometer")}
    known["x"] = known["y"]
    steps, units = zip(*(known[axis] for axis in axes), strict=True)
    about = {"axis_labels": tuple(axes), "scale": steps, "units": units}
    write_objects(tmp_path / "a.ome.zarr", labels, Spacing.of(len(axes), about))
    image = BioImage(tmp_path / "a.ome.zarr", reader=bioio_ome_zarr.Reader)
    there = image.xarray_data.squeeze()
    assert "".join(there.dims).lower() == axes
    np.testing.assert_array_equal(there, labels)
    for axis, step, unit in zip(axes.upper(), steps, units, strict=True):
        assert getattr(image.scale, axis) == step
        assert str(getattr(image.dimension_properties, axis).unit) == unit


def test_a_png_opens_in_pillow(tmp_path):
    for labels in (ring(), ring().astype(np.uint16) * 300):
        write_objects(tmp_path / "a.png", labels)
        with Image.open(tmp_path / "a.png") as image:
            np.testing.assert_array_equal(image, labels)


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_measurements_of_a_body_are_in_its_unit(tmp_path):
    labels = np.zeros((4, 10, 10), np.uint8)
    labels[1:3, 2:6, 4:8] = 5
    image = np.stack([labels * 2.0, labels + 1.0], axis=-1)
    write_objects(
        tmp_path / "a.csv", labels, Spacing.of(3, MICRONS), classes={5: "cell"}, image=image
    )
    (row,) = table(tmp_path / "a.csv")
    assert (row["label"], row["class"], row["pixels"]) == ("5", "cell", "32")
    assert float(row["volume_um3"]) == 32 * 2 * 0.5 * 0.25
    assert [float(row[f"centroid_{axis}_um"]) for axis in "zyx"] == [3, 1.75, 1.375]
    assert float(row["intensity_mean_c0"]) == 10
    assert float(row["intensity_max_c1"]) == 6


def test_measurements_in_time_are_of_each_frame(tmp_path):
    labels = np.zeros((2, 10, 10), np.uint8)
    labels[0, 2:6, 2:6] = labels[1, 2:4, 2:4] = 1
    about = {"axis_labels": ("t", "y", "x"), "units": ("second", "micrometer", "micrometer")}
    write_objects(tmp_path / "a.csv", labels, Spacing.of(3, about), image=labels * 3)
    rows = table(tmp_path / "a.csv")
    assert [(row["t"], row["area_um2"]) for row in rows] == [("0", "16.0"), ("1", "4.0")]
    assert {float(row["intensity_mean"]) for row in rows} == {3}
    assert float(rows[0]["perimeter_um"]) == 12


def test_without_one_unit_it_is_measured_in_pixels(tmp_path):
    about = {"scale": (2, 3), "units": ("pixel", "micrometer")}
    write_objects(tmp_path / "a.csv", ring(), Spacing.of(2, about))
    areas = {row["label"]: float(row["area_px2"]) for row in table(tmp_path / "a.csv")}
    assert areas == {"2": 4, "7": 43}
    write_objects(tmp_path / "none.csv", np.zeros((4, 4), int))
    assert table(tmp_path / "none.csv") == []


def test_a_picture_of_another_shape_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not fit"):
        write_objects(tmp_path / "a.csv", ring(), image=np.zeros((3, 3)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", [".json", ".geojson", ".zip"])
def test_the_writers_of_the_manifest_write_what_can_be_read_again(tmp_path, ending):
    path, labels = tmp_path / f"cells{ending}", ragged(23, 31)
    assert save_layer(str(path), [labels, labels[::2, ::2]], {}) == [str(path)]
    np.testing.assert_array_equal(paint(read_objects(path, (23, 31), "yx"))[0], labels)
