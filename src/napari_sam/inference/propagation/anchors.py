"""Anchors of a propagation: masks, prompts and absences, by object and slice."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_sam.arrays import LazyArray, lazy, plain
from napari_sam.errors import InputError
from napari_sam.masks import CroppedMask, cropped_masks
from napari_sam.numbering import MAX_LABEL
from napari_sam.prompts import ABSENT, Absent, Prompts

__all__ = ["Anchor", "Anchors"]

Anchor = CroppedMask | Prompts | Absent


class Anchors:
    """Anchors of a propagation by object and slice, from seeds of any accepted form.

    Parameters
    ----------
    seeds : array-like or mapping
        (Z, Y, X) labels, zero where nothing is known, read slice by slice; or, by object id and
        index of the slice, `Prompts`, a boolean (Y, X) mask, or `ABSENT`.
    length : int
        Number of slices.
    shape : (int, int)
        Of a slice.
    first, last : int
        Limits; anchors outside them are left out.

    Raises
    ------
    InputError
        If the seeds do not fit the stack, or hold no object within the limits.
    """

    def __init__(
        self, seeds: Any, length: int, shape: tuple[int, int], first: int, last: int
    ) -> None:
        self._labels: LazyArray | None = None
        self._known: dict[int, dict[int, Anchor]] = {}
        self._places: dict[int, list[int]] = {}
        if isinstance(seeds, Mapping):
            self._take(seeds, length, shape, first, last)
            most = max(self._places, default=0)
            roomy = (np.int32, np.int64, np.uint64)
            self.dtype = np.dtype(next(one for one in roomy if most <= np.iinfo(one).max))
        else:
            self._scan(seeds, (length, *shape), first, last)
        self._places = {id_: sorted(places) for id_, places in sorted(self._places.items())}
        self.ids = [i for i, places in self._places.items() if self._shown(i, places) is not None]
        if not self.ids:
            raise InputError(
                f"no object to follow: the seeds mark none on the slices {first} to {last}"
            )

    def at(self, index: int) -> dict[int, Anchor]:
        """Return the anchors on a slice, by object id."""
        if self._labels is None:
            return {id_: on[index] for id_, on in self._known.items() if index in on}
        if not any(index in places for places in self._places.values()):
            return {}
        return dict(cropped_masks(plain(self._labels[index], "the seeds")))

    def has(self, id_: int, index: int) -> bool:
        """Return whether an object has an anchor on a slice."""
        places = self._places[id_]
        place = bisect_left(places, index)
        return place < len(places) and places[place] == index

    def before(self, id_: int, index: int) -> int | None:
        """Return the slice of the nearest earlier anchor; None without one or if it is `ABSENT`."""
        places = self._places[id_]
        return self._shown(id_, places[: bisect_left(places, index)][-1:])

    def after(self, id_: int, index: int) -> int | None:
        """Return the slice of the nearest later anchor; None without one or if it is `ABSENT`."""
        places = self._places[id_]
        return self._shown(id_, places[bisect_right(places, index) :][:1])

    def _shown(self, id_: int, places: list[int]) -> int | None:
        """Return the first place at which the object is."""
        if self._labels is not None:
            return next(iter(places), None)
        return next((at for at in places if self._known[id_][at] is not ABSENT), None)

    def _scan(self, seeds: Any, shape: tuple[int, ...], first: int, last: int) -> None:
        labels = lazy(seeds, "the seeds")
        if tuple(labels.shape) != shape:
            raise InputError(f"the seeds must have the stack's shape {shape}; got {labels.shape}")
        kind = plain(labels[0], "the seeds").dtype
        self.dtype = np.dtype(np.uint8) if kind.kind == "b" else kind
        if self.dtype.kind not in "iu":
            raise InputError(f"seed labels must be whole numbers; got dtype {kind}")
        self._labels = labels
        for index in range(first, last + 1):
            ids = np.unique(plain(labels[index], "the seeds"))
            if ids[0] < 0:
                raise InputError(f"seed labels must not be negative; slice {index} has {ids[0]}")
            for id_ in ids[ids > 0].tolist():
                self._places.setdefault(int(id_), []).append(index)

    def _take(
        self,
        seeds: Mapping[Any, Any],
        length: int,
        shape: tuple[int, int],
        first: int,
        last: int,
    ) -> None:
        for id_, on in seeds.items():
            if not isinstance(id_, int | np.integer) or not 1 <= id_ <= MAX_LABEL:
                raise InputError(
                    f"object ids must be whole numbers from 1 to {MAX_LABEL}; got {id_!r}"
                )
            if not isinstance(on, Mapping):
                raise InputError(
                    f"the seeds of object {id_} must be given by slice, {{index: seed}}; "
                    f"got {type(on).__name__}"
                )
            for index, what in on.items():
                if not (isinstance(index, int | np.integer) and 0 <= index < length):
                    raise InputError(
                        f"object {id_} has a seed on slice {index!r}; the stack has {length} slices"
                    )
                anchor = _anchor(what, shape, f"object {id_} on slice {index}")
                if first <= index <= last:
                    self._known.setdefault(int(id_), {})[int(index)] = anchor
        self._places = {id_: list(on) for id_, on in self._known.items()}


def _anchor(what: Any, shape: tuple[int, int], where: str) -> Anchor:
    if isinstance(what, Prompts) or what is ABSENT:
        return what
    mask = plain(what, where)
    if mask.dtype != bool or mask.shape != shape:
        raise InputError(
            f"{where}: a seed must be Prompts, a boolean mask of shape {shape} or ABSENT; "
            f"got {what if mask.ndim == 0 else f'{mask.dtype} of shape {mask.shape}'}"
        )
    cropped = CroppedMask.of(mask)
    if cropped is None:
        raise InputError(f"{where}: the mask is empty; say ABSENT if the object is not there")
    return cropped
