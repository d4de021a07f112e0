"""Decode COCO run-length encoding (RLE) to masks: column-major, background first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.io.objects.instances import check_mask_size
from napari_sam.numbering import whole_number

__all__ = ["decode_counts", "parse_counts"]

FIRST, BITS, MORE, SIGN = 48, 5, 32, 16  # of COCO's compressed text
MAX_LETTERS = 7  # letters of one number, which 35 bits hold


def parse_counts(counts: object, size: tuple[int, int]) -> NDArray[np.int64]:
    """Return RLE counts as integers that add up to the image's size.

    Parameters
    ----------
    counts : list of int, str or bytes
        As COCO's files have them, compressed or not.
    size : (H, W)
        Of the picture.

    Examples
    --------
    >>> parse_counts("33", (2, 3)).tolist(), parse_counts([5, 1], (2, 3)).tolist()
    ([3, 3], [5, 1])
    """
    runs = _numbers(counts) if isinstance(counts, list) else _decompressed(counts)
    if (runs < 0).any():
        raise InputError("its run lengths are below zero")
    if float(runs.sum(dtype=float)) != size[0] * size[1]:
        raise InputError("its run lengths do not fill the picture exactly")
    return runs


def decode_counts(
    counts: NDArray[np.int64], height: int
) -> tuple[tuple[int, int], NDArray[np.bool_]] | None:
    """Decode RLE counts to corner and mask (h, w); None if the mask is empty.

    Parameters
    ----------
    counts : (N,) int
        From `parse_counts`.
    height : int
        Rows of the picture.

    Examples
    --------
    >>> corner, mask = decode_counts(np.array([5, 2, 2, 2, 1]), 4)
    >>> corner, mask.tolist()
    ((1, 1), [[True, True], [True, True]])
    """
    ends = np.cumsum(counts)
    starts = ends - counts
    runs = np.flatnonzero(counts[1::2]) * 2 + 1
    if len(runs) == 0:
        return None
    columns, last = starts[runs] // height, (ends[runs] - 1) // height
    left, right = int(columns[0]), int(last[-1]) + 1
    if (columns == last).all():  # the object may be small in a large picture
        rows = np.stack([starts[runs], ends[runs]]) - columns * height
        top, bottom = int(rows.min()), int(rows.max())
        check_mask_size(bottom - top, right - left)
        turns = np.zeros((right - left, bottom - top + 1), bool)
        for row in rows:
            np.logical_xor.at(turns, (columns - left, row - top), True)
        mask = np.logical_xor.accumulate(turns, axis=1)[:, :-1]
        return (top, left), mask.T
    check_mask_size(height, right - left)
    first, end = left * height, right * height
    shown = np.clip(ends, first, end) - np.clip(starts, first, end)
    mask = np.repeat(np.arange(len(counts)) % 2 == 1, shown).reshape(-1, height)
    return (0, left), mask.T


def _numbers(counts: Sequence[object]) -> NDArray[np.int64]:
    numbers = [whole_number(one) for one in counts]
    if any(one is None or abs(one) >= 2**62 for one in numbers):
        raise InputError("its run lengths must be whole numbers")
    return np.array(numbers, np.int64)


def _decompressed(text: object) -> NDArray[np.int64]:
    """Return the numbers of COCO's text: 5 bits a letter, most of them differences."""
    raw = text.encode() if isinstance(text, str) else text
    if not isinstance(raw, bytes):
        raise InputError("its run lengths must be whole numbers, or text")
    letters = np.frombuffer(raw, np.uint8).astype(np.int64) - FIRST
    if not ((letters >= 0) & (letters < 2 * MORE)).all():
        raise InputError("its compressed run lengths hold letters that COCO does not use")
    last = np.flatnonzero(letters < MORE)
    lengths = np.diff(last, prepend=-1)
    if len(letters) and (
        len(last) == 0 or last[-1] != len(letters) - 1 or max(lengths) > MAX_LETTERS
    ):
        raise InputError("its compressed run lengths are cut off or damaged")
    starts = last - lengths + 1
    shifts = BITS * (np.arange(len(letters)) - np.repeat(starts, lengths))
    numbers = np.zeros(0, np.int64)
    if len(starts):
        numbers = np.add.reduceat((letters & (MORE - 1)) << shifts, starts)
    negative = (letters[last] & SIGN) > 0
    numbers[negative] -= np.int64(1) << (BITS * lengths[negative])
    for first in (1, 2):  # from the fourth number on each is the difference to the last but one
        numbers[first::2] = np.cumsum(numbers[first::2])
    return numbers
