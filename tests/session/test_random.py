"""Whatever somebody does: the labels show the objects, undo gives all back, and disk knows all."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.session.disk import folder
from napari_sam.session.disk.folder import SessionFolder, restore
from napari_sam.session.disk.manifest import Manifest
from napari_sam.session.session import Session
from tests.session.player import HISTORY, PICTURE, SHAPE, Player, image_of, new_session


def shown(session):
    """Labels as the objects say; no two of them may share a pixel."""
    labels, taken = np.zeros(SHAPE, int), np.zeros(SHAPE, int)
    for held in session.objects.values():
        for plane, section in held.sections.items():
            if section.mask is not None:
                full = section.mask.full()
                taken[plane[0]] += full
                labels[plane[0]][full] = held.class_id if session.semantic else held.id
    assert taken.max(initial=0) <= 1
    return labels


@pytest.mark.parametrize("seed", range(12))
def test_the_labels_show_the_objects(seed):
    player = Player(new_session(), seed)
    kinds = set()
    for _ in range(250):
        player.step()
        np.testing.assert_array_equal(player.labels, shown(player.session))
        kinds |= {change.kind for change in player.session.history.done}
    assert len(kinds) >= 9
    assert player.session.history.dropped


@pytest.mark.parametrize("seed", range(12))
def test_undo_and_redo_go_all_the_way(seed):
    session = Session()
    session.configure(classes={1: "cell", 2: "nucleus"})
    player = Player(session, seed)
    for _ in range(60):
        player.step()
    session.configure(semantic=False)
    while session.can_redo:
        session.redo()
    forwards = image_of(session), player.labels.copy()
    count = len(session.history.done)
    while session.can_undo:
        session.undo()
        np.testing.assert_array_equal(player.labels, shown(session))
    assert not player.labels.any()
    assert len(session.objects) == 0
    assert session.draft.is_empty
    while session.can_redo:
        session.redo()
    assert len(session.history.done) == count
    assert image_of(session) == forwards[0]
    np.testing.assert_array_equal(player.labels, forwards[1])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("journal", [folder.LONG_JOURNAL, 20_000], ids=["journal", "snapshots"])
def test_what_is_restored_is_what_was(tmp_path, monkeypatch, seed, journal):
    monkeypatch.setattr(folder, "LONG_JOURNAL", journal)
    session = Session(history_bytes=HISTORY)
    saved = SessionFolder.create(tmp_path / "s", Manifest(PICTURE))
    saved.serve(session)
    session.configure(classes={1: "cell", 2: "nucleus"})
    player = Player(session, seed)
    for round in range(4):
        for _ in range(40):
            player.step()
        image, labels = image_of(session), player.labels.copy()
        saved.close()
        restored = restore(tmp_path / "s", HISTORY)
        assert not restored.damaged
        session, saved = restored.session, restored.folder
        assert image_of(session) == image
        player = Player(session, 100 * seed + round)
        np.testing.assert_array_equal(player.labels, labels)
    saved.close()
