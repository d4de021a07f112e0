"""Journals of squares, and what can happen to their lines."""

from __future__ import annotations

import json
import zlib

import numpy as np

from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.disk.fingerprint import Fingerprint
from napari_sam.session.disk.folder import restore
from napari_sam.session.disk.manifest import Manifest

SIDE = 64
PICTURE = Manifest(Fingerprint.of((SIDE, SIDE), np.zeros((SIDE, SIDE))), "a.tif")


def square(row, column=0, side=9):
    mask = np.zeros((SIDE, SIDE), bool)
    mask[row : row + side, column : column + side] = True
    return mask


def add(session, *masks):
    """Add objects in one step; return their ids."""
    with Batch(session, Kind.AUTOMATIC) as batch:
        return batch.add((None, None), [NewMask(mask, score=0.9) for mask in masks])


def lines_of(journal):
    return journal.read_bytes().splitlines(keepends=True)


def line(value):
    text = json.dumps(value, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def values_of(lines):
    return [json.loads(one[9:]) for one in lines]


def as_before(lines):
    """Return lines as versions wrote them that did not number them."""
    values = values_of(lines)
    for value in values:
        value.pop("line")
        for step in {"undo", "redo"} & value.keys():
            value[step] = True
    return [line(value) for value in values]


def opened(journal):
    """Restore and close; return what was restored."""
    restored = restore(journal.parent)
    restored.folder.close()
    return restored


def flip(one):
    return one[:12] + bytes([one[12] ^ 1]) + one[13:]
