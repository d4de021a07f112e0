"""micro-sam's instance decoder gives torch-em's numbers, with the same weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from napari_sam.model.instances.maps import InstanceMaps
from napari_sam.model.instances.unetr_decoder import UnetrDecoder, is_transposed
from napari_sam.model.sam import Features
from tests.model.conftest import Differences
from tests.model.instances.torch_em_peer import randomised_unetr, reference_maps

MAPS, DOUBLE = 1e-4, 1e-9


def make_pair(transposed: bool, grid: int) -> tuple[UnetrDecoder, nn.Module]:
    """Ours and the reference, with the same weights, of which none is a default."""
    theirs = randomised_unetr(transposed, grid)
    ours = UnetrDecoder(is_transposed(theirs.state_dict()))
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return ours.eval(), theirs


def embedding(batch: int, grid: int) -> Tensor:
    found = torch.randn(batch, 256, grid, grid, generator=torch.Generator().manual_seed(1))
    found[..., grid * 3 // 4 :, :] = 0.1  # as below a wide picture
    return found


def stacked(maps: InstanceMaps) -> Tensor:
    """In the reference's order."""
    return torch.stack([maps.foreground, maps.centre, maps.boundary], dim=1)


def check(pair, grid: int, stored: bool, differences: Differences) -> None:
    ours, theirs = pair
    ours.use_stored_statistics(stored)
    theirs.train(not stored)  # in training mode it normalises by the statistics in hand
    given = embedding(1, grid)
    with torch.inference_mode():
        expected, found = reference_maps(theirs, given), stacked(ours(Features(given)))
    assert expected.std((0, 2, 3)).min() > 0.03, "the maps must be spread to show a mistake"
    which = "stored" if stored else "the picture's"
    differences.check(f"instance decoder, {which} statistics", found, expected, MAPS)


@pytest.mark.parametrize("stored", [True, False])  # in this order: training mode changes the stored
@pytest.mark.parametrize("transposed", [True, False])
def test_maps(transposed, stored, differences):
    check(make_pair(transposed, 8), 8, stored, differences)


@pytest.mark.slow
@pytest.mark.parametrize("transposed", [True, False])
def test_maps_of_a_whole_frame(transposed, differences):
    check(make_pair(transposed, 64), 64, False, differences)


def test_the_two_kinds_of_statistics_differ():
    ours, _ = make_pair(False, 8)
    given = Features(embedding(1, 8))
    with torch.inference_mode():
        own = stacked(ours(given))
        ours.use_stored_statistics()
        stored = stacked(ours(given))
        ours.use_stored_statistics(False)
        assert torch.equal(stacked(ours(given)), own)
    assert (own - stored).abs().max() > 0.1


def test_a_picture_is_normalised_by_itself_whatever_is_beside_it():
    ours, _ = make_pair(False, 4)
    both = embedding(2, 4)
    before = {key: value.clone() for key, value in ours.state_dict().items()}
    with torch.inference_mode():
        together = stacked(ours.train()(Features(both)))
        alone = [stacked(ours(Features(both[i : i + 1]))) for i in range(2)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=0, atol=1e-5)
    assert all(torch.equal(before[key], value) for key, value in ours.state_dict().items())


@pytest.mark.parametrize("transposed", [True, False])
def test_gradients(transposed):
    ours, theirs = (net.double() for net in make_pair(transposed, 2))
    given = embedding(1, 2).double()
    stacked(ours(Features(given))).square().mean().backward()
    reference_maps(theirs.train(), given).square().mean().backward()
    expected = dict(theirs.named_parameters())
    for key, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[key].grad, rtol=0, atol=DOUBLE)


@pytest.mark.parametrize(("transposed", "elements"), [(False, 9_593_159), (True, 11_030_855)])
def test_state_dict_layout(transposed, elements):
    with torch.device("meta"):
        state = UnetrDecoder(transposed).state_dict()
    assert len(state) == 66
    assert sum(value.numel() for value in state.values()) == elements
    assert is_transposed(state) == transposed


def test_stored_embeddings_are_of_half_precision():
    ours, _ = make_pair(False, 4)
    with torch.inference_mode():
        exact, rounded = (ours(Features(embedding(1, 4).to(t))) for t in (None, torch.float16))
    assert rounded.foreground.dtype == torch.float32
    torch.testing.assert_close(rounded.foreground, exact.foreground, rtol=0, atol=0.02)
