"""Where an automatic run looks. `test_grid_parity` compares it with the public generator."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.inference.automatic.points import crops, point_grid
from napari_sam.inference.automatic.search import point_windows
from napari_sam.model.config import CONFIGS

CELLS = CONFIGS["cells_tiny"]


@pytest.mark.parametrize("shape", [(3, 5), (1, 1), (200, 100)])
def test_points_lie_in_the_picture(shape):
    points = point_grid(32, shape)
    assert points.shape == (1024, 2)
    assert (points >= -0.5).all()
    assert (points <= np.array(shape) - 0.5).all()


def test_crops_cover_the_picture():
    found = crops((90, 140), 2, 0.3)
    for layer in range(3):
        covered = np.zeros((90, 140), int)
        for other, (y0, x0, y1, x1) in found:
            if other == layer:
                covered[y0:y1, x0:x1] += 1
        assert covered.min() == 1


def test_sam_looks_once_at_the_whole_picture():
    points = point_grid(4, (60, 90))
    (look,) = point_windows(CONFIGS["vit_b"], (60, 90), [(683, 1024)], points, points[:2])
    assert look.window == (0, 0, 0)
    assert look.points is points


def test_windows_hold_their_points_well_inside():
    shape, levels = (400, 500), [(800, 1000), (400, 500), (205, 256)]
    points, coarser = point_grid(32, shape), point_grid(16, shape)
    found = point_windows(CELLS, shape, levels, points, coarser)
    for level, (height, width) in enumerate(levels):
        mine = [look for look in found if look.window[0] == level]
        all_of_them = np.concatenate([look.points for look in mine])
        expected = coarser if level else points
        assert sorted(all_of_them.tolist()) == sorted(expected.tolist())
        for look in mine:
            low = np.array(look.window[1:]) * CELLS.stride
            at = (look.points + 0.5) * (height / shape[0], width / shape[1])
            room = np.minimum(at - low, low + CELLS.frame - at)
            # away from the picture's own border by at least half of the window less half a step
            border = np.minimum(at, np.array([height, width]) - at)
            assert (room >= np.minimum(border, 256 / 2 - 4 * 8) - 1e-9).all()
    assert sum(len(look.points) for look in found) > 4 * len(found), "many share a window"


def test_small_pictures_are_not_looked_at_from_too_near():
    points = point_grid(4, (100, 100))
    near = point_windows(
        CELLS, (100, 100), [(768, 768), (384, 384), (256, 256)], points, points[:4]
    )
    assert {look.window[0] for look in near} == {2}
    assert sum(len(look.points) for look in near) == 16
