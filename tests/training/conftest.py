"""Small labelled pictures, one thread, and a model of ours with few channels."""

import numpy as np
import pytest
import torch

from napari_sam.data.samples import images_from_arrays
from napari_sam.model.config import CellsEncoderConfig, SamConfig
from napari_sam.model.instances.head import InstanceHead
from napari_sam.model.sam import Sam
from recipes.cells_tiny import initialise


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def discs(seed, shape=(96, 120)):
    """Return a noisy picture of four bright discs and its labels."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.uint16)
    y, x = np.ogrid[: shape[0], : shape[1]]
    for i, (r, c) in enumerate([(20, 20), (22, 60), (60, 30), (70, 90)], 1):
        labels[(y - r) ** 2 + (x - c) ** 2 < 12**2] = i
    return ((labels > 0) * 150 + rng.integers(0, 60, shape)).astype(np.uint8), labels


@pytest.fixture
def pictures():
    return [p for seed in range(2) for p in images_from_arrays(f"p{seed}", *discs(seed))]


@pytest.fixture
def config():
    return SamConfig(
        "small",
        CellsEncoderConfig(dims=(4, 8, 16, 16, 16), depths=(1, 1, 1, 1, 1)),
        frame=64,
        stride=8,
        width=32,
        mlp_width=32,
        upscale_dims=(8, 4),
        dense=True,
        enlarge=128,
        closest=256,
    )


@pytest.fixture
def model(config):
    torch.manual_seed(0)
    model = Sam(config)
    initialise(model)
    model.instance_decoder = InstanceHead(config)
    return model
