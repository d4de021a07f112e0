"""Pixels painted by hand: whom they belonged to, and whom they belong to now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_sam.errors import InputError
from napari_sam.masks import Box, CroppedMask, cropped_masks
from napari_sam.planes import Plane
from napari_sam.session.changes import Edit, SectionEdit, TraitsEdit
from napari_sam.session.objects import LARGEST, Objects, Origin, Section, Source, Status, Traits

__all__ = ["Stroke", "adopt", "paint"]


@dataclass(frozen=True, eq=False)
class Stroke:
    """The pixels of one plane that somebody has painted.

    Parameters
    ----------
    plane : Plane
        Where.
    shape : (H, W)
        Of the plane.
    window : (r0, c0, r1, c1)
        What part of the plane the arrays hold.
    painted : (h, w) bool
        The painted pixels.
    before, after : (h, w) int64
        The labels before and after.
    """

    plane: Plane
    shape: tuple[int, int]
    window: Box
    painted: NDArray[np.bool_]
    before: NDArray[np.int64]
    after: NDArray[np.int64]

    def without(self, pixels: NDArray[np.bool_]) -> Stroke:
        """Return the stroke without these pixels of its window."""
        return replace(self, painted=self.painted & ~pixels)


def adopt(
    objects: Objects,
    labels: NDArray[np.integer[Any]],
    plane: Plane,
    semantic: bool,
    first_new: int,
    values: Collection[int] | None = None,
) -> list[Edit]:
    """Return the edits that make objects of labels that nobody owns yet.

    Parameters
    ----------
    objects : Objects
        All objects.
    labels : (H, W) int
        The labels of a plane.
    plane : Plane
        Which.
    semantic : bool
        True if labels are numbers of classes: then each value becomes one new object of its class.
    first_new : int
        Id of the first of these.
    values : collection of int, optional
        Only these labels.

    Raises
    ------
    InputError
        If a label is below zero, or larger than ids can be.
    """
    whole: Box = (0, 0, *labels.shape)
    loose = (labels != 0) & (objects.owners(plane, whole) == 0)
    if values is not None:
        loose[loose] = np.isin(labels[loose], list(values))
    edits: list[Edit] = []
    for value, mask in cropped_masks(np.where(loose, labels, 0)).items():
        if value > LARGEST:
            raise InputError(
                f"the labels hold the number {value}; objects have numbers up to {LARGEST}. Number "
                "them anew, or choose a new Labels layer"
            )
        number = first_new + len(edits) // 2 if semantic else value
        before = objects.section(number, plane)
        if number not in objects:
            edits.append(TraitsEdit(number, None, Traits(value) if semantic else Traits()))
        if before is None or before.mask is None:
            after = Section(mask, None, Origin(Source.IMPORTED), Status.ACCEPTED)
        else:
            after = replace(before, mask=before.mask.joined(mask))
        edits.append(SectionEdit(number, plane, before, after))
    return edits


def paint(objects: Objects, stroke: Stroke, semantic: bool, first_new: int) -> list[Edit]:
    """Return the edits of objects that a stroke makes; what it painted over is adopted already.

    In instance mode a value is an object's id. In semantic mode it is a class: the pixels join the
    object of that class that they touch most, or become a new one.
    """
    edits: list[Edit] = []
    plane, window = stroke.plane, stroke.window
    owners = objects.owners(plane, window)
    gainers: dict[int, tuple[int, NDArray[np.bool_]]] = {}
    for value in np.unique(stroke.after[stroke.painted]).tolist():
        if value:
            pixels = stroke.painted & (stroke.after == value)
            number = value
            if semantic:
                number = _touched(objects, owners, pixels, value) or first_new + len(gainers)
            gainers[number] = value, pixels
    given = stroke.painted & (owners != 0)
    for loser in np.unique(owners[given]).tolist():
        kept = gainers.get(loser, (0, np.zeros_like(given)))[1]
        lost = given & (owners == loser) & ~kept
        if loser not in gainers and lost.any():
            before = objects[loser].sections[plane]
            assert before.mask is not None
            left = before.mask.without(lost, window)
            erased = bool((stroke.after[lost] == 0).any())
            edits.append(SectionEdit(loser, plane, before, _by_hand(before, left, erased)))
            if left is None and len(objects[loser].sections) == 1:
                edits.append(TraitsEdit(loser, objects[loser].traits, None))
    for number, (value, pixels) in gainers.items():
        gained = CroppedMask.of(pixels, window[:2], stroke.shape)
        assert gained is not None
        held = objects.section(number, plane)
        mask: CroppedMask | None = gained
        if held is not None and held.mask is not None:
            lost = given & (owners == number) & ~pixels
            left = held.mask.without(lost, window)
            mask = gained if left is None else left.joined(gained)
            if mask == held.mask:
                continue
        if number not in objects:
            edits.append(TraitsEdit(number, None, Traits(value) if semantic else Traits()))
        prompts = None if held is None else held.prompts
        section = Section(mask, None, Origin(Source.PAINTED), Status.ACCEPTED, prompts)
        edits.append(SectionEdit(number, plane, held, section))
    return edits


def _by_hand(before: Section, left: CroppedMask | None, erased: bool) -> Section | None:
    if left is None:
        return None
    if not erased:  # only painted over by another object
        return replace(before, mask=left)
    return replace(before, mask=left, score=None, origin=Origin(Source.PAINTED))


def _touched(
    objects: Objects, owners: NDArray[np.int64], pixels: NDArray[np.bool_], class_id: int
) -> int:
    """Return the object of a class that touches the pixels most, or zero."""
    near = owners[ndimage.binary_dilation(pixels, np.ones((3, 3)))]
    ids, counts = np.unique(near[near != 0], return_counts=True)
    alike = [
        (count, number)
        for number, count in zip(ids.tolist(), counts.tolist(), strict=True)
        if objects[number].class_id == class_id and not objects[number].locked
    ]
    return max(alike)[1] if alike else 0
