"""The same weights give transformers' numbers: pictures, prompts, and clips that are followed.

Most in float64, where a difference is a mistake and never noise. What transformers does otherwise
than the published code (masks as prompts in a clip, corrections) is no part of this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from napari_sam.model.config import SamConfig
from napari_sam.model.sam import Features
from napari_sam.model.sam2.config import SAM2_CONFIGS
from napari_sam.model.sam2.sam2 import Answer, Sam2, corners_as_points
from napari_sam.model.sam2.tracker import Tracker
from tests.model.conftest import Differences
from tests.model.sam2.peers import REDUCED, all_in_float64, randomise, reference, session

EMBEDDING, LOGITS, SCORE, DOUBLE = 1e-4, 1e-3, 1e-3, 1e-8
SLICES = 8
# Slices and objects that are pointed at: shares of the frame (x, y), and labels.
Clicks = dict[int, dict[str, tuple[list[tuple[float, float]], list[int]]]]
CLICKS: Clicks = {
    2: {"a": ([(0.25, 0.3)], [1]), "b": ([(0.4, 0.7), (0.1, 0.8)], [1, 0])},
    5: {"a": ([(0.6, 0.35), (0.1, 0.8)], [1, 0]), "b": ([(0.2, 0.2), (0.7, 0.8)], [2, 3])},
}


@dataclass
class Pair:
    """Transformers' model, ours with the same weights, and a clip for both."""

    theirs: Any
    ours: Sam2
    clip: Tensor
    exact: Callable[[], AbstractContextManager[None]]
    clicks: Clicks

    @property
    def frame(self) -> int:
        return self.ours.config.frame

    @cache  # noqa: B019
    def features(self, index: int) -> Features:
        with torch.inference_mode():
            return self.ours.encode(self.clip[index : index + 1])


def make_pair(
    config: SamConfig,
    dtype: torch.dtype = torch.float32,
    slices: int = 1,
    clicks: Clicks = CLICKS,
) -> Pair:
    ours = Sam2(config).to(dtype)
    # With this seed no pixel of the slices that are pointed at is within float32's rounding of
    # zero, where one of both would put it into its memory and the other not.
    weights = randomise(ours, seed=1)
    # Objects are there in all slices, by a margin; `test_absent` has the other case.
    weights["mask_decoder.pred_obj_score_head.layers.2.bias"].fill_(2.0)
    exact = all_in_float64 if dtype == torch.float64 else nullcontext
    generator = torch.Generator().manual_seed(1)
    clip = torch.randn(slices, 3, config.frame, config.frame, generator=generator).to(dtype)
    with exact():
        return Pair(reference(config, weights), ours.eval(), clip, exact, clicks)


Pair.__hash__ = object.__hash__  # type: ignore[method-assign]


def their_features(pair: Pair) -> list[Tensor]:
    """Return the three maps of the first slice, finest first, as transformers makes them."""
    with pair.exact(), torch.inference_mode():
        maps = pair.theirs.get_image_features(pair.clip[:1], return_dict=True).fpn_hidden_states
    return [x.permute(1, 2, 0).unflatten(-1, (int(len(x) ** 0.5), -1)) for x in maps]


def check_features(pair: Pair, differences: Differences, kind: str, tolerance: float) -> None:
    ours = pair.features(0)
    assert ours.skips is not None
    finest, fine, embedding = their_features(pair)
    differences.check(f"{kind} embedding", ours.embedding, embedding, tolerance)
    differences.check(f"{kind} skip", ours.skips[0], fine, tolerance)
    differences.check(f"{kind} finest skip", ours.skips[1], finest, tolerance)


@pytest.fixture(scope="module", params=REDUCED)
def double_pair(request: pytest.FixtureRequest) -> Pair:
    return make_pair(REDUCED[request.param], torch.float64, SLICES)


def test_double_features(double_pair: Pair, differences: Differences) -> None:
    check_features(double_pair, differences, "sam2 float64", DOUBLE)


@pytest.mark.parametrize("case", ["point", "points", "box", "mask", "points box", "all"])
@pytest.mark.parametrize("three", [False, True], ids=["one", "three"])
def test_double_prompts(
    double_pair: Pair, case: str, three: bool, differences: Differences
) -> None:
    points, labels, masks = given(double_pair, case)
    finest, fine, embedding = their_features(double_pair)
    with double_pair.exact(), torch.inference_mode():
        theirs = double_pair.theirs._single_frame_forward(
            input_points=None if points is None else points[None],
            input_labels=None if labels is None else labels[None],
            input_masks=masks,
            image_embeddings=[finest, fine, embedding],
            multimask_output=three,
        )
    features = double_pair.features(0)
    with torch.inference_mode():
        ours = double_pair.ours.answer(
            features.embedding, features.skips, points, labels, masks, three
        )
    differences.check("sam2 float64 logits", ours.logits, theirs.pred_masks, DOUBLE)
    check_object(ours, vars(theirs), differences, "sam2 float64", DOUBLE)
    assert ours.logits.std() > 1, "the logits must be spread enough to show a mistake"


