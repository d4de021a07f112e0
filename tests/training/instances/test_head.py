"""What the head of cells_tiny learns from drawn objects; a perfect answer costs nothing."""

import numpy as np
import pytest
import torch

from napari_sam.training.augment import TrainingCrop
from napari_sam.training.instances.head import instance_loss, instance_targets

SURE = 30.0  # a logit


def crop_of(labels, partial=False, valid=None):
    rgb = np.zeros((*labels.shape, 3), np.uint8)
    valid = np.ones(labels.shape, bool) if valid is None else valid
    return TrainingCrop(rgb, labels.astype(np.int32), valid, partial)


@pytest.fixture
def square():
    """An 18 x 18 square in 64 x 64; on a grid of every second pixel it is 9 x 9."""
    labels = np.zeros((64, 64), int)
    labels[10:28, 20:38] = 7
    return labels


def test_a_square_is_deepest_in_its_middle_and_thin_at_its_rim(square):
    targets = instance_targets(crop_of(square), 2)
    assert targets.shape == (6, 32, 32)
    assert targets.dtype == np.float32
    foreground, rim, depth, octaves, known, seen = targets
    assert foreground.sum() == 81
    assert rim.sum() == 4 * 8
    assert np.unravel_index(depth.argmax(), depth.shape) == (9, 14)
    assert depth[9, 14] == 1
    assert depth[5, 14] == pytest.approx(1 / 5)
    assert (depth[rim > 0] == np.float32(1 / 5)).all()
    assert (depth[foreground == 0] == 0).all()
    diameter = 2 * np.sqrt(18 * 18 / np.pi)
    assert octaves[9, 14] == pytest.approx(np.log2(diameter / 32), abs=1e-5)
    assert known.all()
    assert seen.all()


def test_an_object_of_twice_the_side_is_an_octave_larger():
    labels = np.zeros((64, 64), int)
    labels[2:14, 2:14], labels[20:44, 20:44] = 1, 2
    octaves = instance_targets(crop_of(labels), 2)[3]
    assert octaves[16, 16] - octaves[3, 3] == pytest.approx(1)


def test_objects_that_touch_have_a_rim_between_them():
    labels = np.ones((32, 32), int)
    labels[:, 16:] = 2
    _, rim, depth, *_ = instance_targets(crop_of(labels), 2)
    assert rim[:, 7:9].all()
    assert not rim[:, :7].any()  # the border of the crop is no rim
    assert depth[5, 0] == depth[5, 15] == 1


def test_one_object_that_fills_the_crop_has_no_rim():
    foreground, rim, depth, *_ = instance_targets(crop_of(np.ones((32, 32), int)), 2)
    assert foreground.all()
    assert not rim.any()
    assert (depth == 1).all()


def test_only_the_objects_of_a_partially_labelled_picture_are_known(square):
    valid = np.ones(square.shape, bool)
    valid[50:] = False
    *_, known, seen = instance_targets(crop_of(square, partial=True, valid=valid), 2)
    assert known.sum() == 81
    assert seen.sum() == 25 * 32
    *_, known, seen = instance_targets(crop_of(square, valid=valid), 2)
    assert (known == seen).all()


def perfect(targets):
    foreground, rim, depth, octaves = targets[:, :4].unbind(1)
    return torch.stack(
        [
            SURE * (2 * foreground - 1),
            SURE * (2 * rim - 1),
            torch.logit(depth, eps=1e-6),
            octaves,
        ],
        dim=1,
    )


def targets_of(*crops):
    return torch.from_numpy(np.stack([instance_targets(crop, 2) for crop in crops]))


def test_a_perfect_answer_costs_nothing_and_any_other_more(square):
    targets = targets_of(crop_of(square))
    answer = perfect(targets)
    assert instance_loss(answer, targets) < 1e-4
    assert instance_loss(answer.half(), targets) < 1e-2
    for channel in range(4):
        worse = answer.clone()
        worse[:, channel, 9, 14] -= 60.0 if channel != 1 else -60.0
        assert instance_loss(worse, targets) > instance_loss(answer, targets) + 1e-3, channel


def test_the_padding_and_what_nobody_labelled_may_be_anything_but_quiet_stays_quiet(square):
    valid = np.ones(square.shape, bool)
    valid[50:] = False
    targets = targets_of(crop_of(square, partial=True, valid=valid))
    answer = perfect(targets)
    least = instance_loss(answer, targets)
    free = answer.clone()
    free[:, 0, 2, 2], free[:, :, 30] = SURE, 5.0  # an object that nobody labelled, the padding
    assert instance_loss(free, targets) == pytest.approx(float(least), abs=1e-5)
    doubtful = answer.clone()
    doubtful[:, 0, 2, 2] = -0.1  # rather background: it is pushed to stay that
    doubtful.requires_grad_()
    instance_loss(doubtful, targets).backward()
    assert doubtful.grad[0, 0, 2, 2] > 0
    assert doubtful.grad[0, :, 30].abs().max() == 0


def test_without_any_object_there_is_only_background():
    targets = targets_of(crop_of(np.zeros((32, 32), int)))
    assert instance_loss(perfect(targets), targets) < 1e-6
