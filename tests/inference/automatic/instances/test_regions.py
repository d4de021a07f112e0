"""Regions of maps and the tree of what they may form: wholes and parts, noise, and limits."""

import numpy as np
import pytest

from napari_sam.inference.automatic.instances.regions import find_regions, merge_tree


def ridge(*heights):
    """A row of cells of these heights, three cells high."""
    height = np.tile(np.array(heights, np.float32), (3, 1))
    return height, height > 0


def members(nodes):
    return sorted(sorted(node.members) for node in nodes)


@pytest.mark.parametrize(
    ("saddle", "expected"),
    [(0.1, [[1], [2]]), (0.4, [[1], [1, 2], [2]]), (0.75, [[1, 2]])],
)
def test_a_saddle_keeps_apart_leaves_open_or_joins(saddle, expected):
    height, foreground = ridge(0.3, 0.9, saddle, 0.85, 0.3)
    regions = find_regions(height, foreground, 0.2)
    assert regions.saddles == pytest.approx([saddle])
    assert members(merge_tree(regions, 0.2, 0.7)) == expected


def test_a_bump_that_is_hardly_above_its_saddle_is_no_object():
    regions = find_regions(*ridge(0.3, 0.9, 0.5, 0.53, 0.3), 0.2)
    [node] = merge_tree(regions, 0.2, 0.7)
    assert sorted(node.members) == [1, 2]
    assert regions.peaks[node.peak] == pytest.approx(0.9)


def test_the_whole_knows_its_valley_and_the_parts_their_pass():
    regions = find_regions(*ridge(0.9, 0.5, 0.8, 0.3, 0.7), 0.2)
    by = {tuple(sorted(node.members)): node for node in merge_tree(regions, 0.2, 0.7)}
    assert set(by) == {(1,), (2,), (3,), (1, 2), (1, 2, 3)}
    assert by[1,].valley == pytest.approx(0.9)
    assert [by[key].pass_ for key in ((1,), (2,), (3,), (1, 2))] == pytest.approx(
        [0.5, 0.5, 0.3, 0.3]
    )
    assert (by[1, 2].valley, by[1, 2, 3].valley) == pytest.approx((0.5, 0.3))
    assert by[1, 2, 3].pass_ == 0


def test_many_regions_are_no_object_together():
    height, foreground = ridge(*([0.8, 0.4] * 40))
    nodes = merge_tree(find_regions(height, foreground, 0.2), 0.2, 0.7)
    assert max(len(node.members) for node in nodes) == 16
    assert sum(len(node.members) == 1 for node in nodes) == 40


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_maps_without_a_peak_or_flat(value):
    flat = np.full((5, 6), value, np.float32)
    nodes = merge_tree(find_regions(flat, flat > 0.5, 0.2), 0.2, 0.7)
    assert members(nodes) == ([[1]] if value else [])
