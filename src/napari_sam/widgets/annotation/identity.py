"""Identity of an image: a fingerprint of sampled pixels, computed in a background thread."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

import numpy as np

from napari_sam.errors import SessionError
from napari_sam.session.disk.fingerprint import Fingerprint
from napari_sam.session.disk.folder import SessionFolder
from napari_sam.session.disk.manifest import Manifest
from napari_sam.widgets.layers.image_stack import ImageStack

__all__ = ["Identity", "fingerprinter"]

SIDE = 64  # pixels per axis of a sampled plane
HUGE, FEW = 2**28, 8  # pixels of a plane from which on every pixel is in a chunk of its own
PATIENCE = 20  # seconds that a first step waits for a slow disk


def fingerprinter(picture: ImageStack) -> Callable[[], Fingerprint]:
    """Return a thread-safe function that fingerprints coarse first, middle and last planes."""
    data, ndim = picture.data, picture.layer.ndim
    side = SIDE if math.prod(data.shape[ndim - 2 : ndim]) <= HUGE else FEW
    counts = [2] * (ndim - 2) + [side, side]
    steps = [max(1, (n - 1) // count) for n, count in zip(data.shape, counts, strict=False)]
    index = tuple(slice(None, None, step) for step in steps)
    return lambda: Fingerprint.of(data.shape, np.asarray(data[index]))


class Identity:
    """Computes an image's `Manifest` in a background thread; pixels may be slow to read."""

    def __init__(self, picture: ImageStack) -> None:
        self._picture = picture
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="napari-sam identity")
        self.renew()

    def renew(self) -> None:
        """Compute the fingerprint again, after the pixels have changed."""
        source = self._picture.layer.source
        name, path = self._picture.layer.name, source.path or ""
        reader, fingerprint = source.reader_plugin or "", fingerprinter(self._picture)
        self._known: Future[Manifest] = self._thread.submit(
            lambda: Manifest(fingerprint(), name, path, reader)
        )

    @property
    def known(self) -> Manifest | None:
        """The manifest of the image; None while it is not computed."""
        known = self._known.done() and self._known.exception() is None
        return self._known.result() if known else None

    def wait(self) -> Manifest:
        """Return the manifest; block until it is computed.

        Raises
        ------
        SessionError
            If the picture cannot be read, or takes too long.
        """
        try:
            return self._known.result(PATIENCE)
        except NotYet as error:
            raise SessionError(
                "the picture is slow to read, and without it nothing can be saved; try again soon"
            ) from error
        except Exception as error:  # whatever the file's reader raises
            raise SessionError(f"the picture cannot be read: {error}") from error

    def tell(self, folder: SessionFolder | None) -> None:
        """Update the manifest of a saved session if the fingerprint is known and has changed.

        Raises
        ------
        SessionError
            If it cannot be written.
        """
        known = self.known
        if known and folder is not None and known.picture != folder.manifest.picture:
            folder.describe(known)

    def close(self) -> None:
        """Shut down the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)
