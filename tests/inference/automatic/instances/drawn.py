"""Drawn objects, and the maps that a head that is right has of them."""

import numpy as np

from napari_sam.inference.object_maps import LevelMaps
from napari_sam.training.augment import TrainingCrop
from napari_sam.training.instances.head import instance_targets


def discs(shape, *places):
    """Labels of discs (row, column, radius), the later on top."""
    rows, columns = np.indices(shape)
    labels = np.zeros(shape, np.int32)
    for number, (r, c, radius) in enumerate(places, 1):
        labels[np.hypot(rows - r, columns - c) < radius] = number
    return labels


def perfect(labels, stride=2, sure=0.95):
    """What a head that is right says of labels, with a cell for `stride` pixels."""
    crop = TrainingCrop(np.zeros((*labels.shape, 3), np.uint8), labels, np.ones(labels.shape, bool))
    inside, rim, depth, octaves, *_ = instance_targets(crop, stride)
    return LevelMaps(
        labels.shape, 1 / stride, inside * sure, rim * sure, depth, 32 * 2**octaves / stride
    )


def found_labels(found, shape):
    labels = np.zeros(shape, int)
    for number, one in enumerate(found, 1):
        one.cropped.mark(labels, (0, 0, *shape), number)
    return labels


def iou(a, b):
    return (a & b).sum() / (a | b).sum()
