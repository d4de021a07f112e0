"""Samples of large stacks: windows of it, not rows and columns of every chunk."""

from __future__ import annotations

import numpy as np

from napari_sam.inference.sampling import sample_image, sample_stack
from napari_sam.levels import CoarserLevel


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
