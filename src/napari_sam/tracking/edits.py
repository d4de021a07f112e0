"""Edits of tracks as pure functions: join, break, divide, swap, delete short ones.

Each returns new tracks and leaves the old ones as they are; what makes no sense is an InputError.
"""

from __future__ import annotations

from collections.abc import Sequence

from napari_sam.errors import InputError
from napari_sam.tracking.tracks import Tracks

__all__ = ["break_track", "delete_short", "divide", "join", "part", "swap"]

Members = dict[int, dict[int, int]]


def join(tracks: Tracks, first: int, second: int) -> Tracks:
    """Join two tracks into one, which keeps the number of the earlier one.

    If the earlier one has divided before the later one begins, this undoes the division: the other
    daughters begin on their own.

    Parameters
    ----------
    tracks : Tracks
        The tracks.
    first, second : int
        Two of them that are on no frame together and do not lie between each other's frames.

    Raises
    ------
    InputError
        If one is unknown or they are the same, or if they are there at the same time.

    Examples
    --------
    >>> join(Tracks({1: {0: 4}, 2: {2: 5}}), 2, 1).members
    {1: {0: 4, 2: 5}}
    """
    tracks.known(first), tracks.known(second)
    if first == second:
        raise InputError("choose two tracks to join")
    early, late = sorted((first, second), key=tracks.first)
    if tracks.last(early) >= tracks.first(late):
        raise InputError(
            f"track {late} begins at frame {tracks.first(late)}, before track {early} ends at "
            f"frame {tracks.last(early)}; break one of them first"
        )
    members = _copied(tracks)
    members[early] |= members.pop(late)
    parents = {
        one: early if of == late else of for one, of in tracks.parents.items() if of != early
    }
    parents.pop(late, None)
    return Tracks(members, parents)


def break_track(tracks: Tracks, number: int, frame: int) -> Tracks:
    """Break a track in two: what is on this frame and later gets a new number.

    Daughters stay with the later part.

    Raises
    ------
    InputError
        If there is no such track, or nothing of it before the frame or from there on.

    Examples
    --------
    >>> break_track(Tracks({1: {0: 4, 1: 4, 2: 5}}), 1, 1).members
    {1: {0: 4}, 2: {1: 4, 2: 5}}
    """
    frames = tracks.known(number)
    before = {at: label for at, label in frames.items() if at < frame}
    after = {at: label for at, label in frames.items() if at >= frame}
    if not before or not after:
        raise InputError(
            f"track {number} goes from frame {min(frames)} to {max(frames)} and cannot be broken "
            f"at frame {frame}; choose a frame after its first one"
        )
    members, new = _copied(tracks), _free(tracks)
    members[number], members[new] = before, after
    return Tracks(members, {one: new if of == number else of for one, of in tracks.parents.items()})


def part(tracks: Tracks, number: int) -> Tracks:
    """Return the tracks with one that comes from no division any more.

    Raises
    ------
    InputError
        If there is no such track, or it is no daughter.
    """
    tracks.known(number)
    if number not in tracks.parents:
        raise InputError(f"track {number} comes from no division")
    return Tracks(tracks.members, {one: of for one, of in tracks.parents.items() if one != number})


def divide(tracks: Tracks, mother: int, daughters: Sequence[int]) -> Tracks:
    """Mark a division: the daughters come from the mother, which ends where they begin.

    A mother that goes on when its first daughter begins is broken there, and what is left of it
    becomes a daughter, too.

    Parameters
    ----------
    tracks : Tracks
        The tracks.
    mother : int
        The track that divides.
    daughters : sequence of int
        One or more others, which all begin after the mother.

    Raises
    ------
    InputError
        If a track is unknown, is its own daughter, or begins before the mother does.

    Examples
    --------
    >>> divided = divide(Tracks({1: {0: 4, 1: 4}, 2: {1: 6}}), 1, [2])
    >>> divided.members, divided.parents
    ({1: {0: 4}, 2: {1: 6}, 3: {1: 4}}, {2: 1, 3: 1})
    """
    tracks.known(mother)
    if not daughters or mother in daughters:
        raise InputError(f"choose the daughters of track {mother}, and not itself")
    for one in daughters:
        tracks.known(one)
    begin = min(map(tracks.first, daughters))
    if begin <= tracks.first(mother):
        raise InputError(
            f"a daughter that begins at frame {begin} cannot come from track {mother}, which "
            f"begins at frame {tracks.first(mother)}"
        )
    family = list(daughters)
    if tracks.last(mother) >= begin:
        rest = _free(tracks)
        tracks = break_track(tracks, mother, begin)
        family.append(rest)
    return Tracks(tracks.members, {**tracks.parents, **dict.fromkeys(family, mother)})


def swap(tracks: Tracks, first: int, second: int, frame: int) -> Tracks:
    """Swap what two tracks are from a frame on, with all that comes of it.

    Raises
    ------
    InputError
        If one is unknown or they are the same, or one would be left without any object.

    Examples
    --------
    >>> swap(Tracks({1: {0: 4, 1: 5}, 2: {0: 6, 1: 7}}), 1, 2, 1).members
    {1: {0: 4, 1: 7}, 2: {0: 6, 1: 5}}
    """
    frames = tracks.known(first), tracks.known(second)
    if first == second:
        raise InputError("choose two tracks to swap")
    early = [{at: label for at, label in some.items() if at < frame} for some in frames]
    late = [{at: label for at, label in some.items() if at >= frame} for some in frames]
    members = _copied(tracks)
    members[first], members[second] = early[0] | late[1], early[1] | late[0]
    for one in (first, second):
        if not members[one]:
            raise InputError(f"track {one} would have no frame left; join the two instead")
    # Daughters go with the later part; where there is none, their mother ended before.
    other = {
        a: b for a, b, rest in zip((first, second), (second, first), late, strict=True) if rest
    }
    return Tracks(members, {one: other.get(of, of) for one, of in tracks.parents.items()})


def delete_short(tracks: Tracks, length: int) -> Tracks:
    """Delete tracks of fewer objects than this that neither divide nor come from a division.

    Parameters
    ----------
    tracks : Tracks
        The tracks.
    length : int
        Fewest objects that stay.

    Examples
    --------
    >>> delete_short(Tracks({1: {0: 4, 1: 4}, 2: {1: 6}}), 2).members
    {1: {0: 4, 1: 4}}
    """
    related = {*tracks.parents, *tracks.parents.values()}
    kept = {
        number: frames
        for number, frames in tracks.members.items()
        if len(frames) >= length or number in related
    }
    return Tracks(kept, tracks.parents)


def _copied(tracks: Tracks) -> Members:
    return {number: dict(frames) for number, frames in tracks.members.items()}


def _free(tracks: Tracks) -> int:
    return max(tracks.members) + 1
