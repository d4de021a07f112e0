"""Instances from maps are torch-em's, and maps come back to the picture as micro-sam's do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_sam.inference.automatic.instances.ais import label_instances, segment_maps, to_picture
from napari_sam.inference.automatic.search import propose_instances
from napari_sam.inference.automatic.settings import InstanceSettings
from napari_sam.inference.object_maps import LevelMaps
from napari_sam.inference.predictor import Predictor
from napari_sam.masks import slices
from napari_sam.model.config import SamConfig, ViTConfig
from napari_sam.model.instances.unetr_decoder import UnetrDecoder
from napari_sam.model.sam import Features, Sam
from tests.model.instances.torch_em_peer import randomised_unetr, reference_ais

ROUNDING = 1e-3  # of the pixels: the Gaussians differ by 2e-7, and some pixels lie between two


def maps(seed, shape=(150, 190)):
    """Foreground, centre and boundary distance without any order to them, 0..1."""
    rng = np.random.default_rng(seed)
    smooth = [ndimage.gaussian_filter(rng.random(shape), sigma) for sigma in (4, 3, 3)]
    return [((x - x.min()) / np.ptp(x)).astype(np.float32) for x in smooth]


@pytest.mark.parametrize("min_size", [0, 40])
@pytest.mark.parametrize("thresholds", [(0.5, 0.5, 0.5), (0.4, 0.6, 0.45)])
@pytest.mark.parametrize("seed", range(3))
def test_labels_without_smoothing_are_equal(seed, thresholds, min_size):
    centre, boundary, foreground = thresholds
    expected = reference_ais(
        *maps(seed),
        0,
        center_distance_threshold=centre,
        boundary_distance_threshold=boundary,
        foreground_threshold=foreground,
        distance_smoothing=0,
        min_size=min_size,
    )
    found = segment_maps(
        *maps(seed),
        centre_threshold=centre,
        boundary_threshold=boundary,
        foreground_threshold=foreground,
        foreground_smoothing=0,
        distance_smoothing=0,
        min_size=min_size,
    )
    assert expected.max() > 30
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("smoothing", [1.6, 2.0])
@pytest.mark.parametrize("seed", range(3))
def test_labels_with_smoothing_are_equal_but_for_rounding(seed, smoothing, largest_differences):
    expected = reference_ais(*maps(seed), 1.0, distance_smoothing=smoothing)
    found = segment_maps(*maps(seed), distance_smoothing=smoothing)
    assert expected.max() > 30
    share = float((found != expected).mean())
    kind = "share of pixels with another label than torch-em's"
    largest_differences[kind] = max(largest_differences.get(kind, 0.0), share)
    assert share <= ROUNDING


@pytest.mark.parametrize(("inside", "shape"), [((96, 128), (30, 40)), ((128, 77), (200, 120))])
def test_maps_come_back_to_the_picture_as_the_reference_has_it(inside, shape):
    unetr = randomised_unetr(False, 8)
    found = torch.rand(2, 128, 128, generator=torch.Generator().manual_seed(0))
    expected = unetr.postprocess_masks(found[None], inside, shape)[0]
    torch.testing.assert_close(to_picture(found, 128, inside, shape), expected, rtol=0, atol=1e-6)


def test_maps_of_a_coarse_grid_are_enlarged_to_the_frame_first():
    ramp = torch.arange(8.0).expand(1, 8, 8)
    [row] = to_picture(ramp, 32, (32, 16), (1, 16))[0].unbind(0)
    assert row.tolist() == pytest.approx(np.clip(np.arange(16) / 4 - 0.375, 0, None).tolist())


def square(*corners, shape=(20, 40)):
    """Maps of squares (top, left, side): distances grow from 0 in the middle to 1 at the rim."""
    inside, distance = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    rows, columns = np.indices(shape)
    for top, left, side in corners:
        middle = np.array([top, left]) + (side - 1) / 2
        far = np.maximum(abs(rows - middle[0]), abs(columns - middle[1])) / (side / 2)
        inside[far < 1], distance = 1, np.minimum(distance, far)
    return inside, distance.astype(np.float32)


def test_touching_objects_are_parted_and_small_ones_dropped():
    inside, distance = square((4, 4, 10), (4, 14, 10), (5, 30, 4))
    labels = segment_maps(inside, distance, distance, foreground_smoothing=0, distance_smoothing=0)
    assert np.bincount(labels.ravel()).tolist() == [800 - 216, 16, 100, 100]  # by their seeds' rows
    labels = segment_maps(inside, distance, distance, min_size=50)
    assert labels.max() == 2
    assert labels[9, [8, 18, 32]].tolist() == [1, 2, 0]
    assert labels.dtype == np.int32


def test_seeds_that_touch_at_a_corner_are_one():
    centre = np.ones((6, 6), np.float32)
    centre[2, 2] = centre[3, 3] = 0
    inside = np.ones_like(centre)
    options = {"foreground_smoothing": 0, "distance_smoothing": 0}
    assert segment_maps(inside, centre, centre, **options).max() == 1
    centre[3, 3], centre[4, 4] = 1, 0
    assert segment_maps(inside, centre, centre, **options).max() == 2


@pytest.mark.parametrize("value", [0, 1])
def test_pictures_without_objects_and_full_of_one(value):
    full = np.full((12, 12), value, np.float32)
    labels = segment_maps(full, 1 - full, 1 - full)
    assert (labels == value).all()


def drawn_maps():
    inside, distance = square((4, 4, 10), (4, 14, 10), (5, 28, 9))
    return LevelMaps(inside.shape, 1.0, inside, distance, centre=distance)


def test_labels_are_rated_by_their_foreground_and_have_a_deepest_place():
    found = list(label_instances(drawn_maps(), InstanceSettings()))
    assert len(found) == 3
    (mask, quality, point), *_ = found
    assert quality == 1
    assert mask.shape == (20, 40)
    assert point in {(8, 8), (8, 9), (9, 8), (9, 9)}
    assert len(list(label_instances(drawn_maps(), InstanceSettings(smallest=90)))) == 2


def test_the_default_split_is_micro_sams_and_more_or_less_of_it_moves_both_thresholds():
    maps = drawn_maps()
    seen = {}
    for split in (0.05, InstanceSettings.split, 0.95):
        seen[split] = len(list(label_instances(maps, InstanceSettings(split=split))))
    assert (
        seen[InstanceSettings.split]
        == segment_maps(maps.foreground, maps.centre, maps.boundary).max()
    )
    assert seen[0.05] < seen[InstanceSettings.split]  # what touches is one
    assert seen[0.95] < seen[InstanceSettings.split]  # no place is so deep


class Noise(torch.nn.Module):
    """An image encoder for which every picture is the same noise."""

    embedding = torch.randn(1, 256, 8, 8, generator=torch.Generator().manual_seed(3))

    def forward(self, pixels):
        return self.embedding


def test_what_is_proposed_is_micro_sams_own_segmentation():
    config = SamConfig("vit", ViTConfig(16, 1, 2, (0,), window=2), frame=128, width=256,
                       mlp_width=32, upscale_dims=(8, 4))  # fmt: skip
    torch.manual_seed(0)
    model = Sam(config)
    decoder = UnetrDecoder()
    decoder.load_state_dict(randomised_unetr(False, 8).state_dict())
    model.image_encoder, model.instance_decoder = Noise(), decoder
    with torch.no_grad():  # so that half of each map is above 0.5
        middle = decoder.logits(Features(Noise.embedding)).flatten(2).median(dim=2).values[0]
        decoder.out_conv.bias -= middle
    predictor = Predictor(model.eval().requires_grad_(False))
    picture = np.random.default_rng(0).integers(0, 255, (150, 200), np.uint8)

    [level] = predictor.embed(picture).levels
    assert level.shape == (96, 128)
    with torch.inference_mode():
        maps = model.instance_decoder(level.features)
    parts = torch.cat([maps.foreground, maps.centre, maps.boundary])
    expected = segment_maps(*to_picture(parts, 128, (96, 128), (150, 200)).numpy(), min_size=9)
    assert expected.max() > 3

    settings = InstanceSettings(foreground=0.5, smallest=9, quality=0)
    found = propose_instances(predictor, picture, settings)
    assert len(found) == expected.max()
    areas = np.bincount(expected.ravel())
    for one in found:
        [label] = np.unique(expected[slices(one.cropped.box)][one.patch])
        assert label > 0
        assert one.area == areas[label]
        assert 0 <= one.score <= 1
