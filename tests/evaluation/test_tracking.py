"""DET, TRA and divisions: worked cases, and the numbers of the challenge's own package."""

from __future__ import annotations

import numpy as np
import pytest
from ctc_metrics.scripts.evaluate import calculate_metrics, load_data

from napari_sam.errors import InputError
from napari_sam.evaluation.tracking import score_tracks
from napari_sam.io.tracks.ctc import write_ctc
from napari_sam.tracking.detections import detect
from napari_sam.tracking.linking import link
from napari_sam.tracking.tracks import Tracks
from tests.tracking.drawn import dividing, renumbered

FRAMES = np.array([[[1, 1, 0, 2, 2]]] * 3)
TRUTH = Tracks({1: dict.fromkeys(range(3), 1), 2: dict.fromkeys(range(3), 2)})
NOTHING = 6 * 10 + 4 * 1.5  # to make it of nothing: 6 objects, 4 links


def scored(frames, tracks):
    return score_tracks(FRAMES, TRUTH, frames, tracks)


def test_the_truth_has_all_points() -> None:
    scores = scored(FRAMES, TRUTH)
    assert (scores.det, scores.tra, scores.divisions) == (1, 1, None)


def test_a_missed_object_and_its_links_are_to_be_added() -> None:
    frames = FRAMES.copy()
    frames[2][frames[2] == 1] = 0
    scores = scored(frames, Tracks({1: {0: 1, 1: 1}, 2: TRUTH.members[2]}))
    assert scores.det == pytest.approx(1 - 10 / 60)
    assert scores.tra == pytest.approx(1 - (10 + 1.5) / NOTHING)


def test_a_broken_track_lacks_a_link_and_a_surplus_object_is_cheap() -> None:
    frames = FRAMES.copy()
    frames[0, 0, 2] = 3
    scores = scored(frames, Tracks({1: {0: 1, 1: 1}, 3: {2: 1}, 2: TRUTH.members[2]}))
    assert scores.det == pytest.approx(1 - 1 / 60)
    assert scores.tra == pytest.approx(1 - (1 + 1.5) / NOTHING)


def test_two_in_one_are_to_be_split() -> None:
    frames = np.where(FRAMES > 0, 1, 0)
    scores = scored(frames, Tracks({1: TRUTH.members[1]}))
    assert scores.det == pytest.approx(1 - 3 * 5 / 60)
    assert scores.tra == pytest.approx(1 - (3 * 5 + 4 * 1.5) / NOTHING)


def test_a_link_of_the_wrong_kind_is_to_be_changed() -> None:
    scores = scored(FRAMES, Tracks({1: {0: 1, 1: 1}, 3: {2: 1}, 2: TRUTH.members[2]}, {3: 1}))
    assert scores.tra == pytest.approx(1 - 1 / NOTHING)


def test_other_frames_and_no_truth_are_refused() -> None:
    with pytest.raises(InputError, match="other frames"):
        scored(FRAMES[:2], TRUTH)
    with pytest.raises(InputError, match="no true object"):
        score_tracks(FRAMES * 0, Tracks({}), FRAMES, TRUTH)


def _written(folder, frames, tracks, truth=False):
    place = folder / "TRA" if truth else folder
    place.mkdir(parents=True)
    write_ctc(place, frames, tracks, len(frames))
    if truth:
        (place / "res_track.txt").rename(place / "man_track.txt")
        for path in place.glob("mask*"):
            path.rename(place / path.name.replace("mask", "man_track"))
    return folder


@pytest.mark.parametrize("spoilt", ["not", "missed", "late", "swapped", "split"])
def test_the_challenge_counts_the_same(tmp_path, spoilt) -> None:
    frames = dividing()
    family = {1: range(4), 2: range(4, 8), 3: range(4, 8), 4: range(8)}
    truth = Tracks({n: dict.fromkeys(at, n) for n, at in family.items()}, {2: 1, 3: 1})
    given = renumbered(frames)
    if spoilt == "missed":
        given[5][frames[5] == 2] = 0
    elif spoilt == "late":  # both daughters are one object at first
        given[4][frames[4] == 3] = given[4][frames[4] == 2].max()
    elif spoilt == "swapped":
        given = np.where(np.arange(8)[:, None, None] % 2, given, given[:, :, ::-1])
    elif spoilt == "split":
        given[2, :30][given[2, :30] > 0] += 10
    tracks = link(detect(given))
    ours = score_tracks(frames, truth, given, tracks)
    places = (
        _written(tmp_path / "RES", given, tracks),
        _written(tmp_path / "GT", frames, truth, True),
    )
    loaded = load_data(*map(str, places), True, False, threads=1)
    theirs = calculate_metrics(*loaded[:4], ["DET", "TRA", "BC(1)"], loaded[5])
    assert ours.det == pytest.approx(theirs["DET"])
    assert ours.tra == pytest.approx(theirs["TRA"])
    assert ours.divisions == pytest.approx(theirs["BC(1)"])
