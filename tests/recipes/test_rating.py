"""The rating of candidates: what it learns, and the file that it is written to."""

import numpy as np
import pytest
import torch
from PIL import Image

import napari_sam as ns
from napari_sam.errors import InputError
from napari_sam.inference.automatic.instances.from_maps import find_instances
from napari_sam.inference.automatic.settings import InstanceSettings
from napari_sam.inference.object_maps import LevelMaps
from napari_sam.model.instances.head import InstanceHead
from napari_sam.model.instances.rating import FEATURES, CandidateRating
from napari_sam.training.weights import about_model, save_weights
from recipes import rating as recipe
from recipes.rating import Examples, examples, fit, save_rated
from tests.training.conftest import discs

SETTINGS = InstanceSettings()


def broken(seed, size=96):
    """Discs with two peaks of depth each and no rim between: the plain rule cuts them in two."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((size, size))
    labels, height = np.zeros((size, size), np.int32), np.zeros((size, size), np.float32)
    for number, (row, column) in enumerate(((24, 24), (24, 72), (72, 24), (72, 72)), 1):
        r, c = row + rng.integers(-3, 4), column + rng.integers(-3, 4)
        inside = np.hypot(rows - r, columns - c) < 15
        lobes = np.minimum(np.hypot(rows - r, columns - c - 7), np.hypot(rows - r, columns - c + 7))
        labels[inside] = number
        height[inside] = (1 - lobes / 11).clip(0.1, 1)[inside]
    on = (labels > 0).astype(np.float32)
    return LevelMaps((size, size), 1.0, on * 0.95, on * 0.2, height, on * 20 + 1), labels


def right(found, labels):
    """How many instances fit a true object."""
    ious = []
    for one in found:
        mask = one.cropped.full()
        true = labels == np.bincount(labels[mask]).argmax()
        ious.append((mask & true).sum() / (mask | true).sum())
    return sum(iou > 0.8 for iou in ious), len(found)


def test_it_learns_what_the_plain_rule_does_not_know():
    rating = fit([examples("broken", [broken(seed)[0]], broken(seed)[1]) for seed in range(4)])
    maps, labels = broken(9)
    assert right(find_instances([maps], SETTINGS), labels) == (0, 8)
    assert right(find_instances([maps], SETTINGS, rating), labels) == (4, 4)


def made(dataset, sign, count=200):
    """Examples of which the first feature says, or the opposite of it, how good they are."""
    features = np.random.default_rng(0).normal(size=(count, len(FEATURES))).astype(np.float32)
    return Examples(dataset, features, (sign * features[:, 0] > 0).astype(float))


def test_the_same_seed_gives_the_same_and_each_set_counts_the_same():
    many = [made("many", 1) for _ in range(9)]
    first, again = (fit([*many, made("one", -1)]) for _ in range(2))
    for name, value in first.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, rtol=0, atol=0)
    best = torch.zeros(1, len(FEATURES))
    best[0, 0] = 2
    assert float(first(best)) == pytest.approx(0.5, abs=0.1)
    assert float(fit(many)(best)) > 0.9


def test_without_a_candidate_there_is_nothing_to_learn():
    nothing = Examples("empty", np.zeros((0, len(FEATURES)), np.float32), np.zeros(0))
    with pytest.raises(InputError, match="no candidate"):
        fit([nothing])


def test_the_command_writes_the_head_with_its_rating(tmp_path, monkeypatch):
    for seed in range(2):
        image, labels = discs(seed)
        place = tmp_path / "data" / f"set{seed}" / "picture"
        place.mkdir(parents=True)
        Image.fromarray(image).save(place / "image.png")
        Image.fromarray(labels).save(place / "labels.png")
    file = tmp_path / "decoder.safetensors"
    monkeypatch.setattr("sys.argv", ["rating", str(tmp_path / "data"), "-o", str(file)])
    recipe.main()
    shipped, rated = (
        ns.load_model("cells_tiny", "cpu", decoder=decoder).instance_decoder
        for decoder in (None, file)
    )
    assert isinstance(rated, InstanceHead)
    assert rated.rating is not None
    assert (rated.rating.spread > 0).all()
    torch.testing.assert_close(rated.out.weight, shipped.out.weight, rtol=0, atol=0)


def test_a_whole_model_keeps_its_rating_and_a_file_without_one_loads(tmp_path):
    model = ns.load_model("cells_tiny", "cpu")
    head = model.instance_decoder
    head.rating = None
    whole = tmp_path / "whole.safetensors"
    about = about_model(model.config, "whole", "full")
    save_weights(whole, model.state_dict(), about)
    plain = ns.load_model(whole, "cpu")
    assert plain.instance_decoder.rating is None
    save_rated(str(whole), CandidateRating(), tmp_path / "rated.safetensors")
    rated = ns.load_model(tmp_path / "rated.safetensors", "cpu").instance_decoder.rating
    assert rated is not None
    image = discs(0)[0]
    assert len(ns.propose_instances(ns.Predictor(plain), image)) > 0
