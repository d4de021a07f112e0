"""Discs that move from frame to frame and divide."""

from __future__ import annotations

import numpy as np

from napari_sam.masks import cropped_masks
from napari_sam.session.changes import Kind, SectionEdit, TraitsEdit
from napari_sam.session.objects import Origin, Section, Source, Status, Traits


def draw(*discs, length=8, shape=(60, 80)):
    """Return labels (T, Y, X); a disc is a function of the frame: (row, column, radius) or None."""
    rows, columns = np.indices(shape)
    frames = np.zeros((length, *shape), np.int32)
    for number, disc in enumerate(discs, 1):
        for frame in range(length):
            if (place := disc(frame)) is not None:
                row, column, radius = place
                frames[frame][(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = number
    return frames


def renumbered(frames, seed=0):
    """Return the frames with other ids on each."""
    rng, given = np.random.default_rng(seed), np.zeros_like(frames)
    for frame, labels in enumerate(frames):
        table = np.zeros(labels.max() + 1, np.int32)
        table[1:] = 1 + rng.permutation(labels.max())
        given[frame] = table[labels]
    return given


def dividing(length=8):
    """Return a mother that divides at frame 4, and a cell that passes by."""
    return draw(
        lambda t: (30, 20 + 2 * t, 7) if t < 4 else None,
        lambda t: (25 - (t - 4), 27, 5) if t >= 4 else None,
        lambda t: (35 + (t - 4), 27, 5) if t >= 4 else None,
        lambda t: (30, 60 - t, 6),
        length=length,
    )


def fill(session, frames):
    """Put the objects of frames into a session, a step each; on each frame they are others."""
    number = 0
    for frame, labels in enumerate(frames):
        edits = []
        for mask in cropped_masks(labels).values():
            number += 1
            section = Section(mask, 0.9, Origin(Source.AUTOMATIC), Status.ACCEPTED)
            edits.append(TraitsEdit(number, None, Traits()))
            edits.append(SectionEdit(number, (frame, None, None), None, section))
        session.edit(Kind.AUTOMATIC, edits)
