"""Masks packed in their boxes."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.masks import BitMask


@pytest.mark.parametrize("seed", range(10))
def test_there_and_back(seed):
    rng = np.random.default_rng(seed)
    mask = np.zeros((13, 17), bool)
    mask[rng.integers(13), rng.integers(17)] = True
    mask |= rng.random((13, 17)) < rng.choice([0, 0.05, 0.6])
    packed = BitMask.of(mask)
    np.testing.assert_array_equal(packed.full(), mask)
    assert packed.pixels == mask.sum()
    r0, c0, r1, c1 = packed.window
    np.testing.assert_array_equal(packed.cut(), mask[r0:r1, c0:c1])
    other = rng.random((13, 17)) < 0.3
    window = (2, 3, 11, 9)
    left = packed.without(other[2:11, 3:9], window)
    expected = mask.copy()
    expected[2:11, 3:9] &= ~other[2:11, 3:9]
    assert left == BitMask.of(expected)
    if other.any():
        assert packed.joined(BitMask.of(other)) == BitMask.of(mask | other)
    np.testing.assert_array_equal(packed.within(window), mask[2:11, 3:9])
    assert all(packed.has(r, c) == mask[r, c] for r in range(13) for c in range(17))


def test_nothing_is_none():
    assert BitMask.of(np.zeros((3, 4), bool)) is None
    whole = BitMask.of(np.ones((3, 4), bool))
    assert whole.without(np.ones((3, 4), bool), (0, 0, 3, 4)) is None
