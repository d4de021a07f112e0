"""Instances from maps: touching objects, scales that compete, thresholds, and where they lie."""

import dataclasses

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.inference.automatic.instances.from_maps import find_instances, level_instances
from napari_sam.inference.automatic.settings import InstanceSettings
from napari_sam.inference.object_maps import LevelMaps
from tests.inference.automatic.instances.drawn import discs, found_labels, iou, perfect


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_objects_come_out_as_they_are_and_the_border_cuts_them(stride):
    labels = discs((96, 120), (30, 30, 14), (60, 80, 20), (0, 118, 16))
    found = find_instances([perfect(labels, stride)], InstanceSettings())
    assert len(found) == 3
    for one in found:
        number = labels[tuple(np.round(one.point).astype(int))]
        assert number
        assert iou(one.cropped.full(), labels == number) > 1 - 0.07 * stride
        assert 0.5 < one.quality <= 1


def test_touching_objects_are_told_apart_and_do_not_overlap():
    labels = discs((80, 80), (40, 25, 16), (40, 55, 16))
    found = find_instances([perfect(labels)], InstanceSettings())
    assert len(found) == 2
    assert not (found[0].cropped.full() & found[1].cropped.full()).any()
    assert {labels[tuple(np.round(one.point).astype(int))] for one in found} == {1, 2}


def test_of_two_scales_the_one_that_fits_its_own_prediction_wins():
    """A level that breaks a cell into quarters predicts the size of the cell all the same."""
    labels = discs((96, 96), (48, 48, 30))
    rows, columns = np.indices(labels.shape)
    quarters = np.where(labels, 1 + (rows > 48) + 2 * (columns > 48), 0).astype(np.int32)
    broken = dataclasses.replace(perfect(quarters), diameter=perfect(labels).diameter)
    for levels in ([perfect(labels, 4), broken], [broken, perfect(labels, 4)]):
        found = find_instances(levels, InstanceSettings())
        assert [iou(one.cropped.full(), labels > 0) > 0.8 for one in found] == [True]


def test_each_scale_gives_what_the_other_does_not_see():
    small, large = discs((96, 96), (15, 15, 6)), discs((96, 96), (60, 60, 28))
    found = find_instances([perfect(small), perfect(large, 4)], InstanceSettings())
    labels = found_labels(found, (96, 96))
    assert labels[15, 15]
    assert labels[60, 60]
    assert labels[15, 15] != labels[60, 60]


def test_the_diameter_leaves_out_other_scales():
    small, large = discs((96, 96), (15, 15, 6)), discs((96, 96), (60, 60, 28))
    levels = [perfect(small, 1), perfect(large, 4)]
    [one] = find_instances(levels, InstanceSettings(diameter=12))
    assert one.cropped.area < 200
    [one] = find_instances(levels, InstanceSettings(diameter=80))
    assert one.cropped.area > 2000


def test_thresholds_do_what_they_say():
    labels = discs((80, 80), (20, 20, 12), (60, 55, 16))
    maps = perfect(labels)
    faint = dataclasses.replace(
        maps, foreground=np.where(labels[1::2, 1::2] == 1, 0.4, maps.foreground)
    )
    assert len(find_instances([faint], InstanceSettings(foreground=0.5))) == 1
    assert len(find_instances([faint], InstanceSettings(foreground=0.3, quality=0.2))) == 2
    areas = [one.cropped.area for one in find_instances([maps], InstanceSettings())]
    limits = InstanceSettings(smallest=np.mean(areas)), InstanceSettings(largest=np.mean(areas))
    assert [len(find_instances([maps], one)) for one in limits] == [1, 1]
    assert find_instances([maps], InstanceSettings(quality=1)) == []


def test_pieces_of_what_is_too_large_do_not_come_up():
    large, small = discs((96, 96), (48, 48, 30)), discs((96, 96), (40, 40, 8), (60, 60, 8))
    levels = [perfect(large), perfect(small, sure=0.7)]
    assert [len(find_instances([one], InstanceSettings())) for one in levels] == [1, 2]
    assert find_instances(levels, InstanceSettings(largest=1000)) == []


def test_a_higher_split_cuts_what_a_lower_joins():
    """Two lobes whose neck is half as deep as they are."""
    rows, columns = np.indices((40, 60))
    lobes = np.minimum(np.hypot(rows - 20, columns - 18), np.hypot(rows - 20, columns - 42)) / 16
    depth = np.clip(1 - lobes, 0.25, 1).astype(np.float32)
    inside = (lobes < 1).astype(np.float32)
    maps = LevelMaps((40, 60), 1.0, inside, inside * 0.1, depth * inside, inside * 40 + 1)
    counts = [
        len(level_instances(maps, InstanceSettings(split=split, quality=0.0)))
        for split in (0.1, 0.6)
    ]
    assert counts == [1, 2]


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_maps_without_an_object_or_full_of_one(value):
    plane = np.full((32, 40), value, np.float32)
    maps = LevelMaps((64, 80), 0.5, plane, plane * 0, plane, plane * 40 + 1)
    found = find_instances([maps], InstanceSettings())
    assert [one.cropped.area for one in found] == ([64 * 80] if value else [])


@pytest.mark.parametrize(
    "bad", [{"foreground": 1.2}, {"split": -0.1}, {"smallest": 9, "largest": 3}, {"diameter": 0}]
)
def test_settings_that_make_no_sense_are_refused(bad):
    with pytest.raises(InputError, match="must be"):
        InstanceSettings(**bad)
