"""What the memory of a stack keeps, and what it does not disturb."""

from __future__ import annotations

import pytest
import torch

from napari_sam.errors import InputError
from napari_sam.model.sam2.sam2 import Sam2
from napari_sam.model.sam2.tracker import Tracker
from tests.model.sam2.peers import TINY, randomise

CLICK = torch.tensor([[[20.0, 30.0]]]), torch.tensor([[1]])
OTHER = torch.tensor([[[50.0, 10.0]]]), torch.tensor([[1]])


@pytest.fixture(scope="module")
def model():
    model = Sam2(TINY)
    weights = randomise(model)
    weights["mask_decoder.pred_obj_score_head.layers.2.bias"].fill_(2.0)
    return model.requires_grad_(False)


@pytest.fixture(scope="module")
def stack(model):
    slices = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    return [model.encode(one[None]) for one in slices]


def tracker_of(model, stack, count):
    return Tracker(model, lambda index: stack[index % len(stack)], count)


def masks(followed, key="a"):
    return {index: answers[key].logits for index, answers in followed}


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[at], other[at]) for at in one)


def test_an_object_more_disturbs_none(model, stack):
    alone, both = (tracker_of(model, stack, 6) for _ in range(2))
    for tracker in (alone, both):
        tracker.prompt("a", 1, *CLICK)
    expected = masks(alone.follow())
    next(both.follow())
    both.prompt("b", 3, *OTHER)
    found = list(both.follow())
    assert equal(masks(found), expected)
    assert [index for index, _ in found] == [1, 2, 3, 4, 5]
    both.remove("b")
    assert equal(masks(both.follow()), expected)


def test_back_goes_to_the_first_slice(model, stack):
    tracker = tracker_of(model, stack, 6)
    tracker.prompt("a", 3, *CLICK)
    assert [index for index, _ in tracker.follow(back=True)] == [3, 2, 1, 0]
    assert [index for index, _ in tracker.follow(end=4)] == [3, 4]


def test_a_correction_stays_and_changes_what_comes_after(model, stack):
    tracker = tracker_of(model, stack, 6)
    tracker.prompt("a", 0, *CLICK)
    before = masks(tracker.follow())
    corrected = tracker.prompt("a", 3, *OTHER)
    tracker.settle("a")
    assert sorted(tracker.banks["a"].marked) == [0, 3]
    assert not tracker.banks["a"].followed  # all of it was close by
    after = masks(tracker.follow(start=3))
    assert torch.equal(after[3], corrected.logits)
    assert not torch.equal(after[4], before[4])
    tracker.unmark("a", 3)
    assert equal(masks(tracker.follow()), before)


def test_clicks_of_one_correction_see_the_same_memory(model, stack):
    """Compared with the original package, whose numbers these were to 1e-10 in float64."""
    tracker = tracker_of(model, stack, 6)
    tracker.prompt("a", 0, *CLICK)
    list(tracker.follow())
    bank = tracker.banks["a"]
    sees = model.gather(bank.maps(3, False), bank.pointers(3, False))
    first = tracker.prompt("a", 3, *OTHER)
    tracker.prompt("a", 4, *CLICK)  # another slice that is corrected meanwhile
    more = torch.cat([OTHER[0], CLICK[0]], dim=1), torch.tensor([[1, 0]])
    again = tracker.prompt("a", 3, *more)
    features = stack[0]
    wanted = model.answer(
        model.with_memory(features, sees), features.skips, *more, first.logits.clamp(-32, 32)
    )
    assert torch.equal(again.logits, wanted.logits)
    assert not torch.equal(again.logits, first.logits)


def test_a_mask_is_its_own_answer(model, stack):
    tracker = tracker_of(model, stack, 3)
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 16:40, 8:32] = 1
    answer = tracker.prompt_mask("a", 0, mask)
    assert answer.logits.shape == (1, 1, 16, 16)
    assert torch.equal(answer.logits[0, 0, 4:10, 2:8] > 0, torch.ones(6, 6, dtype=torch.bool))
    assert (answer.score.item(), answer.iou.item()) == (10, 1)
    empty = tracker.prompt_mask("b", 0, torch.zeros(1, 1, 64, 64))
    assert empty.score.item() == -10
    assert torch.equal(empty.pointer, model.no_obj_ptr)
    assert len(list(tracker.follow())) == 3


def test_what_is_kept_does_not_grow_with_the_stack(model, stack):
    tracker = tracker_of(model, stack, 60)
    tracker.prompt("a", 0, *CLICK)
    list(tracker.follow())
    followed = tracker.banks["a"].followed
    assert sorted(followed) == [*range(1, 16), *range(44, 60)]
    kept = [index for index, known in followed.items() if known.memory is not None]
    assert sorted(kept) == [*range(1, 7), *range(53, 60)]
    assert all(known.memory.dtype == torch.bfloat16 for known in tracker.banks["a"].marked.values())


def test_what_cannot_be_is_refused(model, stack):
    tracker = tracker_of(model, stack, 3)
    with pytest.raises(InputError, match="at least one slice"):
        next(tracker.follow())
    with pytest.raises(InputError, match="slice 3 lies outside the stack of 3 slices"):
        tracker.prompt("a", 3, *CLICK)
    with pytest.raises(InputError, match="got neither"):
        tracker.prompt("a", 0)
    tracker.prompt("a", 0, box=torch.tensor([[5.0, 6.0, 40.0, 50.0]]))
    with pytest.raises(InputError, match="lies outside"):
        next(tracker.follow(end=7))
