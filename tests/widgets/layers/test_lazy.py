"""Pictures larger than memory: only what is looked at is read, and never by the window's thread."""

from __future__ import annotations

import threading

import dask
import dask.array as da
import numpy as np
import pytest
import torch
import zarr
from napari.components import ViewerModel
from napari.layers import Image

from napari_sam.inference.predictor import Predictor
from napari_sam.inference.pyramid import tile_at
from napari_sam.inference.sampling import SAMPLE_PLANES
from napari_sam.inference.store.memory import MemoryStore
from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.model.config import CONFIGS
from napari_sam.model.sam import Sam
from napari_sam.serving.host import ModelHost
from napari_sam.serving.segmenter import StoredSegmenter
from napari_sam.settings import Settings, save_settings
from napari_sam.widgets.layers.image_stack import OURS, ImageStack
from napari_sam.widgets.panel import Panel
from napari_sam.zoo.catalogue import Entry
from tests.widgets.conftest import close_at_end, ours


class Volume:
    """A lazy volume that remembers which of its chunks were computed, and in which threads.

    The pixels of a chunk tell its place, so that a wrong one is noticed.
    """

    def __init__(self, shape, planar=2):
        self.read, self.by_window = [], []
        chunks = (1,) * (len(shape) - planar) + shape[len(shape) - planar :]
        empty = da.zeros(shape, chunks=chunks, dtype=np.uint16)
        self.data = empty.map_blocks(self.compute, dtype=np.uint16, meta=np.empty(0, np.uint16))

    def compute(self, block, block_info=None):
        at = tuple(low for low, _ in block_info[0]["array-location"])
        self.read.append(at)
        if threading.current_thread() is threading.main_thread():
            self.by_window.append(at)
        return block + np.uint16(np.ravel_multi_index(at, block_info[0]["shape"]) % 60_013)

    def pixel(self, *at):
        return np.ravel_multi_index((*at, 0, 0), self.data.shape) % 60_013


@pytest.fixture(autouse=True)
def read_what_is_asked_for(own_settings):
    """Embed nothing ahead, and compute chunks in the thread that asks for them."""
    save_settings(Settings(embed_ahead=False))
    with dask.config.set(scheduler="synchronous"):
        yield


