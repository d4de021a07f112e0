"""Clean-up of masks: holes, specks, smoothing, growing, shrinking, the largest part, convex hull.

Neighbours keep their pixels whatever the rules say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.morphology import convex_hull_image

from napari_sam.errors import InputError
from napari_sam.inference.masks import EIGHT
from napari_sam.masks import CroppedMask, cropped_masks, enclosing, grown, slices
from napari_sam.numbering import check_numbers
from napari_sam.results import Prediction

__all__ = [
    "CleanSettings",
    "clean_answer",
    "clean_labels",
    "clean_mask",
    "clean_plane",
    "cleaned",
]

OTHER = -1  # owner of what is not cleaned
MOST = 1000.0  # pixels that a mask may be smoothed, grown or shrunk by

PixelSize = tuple[float, float]
"""Height and width of a pixel, in the unit of the settings."""


@dataclass(frozen=True)
class CleanSettings:
    """Rules of a clean-up, in the order in which they are followed; by default there are none.

    Lengths are in pixels, or in another unit if the size of a pixel is given in that one.

    Parameters
    ----------
    largest : bool
        Keep only the largest part. Pixels that touch at a corner are connected.
    min_part : float
        Drop parts of less area than this; the largest one always stays.
    fill_holes : bool
        Fill what is enclosed.
    smooth : float
        Radius of the disc with which a mask is opened, then closed: no spike and no notch stays
        that is narrower than the disc.
    grow : float
        Distance by which the border moves outwards; below zero inwards.
    convex : bool
        Fill up to the convex hull.

    Raises
    ------
    InputError
        If a number is not finite, or one but `grow` is below zero.

    Examples
    --------
    >>> CleanSettings().does_something, CleanSettings(smooth=2).does_something
    (False, True)
    """

    largest: bool = False
    min_part: float = 0
    fill_holes: bool = False
    smooth: float = 0
    grow: float = 0
    convex: bool = False

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not np.isfinite(value) or (value < 0 and one.name != "grow"):
                raise InputError(f"{one.name} must be a number from 0 on; got {value}")

    @property
    def does_something(self) -> bool:
        """Whether there is any rule."""
        return self != CleanSettings()

    def margin(self, pixel: PixelSize = (1.0, 1.0)) -> int:
        """Return how many pixels around a mask are looked at.

        Raises
        ------
        InputError
            If a length is more than 1000 pixels.
        """
        reach = max(self.smooth, abs(self.grow)) / min(pixel)
        if reach > MOST:
            raise InputError(
                f"{self.said('units')}: that is {reach:,.0f} pixels of {min(pixel):g}; take "
                f"{MOST:,.0f} pixels at most"
            )
        return 1 + int(np.ceil(2 * reach))

    def said(self, unit: str = "px") -> str:
        """Return the rules as text.

        Examples
        --------
        >>> CleanSettings(fill_holes=True, smooth=2, grow=-1).said()
        'fill holes, smooth by 2 px, shrink by 1 px'
        """
        words = {
            "keep the largest part": self.largest,
            f"drop parts below {self.min_part:g} {unit}²": self.min_part,
            "fill holes": self.fill_holes,
            f"smooth by {self.smooth:g} {unit}": self.smooth,
            f"grow by {self.grow:g} {unit}": self.grow > 0,
            f"shrink by {-self.grow:g} {unit}": self.grow < 0,
            "make convex": self.convex,
        }
        return ", ".join(text for text, on in words.items() if on)


def clean_mask(
    mask: NDArray[np.bool_], settings: CleanSettings, pixel: PixelSize = (1.0, 1.0)
) -> NDArray[np.bool_]:
    """Apply the rules to one mask (H, W) without neighbours; return a new one of its shape.

    A mask of which nothing would be left, because it is thinner than what it is smoothed or shrunk
    by, is returned as it is. Where it touches the border of the array it is thought to go on.

    Examples
    --------
    >>> mask = np.array([[1, 1, 1, 0, 1], [1, 0, 1, 0, 0], [1, 1, 1, 0, 0]], bool)
    >>> clean_mask(mask, CleanSettings(largest=True, fill_holes=True)).astype(int)
    array([[1, 1, 1, 0, 0],
           [1, 1, 1, 0, 0],
           [1, 1, 1, 0, 0]])
    """
    cropped = CroppedMask.of(mask)
    return mask.copy() if cropped is None else cleaned(cropped, settings, pixel).full()


def clean_answer(
    answer: Prediction, settings: CleanSettings, pixel: PixelSize = (1.0, 1.0)
) -> Prediction:
    """Apply the rules to each mask of a model's answer; scores and logits stay the model's.

    Raises
    ------
    InputError
        If a length is more than 1000 pixels.
    """
    masks = [clean_mask(mask, settings, pixel) for mask in answer.masks]
    return replace(answer, masks=np.stack(masks)) if masks else answer


def cleaned(
    mask: CroppedMask, settings: CleanSettings, pixel: PixelSize = (1.0, 1.0)
) -> CroppedMask:
    """Do as `clean_mask` for a cropped mask.

    Raises
    ------
    InputError
        If a length is more than 1000 pixels.
    """
    margin = settings.margin(pixel)
    window = grown(mask.box, margin, mask.shape)
    part = _parts(mask.within(window), settings, pixel)
    if settings.fill_holes:
        part = ndimage.binary_fill_holes(part)
    if settings.smooth or settings.grow:
        part = _moved(part, margin, settings, pixel)
    if settings.convex and part.any():
        part = part | convex_hull_image(part)
    found = CroppedMask.of(part, window[:2], mask.shape)
    return mask if found is None else found


def clean_plane(
    masks: Mapping[int, CroppedMask],
    settings: CleanSettings,
    pixel: PixelSize = (1.0, 1.0),
    others: CroppedMask | None = None,
) -> dict[int, CroppedMask]:
    """Apply the rules to objects of one plane at once; neighbours keep their pixels.

    What an object gives away is free for others; what several reach goes to the nearest, of
    two as near to the first, and of what one gains only that stays which touches the rest.

    Parameters
    ----------
    masks : mapping of int to CroppedMask
        The objects by id, without overlap.
    settings : CleanSettings
        The rules.
    pixel : (height, width)
        Size of a pixel in the unit of the settings.
    others : CroppedMask, optional
        Pixels that are taken by what is not cleaned.

    Returns
    -------
    dict of int to CroppedMask
        Those that change.

    Raises
    ------
    InputError
        If a length is more than 1000 pixels.
    """
    wanted = {number: cleaned(mask, settings, pixel) for number, mask in masks.items()}
    wanted = {number: mask for number, mask in wanted.items() if mask != masks[number]}
    if not wanted:
        return {}
    whole = enclosing(*(one.box for one in wanted.values()))
    owners = np.zeros((whole[2] - whole[0], whole[3] - whole[1]), np.int64)
    if others is not None:
        others.mark(owners, whole, OTHER)
    ranks = {number: rank for rank, number in enumerate(masks, 1)}
    for number, mask in masks.items():
        if mask.meets(whole):
            kept = _common(mask, wanted[number]) if number in wanted else mask
            if kept is not None:
                kept.mark(owners, whole, ranks[number])
    claims = _claims(masks, wanted, owners, whole, pixel, ranks)
    found = {}
    for number, mask in wanted.items():
        inside = slices(mask.box, whole)
        kept, gained = (side[inside] == ranks[number] for side in (owners, claims))
        left = CroppedMask.of(_hanging_on(kept, gained), mask.box[:2], mask.shape)
        if left is not None and left != masks[number]:
            found[number] = left
    return found


def clean_labels(
    labels: NDArray[np.integer], settings: CleanSettings, pixel: PixelSize = (1.0, 1.0)
) -> NDArray[np.integer]:
    """Clean all objects of labels (..., H, W), slice by slice; ids, shape and dtype stay.

    Parameters
    ----------
    labels : (..., H, W) int
        0 is background.
    settings : CleanSettings
        The rules.
    pixel : (height, width)
        Size of a pixel in the unit of the settings.

    Returns
    -------
    (..., H, W) int

    Raises
    ------
    InputError
        If they are no whole numbers from 0 on, or have under two axes, or a length is more than
        1000 pixels.

    Examples
    --------
    >>> labels = np.array([[7, 7, 7, 0], [7, 0, 7, 9], [7, 7, 7, 9]])
    >>> clean_labels(labels, CleanSettings(fill_holes=True, grow=1))
    array([[7, 7, 7, 7],
           [7, 7, 7, 9],
           [7, 7, 7, 9]])
    """
    found = check_numbers(labels).copy()
    if found.ndim < 2:
        raise InputError(f"labels need rows and columns; got an array of shape {found.shape}")
    for index in np.ndindex(*found.shape[:-2]):
        plane, masks = found[index], cropped_masks(found[index])
        changed = clean_plane(masks, settings, pixel)
        for number in changed:
            masks[number].mark(plane, (0, 0, *plane.shape), 0)
        for number, mask in changed.items():
            mask.mark(plane, (0, 0, *plane.shape), number)
    return found


def _parts(part: NDArray[np.bool_], settings: CleanSettings, pixel: PixelSize) -> NDArray[np.bool_]:
    """Return a mask without the parts that are dropped."""
    if not (settings.largest or settings.min_part):
        return part
    numbered, count = ndimage.label(part, EIGHT)
    sizes = np.bincount(numbered.ravel())
    sizes[0] = 0
    stays = np.zeros(count + 1, bool)
    if not settings.largest:
        stays = sizes * pixel[0] * pixel[1] >= settings.min_part
        stays[0] = False
    stays[sizes.argmax()] = True
    return stays[numbered]


def _moved(
    part: NDArray[np.bool_], margin: int, settings: CleanSettings, pixel: PixelSize
) -> NDArray[np.bool_]:
    """Return a mask smoothed, then grown or shrunk; empty where nothing is left of it."""
    wide = np.pad(part, margin, mode="edge")  # at the border of the picture it goes on
    if settings.smooth:
        opened = _grown(_grown(wide, -settings.smooth, pixel), settings.smooth, pixel)
        wide = _grown(_grown(opened, settings.smooth, pixel), -settings.smooth, pixel)
    return _grown(wide, settings.grow, pixel)[margin:-margin, margin:-margin]


def _grown(mask: NDArray[np.bool_], by: float, pixel: PixelSize) -> NDArray[np.bool_]:
    """Move the border of a mask outwards by a distance, or inwards."""
    if by == 0 or not mask.any() or mask.all():
        return mask
    if by < 0:
        return np.asarray(ndimage.distance_transform_edt(mask, pixel) > -by)
    return np.asarray(ndimage.distance_transform_edt(~mask, pixel) <= by)


def _common(one: CroppedMask, other: CroppedMask) -> CroppedMask | None:
    return CroppedMask.of(one.crop() & other.within(one.box), one.corner, one.shape)


def _claims(
    masks: Mapping[int, CroppedMask],
    wanted: Mapping[int, CroppedMask],
    owners: NDArray[np.int64],
    whole: tuple[int, int, int, int],
    pixel: PixelSize,
    ranks: Mapping[int, int],
) -> NDArray[np.int64]:
    """Return which object gets each free pixel that any of them wants: the nearest."""
    claims = np.zeros_like(owners)
    nearest = np.full(owners.shape, np.inf, np.float32)
    for number, mask in wanted.items():
        inside = slices(mask.box, whole)
        gained = mask.crop() & (owners[inside] == 0)
        kept = _common(mask, masks[number])
        if kept is None or not gained.any():
            continue
        away = ndimage.distance_transform_edt(~kept.within(mask.box), pixel)
        first = gained & (away < nearest[inside])
        nearest[inside][first] = away[first]
        claims[inside][first] = ranks[number]
    return claims


def _hanging_on(kept: NDArray[np.bool_], gained: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return what is kept with those parts of what is gained that touch it."""
    if not gained.any():
        return kept
    parts, count = ndimage.label(kept | gained, EIGHT)
    touches = np.zeros(count + 1, bool)
    touches[np.unique(parts[kept])] = True
    return (kept | gained) & touches[parts]
