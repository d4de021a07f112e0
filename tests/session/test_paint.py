"""Pixels that somebody paints or erases become steps of the session."""

from __future__ import annotations

import numpy as np

from napari_sam.session import paint as painting
from napari_sam.session.edit import curation
from napari_sam.session.objects import Origin, Source, Status
from tests.session.edit.test_curation import add, at, paint, square


class TestPainting:
    def test_objects_follow_the_brush(self, session, labels):
        add(session, 0, square(1, 1), square(1, 10), score=0.8)
        start = labels.copy()
        paint(session, labels, 0, square(1, 3), 2)
        assert session.objects[1].pixels == 8
        assert session.objects[2].sections[at(0)].origin == Origin(Source.PAINTED)
        assert session.objects[1].sections[at(0)].origin == Origin(Source.AUTOMATIC)
        assert session.objects[2].sections[at(0)].score is None
        session.undo()
        np.testing.assert_array_equal(labels, start)
        assert session.objects[1].pixels == 16

    def test_a_new_id_is_a_new_object_and_zero_erases(self, session, labels):
        paint(session, labels, 2, square(5, 5), 30)
        assert session.objects[30].status is Status.ACCEPTED
        paint(session, labels, 2, square(5, 5), 0)
        assert not session.objects
        session.undo()
        assert labels[2, 5, 5] == 30

    def test_a_locked_object_is_put_back(self, session, labels):
        add(session, 0, square(1, 1), square(1, 10))
        curation.lock(session, [1])
        before, said = labels.copy(), []
        session.remarked.connect(said.append)
        paint(session, labels, 0, square(1, 3), 7)
        np.testing.assert_array_equal(labels[0] == 1, square(1, 1))
        assert session.objects[7].pixels == 8
        assert "locked" in said[0]
        session.undo()
        paint(session, labels, 0, square(10, 20), 1)  # it may not grow either
        np.testing.assert_array_equal(labels, before)

    def test_what_changed_unheard_is_absorbed(self, session, labels):
        add(session, 0, square(1, 1), square(1, 10))
        labels[0, 1] = 0
        labels[0, 8] = 2
        painting.absorb(session, at(0))
        assert session.objects[1].pixels == 12
        assert session.objects[2].pixels == 12 + 30
        steps = len(session.history.done)
        painting.absorb(session, at(0))
        assert len(session.history.done) == steps
        session.undo()
        np.testing.assert_array_equal(labels[0], 1 * square(1, 1) + 2 * square(1, 10))
