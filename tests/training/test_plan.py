"""What a plan costs, worked out by hand from the measured figures."""

import pytest

from napari_sam.model.config import CONFIGS
from napari_sam.training.plan import WHAT, Plan, estimate, recipe_for


def test_decoder_only_looks_once_and_then_learns():
    seconds, memory = estimate("cells_tiny", "decoder", images=8, steps=300)
    assert seconds == pytest.approx(16 * 8 * 0.03 + 300 * 1.6)
    assert memory == pytest.approx(0.8)


def test_larger_encoders_take_longer_where_they_are_run():
    few, many = (estimate("vit_b", "decoder", images=2, steps=n)[0] for n in (100, 200))
    assert many - few == pytest.approx(250)
    assert estimate("vit_l", "decoder", 2, 100)[0] == pytest.approx(few + 8 * 10 * 2.4)
    assert estimate("vit_l", "adapters", 2, 100)[0] == pytest.approx(100 * 64 * 3.4)


def test_micro_sams_instance_decoder_takes_its_time_where_it_learns():
    base = ("vit_t", "everything", 2, 100)
    alone, both = estimate(*base), estimate(*base, decoder=True)
    assert both[0] - alone[0] == pytest.approx(100 * 130)
    assert both[1] - alone[1] == pytest.approx(7)
    looks_on = ("vit_t", "decoder", 2, 100)
    assert estimate(*looks_on, decoder=True) == estimate(*looks_on)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("what", WHAT)
def test_every_choice_has_an_estimate(name, what):
    assert min(estimate(name, what, images=1, steps=1)) > 0


@pytest.mark.parametrize("name", CONFIGS)
def test_a_step_sees_as_many_pictures_as_fit_into_memory(name):
    recipe = recipe_for(Plan(), CONFIGS[name])
    expected = (8, 1) if name == "cells_tiny" else (1, 2)
    assert (recipe.pictures, recipe.accumulate) == expected
