"""Suggested classes in a session: what changes, what is looked at next, what is written down."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.disk.codec import Codec, InlineMasks
from napari_sam.session.edit import curation
from napari_sam.session.objects import Origin, Source, Status, Traits
from napari_sam.session.review import class_examples, next_suggested
from napari_sam.session.session import Session

PLANE = None, None


@pytest.fixture
def session():
    session = Session()
    session.configure(False, {1: "a", 2: "b"}, 1)
    masks = np.eye(4, dtype=bool)
    made = [NewMask(row[None], status=Status.ACCEPTED) for row in masks]
    with Batch(session, Kind.AUTOMATIC) as batch:
        batch.add(PLANE, made)
    return session


def test_suggestions_are_one_step_and_leave_what_was_named(session):
    curation.set_class(session, [1], 1)
    count = curation.suggest_classes(session, {1: (2, 0.9), 2: (2, 0.6), 3: (1, 0.7), 9: (1, 0.5)})
    assert count == 2
    traits = [session.objects[n].traits for n in (1, 2, 3, 4)]
    assert traits == [
        Traits(1, False, certainty=1.0),
        Traits(2, False, certainty=0.6),
        Traits(1, False, certainty=0.7),
        Traits(),
    ]
    session.undo()
    assert session.objects[2].traits == Traits()


def test_the_least_certain_comes_first_then_round_again(session):
    curation.suggest_classes(session, {1: (2, 0.9), 2: (2, 0.6), 3: (1, 0.7)})
    objects = session.objects
    order = [next_suggested(objects)[0]]
    for _ in range(3):
        order.append(next_suggested(objects, order[-1])[0])
    assert order == [2, 3, 1, 2]
    curation.set_status(session, [2], Status.ACCEPTED)
    assert objects[2].certainty == 1
    assert next_suggested(objects)[0] == 3


def test_examples_are_what_was_named_else_what_was_clicked(session):
    assert class_examples(session.objects) == {}
    with Batch(session, Kind.AUTOMATIC) as batch:
        mask = np.array([[0, 0, 0, 0, 1]], bool)
        origin = Origin(Source.PROMPTED)
        [clicked] = batch.add((7, None, None)[1:], [NewMask(mask, origin=origin, class_id=2)])
    assert class_examples(session.objects) == {2: [clicked]}
    curation.set_class(session, [3], 1)
    assert class_examples(session.objects) == {1: [3]}


@pytest.mark.parametrize(
    "traits", [Traits(2), Traits(1, True, certainty=0.625), Traits(3, False, certainty=1.0)]
)
def test_certainty_is_written_down_and_read(traits):
    codec = Codec(InlineMasks())
    value = codec.traits(traits)
    assert ("certainty" in value) == (traits.certainty is not None)
    [edit] = codec._read_edits([{"id": 1, "traits_before": None, "traits_after": value}])
    assert edit.after == traits
