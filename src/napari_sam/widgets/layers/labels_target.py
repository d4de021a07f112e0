"""The Labels layer that the session's objects are written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import CyclicLabelColormap
from numpy.typing import NDArray

from napari_sam.arrays import LazyArray
from napari_sam.errors import InputError
from napari_sam.io.label_stores.behind import folder_behind, writable
from napari_sam.io.label_stores.chunks import largest
from napari_sam.io.label_stores.levels import LabelLevels, reserve, why_unwritable
from napari_sam.io.label_stores.opening import new_labels_path, new_store, open_store, too_large
from napari_sam.planes import Plane
from napari_sam.reasons import reason
from napari_sam.session.disk.library import sessions_folder
from napari_sam.session.objects import Objects
from napari_sam.widgets.layers.channel_mix import finest, levels_of
from napari_sam.widgets.layers.image_stack import OURS, ImageStack
from napari_sam.widgets.layers.palette import dominant_colours, palette

__all__ = [
    "BEGIN",
    "FULL",
    "KEPT",
    "LIGHT",
    "PAINTED_OVER",
    "LabelsTarget",
    "Painted",
    "check_planes",
    "misfit",
    "new_labels",
    "painted_planes",
    "store_of",
    "stored_labels",
    "why_not",
]

BEGIN = (
    "to begin anew, choose a Labels layer of its shape under Write to. What you accepted stays "
    "saved; see Options, Saved work."
)
PAINTED_OVER = (
    "These labels are others now than when you left them: each becomes an object when you open it. "
    "What you did before is kept; see Options, Saved work."
)
KEPT = (
    "Your objects are kept. They are written again when it is as it was, or into a new layer when "
    "you delete it and accept the next object."
)
LIGHT, FULL = 0.25, 0.5
"""Opacity of our labels, with outlines and without."""
STORE = "napari-sam labels on disk"
"""In a layer's metadata: where its labels are."""
UNDO, REDO = "Control-Z", "Control-Shift-Z"  # napari's keys in a Labels layer


