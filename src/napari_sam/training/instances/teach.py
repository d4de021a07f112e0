"""Which targets and loss an instance decoder learns from, by its kind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from napari_sam.model.instances.head import InstanceHead
from napari_sam.model.instances.unetr_decoder import UnetrDecoder
from napari_sam.model.sam import Features, Sam
from napari_sam.training.amp import mixed
from napari_sam.training.augment import TrainingCrop
from napari_sam.training.instances.distances import distance_loss, distance_targets
from napari_sam.training.instances.head import instance_loss, instance_targets

__all__ = ["can_learn", "maps_loss"]

TAUGHT = {
    InstanceHead: (instance_targets, instance_loss),
    UnetrDecoder: (distance_targets, distance_loss),
}


def maps_loss(model: Sam, features: Features, crops: Sequence[TrainingCrop]) -> Tensor:
    """Return the loss () of a model's instance decoder on crops with their features."""
    decoder = model.instance_decoder
    assert isinstance(decoder, (InstanceHead, UnetrDecoder))
    targets_of, loss_of = TAUGHT[type(decoder)]
    with mixed(model.device):
        logits = decoder.logits(features)
    stride = len(crops[0].labels) // logits.shape[-2]
    targets = np.stack([targets_of(crop, stride) for crop in crops])
    return loss_of(logits, torch.from_numpy(targets).to(logits.device))


def can_learn(model: Sam, what: str) -> bool:
    """Return whether a run that trains `what` teaches the instance decoder, too.

    micro-sam's, whose maps are as fine as the frame, takes a processor a minute and more for each
    picture. There it learns only where it must, because the image encoder changes below it.
    """
    decoder = model.instance_decoder
    slow = isinstance(decoder, UnetrDecoder) and model.device.type == "cpu"
    return decoder is not None and not (slow and what == "decoder")
