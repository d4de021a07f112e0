"""Balls in a volume: told apart along every axis, on any grid, whatever the distance of slices."""

import numpy as np
import pytest

import napari_sam as ns
from napari_sam.errors import InputError
from napari_sam.inference.automatic.instances.directions import (
    VolumeMaps,
    iter_volume,
    segment_volume,
)


def balls(shape, *places, radius=9.0, along=1.0):
    z, y, x = np.indices(shape)
    labels = np.zeros(shape, np.int32)
    for number, (c, b, a) in enumerate(places, 1):
        labels[np.sqrt(((z - c) * along) ** 2 + (y - b) ** 2 + (x - a) ** 2) < radius] = number
    return labels


@pytest.fixture(scope="module")
def predictor():
    return ns.Predictor(ns.load_model("cells_tiny", "cpu"))


def picture(labels):
    noise = np.random.default_rng(0).normal(0, 5, labels.shape)
    return (25 + 150 * (labels > 0) + noise).clip(0, 255).astype(np.uint8)


def segmented(predictor, volume, *settings, **more):
    steps = list(iter_volume(predictor, volume, *settings, **more))
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert all(step.result is None for step in steps[:-1])
    return steps[-1].result


@pytest.mark.parametrize("along", [1, 2])
def test_balls_on_top_of_each_other_are_two(predictor, along):
    """Slice by slice their discs overlap, so that linking would join them."""
    shape, places = (48 // along, 40, 44), [(14 / along, 20, 20), (32 / along, 20, 24)]
    labels = balls(shape, *places, along=along)
    found = segmented(predictor, picture(labels), anisotropy=along)
    assert found.shape == shape
    numbers = [int(found[tuple(np.round(place).astype(int))]) for place in places]
    assert sorted(numbers) == [1, 2]
    assert found.max() == 2
    for number, one in enumerate(numbers, 1):
        both, either = (found == one) & (labels == number), (found == one) | (labels == number)
        assert both.sum() > 0.6 * either.sum()


def test_sizes_in_voxels_and_an_empty_volume(predictor):
    labels = balls((30, 40, 40), (15, 20, 20))
    volume, voxels = picture(labels), int((labels > 0).sum())
    assert segmented(predictor, volume, ns.InstanceSettings(smallest=2 * voxels)).max() == 0
    assert segmented(predictor, np.zeros((8, 32, 32), np.uint8)).max() == 0


def test_what_does_not_fit_is_told(predictor):
    with pytest.raises(InputError, match="must have shape"):
        iter_volume(predictor, np.zeros((8, 8)))
    with pytest.raises(InputError, match="above 0 pixels; got 0"):
        iter_volume(predictor, np.zeros((8, 8, 8)), anisotropy=0)


def test_maps_of_touching_balls_are_cut_where_they_are_thin():
    labels = balls((30, 24, 44), (14, 12, 13), (14, 12, 29))
    z, y, x = np.indices(labels.shape)
    away = [np.sqrt((z - 14) ** 2 + (y - 12) ** 2 + (x - c) ** 2) for c in (13, 29)]
    depth = (1 - np.minimum(*away) / 9).clip(0, 1).astype(np.float32)
    maps = VolumeMaps((labels > 0).astype(np.float32), 0 * depth, depth)
    found = segment_volume(maps, ns.InstanceSettings())
    assert found.max() == 2
    assert {int(found[14, 12, 13]), int(found[14, 12, 29])} == {1, 2}
