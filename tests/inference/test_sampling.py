"""Samples of large pictures and stacks, of which only windows are read."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.inference.sampling import sample_image, sample_stack
from napari_sam.levels import CoarserLevel


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


class Stack:
    """A large stack of bright slices that counts the pixels which are read."""

    shape, dtype = (40, 30_000, 30_000), np.dtype(np.uint8)

    def __init__(self):
        self.asked = []

    def __getitem__(self, index):
        plane, rows, columns = index
        self.asked.append((plane, rows.start, columns.start))
        part = np.full((rows.stop - rows.start, columns.stop - columns.start), plane, np.uint8)
        part[0] = 99
        return part


def test_of_large_slices_windows_all_over_the_stack_are_read():
    stack = Stack()
    assert sample_stack(stack, 3).shape == (64 * 256**2,)
    planes, rows, columns = (np.array(one) for one in zip(*stack.asked, strict=True))
    assert len(set(planes.tolist())) >= 16
    assert len(set(rows.tolist())) == len(set(columns.tolist())) == 8
    for plane in set(planes.tolist()):  # not one side of a slice alone
        assert len(set(columns[planes == plane].tolist())) > 1


class Sparse:
    """A large picture with something between the windows, and a level that shows it."""

    shape, dtype = (20_000, 20_000), np.dtype(np.uint8)

    def __init__(self):
        coarse = np.zeros((1250, 1250), np.uint8)
        coarse[100:103, 500:503] = 80
        self.coarser = [CoarserLevel(coarse, (16.0, 16.0), (7.5, 7.5))]

    def __getitem__(self, index):
        rows, columns = index
        return np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)


def test_what_all_windows_miss_is_found_in_the_coarsest_level():
    assert sample_image(Sparse()).max() == 80
