"""The encoder that ships: what it knows, and that it tells kinds of object apart."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from skimage.data import coins

from napari_sam.errors import CheckpointError
from napari_sam.text.crops import crop_object
from napari_sam.text.load import load_encoder, read_tower
from napari_sam.text.search import unknown_words


@pytest.fixture(scope="module")
def encoder():
    return load_encoder()


def test_vectors_have_length_1(encoder):
    crop = crop_object(
        np.zeros((60, 60, 3), np.uint8), np.ones((9, 9), bool), (20, 20), encoder.side
    )
    for vectors in (
        encoder.words(["nuclei"]),
        encoder.prompts(["nuclei"]),
        encoder.crops([crop] * 2),
    ):
        assert vectors.shape[1] == encoder.width
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert encoder.crops([]).shape == (0, encoder.width)


def test_known_words_are_known_and_others_are_told(encoder):
    assert unknown_words(encoder, ["nuclei", "bright round nuclei", "every bacterium"]) == {}
    told = unknown_words(encoder, ["a tax return", "yeast"])
    assert list(told) == ["a tax return"]
    assert "not among the words" in told["a tax return"]


def test_words_against_never_name_what_is_meant(encoder):
    assert "nuclei" not in encoder.against(["fluorescent nuclei"])
    assert "cells" in encoder.against(["fluorescent nuclei"])


def test_small_and_large_are_told_apart(encoder):
    """The same disc, said to be a third and thrice the size of the others."""
    rgb = np.repeat(coins()[..., None], 3, axis=2)
    y, x = np.ogrid[:50, :50]
    disc = (y - 25) ** 2 + (x - 25) ** 2 < 24**2
    small, large = (
        crop_object(rgb, disc, (100, 100), encoder.side, size=size) for size in (0.4, 2.5)
    )
    like = encoder.crops([small, large]) @ encoder.words(["small objects", "large objects"]).T
    assert like[0, 0] > like[0, 1]
    assert like[1, 1] > like[1, 0]


@pytest.mark.parametrize(
    ("state", "header", "words"),
    [
        ({"bridge": None}, {}, "bridge is missing"),
        ({"bridge": torch.zeros(3, 3)}, {}, r"bridge has shape \(3, 3\)"),
        ({}, {"least": float("nan")}, "least similarity of known words is nan"),
        ({}, {"least": "much"}, "least similarity"),
    ],
)
def test_a_file_of_something_else_is_no_encoder(encoder, tmp_path, state, header, words):
    whole = {**encoder.tower.state_dict(), "bridge": torch.from_numpy(encoder.bridge)}
    path = tmp_path / "w.safetensors"
    some = {name: value for name, value in (whole | state).items() if value is not None}
    save_file(some, path, {"napari_sam": json.dumps({"least": 0.5} | header)})
    with pytest.raises(CheckpointError, match=f"no encoder of words: .*{words}"):
        read_tower(path)
