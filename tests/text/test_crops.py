import numpy as np

from napari_sam.text.crops import crop_object, relative_sizes


def test_the_object_is_in_the_middle_also_at_the_border():
    rgb = np.full((30, 40, 3), 100, np.uint8)
    crop = crop_object(rgb, np.ones((8, 4), bool), (0, 36), 16, enlarged=2)
    rows, columns = np.nonzero(crop.mask)
    assert (rows.min() + rows.max()) / 2 == (columns.min() + columns.max()) / 2 == 7.5
    assert crop.mask.sum() == 8 * 4  # 16 pixels of the picture become 16 of the crop
    assert not crop.rgb[:4].any()  # above the picture
    assert not crop.rgb[:, 10:].any()  # right of it
    assert (crop.rgb[4:, :10] == 100).all()


def test_alone_the_surroundings_are_black():
    rgb = np.full((30, 30, 3), 100, np.uint8)
    crop = crop_object(rgb, np.eye(6, dtype=bool), (10, 10), 24).alone()
    assert (crop.rgb[crop.mask] == 100).all()
    assert not crop.rgb[~crop.mask].any()


def test_a_line_thinner_than_a_pixel_is_still_an_object():
    crop = crop_object(np.zeros((200, 200, 3), np.uint8), np.ones((1, 150), bool), (100, 20), 16)
    assert crop.mask.any()


def test_no_objects_have_no_sizes():
    assert relative_sizes([]).shape == (0,)
