"""Maps of the last pictures: known again by their pixels, and bounded."""

from __future__ import annotations

import numpy as np

from napari_sam.inference.object_maps import LevelMaps
from napari_sam.serving.kept_maps import MOST, KeptMaps


def picture(value, shape=(8, 9)):
    return np.full(shape, value, np.uint8)


def look(kept, image, contrast=None):
    """Return whether a picture was known, which it is from now on."""
    known = kept.of(image, contrast)
    was = bool(known.levels)
    flat = np.zeros(image.shape, np.float32)
    known.levels = (LevelMaps(image.shape, 1.0, flat, flat, flat, flat),)
    return was


def test_a_picture_is_known_by_its_pixels_and_contrast():
    kept = KeptMaps()
    image = picture(3)
    assert not look(kept, image, (0.0, 9.0))
    assert look(kept, image.copy(), (0, 9))
    assert not look(kept, image, (0, 8))
    assert not look(kept, image.astype(np.int16), (0, 9))
    image[2, 2] = 4
    assert not look(kept, image, (0, 9))
    assert look(kept, picture(3)[::-1], (0, 9))


def test_a_few_are_kept_and_the_latest_used_stay():
    kept = KeptMaps()
    for value in range(MOST):
        look(kept, picture(value))
    assert look(kept, picture(0))
    look(kept, picture(99))
    assert look(kept, picture(0))
    assert not look(kept, picture(1))


def test_large_maps_make_room_but_for_the_latest():
    kept = KeptMaps(most_bytes=2 * 4 * 4 * 72)
    for value in range(3):
        look(kept, picture(value))
    assert kept.nbytes == 3 * 4 * 4 * 72
    assert look(kept, picture(2))
    assert kept.nbytes == 2 * 4 * 4 * 72
    big = picture(7, (80, 90))
    look(kept, big)
    assert look(kept, big)
    assert not look(kept, picture(2))


def test_contrast_of_each_channel_tells_pictures_apart():
    kept, image = KeptMaps(), np.zeros((4, 5, 3), np.uint8)
    one = kept.of(image, (np.zeros(3), np.array([9.0, 9, 9])))
    assert kept.of(image, (np.zeros(3), np.array([9.0, 9, 9]))) is one
    assert kept.of(image, (np.zeros(3), np.array([9.0, 9, 8]))) is not one