def known_by(volume):
    """The first, middle and last plane, by which a saved session knows its picture."""
    last = len(volume.data) - 1
    return {(z, 0, 0) for z in (0, last // 2, last // 2 * 2)}


def test_a_dask_stack_is_read_slice_by_slice(open_panel, settle, model):
    volume = Volume((300, 40, 60))
    viewer = ViewerModel()
    viewer.add_image(volume.data, contrast_limits=(0, 60_000))
    viewer.dims.set_point(0, 101)
    volume.read.clear(), volume.by_window.clear()
    panel = open_panel(viewer)
    settle(panel)
    ours(viewer, "points").add((101, 10, 20))
    settle(panel)
    panel.controls.accept.click()
    assert len(set(volume.read)) <= 2 * SAMPLE_PLANES  # of 300
    assert set(volume.by_window) <= known_by(volume)
    volume.read.clear()
    viewer.dims.set_point(0, 207)
    volume.by_window.clear()
    ours(viewer, "points").add((207, 10, 20))
    settle(panel)
    assert set(volume.read) == {(207, 0, 0)}
    assert not volume.by_window
    assert model.embedded[-1][0].min() == volume.pixel(207)


def test_of_channels_only_those_in_use(open_panel, settle, model):
    volume = Volume((90, 6, 40, 60))
    viewer = ViewerModel()
    viewer.add_image(volume.data, contrast_limits=(0, 60_000), axis_labels=tuple("zcyx"))
    viewer.dims.set_point(0, 33)
    panel = open_panel(viewer)
    settle(panel)
    panel.annotation.identity.wait()
    volume.read.clear()
    panel.controls.channels.sees.activated.emit(4)
    settle(panel)
    assert {at[1] for at in volume.read} == {4}
    assert len(set(volume.read)) <= SAMPLE_PLANES + 3
    assert model.embedded[-1][0].min() == volume.pixel(33, 4)
    assert ours(viewer, "points").ndim == 4


def test_contrast_is_sampled_from_a_coarse_level_and_slices_from_the_finest(
    open_panel, settle, model
):
    fine, middle, coarse = levels = [Volume((40, side, side)) for side in (1024, 512, 128)]
    viewer = ViewerModel()
    viewer.add_image([level.data for level in levels], multiscale=True, contrast_limits=(0, 60_000))
    viewer.dims.set_point(0, 30)
    for level in levels:
        level.read.clear()
    panel = open_panel(viewer)
    ours(viewer, "points").add((30, 700, 900))
    settle(panel)
    assert model.embedded[-1][0].shape == (1024, 1024)
    assert model.embedded[-1][0].min() == fine.pixel(30)
    assert set(fine.read) - known_by(fine) == {(30, 0, 0)}
    assert len(set(middle.read)) > 10
    assert set(coarse.read) <= {(30, 0, 0)}  # napari's own
    panel.controls.accept.click()
    assert panel.annotation.target.data[30, 700, 900] == 1


def test_zarr_and_ome_zarr_levels(open_panel, settle, model, tmp_path):
    rng = np.random.default_rng(0)
    whole = rng.integers(0, 4000, (2, 9, 64, 96)).astype(np.uint16)
    levels = []
    for number, data in enumerate([whole, whole[..., ::2, ::2]]):
        level = zarr.create_array(
            tmp_path / f"{number}", shape=data.shape, chunks=(1, 1, 32, 32), dtype=data.dtype
        )
        level[:] = data
        levels.append(level)
    for layer in (
        Image(levels[0], axis_labels=tuple("czyx")),
        Image(levels, multiscale=True, axis_labels=tuple("czyx")),
    ):
        viewer = ViewerModel()
        viewer.add_layer(layer)
        viewer.dims.set_point(1, 7)
        panel = open_panel(viewer)
        panel.controls.channels.sees.activated.emit(1)
        settle(panel)
        np.testing.assert_array_equal(model.embedded[-1][0], whole[1, 7])
        ours(viewer, "points").add((7, 50, 80))
        settle(panel)
        panel.controls.accept.click()
        labels = panel.annotation.target
        assert labels.data.shape == (9, 64, 96)
        assert labels.data[7, 50, 80] == 1
        assert not labels.data[:7].any()


def test_a_picture_of_many_channels_is_described_without_reading_any():
    volume = Volume((50, 4, 40, 60))
    layer = Image(volume.data, contrast_limits=(0, 1), metadata={OURS: {"channel_axis": 1}})
    volume.read.clear()
    cells = ImageStack(layer)
    assert cells.shape == (50, 1, 40, 60)
    assert len(cells.channels) == 4
    cells.reader((3, 0, None, None)), cells.sampler(), cells.view((3, 0, None, None), 20)
    assert not volume.read


def test_a_large_slice_is_never_read_by_the_windows_thread(qtbot, settle):
    torch.manual_seed(0)
    sam = Sam(CONFIGS["cells_tiny"]).eval()
    sam.entry = Entry("known", "cells_tiny", sha256="ab" * 32)
    store = EmbeddingStore(MemoryStore(10**8))
    threads = []

    def compute(block, block_info=None):
        threads.append(threading.current_thread())
        return block + np.random.default_rng(0).integers(0, 99, block.shape, dtype=np.uint8)

    empty = da.zeros((2100, 2100), chunks=(256, 256), dtype=np.uint8)
    data = empty.map_blocks(compute, dtype=np.uint8, meta=np.empty(0, np.uint8))
    viewer = ViewerModel()
    viewer.add_image(data, contrast_limits=(0, 99), name="large")
    host = ModelHost(lambda *which: StoredSegmenter(Predictor(sam), store))
    panel = Panel(viewer, host)
    close_at_end(qtbot, panel)
    settle(panel)
    assert store.made == 0
    threads.clear()
    ours(viewer, "points").add((900, 1200))
    settle(panel)
    assert panel.annotation.session.prediction is not None
    assert store.made > 0
    assert threads
    assert threading.main_thread() not in threads


def test_coarse_parts_of_a_large_plane_come_from_a_coarse_level():
    sides = [(2, 2400, 2600), (2, 1200, 1300), (1, 600, 650)]
    fine, middle, deeper = levels = [Volume(shape) for shape in sides]
    layer = Image([one.data for one in levels], multiscale=True, contrast_limits=(0, 60_000))
    picture = ImageStack(layer)
    plane = picture.source((1, None, None))()
    for level in levels:
        level.read.clear()
    assert plane.shape == (2400, 2600)
    assert [(one.steps, one.first) for one in plane.coarser] == [((2, 2), (0.5, 0.5))]
    pixels, _ = tile_at(plane.shape, (1200, 1300), 1).read(plane, (0, 60_000))
    assert pixels.shape == (1024, 1024, 3)
    assert not fine.read
    assert not deeper.read  # it shows no single slice
    assert set(middle.read) == {(1, 0, 0)}
