"""Offer to write into the labels that lie within the picture's own OME-Zarr."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from psygnal import Signal

from napari_sam.errors import InputError
from napari_sam.io.label_stores.behind import folder_behind
from napari_sam.io.label_stores.group import free_path, group_of, labels_in
from napari_sam.io.label_stores.opening import new_store
from napari_sam.reasons import reason
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.common.layer_choice import LayerChoice, Offer
from napari_sam.widgets.layers.channel_mix import finest
from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.layers.labels_target import stored_labels
from napari_sam.widgets.layers.preview import first_helper

__all__ = ["StoredLabels"]

THERE, NEW = "Write into …/{}", "New in the file: …/{}"


class StoredLabels:
    """Adds the labels of the picture's OME-Zarr, and new ones there, to a list of Labels layers.

    Parameters
    ----------
    viewer : ViewerModel
        Where their layer is put.
    choice : LayerChoice
        The list; it asks when it is opened.

    Attributes
    ----------
    remarked : psygnal.Signal
        Emitted with a sentence for the user.
    """

    remarked = Signal(str)

    def __init__(self, viewer: ViewerModel, choice: LayerChoice) -> None:
        self._viewer, self._choice = viewer, choice
        self._annotation: Annotation | None = None
        choice.more = self.offers

    def follow(self, annotation: Annotation | None) -> None:
        """Offer what lies within this annotation's picture."""
        self._annotation = annotation

    def close(self) -> None:
        """Offer nothing any more."""
        self.follow(None)
        self._choice.more = None

    def offers(self) -> list[Offer]:
        """Return what can be chosen besides the layers that are there."""
        return [] if self._annotation is None else list(self._found(self._annotation.picture))

    def _found(self, picture: ImageStack) -> Iterator[Offer]:
        group = group_of(picture.data, picture.layer.source.path)
        if group is None:
            return
        layers = [layer for layer in self._viewer.layers if isinstance(layer, Labels)]
        shown = {folder for layer in layers for folder in _folders(layer)}
        for path in labels_in(group, picture.shape):
            if path not in shown:
                name = path.relative_to(group.path.parent).as_posix()
                yield Offer(THERE.format(name), partial(self._open, picture, path))
        if (free := free_path(group, picture.shape)) is not None:
            name = free.relative_to(group.path.parent).as_posix()
            yield Offer(NEW.format(name), partial(self._create, picture, free))

    def _create(self, picture: ImageStack, path: Path) -> None:
        try:
            new_store(path, picture.shape, np.uint32, picture.axes.spacing)
        except (InputError, OSError) as error:
            self.remarked.emit(f"⚠ {path} cannot be made: {reason(error)}")
        else:
            self._open(picture, path)

    def _open(self, picture: ImageStack, path: Path) -> None:
        layer = stored_labels(picture, path, path.name)
        if layer is None:
            self.remarked.emit(f"⚠ {path} can no longer be opened for writing")
            return
        layers = self._viewer.layers
        active = layers.selection.active
        layers.insert(first_helper(self._viewer), layer)
        layers.selection.active = active  # which has the mouse
        self._choice.choose(layer)


def _folders(layer: Labels) -> list[Path]:
    """Return the folders that may be that of a layer's labels: its finest level, and around it."""
    folder = folder_behind(finest(layer))
    return [] if folder is None else [folder, folder.parent]
