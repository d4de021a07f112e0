"""Program that accepts objects into labels on disk, told the folder on standard input.

``python -m tests.io.label_stores.writer`` forks a child for each line ``FOLDER SEED``. The child
goes on with the session of the folder, prints its process id, and the id of each object once it was
accepted; it does so until it is killed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

from napari_sam.io.label_stores.levels import LabelLevels
from napari_sam.io.label_stores.opening import new_store, open_store
from napari_sam.io.spacing import Spacing
from napari_sam.masks import CroppedMask
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.disk.fingerprint import Fingerprint
from napari_sam.session.disk.folder import SessionFolder, restore
from napari_sam.session.disk.manifest import Manifest

SHAPE, SIDE = (2100, 1600), 600
PLANE = (None, None)


class Target:
    """The labels on disk in a folder."""

    dtype = np.dtype("u4")

    def __init__(self, folder: Path) -> None:
        self.arrays = open_store(folder / "labels.ome.zarr")
        self.read, self.write = LabelLevels(self.arrays).plane, LabelLevels(self.arrays).write


def begin(folder: Path) -> None:
    """Make empty labels and the session of a picture."""
    new_store(folder / "labels.ome.zarr", SHAPE, "u4", Spacing.usual(2))
    picture = Manifest(Fingerprint.of((2, 3), np.zeros((2, 3))), "slide.tif")
    SessionFolder.create(folder / "session", picture).let_go()


def accept_until_killed(folder: Path, seed: int) -> None:
    """Accept objects of many chunks, one after the other."""
    rng = np.random.default_rng(seed)
    session = restore(folder / "session").session
    session.labels.write_to(Target(folder))
    while True:
        corner = int(rng.integers(SHAPE[0] - SIDE)), int(rng.integers(SHAPE[1] - SIDE))
        mask = CroppedMask.of(np.ones((SIDE, SIDE), bool), corner, SHAPE)
        with Batch(session, Kind.AUTOMATIC) as batch:
            number = batch.add(PLANE, [NewMask(mask)])[0]
        if number is not None:  # others had left something of it
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


def main() -> None:
    """Fork a child for each line."""
    for line in sys.stdin:
        folder, seed = line.split()
        child = os.fork()
        if child == 0:
            sys.stdout.write(f"pid {os.getpid()}\n")
            sys.stdout.flush()
            accept_until_killed(Path(folder), int(seed))
        os.waitpid(child, 0)
        sys.stdout.write("end\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
