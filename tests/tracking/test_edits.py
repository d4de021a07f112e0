"""Edits of tracks: what they change, what they leave, what they refuse."""

from __future__ import annotations

import pytest

from napari_sam.errors import InputError
from napari_sam.tracking.edits import break_track, delete_short, divide, join, part, swap
from napari_sam.tracking.tracks import Tracks

FAMILY = Tracks(
    {1: {0: 1, 1: 1}, 2: {2: 2, 3: 2}, 3: {2: 3}, 4: {0: 4, 1: 4, 2: 4, 3: 4}}, {2: 1, 3: 1}
)


def objects(tracks):
    return sorted(tracks.of)


def test_to_join_a_mother_and_a_daughter_undoes_the_division() -> None:
    joined = join(FAMILY, 2, 1)
    assert joined.members[1] == {0: 1, 1: 1, 2: 2, 3: 2}
    assert joined.parents == {}
    assert objects(joined) == objects(FAMILY)


def test_joined_to_what_was_before_it_a_track_keeps_its_daughters() -> None:
    broken = break_track(FAMILY, 1, 1)
    assert broken.parents == {2: 5, 3: 5}
    assert join(broken, 1, 5) == FAMILY


def test_tracks_at_the_same_time_are_not_joined() -> None:
    with pytest.raises(InputError, match="track 1 begins at frame 0, before track 4 ends"):
        join(FAMILY, 4, 1)


def test_a_track_is_broken_only_in_between() -> None:
    for frame in (0, 4):
        with pytest.raises(InputError, match=f"cannot be broken at frame {frame}"):
            break_track(FAMILY, 4, frame)


def test_a_mother_that_goes_on_becomes_a_daughter() -> None:
    divided = divide(FAMILY, 4, [2])
    assert divided.parents == {2: 4, 3: 1, 5: 4}
    assert divided.members[5] == {2: 4, 3: 4}
    assert part(divided, 2).parents == {3: 1, 5: 4}


@pytest.mark.parametrize(("mother", "daughters"), [(2, [1]), (1, []), (1, [1]), (9, [1])])
def test_what_cannot_divide_is_refused(mother, daughters) -> None:
    with pytest.raises(InputError):
        divide(FAMILY, mother, daughters)


def test_a_swap_takes_daughters_along_and_is_its_own_inverse() -> None:
    swapped = swap(FAMILY, 1, 4, 1)
    assert swapped.members[1] == {0: 1, 1: 4, 2: 4, 3: 4}
    assert swapped.parents == {2: 4, 3: 4}
    assert swap(swapped, 1, 4, 1) == FAMILY


def test_daughters_of_one_that_has_ended_before_stay_with_it() -> None:
    early = Tracks({1: {0: 1}, 2: {1: 2}, 3: {1: 3}, 4: {0: 4, 2: 4}}, {2: 1, 3: 1})
    assert swap(early, 4, 2, 2).parents == {2: 1, 3: 1}


def test_short_tracks_go_but_not_those_of_a_lineage() -> None:
    tracks = Tracks({**FAMILY.members, 9: {1: 9}}, FAMILY.parents)
    assert delete_short(tracks, 2) == FAMILY
