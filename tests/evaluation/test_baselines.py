"""The two drawings, measured with a ruler."""

import numpy as np
import pytest

from napari_sam.evaluation.baselines import disc, ellipse


def test_the_disc_is_cut_off_at_the_picture():
    drawn = disc((20, 30), (0, 29), 4)
    assert drawn.shape == (20, 30)
    assert drawn[0].tolist() == [False] * 25 + [True] * 5
    assert drawn[:, 29].tolist() == [True] * 5 + [False] * 15
    assert drawn[3, 26] == (3**2 + 3**2 <= 4**2)


def test_the_ellipse_touches_the_sides_of_its_box():
    drawn = ellipse((20, 30), (1.5, 3.5, 10.5, 24.5))  # rows 2 to 10, columns 4 to 24
    rows, columns = np.nonzero(drawn)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 10, 4, 24)
    assert drawn.sum() == pytest.approx(np.pi / 4 * 9 * 21, rel=0.05)
