"""Which instance decoders a run teaches."""

import numpy as np
import pytest
import torch

from napari_sam.model.instances.unetr_decoder import UnetrDecoder
from napari_sam.training.augment import random_crop
from napari_sam.training.instances.teach import can_learn, maps_loss
from napari_sam.training.plan import WHAT
from napari_sam.training.views import batch_pixels


@pytest.mark.parametrize("what", WHAT)
def test_our_head_learns_in_every_run_and_nothing_does_without_one(model, what):
    assert can_learn(model, what)
    model.instance_decoder = None
    assert not can_learn(model, what)


def test_micro_sams_learns_on_a_processor_only_where_the_encoder_changes(model):
    with torch.device("meta"):
        model.instance_decoder = UnetrDecoder()
    learns = {what: can_learn(model, what) for what in WHAT}
    assert learns == {"decoder": False, "adapters": True, "everything": True}


def test_the_loss_reaches_every_weight_of_the_head(model, pictures):
    crop = random_crop(pictures[0], 64, np.random.default_rng(0))
    model.eval()
    features = model.encode(batch_pixels([crop], model.device))
    maps_loss(model, features, [crop]).backward()
    for name, parameter in model.instance_decoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
