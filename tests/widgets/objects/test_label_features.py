"""What is known of the objects, in the feature table of their Labels layer."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Labels

from napari_sam.session.edit import curation
from napari_sam.session.objects import Status
from napari_sam.widgets.objects.label_features import write_features


def columns(*labels):
    count = len(labels)
    return {
        "index": np.array(labels),
        "quality": np.linspace(0.5, 0.9, count),
        "class": np.array(["cell"] * count, object),
        "status": np.array(["accepted"] * count, object),
        "slices": np.ones(count, int),
    }


@pytest.fixture
def layer():
    return Labels(np.zeros((4, 4), np.uint16))


def test_columns_of_others_are_kept_by_label(layer):
    layer.features = {"index": [2, 1, 9], "cluster": ["b", "a", "z"], "size": [20, 10, 90]}
    write_features(layer, columns(1, 2, 3))
    table = layer.features.set_index("index")
    assert table.loc[[1, 2, 9], "cluster"].tolist() == ["a", "b", "z"]
    assert table.loc[[1, 2, 9], "size"].tolist() == [10, 20, 90]
    assert table.loc[3, "quality"] == 0.9
    write_features(layer, columns(1))
    table = layer.features.set_index("index")
    assert table.index.tolist() == [1, 2, 9]
    assert table.loc[9, "cluster"] == "z"


def test_without_an_index_rows_are_labels(layer):
    layer.features = {"size": [0, 10, 20]}
    write_features(layer, columns(1, 2))
    table = layer.features.set_index("index")
    assert table.loc[[0, 1, 2], "size"].tolist() == [0, 10, 20]


def test_the_same_again_is_not_written_again(layer):
    write_features(layer, columns(1, 2))
    written = []
    layer.events.features.connect(written.append)
    write_features(layer, columns(1, 2))
    assert not written
    write_features(layer, columns(1, 2, 3))
    assert written


def test_the_table_follows_the_session(qtbot, viewer, panel, accept):
    accept(10, 10)
    accept(10, 45)
    session, layer = panel.annotation.session, panel.annotation.target

    def table():
        return layer.features

    qtbot.waitUntil(lambda: len(table()) == 2)
    assert table()["index"].tolist() == [1, 2]
    assert table()["status"].tolist() == ["accepted", "accepted"]
    assert table()["quality"].between(0, 1).all()
    assert table()["slices"].tolist() == [1, 1]
    curation.set_status(session, [2], Status.UNCLEAR)
    qtbot.waitUntil(lambda: table()["status"].tolist() == ["accepted", "unclear"])
    session.configure(False, {1: "cell", 2: "nucleus"}, 1)
    curation.set_class(session, [1], 2)
    qtbot.waitUntil(lambda: table()["class"].tolist() == ["nucleus", "cell"])
    curation.delete(session, [1])
    qtbot.waitUntil(lambda: table()["index"].tolist() == [2])
    session.undo()
    qtbot.waitUntil(lambda: sorted(table()["index"]) == [1, 2])
    session.configure(True, {1: "cell", 2: "nucleus"}, 1)
    qtbot.waitUntil(lambda: list(table()) == ["index", "class"])
    assert table()["class"].tolist() == ["cell", "nucleus"]


def test_deleted_labels_take_their_outlines_along(qtbot, viewer, panel, accept):
    accept(10, 10)
    qtbot.waitUntil(lambda: "napari-sam outlines" in viewer.layers)
    viewer.layers.remove(panel.annotation.target)
    qtbot.waitUntil(lambda: "napari-sam outlines" not in viewer.layers)


def shown_outlines(viewer):
    return any(one.name == "napari-sam outlines" and one.visible for one in viewer.layers)


def test_the_key_goes_from_filled_to_outlined_to_hidden(qtbot, viewer, panel, accept):
    switch = panel.review.actions["look"]
    said = []
    panel.annotation.remarked.connect(said.append)
    switch()
    assert "There are no labels yet" in said[-1]
    accept(10, 10)
    layer = panel.annotation.target
    for text in ("Labels are outlined.", "Labels are hidden. Shift+F", "Labels are filled."):
        qtbot.waitUntil(lambda: shown_outlines(viewer) == layer.visible)
        switch()
        assert said[-1].startswith(text)


def test_labels_without_objects_are_left_alone(qtbot, viewer, panel):
    layer = viewer.add_labels(np.zeros((40, 60), np.uint16), features={"size": [0, 1]})
    panel.controls.labels.choose(layer)
    qtbot.wait(400)
    assert list(layer.features) == ["size"]
