"""A model with a memory follows with it; any other is shown its last mask."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import napari_sam as ns
from napari_sam.inference.embedding import map_features, to_half
from napari_sam.inference.propagation.followers import (
    MemoryFollower,
    PromptFollower,
    follower_for,
)
from napari_sam.inference.stack import Stack
from napari_sam.model.sam2.tracker import Tracker
from tests.inference.moving import DiscPredictor
from tests.model.sam2.peers import TINY, tiny_predictor

SHAPE = (40, 56)
FREE = ns.PropagateSettings(
    min_score=0, min_relative_score=0, min_overlap=0, max_area_change=1e6, min_likeness=0
)


@pytest.fixture(scope="module")
def predictor():
    return tiny_predictor()


def stack_of(length):
    stack = np.random.default_rng(0).integers(0, 255, (length, *SHAPE), dtype=np.uint8)
    stack[:, 0, 0] = np.arange(length)
    return stack


def block(rows, columns):
    """Return a mask; it has a corner of the picture, where it has not come to the edge anew."""
    mask = np.zeros(SHAPE, bool)
    mask[rows, columns] = True
    return mask


UPPER, LOWER = block(slice(16), slice(20)), block(slice(26, 40), slice(40, 56))


def volume(predictor, stack, seeds, settings=FREE, **how):
    found = np.zeros(stack.shape, int)
    for step in ns.propagate(predictor, stack, seeds, settings, contrast=(0, 255), **how):
        found[step.index] = step.labels
    return found


def tracked(predictor, stack, index, mask, *, back=False):
    """Follow with the model's own tracker from one mask."""
    model = predictor.model

    def features(at):
        return predictor.embed(stack[at], (0, 255)).levels[0].features

    tracker = Tracker(model, features, len(stack))
    frame = F.interpolate(
        torch.from_numpy(mask)[None, None].float(), [TINY.frame] * 2, mode="bilinear",
        antialias=True,
    )  # fmt: skip
    tracker.prompt_mask(1, index, (frame >= 0.5).float())
    found = {}
    for at, answers in tracker.follow(back=back):
        logits = F.interpolate(answers[1].logits, SHAPE, mode="bilinear")
        found[at] = (logits[0, 0] > 0).numpy()
    return found


def test_an_object_is_followed_with_the_memory_both_ways(predictor):
    stack = stack_of(12)
    found = volume(predictor, stack, {1: {6: UPPER}})
    expected = tracked(predictor, stack, 6, UPPER) | tracked(predictor, stack, 6, UPPER, back=True)
    expected[6] = UPPER
    assert len(expected) == 12
    for at, mask in expected.items():
        np.testing.assert_array_equal(found[at] == 1, mask)


def test_a_correction_changes_what_lies_beside_it_only(predictor):
    stack = stack_of(11)
    before = volume(predictor, stack, {1: {1: UPPER, 3: UPPER, 8: UPPER}})
    after = volume(predictor, stack, {1: {1: UPPER, 3: UPPER, 6: LOWER, 8: UPPER}})
    changed = np.flatnonzero((before != after).any(axis=(1, 2)))
    assert changed.tolist() == [4, 5, 6, 7]
    # What was computed anew between the neighbours alone is the same.
    again = volume(
        predictor, stack, {1: {1: UPPER, 3: UPPER, 6: LOWER, 8: UPPER}},
        ns.PropagateSettings(**(vars(FREE) | {"first": 3, "last": 8})),
    )  # fmt: skip
    np.testing.assert_array_equal(again[3:9], after[3:9])


def test_an_object_that_comes_later_disturbs_none(predictor):
    stack = stack_of(8)
    alone = volume(predictor, stack, {1: {3: UPPER}})
    both = volume(predictor, stack, {1: {3: UPPER}, 2: {5: LOWER}})
    assert (both == 2).any()
    taken = np.zeros(stack.shape, bool)
    taken[5] = LOWER  # what was given is never written over
    np.testing.assert_array_equal(both == 1, (alone == 1) & ~taken)


def test_absences_and_prompts_are_anchors_as_always(predictor):
    stack = stack_of(8)
    found = volume(predictor, stack, {1: {3: UPPER, 5: ns.ABSENT}})
    assert [bool(one.any()) for one in found] == [True] * 5 + [False] * 3
    found = volume(predictor, stack, {1: {3: ns.Prompts(points=[(10, 10)], labels=[1])}})
    assert found.any(axis=(1, 2)).all()


def test_each_slice_is_embedded_once_and_rounded_features_do(predictor):
    class Halved:
        def get(self, predictor, image, contrast):
            made.append(int(image[0, 0]))
            embedding = predictor.embed(image, contrast)
            [level] = embedding.levels
            rounded = replace(level, features=map_features(to_half, level.features))
            return replace(embedding, levels=(rounded,))

    made: list[int] = []
    stack = stack_of(6)
    found = volume(predictor, stack, {1: {1: UPPER, 4: LOWER}, 2: {1: LOWER}}, store=Halved())
    assert found.any(axis=(1, 2)).all()
    assert len(made) <= 2 * 6 + 2  # each way, and the later anchor ahead


def test_what_is_remembered_does_not_grow_with_the_stack(predictor, monkeypatch):
    kept = []
    step = Tracker.step

    def watched(tracker, key, index, back):
        answer = step(tracker, key, index, back)
        [bank] = tracker.banks.values()
        known = [*bank.marked.values(), *bank.followed.values()]
        kept.append((sum(one.memory is not None for one in known), len(known)))
        return answer

    monkeypatch.setattr(Tracker, "step", watched)
    volume(predictor, stack_of(24), {1: {0: UPPER, 23: LOWER}})
    assert len(kept) == 2 * 22
    # Two anchors, the last seven with maps, sixteen with pointers, and the one just found.
    assert np.max(kept, axis=0).tolist() == [2 + 7 + 1, 2 + 16 + 1]


def test_the_pause_stops_it_between_two_layers(predictor):
    paused = []

    class StopError(Exception):
        pass

    def pause():
        paused.append(1)
        if len(paused) == 6:
            raise StopError

    steps = ns.propagate(
        predictor, stack_of(6), {1: {2: UPPER}}, FREE, contrast=(0, 255), pause=pause
    )
    assert [next(steps).index for _ in range(2)] == [2, 3]
    assert len(paused) == 4  # the layers of one slice's memory
    with pytest.raises(StopError):
        next(steps)
    volume(predictor, stack_of(3), {1: {1: UPPER}}, pause=lambda: None)  # no hook is left
    assert len(paused) == 6


@pytest.mark.parametrize(
    ("chosen", "shape", "kind"),
    [
        (tiny_predictor, SHAPE, MemoryFollower),
        (tiny_predictor, (2048, 2049), PromptFollower),
        (DiscPredictor, SHAPE, PromptFollower),
    ],
    ids=["memory", "large slices", "no memory"],
)
def test_the_model_decides(chosen, shape, kind):
    stack = Stack(np.broadcast_to(np.uint8(0), (3, *shape)))
    around = SimpleNamespace(stack=stack, anchors=None, masks=None, view=None)
    assert type(follower_for(chosen(), FREE.prompt, around, None)) is kind
