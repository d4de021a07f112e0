"""What of a plane's labels is read for one object."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.io.label_stores.levels import PlaneWindow
from napari_sam.session.surroundings import surroundings

NEAR = (1000, 1000, 1001, 1001)


class Counted(PlaneWindow):
    """Counts what is read."""

    pixels = 0

    def __getitem__(self, window):
        part = super().__getitem__(window)
        self.pixels += part.size
        return part


@pytest.fixture
def labels():
    return np.zeros((3000, 4000), np.uint16)


def plane(labels):
    return Counted(labels, (None, None))


def test_a_small_object_needs_a_small_window(labels):
    labels[990:1010, 990:1010] = 5
    labels[:, 1100] = 6  # another one runs through it
    lazy = plane(labels)
    found = surroundings(lazy, [5], NEAR)
    assert found.box == (744, 744, 1257, 1257)
    assert lazy.pixels == 513**2
    assert np.count_nonzero(found.pixels == 5) == 400


def test_the_window_grows_on_the_sides_where_the_object_goes_on(labels):
    labels[1000, 1000:3900] = 5
    found = surroundings(plane(labels), [5], NEAR)
    assert found.box[0] == 744
    assert found.box[3] >= 3900
    assert np.count_nonzero(found.pixels == 5) == 2900


def test_of_an_array_and_without_a_place_it_is_all(labels):
    assert surroundings(labels, [5], NEAR).box == (0, 0, 3000, 4000)
    assert surroundings(plane(labels)).box == (0, 0, 3000, 4000)


def test_what_reaches_too_far_is_refused():
    class Endless:
        shape, dtype = (10**6, 10**6), np.dtype("u1")

        def __getitem__(self, part):
            return np.ones([at.stop - at.start for at in part], np.uint8)

    with pytest.raises(InputError, match="is that the background"):
        surroundings(Endless(), [1], NEAR)
