"""The colours of labels: told apart from each other, and from what the picture has."""

import numpy as np
import pytest
from napari.layers import Image
from napari.utils.colormaps import label_colormap
from skimage.color import deltaE_ciede2000, rgb2lab

from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.layers.labels_target import new_labels
from napari_sam.widgets.layers.palette import PREVIEW, dominant_colours, palette

NAPARI = label_colormap(49).colors[1:, :3]  # its 49 labels by default


def differences(these, those):
    return deltaE_ciede2000(rgb2lab(np.array(these))[:, None], rgb2lab(np.array(those))[None])


def coloured(*colours):
    """A small picture of these colours, in shares that fall off."""
    shares = 1 / np.arange(1, 1 + len(colours))
    chosen = np.random.default_rng(0).choice(len(colours), (32, 32), p=shares / shares.sum())
    return np.array(colours, np.uint8)[chosen]


PICTURES = {
    "fluorescence": coloured((0, 0, 0), (20, 20, 20), (60, 60, 60), (140, 140, 140)),
    "stained with H&E": coloured(
        (240, 235, 242), (225, 150, 190), (210, 110, 170), (110, 80, 150), (70, 55, 120)
    ),
    "stained with DAB": coloured(
        (230, 228, 230), (170, 170, 195), (140, 100, 80), (100, 60, 35), (190, 150, 120)
    ),
    "phase contrast": coloured((128, 128, 128), (110, 110, 110), (150, 150, 150), (190, 190, 190)),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_labels_are_farther_from_the_picture_than_by_default(kind):
    background = dominant_colours(PICTURES[kind])
    ours = differences(palette(background), background).min(axis=1)
    theirs = differences(NAPARI, background).min(axis=1)
    figures = (
        f"{kind}: nearest {ours.min():.1f}, mean {ours.mean():.1f}; "
        f"by default {theirs.min():.1f}, {theirs.mean():.1f}"
    )
    assert ours.min() > 20 > theirs.min(), figures
    assert ours.mean() > theirs.mean(), figures


@pytest.mark.parametrize("kind", PICTURES)
def test_labels_are_told_apart_from_each_other_and_from_the_preview(kind):
    colours = palette(dominant_colours(PICTURES[kind]))
    between = differences(colours, colours)
    assert between[~np.eye(len(colours), dtype=bool)].min() > 6
    assert min(between[i - 1, i] for i in range(len(colours))) > 10
    preview = [[int(PREVIEW[i : i + 2], 16) / 255 for i in (1, 3, 5)]]
    assert differences(colours, preview).min() > 9
    assert (np.ptp(colours, axis=1) > 0.25).all()  # none is grey
    assert (colours.max(axis=1) > 0.8).all()  # none is dark


def test_the_same_picture_gets_the_same_colours():
    first, second = (palette(dominant_colours(PICTURES["phase contrast"])) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_transparent_and_rare_pixels_are_no_colours_of_the_picture():
    picture = np.zeros((32, 32, 4), np.uint8)
    picture[:16] = 200, 100, 50, 255
    picture[0, :3] = 0, 255, 0, 255
    np.testing.assert_allclose(dominant_colours(picture), [[200 / 255, 100 / 255, 50 / 255]])
    assert dominant_colours(picture[16:]).shape == (0, 3)
    assert palette(dominant_colours(picture[16:])).shape == (16, 3)


def test_a_picture_of_all_colours_still_has_labels():
    levels = np.linspace(0, 255, 6).astype(np.uint8)
    everything = np.stack(np.meshgrid(levels, levels, levels), axis=-1)
    assert len(np.unique(palette(dominant_colours(everything)), axis=0)) == 16


def test_new_labels_have_colours_for_this_picture_again_and_again():
    layer = Image(PICTURES["stained with DAB"])
    labels = new_labels(ImageStack(layer))
    colours = palette(dominant_colours(layer.thumbnail))
    np.testing.assert_allclose(labels.get_color(1)[:3], colours[0], atol=1e-6)
    np.testing.assert_allclose(labels.get_color(20_001)[:3], colours[20_000 % 16], atol=1e-6)
    assert labels.get_color(0) is None or labels.get_color(0)[3] == 0
