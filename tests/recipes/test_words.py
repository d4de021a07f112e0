"""Words: what is said of objects, what fits, and that each stage of the training learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from napari_sam.errors import InputError
from napari_sam.model.text_decoder import TextDecoder
from napari_sam.text.image_tower import ImageTower
from napari_sam.text.vocabulary import vocabulary
from napari_sam.training.augment import TrainingCrop
from recipes.weights import save_text
from recipes.words.contrastive import Captions, fit_bridge, train_tower
from recipes.words.crops import BACKGROUND, CropSampler, Mosaics, mosaic
from recipes.words.scenes import caption, traits_of
from recipes.words.text_prompts import (
    by_image,
    draw_example,
    make_views,
    shown_objects,
    train_semantic_head,
    train_text,
)
from tests.text.encoders import Colours

WORDS = vocabulary()


def test_traits_are_what_one_sees():
    rgb, labels = np.zeros((120, 160, 3), np.uint8), np.zeros((120, 160), np.int32)
    y, x = np.ogrid[:120, :160]
    labels[(y - 25) ** 2 + (x - 25) ** 2 < 12**2] = 1
    labels[60:70, 10:60] = 2
    labels[(y - 70) ** 2 + (x - 110) ** 2 < 40**2] = 3
    rgb[labels == 1], rgb[labels == 2], rgb[labels == 3] = 220, 20, 90
    traits = traits_of(rgb, labels)
    assert {"round", "bright"} <= traits[1]
    assert {"elongated", "dim"} <= traits[2]
    assert {"round", "large"} <= traits[3]
    assert not traits[3] & {"bright", "dim", "small"}


def test_a_caption_says_every_fact_and_nothing_else():
    rng = np.random.default_rng(0)
    facts = frozenset({"nucleus", "round", "fluorescence"})
    for _ in range(50):
        text = caption(facts, WORDS, rng)
        for fact in facts:
            assert any(phrase.removeprefix("a ") in text for phrase in WORDS.phrases[fact])
        assert "{" not in text


def test_queries_and_unknown_words_were_never_taught():
    taught = set(WORDS.known_phrases()) | set(WORDS.background)
    asked = {text for some in WORDS.queries.values() for text in some}
    assert not taught & (asked | set(WORDS.unknown))
    assert all(len(set(some)) == 10 for some in WORDS.queries.values())


def test_every_set_has_known_facts():
    for facts in WORDS.sets.values():
        assert set(facts) <= set(WORDS.facts)


def crop_of(value, label):
    """Return a view of one value with a square object in each quarter."""
    labels = np.zeros((64, 64), np.int32)
    for row in (8, 40):
        for column in (8, 40):
            labels[row : row + 12, column : column + 12] = label
            label += 1
    rgb = np.full((64, 64, 3), value, np.uint8)
    return TrainingCrop(rgb, labels, np.ones((64, 64), bool))


def test_a_mosaic_keeps_each_object_with_the_facts_of_its_set():
    scene = mosaic([crop_of(50, 1), crop_of(200, 1)], [["nucleus"], ["cell"]])
    assert (scene.rgb[:, :32] == 50).all()
    assert (scene.rgb[:, 32:] == 200).all()
    left, right = (scene.fitting(frozenset({kind})) for kind in ("nucleus", "cell"))
    assert len(left) == len(right) == 2
    assert set(np.unique(scene.labels[:, :32])) == {0, *left}
    assert set(np.unique(scene.labels[:, 32:])) == {0, *right}
    assert scene.fitting(frozenset({"nucleus", "cell"})) == []


def test_what_is_cut_to_a_rest_is_no_object():
    crop = crop_of(50, 1)
    crop.labels[30:32, 30:34] = 9  # a rest of four pixels left of the middle
    scene = mosaic([crop, crop], [["nucleus"], ["cell"]])
    assert len(scene.facts) == 4


def test_pictures_of_which_nothing_can_be_said_are_left_out(pictures):
    traits = traits_of(pictures[0].rgb, pictures[0].labels)
    assert all(traits.values())
    plain = replace(
        pictures[0], dataset="plain", labels=square(40), rgb=np.full_like(pictures[0].rgb, 90)
    )
    objects = CropSampler([plain, pictures[1]], {}, 16)
    assert len(objects.scenes) == 1
    with pytest.raises(InputError, match="nothing can be said"):
        CropSampler([plain], {}, 16)


def square(side):
    """Return labels of one square, which is neither round nor long, small, bright or dim."""
    labels = np.zeros((96, 120), np.int32)
    labels[20 : 20 + side, 20 : 20 + side] = 1
    labels[20 : 20 + side, 20 : 20 + side // 2] = 1
    labels[20:30, 20 + side : 20 + side + 12] = 1
    return labels


@pytest.fixture
def sets(pictures):
    return {"p0": ["nucleus"], "p1": ["cell"]}


def test_crops_come_with_what_is_true_of_them(pictures, sets):
    crops, facts = CropSampler(pictures, sets, 16).draw(200, np.random.default_rng(0))
    kinds = [some & {"nucleus", "cell", "background"} for some in facts]
    assert {next(iter(kind)) for kind in kinds} == {"nucleus", "cell", "background"}
    for crop, some in zip(crops, facts, strict=True):
        mean = crop.rgb[crop.mask].mean()
        assert (mean < 100) == (some == BACKGROUND)  # the discs are brighter than that


def hashed(texts):
    """Return a vector for each text that tells its words, in place of a sentence encoder."""
    vectors = []
    for text in texts:
        each = [np.random.default_rng(sum(map(ord, word))).normal(size=24) for word in text.split()]
        vectors.append(np.sum(each, axis=0))
    vectors = np.array(vectors)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_a_caption_fits_objects_of_which_all_it_says_is_true(pictures, sets):
    captions = Captions.make(CropSampler(pictures, sets, 16), WORDS, hashed, 60)
    fits = captions.fit([frozenset({"nucleus", "round"}), BACKGROUND])
    for text, says, column in zip(captions.texts, captions.says, fits.T, strict=True):
        said = {fact for fact, yes in zip(captions.facts, says, strict=True) if yes}
        assert column.tolist() == [said <= {"nucleus", "round"}, said <= BACKGROUND], text


def test_the_tower_learns_and_the_bridge_leads_to_pictures(pictures, sets):
    objects = CropSampler(pictures, sets, 48)
    captions = Captions.make(objects, WORDS, hashed, 60)
    torch.manual_seed(0)
    tower = ImageTower(24)
    losses = [r["loss"] for r in train_tower(tower, objects, captions, 30, batch=16)]
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])
    bridge = fit_bridge(tower, objects, captions, count=200)
    assert bridge.shape == (24, 24)
    assert np.isfinite(bridge).all()


class TestPrompts:
    @pytest.fixture
    def coloured(self, pictures):
        for picture, colour in zip(pictures, ((1, 0, 0), (0, 1, 0)), strict=True):
            picture.rgb[:] = (picture.rgb * np.array(colour)).astype(np.uint8)
        return pictures

    @pytest.fixture
    def views(self, model, coloured, sets):
        return list(make_views(model.eval(), Mosaics(coloured, sets, 64), 12))

    def test_a_question_is_answered_by_all_that_fit(self, views):
        rng = np.random.default_rng(0)
        for _ in range(30):
            asked = draw_example(views, WORDS, rng)
            assert asked.source.fitting(asked.said)
            assert all(asked.said <= asked.view[0].facts[i] for i in asked.answer)

    def test_look_and_prompts_learn(self, model, views, tmp_path):
        encoder = Colours()
        decoder = TextDecoder.beside(model, encoder.width)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        rng = np.random.default_rng(0)
        shown = [shown_objects(encoder, WORDS, view, model.config.stride, rng) for view in views]
        losses = [r["loss"] for r in train_semantic_head(model, decoder, views, shown, 30, batch=4)]
        assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])
        prompt = by_image(encoder)
        found = [r["iou"] for r in train_text(model, decoder, views, prompt, WORDS, 160, batch=3)]
        assert np.mean(found[-20:]) > np.mean(found[:20]) + 0.1
        for name, value in model.state_dict().items():
            assert torch.equal(value, before[name])  # prompts without words answer as before
        file = tmp_path / "text.safetensors"
        save_text(file, decoder, model, encoder.name, [])
        for name, value in load_file(file).items():
            torch.testing.assert_close(
                value.float(), decoder.state_dict()[name], atol=1e-3, rtol=1e-3
            )
