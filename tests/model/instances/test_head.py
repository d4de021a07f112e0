"""The instance head of cells_tiny: its maps' shapes and ranges, on any size and precision."""

import pytest
import torch

from napari_sam.model.cells_encoder import LARGE
from napari_sam.model.config import CONFIGS
from napari_sam.model.instances.head import REFERENCE_DIAMETER, InstanceHead, is_own
from napari_sam.model.instances.unetr_decoder import UnetrDecoder
from napari_sam.model.sam import Features

CONFIG = CONFIGS["cells_tiny"]


@pytest.fixture
def head():
    torch.manual_seed(0)
    return InstanceHead(CONFIG).eval().requires_grad_(False)


def features(batch, h, w, seed=1):
    """Random features of strides 8, 4 and 2."""
    made = torch.Generator().manual_seed(seed)
    widths = (CONFIG.width, *CONFIG.upscale_dims)
    sizes = ((h << i, w << i) for i in range(3))
    maps = [
        torch.randn(batch, c, *size, generator=made) for c, size in zip(widths, sizes, strict=True)
    ]
    return Features(maps[0], (maps[1], maps[2]))


def test_maps_are_on_the_grid_of_the_masks(head):
    found = head(features(2, 6, 10))
    for one in (found.foreground, found.boundary, found.depth, found.diameter):
        assert one.shape == (2, 24, 40)
        assert one.dtype == torch.float32
    assert found.centre is None
    for one in (found.foreground, found.boundary, found.depth):
        assert ((one > 0) & (one < 1)).all()
    logits = head.logits(features(2, 6, 10))
    torch.testing.assert_close(found.diameter, REFERENCE_DIAMETER * 2 ** logits[:, 3])


def test_a_picture_s_maps_do_not_depend_on_what_is_beside_it(head):
    both = features(2, 4, 4)
    alone = Features(both.embedding[:1], tuple(s[:1] for s in both.skips))
    torch.testing.assert_close(head.logits(both)[:1], head.logits(alone), rtol=0, atol=1e-5)


def test_a_piece_of_a_map_is_as_in_the_whole_but_at_its_edge(head):
    whole = features(1, 24, 12)
    piece = Features(
        whole.embedding[..., :12, :], tuple(s[..., : s.shape[2] // 2, :] for s in whole.skips)
    )
    expected, found = head.logits(whole), head.logits(piece)
    reach = 32  # cells of the fine grid
    inner = found.shape[2] - reach
    torch.testing.assert_close(found[..., :inner, :], expected[..., :inner, :], rtol=0, atol=1e-5)
    assert not torch.allclose(found, expected[..., : found.shape[2], :], atol=1e-3)


def test_a_large_map_is_worked_on_in_bands_and_comes_out_the_same(head):
    large = features(1, 76, 76)
    assert large.skips[1][0, 0].nbytes * 24 > LARGE
    with torch.inference_mode():
        banded = head.logits(large)
    with torch.enable_grad():  # never in bands
        whole = head.logits(large)
    torch.testing.assert_close(banded, whole, rtol=0, atol=1e-5)


def test_half_precision_gives_single_precision_maps(head):
    given = features(1, 4, 4)
    expected = head(given)
    halved = Features(given.embedding.half(), tuple(s.half() for s in given.skips))
    found = head.half()(halved)
    assert found.foreground.dtype == torch.float32
    torch.testing.assert_close(found.foreground, expected.foreground, rtol=0, atol=0.02)


def test_it_is_told_from_micro_sams_by_its_keys(head):
    assert is_own(head.state_dict())
    with torch.device("meta"):
        assert not is_own(UnetrDecoder().state_dict())
