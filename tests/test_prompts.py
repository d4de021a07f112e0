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
