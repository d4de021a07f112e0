"""Which planes of a stack are linked, and in which order."""

from __future__ import annotations

from napari_sam.io.spacing import Spacing
from napari_sam.session.edit.linked import plane_lines


def lines_of(shape, seen, **layer):
    return plane_lines(shape, Spacing.of(len(shape), layer), seen)


def test_through_z_within_each_time_point():
    lines, anisotropy = lines_of((2, 3, 8, 9), (1, 1, None, None), scale=(5, 2, 0.5, 0.5))
    assert lines == [[(t, z, None, None) for z in range(3)] for t in range(2)]
    assert anisotropy == 4


def test_z_by_name():
    labels = "z", "t", "y", "x"
    lines, _ = lines_of((2, 3, 8, 9), (0, 0, None, None), axis_labels=labels)
    assert lines == [[(z, t, None, None) for z in range(2)] for t in range(3)]


def test_across_a_view_that_is_turned():
    lines, anisotropy = lines_of((4, 8, 9), (None, 5, None), scale=(3, 1, 1))
    assert lines == [[(None, y, None) for y in range(8)]]
    assert anisotropy == 1


def test_a_single_plane():
    assert lines_of((8, 9), (None, None)) == ([[(None, None)]], 1)
