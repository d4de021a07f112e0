"""Objects of a time series as tracks: an object is a track, and its parent is a trait of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from napari_sam.masks import CroppedMask
from napari_sam.planes import Plane
from napari_sam.session.changes import Edit, Kind, SectionEdit, TraitsEdit
from napari_sam.session.objects import LabelArray, Objects, Section
from napari_sam.session.session import Session
from napari_sam.tracking.detections import Detections
from napari_sam.tracking.tracks import Tracks

__all__ = [
    "Centres",
    "Frames",
    "detections_in",
    "drawn_frames",
    "frames_in",
    "retrack",
    "tracks_in",
]

Frames = list[dict[int, CroppedMask]]
"""The masks on each frame by object."""

Centres = dict[CroppedMask, tuple[float, float]]
"""The centroid of each mask, (row, column)."""

Placed = dict[tuple[int, Plane], Section]


def frames_in(objects: Objects, planes: Sequence[Plane]) -> Frames:
    """Return the masks on each of these planes by object."""
    return [dict(objects.on(plane)) for plane in planes]


def tracks_in(objects: Objects, frames: Frames) -> Tracks:
    """Return the objects as tracks, with those parents that end before their daughters begin."""
    members: dict[int, dict[int, int]] = {}
    for frame, masks in enumerate(frames):
        for number in masks:
            members.setdefault(number, {})[frame] = number
    parents = {
        number: parent
        for number in members
        for parent in [objects[number].traits.parent]
        if parent in members and max(members[parent]) < min(members[number])
    }
    return Tracks(members, parents)


def detections_in(frames: Frames, known: Centres | None = None) -> Detections:
    """Return the masks as detections, without what they share.

    Parameters
    ----------
    frames : list of dict of int to CroppedMask
        From `frames_in`.
    known : dict of CroppedMask to (float, float), optional
        Centroids that were measured before; new ones are put in.
    """
    places = [(frame, number) for frame, masks in enumerate(frames) for number in masks]
    masks = [frames[frame][number] for frame, number in places]
    known = {} if known is None else known
    for mask in masks:
        if mask not in known:
            known[mask] = _centre(mask)
    centres = np.array([known[mask] for mask in masks], float).reshape(-1, 2)
    rows = np.array(places, np.int64).reshape(-1, 2)
    return Detections(
        rows[:, 0],
        rows[:, 1],
        centres,
        np.array([mask.area for mask in masks], float),
        np.array([mask.touches_edge for mask in masks], bool),
        len(frames),
        (1.0, 1.0),
    )


def drawn_frames(frames: Frames, shape: tuple[int, int]) -> Iterator[LabelArray]:
    """Yield the (H, W) labels of each frame."""
    for masks in frames:
        labels = np.zeros(shape, np.int64)
        for number, mask in masks.items():
            mask.mark(labels, (0, 0, *shape), number)
        yield labels


def retrack(session: Session, planes: Sequence[Plane], tracks: Tracks) -> None:
    """Make the objects on these planes be the given tracks, as one undoable step.

    Sections go over to the object that bears their track's number; objects that lose all are
    deleted, as are sections that are in no track.

    Parameters
    ----------
    session : Session
        The session.
    planes : sequence of Plane
        The frames, in order.
    tracks : Tracks
        Of the session's objects, as `tracks_in` has them, by `napari_sam.tracking.edits` or linked
        anew; numbers that no object has are new objects.

    Raises
    ------
    InputError
        If an object that changes is locked.
    """
    objects = session.objects
    before = tracks_in(objects, frames_in(objects, planes))
    tracks = _with_free_numbers(session, planes, tracks, before)
    had = _placed(objects, planes, before)
    wanted = _placed(objects, planes, tracks)
    new = [number for number in tracks.members if number not in before.members]
    edits: list[Edit] = [
        SectionEdit(number, plane, section, None)
        for (number, plane), section in had.items()
        if (number, plane) not in wanted
    ]
    for number in new:
        first = tracks.first(number)
        origin = objects[tracks.members[number][first]].traits
        made = replace(origin, locked=False, parent=tracks.parents.get(number))
        edits.append(TraitsEdit(number, None, made))
    for number in tracks.members.keys() & before.members.keys():
        if before.parents.get(number) != tracks.parents.get(number):
            traits = objects[number].traits
            after = replace(traits, parent=tracks.parents.get(number))
            edits.append(TraitsEdit(number, traits, after))
    edits += [
        SectionEdit(number, plane, had.get((number, plane)), section)
        for (number, plane), section in wanted.items()
        if section != had.get((number, plane))
    ]
    gone = before.members.keys() - tracks.members.keys()
    edits += [edit for number in sorted(gone) for edit in _left_over(objects, number, planes)]
    for number in {edit.object_id for edit in edits} - set(new):
        objects.unlocked(number)
    session.edit(Kind.TRACKED, edits)


def _placed(objects: Objects, planes: Sequence[Plane], tracks: Tracks) -> Placed:
    """Return the section that each track has on each plane."""
    return {
        (number, planes[frame]): objects[label].sections[planes[frame]]
        for number, some in tracks.members.items()
        for frame, label in some.items()
    }


def _left_over(objects: Objects, number: int, planes: Sequence[Plane]) -> list[Edit]:
    """Return the edits that delete an object without masks on these planes, if it has no others."""
    held, frames = objects[number], set(planes)
    rest = {at: one for at, one in held.sections.items() if at not in frames or one.mask is None}
    if any(section.mask is not None for section in rest.values()):
        return []
    marks: list[Edit] = [SectionEdit(number, at, section, None) for at, section in rest.items()]
    return [*marks, TraitsEdit(number, held.traits, None)]


def _with_free_numbers(
    session: Session, planes: Sequence[Plane], tracks: Tracks, before: Tracks
) -> Tracks:
    """Return the tracks with ids for those that are new, which nothing in the labels has."""
    new = [number for number in tracks.members if number not in before.members]
    if not new:
        return tracks
    free = max(session.labels.new_id(plane) for plane in planes)
    ids: Mapping[int, int] = {number: free + place for place, number in enumerate(new)}
    return Tracks(
        {ids.get(number, number): some for number, some in tracks.members.items()},
        {ids.get(one, one): ids.get(of, of) for one, of in tracks.parents.items()},
    )


def _centre(mask: CroppedMask) -> tuple[float, float]:
    rows, columns = np.nonzero(mask.crop())
    return float(rows.mean()) + mask.box[0], float(columns.mean()) + mask.box[1]
