"""A session of five squares, as it is saved, and one of a small stack that is not."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam.session.disk.folder import SessionFolder
from napari_sam.session.session import Session
from tests.fakes import ArrayTarget
from tests.session.disk.damage import PICTURE, add, square


@pytest.fixture
def begun(tmp_path):
    """A session that is saved, and its folder; five objects in five steps."""
    session = Session()
    folder = SessionFolder.create(tmp_path / "mine", PICTURE)
    folder.serve(session)
    for index in range(5):
        add(session, square(12 * index))
    yield session, folder
    if session.log is not None:
        folder.close()


@pytest.fixture
def written(begun):
    """The journal of five objects, one a line, which nobody has open."""
    begun[1].close()
    return begun[1].path / "journal-000000.jsonl"


@pytest.fixture
def labels():
    """Labels of a small stack, for a session that writes into them."""
    return np.zeros((4, 20, 30), np.uint16)


@pytest.fixture
def session(labels):
    """A session without objects that writes into the labels."""
    session = Session()
    session.labels.write_to(ArrayTarget(labels))
    return session
