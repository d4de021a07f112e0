"""What a proposal says of its mask."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.results import Proposal

ABOUT = {"score": 0.9, "stability": 0.8, "point": (3, 4)}


@pytest.mark.parametrize("seed", range(5))
def test_a_proposal_is_its_mask(seed):
    rng = np.random.default_rng(seed)
    mask, image = rng.random((11, 13)) < 0.1, rng.random((11, 13))
    one = Proposal.of(mask, image, **ABOUT)
    np.testing.assert_array_equal(one.mask, mask)
    np.testing.assert_array_equal(one.patch, mask[one.box])
    assert one.patch[[0, -1]].any(axis=1).all(), "the box is as small as it goes"
    assert one.patch[:, [0, -1]].any(axis=0).all()
    assert one.area == mask.sum()
    assert one.intensity == pytest.approx(image[mask].mean())
    assert one.crop == (0, 0, 11, 13)


def test_a_part_of_the_picture_is_put_in_its_place():
    image = np.arange(30).reshape(5, 6)
    one = Proposal.of(np.ones((2, 2), bool), image, **ABOUT, corner=(1, 2), crop=(1, 2, 5, 6))
    assert one.box == np.s_[1:3, 2:4]
    assert one.intensity == image[1:3, 2:4].mean()
    assert one.crop == (1, 2, 5, 6)


@pytest.mark.parametrize("corner", [(0, 3), (3, 0), (6, 3), (3, 7)])
def test_an_object_at_the_border_touches_it(corner):
    image = np.zeros((8, 9))
    mask = np.ones((2, 2), bool)
    assert Proposal.of(mask, image, **ABOUT, corner=corner).touches_edge
    assert not Proposal.of(mask, image, **ABOUT, corner=(3, 3)).touches_edge


def test_roundness():
    rows, columns = np.indices((101, 101)) - 50
    image = np.zeros((101, 101))

    def roundness(mask):
        return Proposal.of(mask, image, **ABOUT).roundness

    assert roundness(rows**2 + columns**2 < 40**2) == pytest.approx(1, abs=0.01)
    bar = (abs(rows) < 2) & (abs(columns) < 48)  # 3 x 95: 4 pi 285 / 196^2 = 0.093
    assert roundness(bar) == pytest.approx(0.093, abs=0.02)
    square = (abs(rows) < 30) & (abs(columns) < 30)  # pi / 4
    assert roundness(square) == pytest.approx(0.785, abs=0.1)
    assert roundness(rows + columns == 0) < 0.1
    assert roundness((rows == 0) & (columns == 0)) == 1


def test_intensity_is_that_of_all_channels_and_of_finite_values():
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 0] = 250, 100, 10
    mask = np.array([[1, 0], [0, 0]], bool)
    assert Proposal.of(mask, image, **ABOUT).intensity == 120
    spoilt = np.array([[np.nan, 2], [4, np.inf]])
    assert Proposal.of(np.ones((2, 2), bool), spoilt, **ABOUT).intensity == 3
    assert np.isnan(Proposal.of(mask, spoilt, **ABOUT).intensity)


def test_what_is_no_proposal():
    image = np.zeros((4, 4))
    with pytest.raises(InputError, match="at least one pixel"):
        Proposal.of(np.zeros((4, 4), bool), image, **ABOUT)
    with pytest.raises(InputError, match=r"\(2, 2\) at \(3, 0\) leaves the picture"):
        Proposal.of(np.ones((2, 2), bool), image, **ABOUT, corner=(3, 0))
