"""Review order of objects and planes, and labels of the accepted objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.planes import Plane, in_order
from napari_sam.session.objects import WORST_FIRST, AnnotatedObject, Objects, Source, Status

__all__ = [
    "accepted_labels",
    "by_confidence",
    "class_examples",
    "next_suggested",
    "next_unsure",
    "weakest_plane",
]


def by_confidence(objects: Iterable[AnnotatedObject]) -> list[AnnotatedObject]:
    """Return the objects sorted by score, lowest first; those without a score come last."""
    return sorted(objects, key=lambda held: (_rank(held.confidence), held.id))


def weakest_plane(held: AnnotatedObject) -> Plane | None:
    """Return the plane to review first: unclear before proposed before accepted, then by score."""
    return min(
        held.planes,
        key=lambda plane: (
            WORST_FIRST.index(held.sections[plane].status),
            _rank(held.sections[plane].score),
        ),
        default=None,
    )


def next_unsure(
    objects: Mapping[int, AnnotatedObject],
    after: tuple[int, Plane] | None = None,
    only: Status | None = None,
) -> tuple[int, Plane] | None:
    """Return the next object and plane that is not accepted, ordered by object, then plane.

    Parameters
    ----------
    objects : mapping of int to AnnotatedObject
        Where to look.
    after : (int, Plane), optional
        Where you are; behind the last the search begins anew.
    only : Status, optional
        Those of this status alone.
    """
    unsure = [
        (number, plane)
        for number in sorted(objects)
        for plane in objects[number].planes
        for status in [objects[number].sections[plane].status]
        if status is not Status.ACCEPTED and only in (None, status)
    ]
    if not unsure:
        return None
    if after is not None:
        here = after[0], in_order(after[1])
        for number, plane in unsure:
            if (number, in_order(plane)) > here:
                return number, plane
    return unsure[0]


def next_suggested(
    objects: Mapping[int, AnnotatedObject], after: int | None = None
) -> tuple[int, Plane] | None:
    """Return the next object whose class was suggested, the least certain first, and a plane of it.

    Parameters
    ----------
    objects : mapping of int to AnnotatedObject
        Where to look.
    after : int, optional
        Where you are; behind the last the search begins anew.
    """
    order = sorted(
        (held.certainty or 0.0, number) for number, held in objects.items() if held.is_suggested
    )
    if not order:
        return None
    here = None if after is None else objects.get(after)
    if here is not None and here.is_suggested:
        place = here.certainty or 0.0, here.id
        order = [one for one in order if one > place] or order
    number = order[0][1]
    plane = weakest_plane(objects[number])
    return None if plane is None else (number, plane)


def class_examples(objects: Mapping[int, AnnotatedObject]) -> dict[int, list[int]]:
    """Return by class the objects that are examples of it.

    Those that somebody has named; where nobody has named any, those that were drawn by clicks.
    """
    examples: dict[int, list[int]] = {}
    named = [held for held in objects.values() if held.certainty == 1]
    clicked = [
        held
        for held in objects.values()
        if any(one.origin.source is Source.PROMPTED for one in held.sections.values())
    ]
    for held in named or clicked:
        examples.setdefault(held.class_id, []).append(held.id)
    return examples


def _rank(score: float | None) -> float:
    return 2.0 if score is None else score


def accepted_labels(
    objects: Objects, shape_of: Callable[[Plane], tuple[int, int]]
) -> tuple[list[Plane], NDArray[np.int32]]:
    """Return the planes with accepted objects, and (N, H, W) labels that hold only those.

    Parameters
    ----------
    objects : Objects
        All objects.
    shape_of : callable
        Tells (H, W) of a plane.

    Raises
    ------
    InputError
        If none is accepted.
    """
    accepted = [
        (number, plane, section.mask)
        for number, held in objects.items()
        for plane, section in held.sections.items()
        if section.status is Status.ACCEPTED and section.mask is not None
    ]
    planes = sorted({plane for _, plane, _ in accepted}, key=in_order)
    if not planes:
        raise InputError("nothing is accepted yet that the model could learn from")
    labels = {plane: np.zeros(shape_of(plane), np.int32) for plane in planes}
    for number, plane, mask in accepted:
        mask.mark(labels[plane], (0, 0, *labels[plane].shape), number)
    return planes, np.stack([labels[plane] for plane in planes])
