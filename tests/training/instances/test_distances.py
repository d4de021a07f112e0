"""What micro-sam's decoder learns from drawn objects, and that it learns one by heart."""

import numpy as np
import pytest
import torch

from napari_sam.data.samples import images_from_arrays
from napari_sam.model.config import SamConfig, ViTConfig
from napari_sam.model.instances.unetr_decoder import UnetrDecoder
from napari_sam.model.sam import Sam
from napari_sam.training.instances.distances import distance_loss, distance_targets
from napari_sam.training.recipe import Recipe
from napari_sam.training.trainer import Trainer
from napari_sam.training.views import CachedViews
from tests.training.instances.test_head import crop_of


def square():
    labels = np.zeros((32, 32), int)
    labels[4:13, 10:19] = 3  # 9 x 9, its middle at (8, 14)
    return labels


def test_both_distances_are_shares_of_the_object_s_largest_and_1_outside():
    targets = distance_targets(crop_of(square()), 1)
    assert targets.shape == (5, 32, 32)
    assert targets.dtype == np.float32
    foreground, centre, boundary, known, seen = targets
    assert foreground.sum() == 81
    assert centre[8, 14] == boundary[8, 14] == 0
    assert centre[4, 10] == pytest.approx(1, abs=1e-5)  # a corner is farthest
    assert centre[8, 18] == pytest.approx(4 / np.hypot(4, 4), abs=1e-5)
    assert boundary[8, 18] == boundary[4, 14] == pytest.approx(1, abs=1e-5)
    assert boundary[8, 16] == pytest.approx(0.5, abs=1e-5)
    assert (centre[foreground == 0] == 1).all()
    assert (boundary[foreground == 0] == 1).all()
    assert known.all()
    assert seen.all()


def test_the_centre_of_a_ring_lies_in_the_ring():
    labels = np.zeros((32, 32), int)
    y, x = np.indices(labels.shape)
    radius = np.hypot(y - 15, x - 15)
    labels[(radius > 6) & (radius < 13)] = 1
    foreground, centre, boundary, *_ = distance_targets(crop_of(labels), 1)
    lowest = np.unravel_index(centre.argmin(), centre.shape)
    assert centre[lowest] == 0
    assert foreground[lowest] == 1
    assert boundary[lowest] == 0  # the deepest place


def test_in_a_partially_labelled_picture_only_objects_are_known():
    *_, known, seen = distance_targets(crop_of(square(), partial=True), 1)
    assert known.sum() == 81
    assert seen.all()


def perfect(targets):
    return torch.logit(targets[:, [0, 1, 2]], eps=1e-6)


@pytest.mark.parametrize("partial", [False, True])
def test_a_perfect_answer_costs_nothing_and_any_other_more(partial):
    targets = torch.from_numpy(distance_targets(crop_of(square(), partial), 1))[None]
    answer = perfect(targets)
    assert distance_loss(answer, targets) < 1e-5
    for channel in range(3):
        worse = answer.clone()
        worse[:, channel, 4:9, 10:19] *= -1
        assert distance_loss(worse, targets) > 1e-2, channel


def test_objects_that_nobody_labelled_cost_nothing():
    targets = torch.from_numpy(distance_targets(crop_of(square(), partial=True), 1))[None]
    answer = perfect(targets)
    answer[:, 0, 20:30, 20:30] = 9.0
    assert distance_loss(answer, targets) < 1e-4


def test_it_learns_a_drawn_picture_by_heart():
    config = SamConfig("vit", ViTConfig(16, 1, 2, (0,), window=2), frame=32, width=256,
                       mlp_width=32, upscale_dims=(8, 4))  # fmt: skip
    torch.manual_seed(0)
    model = Sam(config)
    model.instance_decoder = UnetrDecoder()
    model.eval().requires_grad_(False)
    labels = np.zeros((32, 32), np.uint16)
    labels[2:15, 3:16], labels[17:30, 14:30] = 1, 2
    [picture] = images_from_arrays("drawn", (labels > 0).astype(np.uint8) * 200, labels)
    recipe = Recipe(what="instances", pretrain=30, train=0, pictures=1, rate=1e-3, warmup=3)
    views = CachedViews([picture], config, recipe, count=1)
    list(views.fill(model))
    before = {k: v.clone() for k, v in model.state_dict().items()}
    losses = [report["instances"] for report in Trainer(model, recipe, views).run()]
    assert losses[-1] < 0.25 * losses[0]
    changed = {k for k, v in model.state_dict().items() if not torch.equal(v, before[k])}
    assert changed
    assert all(k.startswith("instance_decoder.") for k in changed)
    assert not any("running_" in k for k in changed)  # it looks at the picture in hand
