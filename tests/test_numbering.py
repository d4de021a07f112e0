"""Labels of any numbers: memory goes with the objects, and nothing is dropped without a word."""

from __future__ import annotations

import csv
import tracemalloc

import numpy as np
import pytest

from napari_sam.data.samples import labelled_image, match_axes
from napari_sam.errors import InputError
from napari_sam.evaluation.matching import pairwise_iou
from napari_sam.inference.automatic.linking import link_slices
from napari_sam.inference.automatic.seeds import deepest_points
from napari_sam.inference.propagation.anchors import Anchors
from napari_sam.inference.refinement.two_pass import check_labels
from napari_sam.io.export import as_labels, read_objects, write_objects
from napari_sam.io.labels import open_labels
from napari_sam.io.measurements import measure
from napari_sam.io.objects.instances import cut_out
from napari_sam.masks import cropped_masks
from napari_sam.numbering import check_numbers, ranked

LARGE = [
    (np.uint32, 4_000_000_000),
    (np.int64, 2**62),
    (np.uint64, 2**53 + 1),
    (np.uint64, 2**64 - 1),
]
FORMATS = ("csv", "json", "geojson", "zip", "png", "tif", "ome.tif", "zarr")


def numbered(kind, number):
    labels = np.zeros((20, 24), kind)
    labels[3:6, 3:6] = number
    labels[10:12, 5:9] = number - 1
    return labels


def back(path, shape):
    """Return the numbers in a file."""
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return {int(row["label"]) for row in csv.DictReader(file)}
    known = path.suffix in (".geojson", ".zip")
    drawn = read_objects(path, *((shape, "yx") if known else ()))
    return {piece.id for piece in drawn.pieces}


USES = {
    "patches": lambda labels: list(cropped_masks(labels)),
    "deepest points": deepest_points,
    "cut out": lambda labels: cut_out(labels, "yx").pieces,
    "measure": lambda labels: list(measure(labels)),
    "overlaps": lambda labels: pairwise_iou(labels, labels),
    "linking": lambda labels: list(link_slices(iter([labels, labels]))),
    "seeds": lambda labels: Anchors(labels[None], 1, labels.shape, 0, 0).at(0),
    "refining": lambda labels: cropped_masks(check_labels(labels)),
    "samples": lambda labels: labelled_image("a", "b", np.zeros((20, 24, 3), np.uint8), labels),
    "training": lambda labels: match_axes(np.eye(20, 24), labels),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(("kind", "number"), LARGE)
def test_large_numbers_take_no_more_memory_than_small_ones(use, kind, number):
    USES[use](numbered(np.uint8, 2))  # what is imported only now is not counted
    tracemalloc.start()
    try:
        USES[use](numbered(kind, number))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(("kind", "number"), LARGE)
def test_large_numbers_are_kept_exactly_or_refused(tmp_path, name, kind, number):
    path, labels = tmp_path / f"a.{name}", numbered(kind, number)
    if name == "png":
        with pytest.raises(InputError, match="65535"):
            write_objects(path, labels)
        return
    write_objects(path, labels)
    assert back(path, labels.shape) == {number - 1, number}


def test_patches_keep_numbers_that_floats_cannot_tell_apart():
    labels = numbered(np.uint64, 2**64 - 1)
    assert list(cropped_masks(labels)) == [2**64 - 2, 2**64 - 1]
    small = labels.copy()
    small[0, 0] = 1
    assert list(cropped_masks(small)) == [1, 2**64 - 2, 2**64 - 1]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    ("labels", "why"),
    [
        (np.eye(4) * 1.5, "fractions or NaN"),
        (np.diag([np.nan, 1, 1, 1]), "fractions or NaN"),
        (np.diag([np.inf, 1, 1, 1]), "fractions or NaN"),
        (np.eye(4) * 1e30, "at most 18446744073709551615"),
        (-np.eye(4, dtype=np.int8), "must not be negative; got -1"),
        (-np.eye(4), "must not be negative; got -1"),
        (np.eye(4) + 0j, "dtype complex128"),
        (np.eye(4).astype(object), "dtype object"),
        (np.eye(4).astype(str), "dtype <U"),
        (np.array(3), "rows and columns"),
        (np.array([1, 2]), "rows and columns"),
        (np.zeros((0, 4), int), "rows and columns"),
    ],
)
def test_what_is_no_label_is_refused_not_dropped(tmp_path, name, labels, why):
    if labels.dtype == np.int8 and name in ("tif", "ome.tif", "zarr"):
        return  # these keep negative numbers as they are
    with pytest.raises(InputError, match=why):
        write_objects(tmp_path / f"a.{name}", labels)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", FORMATS)
def test_whole_numbers_in_any_clothes_are_labels(tmp_path, name):
    plain = np.array([[0, 5, 5], [0, 0, 9]])
    clothes = [
        (plain.astype(np.float32), {5, 9}),
        (plain.astype(np.float16), {5, 9}),
        (plain.astype(">u2"), {5, 9}),
        (plain.astype(">f8"), {5, 9}),
        (plain > 0, {1}),
        (np.ma.masked_equal(plain, 9), {5}),
        (np.ma.masked_equal(plain.astype(float), 9), {5}),
    ]
    for labels, numbers in clothes:
        write_objects(tmp_path / f"a.{name}", labels)
        assert back(tmp_path / f"a.{name}", plain.shape) == numbers


def test_negative_labels_are_refused_wherever_objects_are_looked_for():
    labels = numbered(np.int32, 7)
    labels[3, 3] = -1
    for use in ("patches", "deepest points", "cut out", "measure", "seeds", "training"):
        with pytest.raises(InputError, match="negative"):
            USES[use](labels)


def test_missing_numbers_between_small_ones_are_no_objects():
    labels = np.array([[0, 7], [2, 7]])
    ids, ranks = ranked(labels)
    assert ids[ranks[ranks > 0] - 1].tolist() == labels[labels > 0].tolist()
    assert list(cropped_masks(labels)) == [2, 7]
    assert [row["label"] for row in measure(labels)] == [2, 7]
    assert len(deepest_points(labels)) == 2


def test_integers_are_returned_as_they_are():
    labels = np.eye(3, dtype=np.uint16)
    assert check_numbers(labels) is labels


def test_numbers_of_64_bits_go_into_a_zarr(tmp_path):
    """numpy has two such types, of which zarr knows one."""
    labels = np.zeros((4, 5), np.min_scalar_type(2**63))
    labels[1:3, 1:3] = 2**63 + 1
    for name, drawn in (("a.zarr", labels), ("b.zarr", as_labels(cut_out(labels, "yx")))):
        write_objects(tmp_path / name, drawn)
        with open_labels(tmp_path / name) as found:
            np.testing.assert_array_equal(found[...], labels)