class LabelsTarget:
    """Reads and writes single planes of a Labels layer; implements `WritableLabels` by shape.

    The layer's data lie in memory or on disk, in one level or several.

    What is written is no step of napari's own undo: the session has the only history, and the
    layer's undo keys go to it until `release`.

    Parameters
    ----------
    layer : napari.layers.Labels
        Checked with `why_not`.
    shows : callable
        Tells whether a plane is in view.
    undo, redo : callable
        What the layer's undo keys do.
    """

    def __init__(
        self,
        layer: Labels,
        shows: Callable[[Plane], bool],
        undo: Callable[[], object],
        redo: Callable[[], object],
    ) -> None:
        self.layer = layer
        self.writing = False
        _open_for_writing(layer)
        self._shape = tuple(finest(layer).shape)
        self._shows = shows
        self._keys_before = {
            key: layer.bind_key(key, lambda _, call=call: call(), overwrite=True)
            for key, call in ((UNDO, undo), (REDO, redo))
        }

    def release(self) -> None:
        """Restore the layer's own undo and redo key bindings."""
        for key, call in self._keys_before.items():
            self.layer.bind_key(key, call, overwrite=True)

    @property
    def lost(self) -> str:
        """Return why the layer can no longer be written to; empty while it can."""
        if problem := _unpaintable(self.layer.name, levels_of(self.layer)):
            return problem
        shape = tuple(finest(self.layer).shape)
        if shape == self._shape:
            return ""
        return f"'{self.layer.name}' has shape {shape} now, and had {self._shape}."

    def has(self, plane: Plane) -> bool:
        """Return whether the plane exists in the labels."""
        at = zip(plane, self._shape, strict=False)
        inside = len(plane) == len(self._shape) and all(i is None or i < size for i, size in at)
        return inside and not self.lost

    @property
    def levels(self) -> LabelLevels:
        """The labels of all levels."""
        return LabelLevels(levels_of(self.layer))

    @property
    def largest(self) -> int:
        """The largest label; on disk that of the coarsest level, which may miss small objects."""
        return largest(levels_of(self.layer)[-1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Integer type of the labels."""
        return finest(self.layer).dtype

    def read(self, plane: Plane) -> LazyArray:
        """Return the (H, W) labels of one plane; of large ones and on disk only what is indexed.

        Raises
        ------
        InputError
            If the layer has no such plane: the picture has changed, or the layer.
        """
        if not self.has(plane):
            at = ", ".join(":" if i is None else str(i) for i in plane)
            raise InputError(
                f"'{self.layer.name}' of shape {finest(self.layer).shape} does not have the slice "
                f"[{at}]; choose a Labels layer that lies on the picture, or a new one"
            )
        return self.levels.plane(plane)

    def write(
        self,
        plane: Plane,
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
        values: NDArray[np.integer],
    ) -> None:
        """Write labels to pixels of one plane, and of the coarser levels.

        Raises
        ------
        OSError
            If the disk takes no more.
        """
        self.read(plane)
        self.levels.write(plane, rows, columns, values)
        if self._shows(plane):
            self.writing = True
            try:
                self.layer.refresh()
            finally:
                self.writing = False


def why_not(layer: Labels, picture: ImageStack) -> str:
    """Return why a Labels layer cannot hold objects of an image; empty if it can."""
    levels = writable(levels_of(layer))
    if problem := _unpaintable(layer.name, levels) or misfit(layer, picture):
        return problem
    if not layer.editable and not layer.multiscale:  # napari lets nobody paint in several levels
        return f"'{layer.name}' is locked against editing; unlock it or choose a new layer."
    return ""


def _unpaintable(name: str, levels: Sequence[Any]) -> str:
    if problem := why_unwritable(levels):
        return f"'{name}' {problem}; choose a new layer."
    try:
        for level in levels:
            reserve(level)
    except OSError as error:
        return f"'{name}' cannot be written to: {reason(error)}."
    return ""


def _open_for_writing(layer: Labels) -> None:
    """Exchange dask's arrays for the zarr arrays that they read; readers hide such layers."""
    before = levels_of(layer)
    levels = writable(before)
    if all(now is then for now, then in zip(levels, before, strict=True)):
        return
    layer.data = levels if layer.multiscale else levels[0]
    layer.visible = True
    if (folder := folder_behind(levels[0])) is not None:
        layer.metadata[STORE] = str(folder.parent if layer.multiscale else folder)


def misfit(layer: Labels, picture: ImageStack) -> str:
    """Return why labels do not align with an image; empty if they do."""
    shape = tuple(finest(layer).shape)
    if shape != picture.shape:
        return (
            f"'{layer.name}' has shape {shape}, but the picture has {picture.shape}; "
            "choose a layer of the same shape or a new one."
        )
    if not picture.transform.is_of(layer):
        return (
            f"'{layer.name}' does not lie on the picture (another scale, shift or rotation); "
            "choose a new layer."
        )
    return ""


def check_planes(objects: Objects, picture: ImageStack, advice: str, drawn: Plane = ()) -> None:
    """Check that the masks of the objects and of the draft fit an image.

    Raises
    ------
    InputError
        If it has other axes or another size; ends with the advice.
    """
    if drawn and len(drawn) != picture.ndim:
        raise InputError(
            f"what was being drawn lies in a picture of {len(drawn)} axes, and this one of shape "
            f"{picture.shape} has {picture.ndim}; {advice}"
        )
    for held in objects.values():
        for plane, section in held.sections.items():
            mask = None if section.mask is None else section.mask.shape
            if not picture.fits(plane, mask):
                at = ", ".join(":" if at is None else str(at) for at in plane)
                size = "" if mask is None else f" of {mask[0]} x {mask[1]} pixels"
                raise InputError(
                    f"an object lies on a slice [{at}]{size}, which this picture of shape "
                    f"{picture.shape} does not have; {advice}"
                )


def new_labels(picture: ImageStack, largest_id: int = 0) -> Labels:
    """Return an empty Labels layer aligned with the image, with a dtype for many ids.

    Labels that would take a large share of the memory lie on disk, in several levels. The colours
    are told apart from those that the image has on the canvas.

    Raises
    ------
    InputError
        If they belong on the disk, and cannot be made there.
    """
    room = (2**15, np.uint16), (2**31, np.uint32)
    dtype = next((dtype for bound, dtype in room if largest_id < bound), np.uint64)
    name = f"{picture.layer.name} objects"
    if not too_large(picture.shape, np.dtype(dtype)):
        return labels_layer(picture, [np.zeros(picture.shape, dtype)], name)
    source = picture.layer.source.path
    folder = sessions_folder().parent / "labels"
    path = new_labels_path(Path(source) if source else None, name, folder)
    wide = np.promote_types(dtype, np.uint32)  # which nobody can change later
    try:
        levels = new_store(path, picture.shape, wide, picture.axes.spacing)
    except OSError as error:
        raise InputError(
            f"labels of this picture's shape {picture.shape} do not fit into the memory, and the "
            f"disk does not take them: {reason(error)}; open labels that can be written to, and "
            "choose them under Write to"
        ) from error
    return labels_layer(picture, levels, name, path)


def stored_labels(picture: ImageStack, path: Path, name: str) -> Labels | None:
    """Return a layer of labels that are on disk, to be written to; None if they do not fit."""
    try:
        levels = open_store(path)
    except InputError:
        return None
    fits = tuple(levels[0].shape) == picture.shape and levels[0].dtype.kind in "iu"
    return labels_layer(picture, levels, name, path) if fits else None


def store_of(layer: Labels | None) -> Path | None:
    """Return where the labels of one of our layers are on disk; None if they are in memory."""
    path = None if layer is None else layer.metadata.get(STORE)
    return Path(path) if isinstance(path, str) else None


def labels_layer(
    picture: ImageStack, levels: Sequence[Any], name: str, path: Path | None = None
) -> Labels:
    """Return a Labels layer of ours for an image, of labels in memory or on disk."""
    colours = palette(dominant_colours(picture.layer.thumbnail))
    several = len(levels) > 1  # napari does not take a list of one
    return Labels(
        list(levels) if several else levels[0],
        multiscale=several,
        colormap=CyclicLabelColormap([*np.zeros((1, 3)), *colours]),
        opacity=FULL,
        name=name,
        metadata={OURS: "objects"} | ({} if path is None else {STORE: str(path)}),
        **picture.transform.arguments,
    )


class Painted(NamedTuple):
    """Painted pixels of one plane, without duplicates, with their labels before and after."""

    plane: Plane
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    before: np.ndarray
    after: np.ndarray


def painted_planes(
    shape: tuple[int, ...], strokes: Sequence[object], axes: tuple[int, ...]
) -> Iterator[Painted]:
    """Group the value of a layer's `paint` event by planes.

    Parameters
    ----------
    shape : tuple of int
        Of the layer's data.
    strokes : sequence
        Of the event: each has a ``slice_key``, a ``mask`` in it or None, ``old_values`` and a
        ``new_value``, or is a tuple of indices, values before and values after.
    axes : tuple of int
        The two axes that a plane spans.
    """
    parts = [_pixels(shape, stroke) for stroke in strokes]
    pixels, old, new = (np.concatenate(part) for part in zip(*parts, strict=True))
    flat, first = np.unique(pixels, return_index=True)
    before = old[first]
    _, last = np.unique(pixels[::-1], return_index=True)
    after = new[::-1][last]
    at = np.stack(np.unravel_index(flat, shape))
    others = [axis for axis in range(len(shape)) if axis not in axes]
    planes, which = np.unique(at[others], axis=1, return_inverse=True)
    for number, position in enumerate(planes.T.tolist() if others else [[]]):
        here = which.ravel() == number if others else slice(None)
        plane: list[int | None] = [None] * len(shape)
        for axis, i in zip(others, position, strict=True):
            plane[axis] = i
        rows, columns = at[axes[0]][here], at[axes[1]][here]
        yield Painted(tuple(plane), rows, columns, before[here], after[here])


def _pixels(shape: tuple[int, ...], stroke: Any) -> tuple[np.ndarray, ...]:
    """Return flat indices, values before and values after, all of shape (N,)."""
    if hasattr(stroke, "slice_key"):
        spans = (range(*part.indices(n)) for part, n in zip(stroke.slice_key, shape, strict=True))
        grid = np.meshgrid(*(np.asarray(span) for span in spans), indexing="ij")
        chosen = slice(None) if stroke.mask is None else np.ravel(stroke.mask)
        index = [axis.ravel()[chosen] for axis in grid]
        before, after = stroke.old_values, stroke.new_value
    else:
        index = [np.ravel(axis) for axis in stroke[0]]
        before, after = stroke[1:]
    flat = np.ravel_multi_index(index, shape)
    return flat, *(np.broadcast_to(np.ravel(values), len(flat)) for values in (before, after))
