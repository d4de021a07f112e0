"""What is odd about a track is named, with its frame; what is usual is not."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.tracking.detections import detect
from napari_sam.tracking.doubts import DoubtKind, doubts_of, worst_first
from napari_sam.tracking.tracks import Tracks
from tests.tracking.drawn import dividing, draw


def kept(frames, parents=()):
    """Return doubts of labels whose ids are tracks."""
    members = {}
    for frame, labels in enumerate(frames):
        for number in np.unique(labels[labels > 0]).tolist():
            members.setdefault(number, {})[frame] = number
    return doubts_of(detect(frames), Tracks(members, dict(parents)))


@pytest.mark.parametrize(
    ("disc", "frame", "kind"),
    [
        (lambda t: (30, 20 + 2 * t + 25 * (t > 4), 6), 5, DoubtKind.JUMP),
        (lambda t: (30, 30, 6 + 3 * (t > 2)), 3, DoubtKind.SIZE),
        (lambda t: None if t in (3, 4) else (30, 30, 6), 5, DoubtKind.GAP),
        (lambda t: (30, 30, 6) if t < 6 else None, 5, DoubtKind.END),
        (lambda t: (30, 30, 6) if t > 1 else None, 2, DoubtKind.BEGIN),
    ],
)
def test_each_oddity_is_named_once(disc, frame, kind) -> None:
    assert [(one.frame, one.kind) for one in kept(draw(disc))] == [(frame, kind)]


def test_cells_that_come_and_go_over_the_border_or_divide_are_usual() -> None:
    frames = draw(lambda t: (30, 8 * t - 12, 7), lambda t: (6, 40, 6) if t < 4 else None)
    assert kept(frames) == []
    assert kept(dividing(), {2: 1, 3: 1}) == []


def test_daughters_much_larger_than_their_mother_are_doubted() -> None:
    frames = draw(
        lambda t: (30, 30, 5) if t < 4 else None,
        lambda t: (22, 30, 6) if t > 3 else None,
        lambda t: (38, 30, 6) if t > 3 else None,
    )
    [doubt] = kept(frames, {2: 1, 3: 1})
    assert (doubt.track, doubt.kind, round(doubt.amount)) == (1, DoubtKind.DIVISION, 3)


def test_the_most_doubtful_track_comes_first_and_certain_ones_last() -> None:
    frames = draw(
        lambda t: (10, 30, 6),
        lambda t: (30, 30, 6) if t < 5 else None,
        lambda t: (47, 30, 6 + 3 * (t > 2)),
    )
    doubts = kept(frames)
    tracks = Tracks({1: {0: 1}, 2: {0: 2}, 3: {0: 3}})
    assert list(worst_first(doubts, tracks)) == [2, 3, 1]
