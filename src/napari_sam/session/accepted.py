"""Accepted objects as labels of their planes, for whoever learns from them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.session.objects import Objects, Status, in_order
from napari_sam.session.target import Plane

__all__ = ["accepted_labels"]


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
