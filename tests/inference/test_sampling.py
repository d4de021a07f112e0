"""Samples of large pictures, of which only windows are read."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.inference.sampling import sample_image


class Slide:
    """A picture of 100,000 x 100,000 pixels with one piece of tissue, of which windows are read."""

    shape, dtype = (100_000, 100_000), np.dtype(np.uint8)

    def __init__(self, side):
        self.side, self.reads = side, 0

    def __getitem__(self, window):
        self.reads += 1
        rows, columns = (np.arange(part.start, part.stop) - 50_000 for part in window)
        there = [(at >= 0) & (at < self.side) for at in (rows, columns)]
        return np.where(np.logical_and.outer(*there), 100 + columns % 50, 0).astype(np.uint8)


@pytest.mark.parametrize(("side", "reads"), [(15_000, 64), (3_000, 64 + 256 + 1024), (0, 1344)])
def test_more_is_read_only_where_nothing_was_found(side, reads):
    slide = Slide(side)
    sample = sample_image(slide)
    assert slide.reads == reads
    assert (sample.max() > 0) == (side > 0)
