"""What is found but not written does not look as if it were written."""

import numpy as np
import pytest

from napari_sam.widgets.search.preview import hatched
from tests.widgets.search.finding import disc


@pytest.mark.parametrize("side", [64, 512, 2048])
def test_areas_are_hatched_inside_of_their_outlines(side):
    areas = disc(side // 2, side // 2, side // 3, (side, side)).astype(np.uint8) * 7
    shown = hatched(areas)
    assert set(np.unique(shown)) == {0, 7}
    assert not shown[areas == 0].any()
    share = (shown > 0).sum() / (areas > 0).sum()
    assert 0.4 < share < 0.75
    row = np.flatnonzero(areas[side // 2])
    assert shown[side // 2, row[0]] == shown[side // 2, row[-1]] == 7
    lines = np.diff(np.flatnonzero(np.diff(shown[side // 2, row[8] : row[-8]] > 0)))
    assert set(lines) == {max(2, side // 256)}  # seen as wide on the screen, whatever the size


def test_small_and_touching_objects_keep_their_outlines():
    areas = np.zeros((20, 20), np.uint8)
    areas[5:8, 5:8], areas[5:8, 8:11] = 1, 2
    shown = hatched(areas)
    for value in (1, 2):
        assert (shown == value).sum() >= 8


def test_what_is_left_out_has_no_outlines():
    areas = np.zeros((20, 20), np.uint8)
    areas[2:18, 2:18], areas[5:10, 5:10] = 9, 1
    shown = hatched(areas, faint=9)
    assert (shown == 1).sum() == (hatched(areas * (areas == 1)) == 1).sum()
    ring = shown[2, 2:18]  # the first row of the area that is left out
    assert set(ring.tolist()) == {0, 9}
