"""Runs that resume to the bit, that learn, and that change only what they should."""

import copy
import dataclasses

import numpy as np
import pytest
import torch

from napari_sam.errors import CheckpointError, InputError
from napari_sam.model.sam import Sam
from napari_sam.training.recipe import Recipe
from napari_sam.training.trainer import Trainer
from napari_sam.training.views import CachedViews, FreshViews

RECIPE = Recipe(pretrain=1, train=2, pictures=2, objects=2, clicks=(1,), warmup=1)


def trainer_of(model, pictures, recipe=RECIPE):
    model = copy.deepcopy(model)
    return Trainer(model, recipe, FreshViews(pictures, model.config, recipe))


def same(a, b):
    return all(torch.equal(a.values[name], b.values[name]) for name in a.values)


def test_a_run_resumes_exactly(model, pictures, tmp_path):
    whole = trainer_of(model, pictures)
    reports = list(whole.run())
    assert [r["step"] for r in reports] == [1, 2, 3]
    assert "loss" not in reports[0]  # the instance head alone
    assert {"instances", "loss", "correction", "norm"} <= reports[-1].keys()

    first = trainer_of(model, pictures)
    run = first.run()
    next(run)
    next(run)
    first.save(tmp_path / "checkpoint.pt", note="mine")
    second = trainer_of(model, pictures)
    assert second.load(tmp_path / "checkpoint.pt")["note"] == "mine"
    assert [r["step"] for r in second.run()] == [3]
    assert same(whole.ema, second.ema)
    assert not same(whole.ema, first.ema)


def test_workers_cut_the_same_crops(model, pictures):
    recipe = dataclasses.replace(RECIPE, train=1)
    alone = trainer_of(model, pictures, recipe)
    helped = trainer_of(model, pictures, dataclasses.replace(recipe, workers=1))
    assert [r["instances"] for r in alone.run()] == [r["instances"] for r in helped.run()]


def test_accumulated_batches_make_the_gradient_of_their_mean(model, pictures):
    """Two batches of one crop, or each alone: the norm is that of the mean gradient."""
    recipe = Recipe(
        pretrain=0, train=1, pictures=1, accumulate=2, instances=0, batch_statistics=False,
        clip=1e9, warmup=1, ramp=0,
    )  # fmt: skip
    both = trainer_of(model, pictures, recipe)
    grads = []
    both.optimiser.step = lambda: grads.extend(p.grad.clone() for p in free_of(both))
    next(both.run())
    alone = trainer_of(model, pictures, dataclasses.replace(recipe, accumulate=1))
    alone.model.eval()
    batches = list(alone.views.batches(alone.model, range(2)))
    for number, (crops, features) in enumerate(batches):
        list(alone._batch(crops, features, number))
    for mean, total in zip(grads, (p.grad for p in free_of(alone)), strict=True):
        torch.testing.assert_close(mean, total / 2, rtol=1e-4, atol=1e-6)


def free_of(trainer):
    return [p for p in trainer.model.parameters() if p.requires_grad and p.grad is not None]


@pytest.mark.parametrize("what", ["decoder", "adapters", "everything"])
def test_only_what_was_chosen_changes(model, pictures, what):
    recipe = Recipe(
        what=what, pretrain=0, train=2, pictures=1, instances=0, batch_statistics=False, warmup=1
    )
    model.instance_decoder = torch.nn.Linear(2, 2)  # is not taught yet
    before = {k: v.clone() for k, v in model.state_dict().items()}
    trainer = Trainer(model, recipe, FreshViews(pictures, model.config, recipe))
    assert not any(p.requires_grad for p in model.instance_decoder.parameters())
    assert len(list(trainer.run())) == 2
    now = {k.replace("parametrizations.", "").replace(".original", ""): v
           for k, v in model.state_dict().items()}  # fmt: skip
    changed = {k for k, v in before.items() if not torch.equal(v, now[k])}
    if what == "adapters":
        assert not changed  # all of it is in the additions
        assert any(not torch.equal(v, torch.zeros_like(v)) for k, v in now.items() if "lora_b" in k)
    else:
        assert any(k.startswith("mask_decoder") for k in changed)
        assert any(k.startswith("image_encoder") for k in changed) == (what == "everything")
    assert not any("running_" in k or k.startswith("instance_decoder") for k in changed)


@pytest.mark.parametrize("what", ["decoder", "adapters", "everything"])
def test_the_head_learns_with_the_rest_and_keeps_its_statistics(model, pictures, what):
    recipe = Recipe(what=what, pretrain=0, train=2, pictures=1, batch_statistics=False, warmup=1)
    before = {k: v.clone() for k, v in model.instance_decoder.state_dict().items()}
    trainer = Trainer(model, recipe, FreshViews(pictures, model.config, recipe))
    assert all("instances" in report for report in trainer.run())
    now = model.instance_decoder.state_dict()
    assert not torch.equal(before["out.weight"], now["out.weight"])
    assert all(torch.equal(v, now[k]) for k, v in before.items() if "running_" in k)


