"""Tracks of a session: edits are steps that can be undone, saved, and are shown in the labels."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.session.disk.folder import SessionFolder, restore
from napari_sam.session.edit import curation
from napari_sam.session.edit.tracks import (
    detections_in,
    drawn_frames,
    frames_in,
    retrack,
    tracks_in,
)
from napari_sam.session.session import Session
from napari_sam.tracking.detections import detect
from napari_sam.tracking.edits import break_track, delete_short, divide, join, swap
from napari_sam.tracking.linking import link
from napari_sam.tracking.tracks import called_as_objects
from tests.fakes import ArrayTarget
from tests.session.disk.damage import PICTURE
from tests.tracking.drawn import dividing, fill, renumbered

SHAPE = (60, 80)
PLANES = [(frame, None, None) for frame in range(8)]


@pytest.fixture
def movie(tmp_path):
    """A saved session of a division; on each frame the objects are others."""
    labels = np.zeros((8, *SHAPE), np.uint16)
    session = Session()
    folder = SessionFolder.create(tmp_path / "mine", PICTURE)
    folder.serve(session)
    session.labels.write_to(ArrayTarget(labels))
    fill(session, renumbered(dividing()))
    yield session, labels, folder
    if session.log is not None:
        folder.close()


def tracked(session):
    return tracks_in(session.objects, frames_in(session.objects, PLANES))


def linked(session):
    frames = frames_in(session.objects, PLANES)
    found = link(detect(list(drawn_frames(frames, SHAPE))))
    retrack(session, PLANES, called_as_objects(found))


def test_linking_makes_an_object_of_each_track_in_one_step(movie) -> None:
    session, labels, _ = movie
    before = labels.copy()
    linked(session)
    tracks = tracked(session)
    assert sorted(len(some) for some in tracks.members.values()) == [4, 4, 4, 8]
    assert [len(some) for some in tracks.daughters.values()] == [2]
    assert set(np.unique(labels)) == {0, *tracks.members}
    np.testing.assert_array_equal(labels > 0, before > 0)
    session.undo()
    np.testing.assert_array_equal(labels, before)
    session.redo()
    assert tracked(session) == tracks


def test_what_is_saved_holds_the_lineage(movie) -> None:
    session, _, folder = movie
    linked(session)
    tracks = tracked(session)
    folder.close()
    again = restore(folder.path)
    assert tracked(again.session) == tracks
    again.session.undo()
    assert len(tracked(again.session).members) == 20
    again.folder.close()


def test_every_edit_is_one_step_back(movie) -> None:
    session, labels, _ = movie
    linked(session)
    tracks, before = tracked(session), labels.copy()
    [(mother, (first, second))] = tracks.daughters.items()
    other = next(n for n in tracks.members if n not in (mother, first, second))
    edits = (
        join(tracks, mother, first),
        break_track(tracks, other, 3),
        divide(break_track(tracks, other, 3), other, [max(tracks.members) + 1]),
        swap(tracks, mother, other, 2),
        delete_short(join(tracks, mother, first), 5),
    )
    for edited in edits:
        retrack(session, PLANES, edited)
        now = tracked(session)
        sizes = sorted(len(some) for some in edited.members.values())
        assert sorted(len(some) for some in now.members.values()) == sizes
        assert len(now.parents) == len(edited.parents)
        assert set(np.unique(labels)) == {0, *now.members}
        session.undo()
        assert tracked(session) == tracks
        np.testing.assert_array_equal(labels, before)


def test_locked_objects_stay_as_they_are(movie) -> None:
    session, labels, _ = movie
    curation.lock(session, [1])
    before = labels.copy()
    tracks = tracked(session)
    with pytest.raises(InputError, match="object 1 is locked"):
        retrack(session, PLANES, join(tracks, 1, max(tracks.members)))
    np.testing.assert_array_equal(labels, before)


def test_a_parent_that_is_not_there_any_more_is_none(movie) -> None:
    session, _, _ = movie
    linked(session)
    [(mother, _)] = tracked(session).daughters.items()
    curation.delete(session, [mother])
    assert tracked(session).parents == {}


def test_masks_are_measured_as_labels_are(movie) -> None:
    session, labels, _ = movie
    found, drawn = detections_in(frames_in(session.objects, PLANES)), detect(labels)
    np.testing.assert_allclose(found.centres, drawn.centres)
    np.testing.assert_array_equal(found.areas, drawn.areas)
    np.testing.assert_array_equal(found.at_border, drawn.at_border)
