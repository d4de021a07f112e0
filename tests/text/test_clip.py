"""CLIP's loading and use, with a tiny model of its form and random weights."""

import json

import numpy as np
import pytest
import torch
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPProcessor,
    CLIPTokenizer,
)

from napari_sam.errors import InputError
from napari_sam.text.crops import crop_object
from napari_sam.text.load import load_encoder

SIDE = 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip")
    letters = [chr(i) for i in range(97, 123)]
    tokens = [*letters, *(x + "</w>" for x in letters), "<|startoftext|>", "<|endoftext|>"]
    (path / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}), "utf-8")
    (path / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    tokenizer = CLIPTokenizer.from_pretrained(path)
    part = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    part |= {"num_attention_heads": 2, "projection_dim": 8}
    text = part | {"vocab_size": len(tokens), "max_position_embeddings": 20}
    text |= {"bos_token_id": len(tokens) - 2, "eos_token_id": len(tokens) - 1}
    vision = part | {"image_size": SIDE, "patch_size": 16}
    torch.manual_seed(0)
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8))
    images = CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=SIDE)
    CLIPProcessor(images, tokenizer).save_pretrained(path)
    model.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def encoder(folder):
    return load_encoder(str(folder))


def test_words_and_crops_share_a_space(encoder):
    crop = crop_object(
        np.full((60, 60, 3), 90, np.uint8), np.ones((9, 9), bool), (20, 20), encoder.side
    )
    assert encoder.side == SIDE
    words, seen = encoder.words(["a", "bc"]), encoder.crops([crop])
    assert words.shape == (2, 8)
    assert seen.shape == (1, 8)
    np.testing.assert_allclose(np.linalg.norm([*words, *seen], axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(encoder.similarity(seen, words, words).sum(), 0.5, atol=1e-5)


def test_they_are_the_ones_of_the_library(encoder, folder):
    model, tokenizer = CLIPModel.from_pretrained(folder), CLIPTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        output = model.get_text_features(**tokenizer(["abc"], return_tensors="pt"))
    expected = getattr(output, "pooler_output", output)[0].numpy()
    expected = expected / np.linalg.norm(expected)
    np.testing.assert_allclose(encoder.words(["abc"])[0], expected, atol=1e-5)


def test_the_vocabulary_is_open(encoder):
    assert encoder.familiarity("anything")[1] is None


def test_what_is_not_here_is_said_and_how_to_get_it(tmp_path):
    with pytest.raises(InputError, match="hf download"):
        load_encoder(str(tmp_path / "nowhere"))
