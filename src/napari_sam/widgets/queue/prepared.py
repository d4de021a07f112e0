"""Pictures of a queue as layers, read in the background and embedded ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from napari.layers import Image
from napari.layers._source import layer_source  # what says of a layer where its file is
from qtpy.QtCore import QObject

from napari_sam.arrays import Array
from napari_sam.errors import InputError
from napari_sam.inference.pyramid import is_large
from napari_sam.io.images.find import name_of
from napari_sam.io.images.read import open_image
from napari_sam.planes import Plane
from napari_sam.serving.host import HostedModel
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.jobs.piecework import Piece, Piecework
from napari_sam.widgets.jobs.plane import StackContrast
from napari_sam.widgets.layers.image_stack import ImageStack

if TYPE_CHECKING:
    from napari_sam.serving.segmenter import StoredSegmenter

__all__ = ["Pixels", "Prepared", "first_plane", "new_layer", "read_pixels"]

LARGEST = 2**31  # bytes that are read whole
KEPT = 4  # layers of pictures that were or will be shown
TOO_LARGE = "it is too large to be read whole ({:.0f} GB); open it by itself"

Then = Callable[[Image | None, str], None]
"""Takes the layer, or why there is none."""


class Pixels(NamedTuple):
    """A picture that was read: its array, and whether the last axis holds colours."""

    array: Array
    colours: bool


class Prepared(QObject):
    """Reads pictures as Image layers, the wanted one first, and embeds those that come next.

    Parameters
    ----------
    prepare : callable
        Called with a layer before it is looked at, as for one that is annotated.
    """

    def __init__(self, prepare: Callable[[Image], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._prepare = prepare
        self._background = Background("queue", self)
        self._embedding = Piecework(later=True, parent=self)
        self._layers: dict[Path, Image] = {}
        self._reading: dict[Path, list[Then]] = {}

    @property
    def busy(self) -> bool:
        """True while a picture is read or embedded."""
        return bool(self._reading) or self._embedding.busy

    def get(self, path: Path, then: Then) -> None:
        """Call `then` with the layer of a picture: at once if it is there, else once it is read."""
        if path in self._layers:
            self._layers[path] = self._layers.pop(path)  # the latest last
            then(self._layers[path], "")
        elif path in self._reading:
            self._reading[path].append(then)
        else:
            self._reading[path] = [then]
            self._background.submit(
                lambda: read_pixels(path), lambda future: self._take(path, future)
            )

    def ahead(self, paths: Sequence[Path], model: HostedModel | None) -> None:
        """Read these pictures and embed what is seen of them first, in this order.

        Others that were to be embedded are left out from now on.
        """
        self._embedding.cancel()
        layers: list[Image] = []
        left = len(paths)

        def take(layer: Image | None, why: str) -> None:
            nonlocal left
            left -= 1
            if layer is not None:
                layers.append(layer)
            if left == 0 and model is not None:
                self._embedding.start(model, self._pieces(layers))

        for path in paths:
            self.get(path, take)

    def close(self) -> None:
        """Stop, and let go of all layers."""
        self._embedding.cancel()
        self._background.close()
        self._layers.clear()
        self._reading.clear()

    def _take(self, path: Path, future: Future[Pixels]) -> None:
        waiting = self._reading.pop(path, [])
        error, layer = future.exception(), None
        if error is None:
            layer = self._layers[path] = new_layer(path, future.result())
            while len(self._layers) > KEPT:
                self._layers.pop(next(iter(self._layers)))
        for then in waiting:
            then(layer, "" if error is None else str(error) or type(error).__name__)

    def _pieces(self, layers: Sequence[Image]) -> Iterator[Piece]:
        for layer in layers:
            self._prepare(layer)
            picture = ImageStack(layer)
            plane = first_plane(picture)
            if not is_large(picture.plane_shape(plane)):
                yield _piece(picture, plane)


def _piece(picture: ImageStack, plane: Plane) -> Piece:
    read, contrast = picture.reader(plane), StackContrast(picture.sampler())

    def keep(segmenter: StoredSegmenter, pause: Callable[[], None]) -> object:
        return segmenter.keep(read(), contrast.of(segmenter), pause)

    return keep


def first_plane(picture: ImageStack) -> Plane:
    """Return the plane that napari shows first of a picture that is opened alone."""
    leading = picture.shape[:-2]
    return (*((n - 1) // 2 for n in leading), None, None)


def read_pixels(path: Path) -> Pixels:
    """Read a picture whole; not in the window's thread.

    Raises
    ------
    InputError
        If it cannot be read, or is too large for that.
    """
    with open_image(path) as data:
        size = int(np.prod(data.shape)) * data.dtype.itemsize
        if size > LARGEST:
            raise InputError(f"{path}: {TOO_LARGE.format(size / 1e9)}")
        return Pixels(np.asarray(data), data.colours)


def new_layer(path: Path, pixels: Pixels) -> Image:
    """Return the Image layer of a picture, which knows its file."""
    with layer_source(path=str(path)):
        return Image(pixels.array, rgb=pixels.colours, name=name_of(path))
