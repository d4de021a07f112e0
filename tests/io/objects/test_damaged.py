"""Files of objects that are damaged, hostile or for another picture: no library sees them so."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import zipfile

import numpy as np
import pycocotools.mask as rle
import pytest
import roifile

from napari_sam.cli.main import main
from napari_sam.errors import InputError
from napari_sam.io.export import as_labels, read_objects
from napari_sam.io.objects.coco import read_coco
from napari_sam.io.objects.instances import Instances, ObjectRecord, Piece, gather, paint
from napari_sam.io.objects.run_lengths import decode_counts, parse_counts

SQUARE = [2, 2, 8, 2, 8, 6, 2, 6]
FAR_OFF = {
    "nan": [1, 1, float("nan"), 1, 9, 9],
    "inf": [1, 1, float("inf"), 1, 9, 9],
    "1e18": [0, 0, 1e18, 0, 1e18, 1e18],
    "too large for floats": [0, 0, 10**400, 0, 9, 9],
}


def annotation(segmentation, number=1, **more):
    return {"id": number, "image_id": 1, "category_id": 1, "segmentation": segmentation, **more}


def coco(path, *annotations, **image):
    """Write a file of one picture of 64 x 64 pixels."""
    whole = {
        "images": [{"id": 1, "file_name": "a", "height": 64, "width": 64, **image}],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": list(annotations),
    }
    path.write_text(json.dumps(whole))
    return path


def geojson(path, *geometries, name=None, **whole):
    features = [
        {"type": "Feature", "geometry": one, "properties": {"name": name}} for one in geometries
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **whole}))
    return path


def polygon(*rings, **more):
    return {"type": "Polygon", "coordinates": list(rings), **more}


def box(top, left, bottom, right):
    return [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]


def roi(top=2, left=3, bottom=5, right=7, kind=roifile.ROI_TYPE.RECT, **more):
    one = roifile.ImagejRoi(roitype=kind, top=top, left=left, bottom=bottom, right=right)
    for name, value in more.items():
        setattr(one, name, value)
    return one.tobytes()


def rois(path, *members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for number, data in enumerate(members):
            file.writestr(f"{number}.roi", data)
    return path


@pytest.mark.parametrize(
    ("segmentation", "why"),
    [
        ({"size": [64, 64], "counts": [5, 5]}, "do not fill the picture exactly"),
        ({"size": [64, 64], "counts": [0, 64 * 64 + 1]}, "do not fill the picture exactly"),
        ({"size": [64, 64], "counts": []}, "do not fill the picture exactly"),
        ({"size": [64, 64], "counts": "zzzz"}, "letters that COCO does not use"),
        ({"size": [64, 64], "counts": "0" * 9 + "\u2603"}, "letters that COCO does not use"),
        ({"size": [64, 64], "counts": "oooooooooooo0"}, "cut off or damaged"),
        ({"size": [64, 64], "counts": [-5, 4101]}, "below zero"),
        ({"size": [64, 64], "counts": [5.5, 4090.5]}, "whole numbers"),
        ({"size": [64, 64], "counts": [True, 4095]}, "whole numbers"),
        ({"size": [64, 64], "counts": ["5", 4091]}, "whole numbers"),
        ({"size": [64, 64], "counts": [None, 4096]}, "whole numbers"),
        ({"size": [64, 64], "counts": [float("nan"), 4096]}, "whole numbers"),
        ({"size": [64, 64], "counts": [2**70, 4096]}, "whole numbers"),
        ({"size": [64, 64], "counts": None}, "whole numbers, or text"),
        ({"size": [64, 64]}, "whole numbers, or text"),
        ({"size": [32, 128], "counts": [0, 4096]}, "another size"),
        ({"size": [-1, -4096], "counts": [0, 4096]}, "another size"),
        ({"size": [10**9, 10**9], "counts": [0, 10**18]}, "another size"),
        ({"size": [64, True], "counts": [0, 64]}, "another size"),
        ({"size": 4096, "counts": [0, 4096]}, "another size"),
        ({"counts": [0, 4096]}, "another size"),
        ({"size": [64, 64], "counts": [4096]}, "no pixels"),
        ([[1, 1, 9, 1, 9]], "three points or more"),
        ([[1, 1, 9, 9]], "three points or more"),
        ([[1, 1, 9, 1, 9, 9, 4]], "three points or more"),
        ([1, 1, 9, 1, 9, 9], "three points or more"),
        ([[[1, 1], [9, 1], [9, 9]]], "three points or more"),
        ([[]], "three points or more"),
        ([["1", 1, 9, 1, 9, 9]], "must be numbers"),
        ([[True, 1, 9, 1, 9, 9]], "must be numbers"),
        ([[None, 1, 9, 1, 9, 9]], "must be numbers"),
        ([SQUARE, {"a": 1}], "must be numbers"),
        ([[70, 70, 80, 70, 80, 80]], "outside of the picture"),
        ([], "no outline"),
        (None, "no outline"),
        ("oO0", "no outline"),
        *(([one], "finite|numbers") for one in FAR_OFF.values()),
    ],
)
def test_an_annotation_that_cannot_be_is_left_out_with_a_word(tmp_path, caplog, segmentation, why):
    path = coco(tmp_path / "a.json", annotation(segmentation, 7))
    with pytest.raises(InputError, match=rf"no object that can be used.*{why}.*annotation 7"):
        read_coco(path)
    coco(path, annotation(segmentation, 7), annotation([SQUARE], 8))
    with caplog.at_level(logging.WARNING):
        (piece,) = read_objects(path).pieces
    assert piece.mask.sum() == 24
    assert "annotation 7" in caplog.text
    assert "annotation 8" not in caplog.text


@pytest.mark.parametrize("far", [-1e9, 1e9])
def test_polygons_reach_far_over_the_edge_and_are_cut_there(tmp_path, far):
    # In a process of its own with little memory, which they would have filled.
    path = coco(tmp_path / "a.json", annotation([[far, 10, 20, 10, 20, 30, far, 30]]))
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (3 << 30,) * 2)\n"
        "from pathlib import Path\n"
        "from napari_sam.io.objects.coco import read_coco\n"
        "(piece,) = read_coco(Path(sys.argv[1]))['a'].pieces\n"
        "print(*piece.corner, *piece.mask.shape, piece.mask.all())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, timeout=60, check=True
    )
    left, right = sorted((np.clip(far, 0, 64), 20))
    assert done.stdout.split() == ["10", str(int(left)), "20", str(int(right - left)), "True"]
    assert "cut at the edge of the picture" in done.stderr


def test_an_annotation_over_the_edge_is_cut_and_said(tmp_path, caplog):
    over = [-3, 60, 10, 60, 10, 70, -3, 70]
    path = coco(tmp_path / "a.json", annotation([SQUARE], 1), annotation([over], 2))
    with caplog.at_level(logging.WARNING):
        labels = as_labels(read_objects(path))
    assert (labels == 2).sum() == 4 * 10
    assert "cut at the edge of the picture, over which they reach: 1 (annotation 2)" in caplog.text


def test_run_lengths_are_those_of_cocos_own_library():
    rng = np.random.default_rng(0)
    for shape in ((1, 1), (1, 40), (40, 1), (300, 7), (25, 33)):
        for share in (0, 0.02, 0.5, 1):
            mask = np.asfortranarray(rng.random(shape) < share, np.uint8)
            coded = rle.encode(mask)["counts"]
            found, back = (
                decode_counts(parse_counts(coded.decode(), shape), shape[0]),
                np.zeros_like(mask),
            )
            if found is not None:
                (top, left), part = found
                back[top : top + part.shape[0], left : left + part.shape[1]] = part
            np.testing.assert_array_equal(back, mask)


@pytest.mark.parametrize(
    "image",
    [
        {"height": 0}, {"height": -64}, {"height": None}, {"width": 6.5}, {"width": "64"},
        {"width": True}, {"height": 10**6, "width": 10**6}, {"height": 2**70}, {"file_name": None},
        {"file_name": ""}, {"file_name": "a\0b"}, {"file_name": "\ud800"},
        {"stack_shape": [3], "stack_axes": "z", "plane": [3]},
        {"stack_shape": [3], "stack_axes": "q", "plane": [0]},
        {"stack_shape": [0], "stack_axes": "z", "plane": [0]},
        {"stack_shape": 3, "stack_axes": "z", "plane": [0]},
        {"stack_shape": [10**12], "stack_axes": "z", "plane": [0]},
    ],
)  # fmt: skip
def test_a_picture_that_cannot_be_takes_no_other_along(tmp_path, caplog, image):
    path = coco(tmp_path / "a.json", annotation([SQUARE]), **image)
    with pytest.raises(InputError, match=r"no object that can be used.*image 1"):
        read_coco(path)
    whole = json.loads(path.read_text())
    whole["images"].append({"id": 2, "file_name": "b", "height": 64, "width": 64})
    whole["annotations"].append(annotation([SQUARE], 2) | {"image_id": 2})
    path.write_text(json.dumps(whole))
    with caplog.at_level(logging.WARNING):
        (found,) = read_coco(path).values()
    assert len(found.pieces) == 1
    assert "image 1" in caplog.text
    assert "annotation 1" in caplog.text


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("images", None, "list of objects"),
        ("images", [7], "list of objects"),
        ("images", [], "none of|can be used"),
        ("annotations", {"a": 1}, "no list of annotations"),
        ("categories", [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}], "two categories"),
        ("categories", [{"id": [1], "name": "a"}], "id of category 1"),
        ("categories", [{"id": 1}], "name of category 1"),
    ],
)
def test_a_file_whose_frame_is_damaged_is_refused(tmp_path, key, value, why):
    path = coco(tmp_path / "a.json", annotation([SQUARE]))
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(InputError, match=why):
        read_coco(path)


def test_pictures_of_one_id_are_refused_and_of_one_name_said(tmp_path, caplog):
    path = coco(tmp_path / "a.json", annotation([SQUARE]))
    whole = json.loads(path.read_text())
    whole["images"].append(whole["images"][0] | {"id": 2})
    path.write_text(json.dumps(whole))
    with caplog.at_level(logging.WARNING):
        assert len(read_coco(path)["a"].pieces) == 1
    assert "another image has its name: 1 (image 2)" in caplog.text
    whole["images"][1] |= {"id": 1, "file_name": "b"}
    path.write_text(json.dumps(whole))
    with pytest.raises(InputError, match="two images have the id 1"):
        read_coco(path)


@pytest.mark.parametrize("value", [1.5, -3, 0, "cell-1", 2**64, 10**400, True, [1], float("nan")])
def test_numbers_that_labels_cannot_have_become_new_ones_with_a_word(tmp_path, caplog, value):
    path = coco(
        tmp_path / "a.json",
        annotation([SQUARE], 1, object_id=value),
        annotation([[20, 20, 30, 20, 30, 30]], 2, object_id=1),
    )
    with caplog.at_level(logging.WARNING):
        pieces = read_objects(path).pieces
    assert [piece.id for piece in pieces] == [2, 1]
    assert "no whole number from 1: 1 (annotation 1: " in caplog.text


def test_numbers_up_to_64_bits_are_kept_as_they_are(tmp_path):
    for number in (2.0, 2**53 + 1, 2**64 - 1):
        path = coco(tmp_path / "a.json", annotation([SQUARE], object_id=number))
        labels = as_labels(read_objects(path))
        assert set(np.unique(labels).tolist()) == {0, int(number)}


@pytest.mark.parametrize("value", [7, "1", 1.5, True, [1], None])
def test_a_picture_or_class_that_is_not_there_is_said(tmp_path, caplog, value):
    path = coco(
        tmp_path / "a.json", annotation([SQUARE], 1) | {"image_id": value}, annotation([SQUARE], 2)
    )
    with caplog.at_level(logging.WARNING):
        assert len(read_objects(path).pieces) == 1
    assert "not among the images" in caplog.text
    coco(path, annotation([SQUARE], 1) | {"category_id": value})
    (piece,) = read_objects(path).pieces
    assert piece.name is None
    assert ("kept without a class" in caplog.text) == (value is not None)


def test_a_number_twice_on_one_slice_is_said(caplog):
    square = np.ones((2, 2), bool)
    found = [ObjectRecord(7, {}, (at, 0), square) for at in (0, 4)]
    with caplog.at_level(logging.WARNING):
        assert {piece.id for piece in gather(found).pieces} == {7}
    assert "become one object each: 7" in caplog.text


def test_deep_nesting_is_refused(tmp_path):
    for name in ("a.json", "a.geojson"):
        (tmp_path / name).write_text("[" * 200_000 + "]" * 200_000)
        with pytest.raises(InputError, match="is no"):
            read_objects(tmp_path / name)


def test_a_picture_too_large_for_memory_is_refused_before_it_is_made():
    with pytest.raises(InputError, match="1,000,000 x 1,000,000 pixels is too large"):
        paint(Instances((10**6, 10**6), "yx", (Piece(1, (), (0, 0), np.ones((2, 2), bool)),)))


def test_small_objects_of_a_huge_picture_take_little_memory(tmp_path):
    size = 100_000
    counts = [size * 50_000 + 7, 3, size * 9_000 - 3, 3, size * size - size * 59_000 - 10]
    path = coco(
        tmp_path / "a.json",
        annotation({"size": [size, size], "counts": counts}),
        annotation([[9e4, 9e4, 9e4 + 4, 9e4, 9e4 + 4, 9e4 + 4, 9e4, 9e4 + 4]], 2),
        height=size,
        width=size,
    )
    first, second = read_objects(path).pieces
    assert (first.corner, first.mask.shape) == ((7, 50_000), (3, 9_001))
    assert first.mask.sum() == 6
    assert (second.corner, second.mask.sum()) == ((90_000, 90_000), 16)


@pytest.mark.parametrize(
    ("geometry", "why"),
    [
        (None, "no geometry"),
        ({"type": "Polygon"}, "no area"),
        ({"type": "Circle", "coordinates": [[1, 1]]}, "no polygon, but 'Circle'"),
        (polygon(), "no area"),
        (polygon([[1, 1], [5, 5]]), "no area"),
        (polygon([[1, 1], [5, float("nan")], [5, 5]]), "finite"),
        (polygon([[1, 1], [5, float("inf")], [5, 5]]), "finite"),
        (polygon([[1, 1], [5, 1e18], [5, 5]]), "finite"),
        (polygon([[1, 1], [5, None], [5, 5]]), "must be numbers"),
        (polygon([[1, 1], [5, "5"], [5, 5]]), "must be numbers"),
        (polygon([[1, 1], [5], [5, 5]]), "must be numbers"),
        (polygon([1, 1, 5, 1, 5, 5]), "pairs of numbers"),
        (polygon(box(50, 50, 60, 60)), "outside of the picture"),
        (polygon(box(1.1, 1.1, 1.4, 1.4)), "no centre of a pixel"),
        (polygon(box(1, 1, 5, 5), plane={"z": 1.5}), "whole numbers from 0"),
        (polygon(box(1, 1, 5, 5), plane={"z": -7}), "whole numbers from 0"),
        (polygon(box(1, 1, 5, 5), plane={"z": float("nan")}), "whole numbers from 0"),
        (polygon(box(1, 1, 5, 5), plane={"z": 3}), "a slice"),
        (polygon(box(1, 1, 5, 5), plane=7), "not written as such files are"),
        ({"type": "Point", "coordinates": [3, 3]}, "points and lines have no pixels"),
    ],
)
def test_a_feature_that_cannot_be_is_left_out_with_a_word(tmp_path, caplog, geometry, why):
    path, shape = tmp_path / "a.geojson", (3, 40, 40)
    with pytest.raises(InputError, match=f"no object that can be used.*{why}"):
        read_objects(geojson(path, geometry), shape, "zyx")
    with caplog.at_level(logging.WARNING):
        (piece,) = read_objects(
            geojson(path, geometry, polygon(box(2, 3, 5, 7))), shape, "zyx"
        ).pieces
    assert (piece.corner, piece.mask.sum()) == ((2, 3), 12)
    assert "feature number 1" in caplog.text


def test_geometries_of_all_kinds_become_the_pixels_inside(tmp_path, caplog):
    bow = [[0, 0], [8, 8], [8, 0], [0, 8]]
    collection = {"type": "GeometryCollection", "geometries": [polygon(box(1, 1, 3, 3))]}
    deep = {"type": "GeometryCollection", "geometries": [collection]}
    several = {"type": "MultiPolygon", "coordinates": [[box(0, 0, 2, 2)], [box(5, 5, 7, 8)]]}
    cases = {
        "hole": (polygon(box(0, 0, 6, 6), box(2, 2, 4, 4)), 32),
        "hole outside": (polygon(box(0, 0, 6, 6), box(10, 10, 14, 14)), 36),
        "hole over the outline": (polygon(box(0, 0, 6, 6), box(3, 3, 9, 9)), 27),
        "unclosed": (polygon(box(0, 0, 6, 6)[:-1]), 36),
        "with heights": (polygon([[*point, 5] for point in box(0, 0, 6, 6)]), 36),
        "parts": (several, 10),
        "nested": (deep, 4),
    }
    for name, (geometry, pixels) in cases.items():
        (piece,) = read_objects(geojson(tmp_path / "a.geojson", geometry)).pieces
        assert piece.mask.sum() == pixels, name
    assert read_objects(geojson(tmp_path / "a.geojson", polygon(bow))).pieces[0].mask.sum() > 16
    assert not caplog.text
    mixed = {
        "type": "GeometryCollection",
        "geometries": [{"type": "Point", "coordinates": [1, 1]}, polygon(box(1, 1, 3, 3))],
    }
    (piece,) = read_objects(geojson(tmp_path / "a.geojson", mixed)).pieces
    assert piece.mask.sum() == 4
    assert "points and lines have no pixels" in caplog.text


def test_without_its_picture_what_lies_far_off_is_refused_with_advice(tmp_path):
    path = geojson(
        tmp_path / "a.geojson", polygon(box(0, 0, 3, 3)), polygon(box(9e8, 9e8, 9e8 + 3, 9e8 + 3))
    )
    with pytest.raises(InputError, match=r"too large for labels.*--image"):
        read_objects(path)


def test_left_of_the_first_pixel_there_is_no_picture(tmp_path, caplog):
    path = geojson(tmp_path / "a.geojson", polygon(box(-5, -5, 3, 3)))
    with caplog.at_level(logging.WARNING):
        drawn = read_objects(path)
    assert (drawn.shape, drawn.pieces[0].corner, drawn.pieces[0].mask.sum()) == ((3, 3), (0, 0), 9)
    assert "cut at the edge" in caplog.text


@pytest.mark.parametrize(
    "said",
    [
        {"shape": [40, -40], "axes": "yx"}, {"shape": [40], "axes": "yx"},
        {"shape": 7, "axes": "yx"}, {"shape": [40, 40], "axes": "xy"},
        {"shape": [2, 40, 40], "axes": "yyx"},
        {"shape": [40, 40], "axes": None}, {"shape": [10**6, 10**6], "axes": "yx"},
    ],
)  # fmt: skip
def test_a_shape_that_cannot_be_is_refused(tmp_path, said):
    path = geojson(tmp_path / "a.geojson", polygon(box(0, 0, 3, 3)), **said)
    with pytest.raises(InputError, match=r"axes|too large"):
        read_objects(path)


@pytest.mark.parametrize("name", ["cell-1", "0", "-3", "1.5", "9" * 400, str(2**64), 7.5])
def test_names_that_are_no_numbers_are_said(tmp_path, caplog, name):
    path = geojson(tmp_path / "a.geojson", polygon(box(0, 0, 3, 3)), name=name)
    with caplog.at_level(logging.WARNING):
        assert read_objects(path).pieces[0].id == 1
    assert "no whole number from 1" in caplog.text


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "cannot be read as an ROI"),
        (b"no ROI" * 20, "cannot be read as an ROI"),
        (roi()[:63], "cannot be read as an ROI"),
        (roi(bottom=1), "below zero"),
        (roi(right=3), "no centre of a pixel"),
        (roi(kind=roifile.ROI_TYPE.LINE, x1=1, y1=1, x2=9, y2=9), "point or a line"),
        (roi(50, 50, 60, 60), "outside of the picture"),
        (roi(position=9), "a slice"),
        (roi(position=-9), "below zero"),
        (roi(shape_roi_size=1, multi_coordinates=np.array([np.nan], np.float32)), "cannot be read"),
        (
            roi(
                shape_roi_size=10,
                multi_coordinates=np.array([0, 1, 1, 1, np.inf, 1, 1, 9, 9, 4], np.float32),
            ),
            "finite",
        ),
    ],
)
def test_an_roi_that_cannot_be_is_left_out_with_a_word(tmp_path, caplog, data, why):
    path = tmp_path / "a.zip"
    with pytest.raises(InputError, match=f"no object that can be used.*{why}"):
        read_objects(rois(path, data), (3, 40, 40), "zyx")
    with caplog.at_level(logging.WARNING):
        (piece,) = read_objects(rois(path, data, roi()), (3, 40, 40), "zyx").pieces
    assert piece.mask.sum() == 12
    assert "0.roi" in caplog.text


def test_a_damaged_member_of_a_zip_takes_no_other_along(tmp_path, caplog):
    whole = bytearray(rois(tmp_path / "a.zip", roi(), roi(10, 10, 12, 12)).read_bytes())
    whole[whole.index(b"Iout") + 9] ^= 1
    (tmp_path / "a.zip").write_bytes(whole)
    with caplog.at_level(logging.WARNING):
        (piece,) = read_objects(tmp_path / "a.zip").pieces
    assert piece.corner == (10, 10)
    assert "damaged" in caplog.text
    (tmp_path / "a.zip").write_bytes(whole[:-30])
    with pytest.raises(InputError, match="cannot be read as ROIs"):
        read_objects(tmp_path / "a.zip")


def test_a_zip_that_unpacks_to_gigabytes_is_refused(tmp_path, caplog):
    bomb = bytes(20_000_000)
    path = rois(tmp_path / "a.zip", bomb, roi(), compression=zipfile.ZIP_DEFLATED)
    with caplog.at_level(logging.WARNING):
        assert len(read_objects(path).pieces) == 1
    assert "no ROI has more than" in caplog.text
    rois(path, *[bytes(1)] * 3)
    data = bytearray(path.read_bytes())
    for at in [i for i in range(len(data)) if data[i : i + 4] == b"PK\1\2"]:
        data[at + 24 : at + 28] = (300_000_000).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(InputError, match="these are no ROIs"):
        read_objects(path)


def test_rois_numbered_beyond_labels_get_new_numbers(tmp_path, caplog):
    path = rois(tmp_path / "a.zip", roi(name="object 0"), roi(name="object 99999999999999999999"))
    with caplog.at_level(logging.WARNING):
        assert [piece.id for piece in read_objects(path).pieces] == [1, 2]
    assert "no whole number from 1: 2" in caplog.text


def test_convert_says_what_it_left_out(tmp_path, capsys, caplog):
    path = coco(tmp_path / "a.json", annotation([SQUARE]), annotation([FAR_OFF["nan"]], 2))
    assert main(["convert", str(path), "-o", str(tmp_path / "a.tif")]) == 0
    assert "must be finite and no further off" in caplog.text
    coco(path, annotation([FAR_OFF["nan"]]))
    assert main(["convert", str(path), "-o", str(tmp_path / "b.tif")]) == 1
    assert "must be finite and no further off" in capsys.readouterr().err
    assert not (tmp_path / "b.tif").exists()
