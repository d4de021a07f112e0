"""Objects are linked whatever their ids, over gaps, and through divisions."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from napari_sam.errors import InputError
from napari_sam.tracking.detections import detect
from napari_sam.tracking.linking import LinkSettings, link
from napari_sam.tracking.tracks import Tracks
from tests.tracking.drawn import dividing, draw, renumbered


def sizes(tracks):
    return sorted(len(frames) for frames in tracks.members.values())


def test_a_division_is_found_whatever_the_ids_are() -> None:
    frames = renumbered(dividing())
    tracks = link(detect(frames))
    [(mother, daughters)] = tracks.daughters.items()
    assert (tracks.first(mother), tracks.last(mother), len(daughters)) == (0, 3, 2)
    assert sizes(tracks) == [4, 4, 4, 8]


def test_without_divisions_a_daughter_begins_on_its_own() -> None:
    tracks = link(detect(dividing()), LinkSettings(divisions=False))
    assert tracks.parents == {}
    assert sizes(tracks) == [4, 8, 8]


@pytest.mark.parametrize(("gap", "count"), [(0, 2), (1, 2), (2, 1)])
def test_an_object_that_is_missed_is_found_again(gap, count) -> None:
    frames = draw(lambda t: None if t in (3, 4) else (30, 20 + 2 * t, 7))
    assert len(link(detect(frames), LinkSettings(gap)).members) == count


def test_two_that_pass_each_other_keep_their_tracks() -> None:
    frames = draw(lambda t: (22, 20 + 4 * t, 6), lambda t: (36, 52 - 4 * t, 6))
    tracks = link(detect(renumbered(frames)))
    assert sizes(tracks) == [8, 8]


def test_something_far_away_is_something_else() -> None:
    frames = draw(lambda t: (10, 10, 6) if t < 4 else (50, 70, 6))
    assert sizes(link(detect(frames))) == [4, 4]


def test_volumes_are_linked_as_well() -> None:
    flat = dividing()
    volumes = np.stack([flat, flat, np.zeros_like(flat)], axis=1)
    found = detect(volumes, (3.0, 1.0, 1.0))
    assert found.centres.shape[1] == 3
    assert len(link(found).daughters) == 1


def test_frames_without_objects_are_no_hindrance() -> None:
    assert link(detect(np.zeros((3, 9, 9), int))).members == {}
    frames = draw(lambda t: (30, 30, 6) if t == 2 else None)
    assert link(detect(frames)).members == {1: {2: 1}}


def test_frames_of_two_shapes_are_refused() -> None:
    with pytest.raises(InputError, match=r"frame 1 has the shape \(4, 4\).*\(5, 5\)"):
        detect([np.zeros((5, 5), int), np.zeros((4, 4), int)])


def test_any_linker_fits() -> None:
    class Nothing:
        def links(self, found, settings):
            return []

    assert sizes(link(detect(dividing()), linker=Nothing())) == [1] * 20


def test_without_laptrack_it_says_what_to_install(monkeypatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "laptrack" else found(name)
    )
    with pytest.raises(InputError, match=r"pip install 'napari-sam\[tracks\]'"):
        link(detect(dividing()))


@pytest.mark.parametrize(
    ("members", "parents", "said"),
    [
        ({1: {}}, {}, "track 1 must have"),
        ({1: {0: 1}, 2: {0: 1}}, {}, "in one track only"),
        ({1: {0: 1}}, {1: 2}, "one is not there"),
        ({1: {0: 1}, 2: {0: 2}}, {2: 1}, "cannot divide"),
    ],
)
def test_tracks_that_make_no_sense_are_refused(members, parents, said) -> None:
    with pytest.raises(InputError, match=said):
        Tracks(members, parents)
