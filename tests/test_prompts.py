"""Prompts are checked and put in order when they are made."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.prompts import Prompts

MASK = np.eye(4, dtype=bool)


def test_everything_becomes_an_array_of_a_known_type() -> None:
    prompts = Prompts(points=[(3, 4), (1, 2.5)], labels=[1, 0], box=(0, 1, 5, 9), text=[1, 2])
    assert prompts.points.dtype == np.float64
    assert prompts.labels.dtype == np.int64
    np.testing.assert_array_equal(prompts.points, [[3, 4], [1, 2.5]])
    np.testing.assert_array_equal(prompts.box, [0, 1, 5, 9])
    np.testing.assert_array_equal(prompts.text, [1, 2])
    assert prompts.mask is None


def test_a_box_dragged_from_any_corner_is_the_same_box() -> None:
    for corners in ((2, 3, 7, 9), (7, 9, 2, 3), (7, 3, 2, 9), (2, 9, 7, 3)):
        np.testing.assert_array_equal(Prompts(box=corners).box, [2, 3, 7, 9])


@pytest.mark.parametrize(
    ("said", "lone"),
    [
        ({"points": [(3, 4)], "labels": [1]}, True),
        ({"points": [(3, 4)], "labels": [0]}, True),
        ({"points": [(3, 4), (5, 6)], "labels": [1, 1]}, False),
        ({"points": [(3, 4)], "labels": [1], "box": (0, 0, 9, 9)}, False),
        ({"points": [(3, 4)], "labels": [1], "mask": MASK}, False),
        ({"points": [(3, 4)], "labels": [1], "text": [1.0]}, False),
        ({"box": (0, 0, 9, 9)}, False),
    ],
)
def test_only_one_point_and_nothing_else_is_ambiguous(said: dict[str, Any], lone: bool) -> None:
    assert Prompts(**said).is_lone_point is lone


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({}, "no prompt given"),
        ({"points": [3, 4], "labels": [1]}, r"shape \(N, 2\).*got \(2,\)"),
        ({"points": [(1, 2, 3)], "labels": [1]}, r"shape \(N, 2\)"),
        ({"points": [(np.nan, 2)], "labels": [1]}, "points"),
        ({"points": [(np.inf, 2)], "labels": [1]}, "points"),
        ({"points": [("a", "b")], "labels": [1]}, "points"),
        ({"points": [(1, 2)]}, "one value per point"),
        ({"points": [(1, 2)], "labels": [1, 0]}, "one value per point"),
        ({"points": [(1, 2)], "labels": [2]}, r"0 \(background\) or 1 \(foreground\); got \[2\]"),
        ({"points": [(1, 2)], "labels": [-1]}, "0 .*or 1"),
        ({"box": (1, 2, 3)}, "y0, x0, y1, x1"),
        ({"box": (1, 2, 1, 5)}, "an area"),
        ({"box": (1, 2, np.nan, 5)}, "box"),
        ({"mask": np.ones((2, 3, 3), bool)}, "mask"),
        ({"mask": np.ones((3, 3), int)}, "boolean"),
        ({"mask": np.full((3, 3), np.nan)}, "not finite"),
        ({"mask": np.zeros((3, 3), bool)}, "empty"),
        ({"text": [[1.0, 2.0]]}, "one vector"),
        ({"text": [np.nan]}, "text"),
        ({"text": [0, 0.0]}, "no direction"),
        ({"text": np.ma.array([1, 2], mask=[0, 1])}, "masked values in text"),
        ({"text": "nuclei"}, "text must be numbers"),
        (dict.fromkeys(("points", "labels", "box", "mask", "text")), "no prompt given"),
        (dict.fromkeys(("points", "labels", "box", "mask", "text"), ()), "no prompt given"),
        ({"labels": [1], "box": (1, 2, 3, 4)}, "0 points, labels"),
        ({"points": [(1, 2)], "labels": None}, "one value per point"),
        ({"points": [("1", "2")], "labels": [1]}, "points must be numbers"),
        ({"points": [(10**400, 2)], "labels": [1]}, "points must be numbers"),
        ({"points": [(1, 2j)], "labels": [1]}, "points must be numbers"),
        ({"points": np.zeros((1, 2), "M8[s]"), "labels": [1]}, "points must be numbers"),
        ({"points": np.zeros(2, "i4,i4"), "labels": [1, 1]}, "points must be numbers"),
        ({"points": [(1, np.longdouble("1e4000"))], "labels": [1]}, "points must be finite"),
        ({"points": np.ma.array([(1, 2)], mask=[(0, 1)]), "labels": [1]}, "masked values in poi"),
        ({"points": [(1, 2)], "labels": [None]}, "labels must be finite"),
        ({"points": [(1, 2), (3, 4)], "labels": [[1], [1, 1]]}, "labels must be numbers"),
        ({"box": (1, 2, 1 + 1e-10, 5)}, r"sides of 0\.01 pixels at least"),
        ({"box": (0, 0, 5e-324, 5)}, "an area"),
        ({"box": np.ones((2, 4))}, "y0, x0, y1, x1"),
        ({"box": np.ma.array([1, 2, 3, 4], mask=[0, 0, 0, 1])}, "masked values in box"),
        ({"mask": np.ma.array(np.eye(3), mask=np.eye(3))}, "masked values in the mask prompt"),
        ({"mask": np.full((3, 3), 1e300)}, "not finite"),
        ({"mask": np.full((3, 3), 1e7)}, "within -1000000 and 1000000"),
        ({"mask": np.array(True)}, "boolean"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_word_why(
    said: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        Prompts(**said)


def test_prompts_do_not_change() -> None:
    prompts = Prompts(points=[(3, 4)], labels=[1])
    with pytest.raises(FrozenInstanceError):
        prompts.box = np.arange(4)  # type: ignore[misc]


def test_a_long_list_does_not_fill_the_message() -> None:
    with pytest.raises(InputError, match="points must be finite") as caught:
        Prompts(points=np.full((100_000, 2), np.nan), labels=np.ones(100_000))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("nothing", [None, (), [], np.zeros((0, 2)), np.zeros(0)])
def test_what_is_none_or_empty_is_not_given(nothing: Any) -> None:
    said = dict.fromkeys(("points", "labels", "mask", "text"), nothing)
    prompts = Prompts(**said, box=(1, 2, 3, 4))
    assert prompts.points.shape == (0, 2)
    assert prompts.labels.shape == (0,)
    assert prompts.mask is None
    assert prompts.text is None
    alone = Prompts(points=[(1, 2)], labels=[1], box=nothing, mask=nothing, text=nothing)
    assert alone.is_lone_point


@pytest.mark.parametrize("box", [[[1, 2, 3, 4]], np.array([1, 2, 3, 4], ">i2")])
def test_boxes_in_the_form_of_other_tools_are_boxes(box: Any) -> None:
    np.testing.assert_array_equal(Prompts(box=box).box, [1, 2, 3, 4])


LOGITS = np.linspace(-9, 9, 12, dtype=np.float32).reshape(3, 4)


@pytest.mark.parametrize(
    "logits",
    [
        LOGITS[None],
        LOGITS.astype(">f4"),
        LOGITS.astype(np.float64),
        LOGITS.astype(np.longdouble),
        LOGITS.tolist(),
        np.flip(np.flip(LOGITS).copy()),
        np.ma.array(LOGITS),
    ],
)
def test_logits_in_any_form_are_the_same(logits: Any) -> None:
    mask = Prompts(mask=logits).mask
    assert mask is not None
    np.testing.assert_array_equal(mask, LOGITS)
    assert mask.dtype == np.float32
    assert mask.flags.c_contiguous
    assert mask.dtype.isnative


def test_a_boolean_mask_may_have_an_axis_for_the_one_object() -> None:
    mask = Prompts(mask=MASK[None, ::-1]).mask
    np.testing.assert_array_equal(mask, MASK[::-1])
