"""The schedule."""

import pytest

from napari_sam.training.recipe import Recipe


def test_the_loss_weights_reach_the_papers_when_the_ramp_ends():
    recipe = Recipe(pretrain=10, train=100, ramp=0.5)
    assert [recipe.ramp_at(step) for step in (0, 10, 35, 60, 109)] == [0, 0, 0.5, 1, 1]
    assert Recipe(ramp=0).ramp_at(0) == 1


def test_the_rate_rises_stays_and_falls():
    recipe = Recipe(pretrain=0, train=1000, warmup=100, fall=0.4, rate=2.0)
    assert recipe.rate_at(0) == pytest.approx(0.02)
    assert recipe.rate_at(99) == recipe.rate_at(600) == 2.0
    assert recipe.rate_at(800) == pytest.approx(1.0)
    assert recipe.rate_at(999) == pytest.approx(0.04)  # never quite nothing