def test_an_unknown_choice_is_refused(model, pictures):
    with pytest.raises(InputError, match="'brain'"):
        trainer_of(model, pictures, dataclasses.replace(RECIPE, what="brain"))


def test_cached_views_are_the_same_features_in_half_precision(model, pictures):
    recipe = Recipe(what="decoder", pictures=2, instances=0, batch_statistics=False)
    model.eval()
    views = CachedViews(pictures, model.config, recipe, count=3)
    assert list(views.fill(model)) == [1, 2, 3]
    ((crops, features),) = views.batches(model, range(1))
    fresh = FreshViews(pictures, model.config, recipe)
    from napari_sam.training.views import batch_pixels

    with torch.no_grad():
        direct = model.encode(batch_pixels(crops, model.device))
    assert features.embedding.dtype == torch.float32
    torch.testing.assert_close(features.embedding, direct.embedding, rtol=2e-3, atol=2e-3)
    torch.testing.assert_close(features.skips[1], direct.skips[1], rtol=2e-3, atol=2e-3)
    assert fresh.crops.config is model.config


def test_training_on_cached_views_learns(model, pictures):
    recipe = Recipe(
        what="decoder", pretrain=0, train=40, pictures=4, objects=4, clicks=(0,), rate=3e-3,
        ramp=1e6, warmup=5, instances=0, batch_statistics=False,
    )  # fmt: skip
    model.eval()
    views = CachedViews(pictures, model.config, recipe, count=4)
    list(views.fill(model))
    losses = [r["loss"] for r in Trainer(model, recipe, views).run()]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])


def test_a_checkpoint_of_other_weights_or_of_none_is_named(model, pictures, tmp_path):
    trainer_of(model, pictures).save(tmp_path / "all.pt")
    decoder = dataclasses.replace(RECIPE, what="decoder", instances=0, batch_statistics=False)
    with pytest.raises(CheckpointError, match=r"all\.pt.*other weights"):
        trainer_of(model, pictures, decoder).load(tmp_path / "all.pt")
    (tmp_path / "half.pt").write_bytes((tmp_path / "all.pt").read_bytes()[:5000])
    with pytest.raises(CheckpointError, match=r"half\.pt"):
        trainer_of(model, pictures).load(tmp_path / "half.pt")


def test_pictures_without_an_object_that_can_be_seen_are_refused(model, pictures):
    specks = [
        dataclasses.replace(p, labels=np.eye(*p.labels.shape, dtype=np.int32)) for p in pictures
    ]
    with pytest.raises(InputError, match="held an object"):
        list(trainer_of(model, specks).run())


def test_the_models_own_sizes_see_whole_pictures(pictures):
    """A SAM with a reduced frame takes the same loop."""
    from napari_sam.model.config import SamConfig, ViTConfig

    config = SamConfig("vit", ViTConfig(16, 2, 2, (1,), window=2), frame=128, width=32,
                       mlp_width=32, upscale_dims=(8, 4))  # fmt: skip
    torch.manual_seed(0)
    recipe = Recipe(
        pretrain=0, train=1, pictures=1, instances=0, batch_statistics=False, layer_decay=0.5
    )
    trainer = Trainer(Sam(config), recipe, FreshViews(pictures, config, recipe))
    shares = sorted({g["share"] for g in trainer.optimiser.param_groups})
    assert shares == [0.125, 0.25, 0.5, 1.0]  # patch embedding, two blocks, the rest
    (report,) = trainer.run()
    assert np.isfinite(report["loss"])


def wrong_shape(state):
    state["average"] = {
        name: value.expand(2, *value.shape) for name, value in state["average"].items()
    }


def wrong_moment(state):
    moments = state["optimiser"]["state"][0]
    moments["exp_avg"] = moments["exp_avg"].reshape(-1)[:1]


def wrong_value(state):
    next(iter(state["optimiser"]["state"].values()))["exp_avg"].fill_(torch.nan)


def wrong_rate(state):
    state["optimiser"]["param_groups"][0]["weight_decay"] = float("inf")


def wrong_step(state):
    state["step"] = -1


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (wrong_shape, "other weights: .*has shape"),
        (wrong_moment, r"exp_avg has shape \(1,\)"),
        (wrong_value, "not finite"),
        (wrong_rate, "not finite"),
        (wrong_step, "-1 steps"),
        (lambda state: state.pop("optimiser"), "optimiser"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused(model, pictures, tmp_path, spoil, words):
    trainer = trainer_of(model, pictures)
    next(trainer.run())
    trainer.save(tmp_path / "run.pt")
    state = torch.load(tmp_path / "run.pt", weights_only=True)
    spoil(state)
    torch.save(state, tmp_path / "run.pt")
    with pytest.raises(CheckpointError, match=rf"run\.pt cannot be resumed.*{words}"):
        trainer_of(model, pictures).load(tmp_path / "run.pt")
