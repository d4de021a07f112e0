"""The kind of picture that is guessed from its pixels."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.inference.automatic.kinds import GENERAL, SIDE, guess_kind
from napari_sam.inference.automatic.presets import presets
from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.samples import sample_layer

SHAPE = 128, 160


def discs(ground, of, radius=9, inner=0):
    """A picture with a dozen discs, or rings."""
    rows, columns = np.indices(SHAPE)
    away = np.hypot(rows % 40 - 20, columns % 40 - 20)
    return np.where((away <= radius) & (away >= inner), of, ground).astype(np.float64)


def noisy(picture, by):
    return picture + np.random.default_rng(0).normal(0, by, picture.shape)


def coloured(picture, by):
    return np.stack([picture, picture * by, picture], axis=2).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_bright_objects_on_a_dark_ground_are_nuclei(dtype):
    assert guess_kind(noisy(discs(10, 200), 1).astype(dtype)) == "nuclei"


def test_colours_on_a_bright_ground_are_tissue():
    assert guess_kind(coloured(noisy(discs(230, 140), 3), 0.7)) == "tissue"


def test_greys_over_the_whole_range_with_fine_texture_are_an_electron_micrograph():
    rng = np.random.default_rng(0)
    coarse = np.kron(rng.uniform(0, 255, (16, 20)), np.ones((8, 8)))
    assert guess_kind(noisy(coarse, 25)) == "electron"
    rows, columns = np.indices(SHAPE)
    assert guess_kind(np.sin(rows / 9) + np.sin(columns / 9)) == GENERAL


@pytest.mark.parametrize(
    "picture",
    [
        noisy(discs(120, 70), 4),  # on a mid-grey ground
        noisy(discs(900, 1100), 1),  # of a camera with an offset
        noisy(discs(10, 200, 19, 13), 1),  # rings: halos, or membranes
        np.where((np.indices(SHAPE) % 30 < 4).any(axis=0), 200.0, 0.0),  # a net
        np.full(SHAPE, 7),
        np.full(SHAPE, np.nan),
        np.zeros((1, 1)),
        np.zeros(SHAPE, bool),
        np.array([[-1e308, 1e308]]),
    ],
    ids=("grey", "offset", "rings", "net", "flat", "nan", "pixel", "bool", "huge"),
)
def test_where_nothing_speaks_for_another_kind_it_is_the_general_one(picture):
    assert guess_kind(picture) == GENERAL


def test_the_general_kind_changes_no_default():
    assert presets()[GENERAL].grid == GridSettings()


def test_colours_without_colour_are_greys():
    assert guess_kind(coloured(discs(10, 200), 1.0)) == "nuclei"


def test_pixels_that_are_not_finite_do_not_count():
    picture = noisy(discs(10, 200), 1)
    picture[:8], picture[-1] = np.nan, np.inf
    assert guess_kind(picture) == "nuclei"


def test_the_middle_of_a_large_picture_counts():
    picture = np.full((SIDE + 200, SIDE + 200), 5000.0)
    picture[100:-100, 100:-100] = np.tile(discs(10, 200), (4, 4))[:SIDE, :SIDE]
    assert guess_kind(picture) == "nuclei"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("nuclei", "nuclei"), ("tissue", "tissue"), ("stack", "nuclei"), ("movie", GENERAL)],
)
def test_the_samples(name, kind):
    data = sample_layer(name)[0]
    flat = data.ndim == 2 or data.shape[-1] == 3
    assert guess_kind(data if flat else data[len(data) // 2]) == kind


@pytest.mark.parametrize("shape", [(4,), (3, 4, 5), (0, 4), (2, 3, 4, 3)])
def test_what_is_no_picture_is_refused(shape):
    with pytest.raises(InputError, match="must have shape"):
        guess_kind(np.zeros(shape))