def given(pair: Pair, case: str) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Return clicks with the corners of a box, their labels, and a mask."""
    dtype, side = pair.clip.dtype, pair.frame // 4
    count = 3 if case == "all" else {"point": 1, "points": 2}.get(case.split()[0], 0)
    points = pair.frame * torch.tensor([[[0.3, 0.4], [0.75, 0.25], [0.9, 0.9]]], dtype=dtype)
    clicks = (points[:, :count], torch.tensor([[1, 0, 1]])[:, :count]) if count else (None, None)
    box = pair.frame * torch.tensor([[0.125, 0.25, 0.75, 0.875]], dtype=dtype)
    generator = torch.Generator().manual_seed(2)
    mask = 8 * torch.randn(1, 1, side, side, generator=generator).to(dtype)
    prompts = corners_as_points(*clicks, box if "box" in case or case == "all" else None)
    return *(prompts or (None, None)), mask if case in ("mask", "all") else None


def follow_theirs(pair: Pair) -> Iterator[tuple[int, list[Any]]]:
    """Point at both objects in two slices, and follow them forward, then back from the end."""
    with pair.exact():
        state = session(pair.theirs, pair.clip)
        for index, objects in pair.clicks.items():
            for number, (points, labels) in enumerate(objects.values()):
                at = torch.tensor([[points]], dtype=pair.clip.dtype) * pair.frame
                given = {"point_coords": at, "point_labels": torch.tensor([[labels]])}
                state.add_point_inputs(state.obj_id_to_idx(number), index, given)
                state.obj_with_new_inputs.append(number)
            with torch.inference_mode():
                pair.theirs(state, frame_idx=index)
        last = len(pair.clip) - 1
        for start, reverse in ((min(pair.clicks), False), (last, True)):
            for output in pair.theirs.propagate_in_video_iterator(state, start, reverse=reverse):
                stores = [state.output_dict_per_obj[number] for number in range(2)]
                at = output.frame_idx
                found = [
                    one["cond_frame_outputs"].get(at) or one["non_cond_frame_outputs"][at]
                    for one in stores
                ]
                yield at, [dict(one) for one in found]


def follow_ours(pair: Pair) -> Iterator[tuple[int, list[Answer]]]:
    tracker = Tracker(pair.ours, pair.features, len(pair.clip))
    for index, objects in pair.clicks.items():
        for key, (points, labels) in objects.items():
            at = torch.tensor([points], dtype=pair.clip.dtype) * pair.frame
            tracker.prompt(key, index, at, torch.tensor([labels]))
    for index, answers in (*tracker.follow(), *tracker.follow(len(pair.clip) - 1, back=True)):
        yield index, list(answers.values())


def check_clip(pair: Pair, differences: Differences, kind: str, exact: float | None = None) -> None:
    places = 0
    for (index, ours), (at, theirs) in zip(follow_ours(pair), follow_theirs(pair), strict=True):
        assert index == at
        for mine, other in zip(ours, theirs, strict=True):
            name, masks = f"{kind} clip", other["pred_masks"]
            differences.check(f"{name} logits", mine.logits, masks, exact or LOGITS)
            check_object(mine, other, differences, name, exact or SCORE)
            check_masks(mine.logits, masks, (pair.frame, pair.frame))
            places += 1
    assert places == 2 * (len(pair.clip) - min(pair.clicks) + len(pair.clip))


def check_object(
    ours: Answer, theirs: dict[str, Tensor], differences: Differences, kind: str, tolerance: float
) -> None:
    score, pointer = theirs["object_score_logits"], theirs["object_pointer"]
    differences.check(f"{kind} score", ours.score, score.flatten(), tolerance)
    differences.check(f"{kind} pointer", ours.pointer, pointer.flatten()[None], tolerance)


def check_masks(ours: Tensor, theirs: Tensor, shape: tuple[int, int]) -> None:
    """Masks are equal, but for pixels whose logit is within 1e-3 of zero."""
    mine, other = (F.interpolate(x, shape, mode="bilinear") for x in (ours, theirs))
    assert other[(mine > 0) != (other > 0)].abs().sum() <= 1e-3


def test_double_clip(double_pair: Pair, differences: Differences) -> None:
    check_clip(double_pair, differences, "sam2 float64", DOUBLE)


@pytest.mark.parametrize("name", REDUCED)
def test_clip(name: str, differences: Differences) -> None:
    pair = make_pair(REDUCED[name], slices=SLICES)
    check_features(pair, differences, "sam2", EMBEDDING)
    check_clip(pair, differences, "sam2")


def test_absent(differences: Differences) -> None:
    """An object that is nowhere leaves its marks in pointers and memories."""
    pair = make_pair(REDUCED["wide"], torch.float64, slices=6)
    for model, layer in ((pair.ours.mask_decoder, "layers.2"), (pair.theirs, "proj_out")):
        decoder = getattr(model, "mask_decoder", model)
        decoder.get_parameter(f"pred_obj_score_head.{layer}.bias").detach().fill_(-3.0)
    found = list(follow_ours(pair))
    assert all((answer.logits == -1024).all() for _, answers in found for answer in answers)
    check_clip(pair, differences, "sam2 absent", DOUBLE)


@pytest.mark.parametrize(
    ("name", "keys", "elements"),
    [
        ("sam2_tiny", 471, 38_962_754),
        ("sam2_small", 519, 46_060_610),
        ("sam2_base_plus", 615, 80_850_434),
        ("sam2_large", 903, 224_446_898),
    ],
)
def test_state_dict_layout(name: str, keys: int, elements: int) -> None:
    with torch.device("meta"):
        state = Sam2(SAM2_CONFIGS[name]).state_dict()
    assert len(state) == keys
    assert sum(value.numel() for value in state.values()) == elements


@pytest.mark.slow
@pytest.mark.parametrize("name", SAM2_CONFIGS)
def test_full_size(name: str, differences: Differences) -> None:
    """A picture of each size; and of the smallest a slice between two others, which takes long."""
    pair = make_pair(SAM2_CONFIGS[name], slices=3, clicks={0: CLICKS[2], 2: CLICKS[5]})
    check_features(pair, differences, name, EMBEDDING)
    if name == "sam2_tiny":
        check_clip(pair, differences, name)
