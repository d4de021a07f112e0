"""Many boxes at once: what lies on objects that are there is left out and said."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.results import Prediction
from napari_sam.session.autofill import FillCounts
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.objects import Status
from napari_sam.session.session import Session
from napari_sam.widgets.annotation.box_batch import propose
from napari_sam.widgets.layers.read_prompts import AreaPrompt
from napari_sam.widgets.search.wording import filled

PLANE = (None, None)


def square(row, column, side):
    mask = np.zeros((60, 60), bool)
    mask[row : row + side, column : column + side] = True
    return mask


def answer(mask, score=0.9):
    return Prediction(mask[None], np.float32([score]), np.zeros((1, 8, 8), np.float32))


@pytest.fixture
def session():
    session = Session()
    with Batch(session, Kind.AUTOMATIC) as batch:
        batch.add(PLANE, [NewMask(square(0, 0, 20), status=Status.ACCEPTED)])
    return session


def boxes(*masks):
    areas = [AreaPrompt((0.0, 0.0, 9.0, 9.0), None) for _ in masks]
    return areas, [answer(mask) for mask in masks]


def test_what_lies_on_others_is_left_out_and_named(session):
    areas = boxes(square(1, 1, 21), square(30, 30, 10), np.zeros((60, 60), bool))
    said = propose(session, PLANE, *areas)
    assert list(session.objects) == [1, 2]
    assert said == (
        "Nothing was found in 1 of 3 boxes. 1 of 3 boxes lay on other objects and was left out: "
        "object 1."
    )


def test_nothing_is_said_of_boxes_that_are_objects(session):
    assert propose(session, PLANE, *boxes(square(30, 30, 10))) == ""


def test_searches_say_what_they_have_left_out():
    assert "left out" not in filled(FillCounts(3, 0))
    said = filled(FillCounts(3, 0, covered=2, thin=40))
    assert "2 objects left out: more than half lie on what is there." in said
    assert "40 pixels between objects left out: too thin." in said
