"""Settled pixels of a slice: objects and labels that a search must not change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.planes import Plane
from napari_sam.session.autofill import settled
from napari_sam.session.classes import named
from napari_sam.session.objects import Status
from napari_sam.session.overlap import Rule
from napari_sam.session.session import Session
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.layers.channel_mix import finest
from napari_sam.widgets.layers.image_stack import on_plane

__all__ = ["has_accepted", "last_step", "searchable", "settled_on", "settled_state"]


def settled_on(
    annotation: Annotation, plane: Plane, rule: Rule, texts: Sequence[str] | None = None
) -> NDArray[np.int64]:
    """Return the settled pixels of a plane, including those of the Labels layer; see `settled`.

    Only earlier finds of these texts make room; None: all do.
    """
    session = annotation.session
    shape, target = annotation.picture.plane_shape(plane), annotation.target
    labels = None
    if target is not None and finest(target).shape == annotation.picture.shape:  # else changed
        labels = np.asarray(finest(target)[on_plane(plane)])
    classes = None
    if texts is not None:
        used = {one.class_id for one in session.objects.values()}
        classes = named(session.classes, used, texts)[1].values()
    return settled(session.objects, plane, shape, rule, labels, classes)


def settled_state(annotation: Annotation, rule: Rule) -> tuple[object, ...]:
    """Return a key that is equal as long as the settled pixels cannot have changed."""
    return annotation.session, annotation.target, last_step(annotation.session), rule


def last_step(session: Session) -> int:
    """Return the number of the step that an undo reverts; 0 if there is none."""
    done = session.history.done
    return done[-1].number if done else 0


def searchable(
    region: NDArray[np.bool_] | None, there: NDArray[np.int64]
) -> NDArray[np.bool_] | None:
    """Return the (H, W) mask of pixels left to search; None if everywhere.

    `region` is where to search; `there` is what is settled; see `settled_on`.

    Raises
    ------
    InputError
        If there is no such place.

    Examples
    --------
    >>> searchable(np.array([[False, True, True]]), np.array([[0, 0, 7]]))
    array([[False,  True, False]])
    """
    left = there == 0
    if region is not None:
        left &= region
    if not left.any():
        raise InputError(
            "there is no place left to search: draw larger shapes, or search the whole slice"
        )
    return None if left.all() else left


def has_accepted(annotation: Annotation) -> bool:
    """Return whether there are accepted objects to train on."""
    return any(
        section.status is Status.ACCEPTED
        for one in annotation.session.objects.values()
        for section in one.sections.values()
    )
