"""Labels that lie within the picture's own OME-Zarr, as a place to write to."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import zarr
from napari.components import ViewerModel

from napari_sam.io.label_stores.opening import new_store, open_store
from napari_sam.io.ome_parent import parent_at
from napari_sam.io.spacing import Spacing
from napari_sam.widgets.layers.labels_target import store_of
from tests.io.test_ome_parent import picture
from tests.widgets.conftest import ours

SHAPE = (41, 50)


@pytest.fixture
def home(tmp_path):
    """Return the path of a picture of two levels, in which somebody has made labels."""
    home = picture(tmp_path / "picture.zarr", "0.4", 2)
    pixels = np.random.default_rng(0).integers(0, 255, SHAPE)
    zarr.open_array(home / "0", mode="r+")[:] = pixels
    cells = new_store(home / "labels" / "cells", SHAPE, "u4", Spacing.usual(2))
    cells[0][35:, 40:] = 7
    return home


def lazy(path):
    """Return the levels of an OME-Zarr as napari's readers open them."""
    names = [one["path"] for one in zarr.open_group(path).attrs["multiscales"][0]["datasets"]]
    return [da.from_zarr(path / name) for name in names]


@pytest.fixture
def panel(home, open_panel, settle):
    viewer = ViewerModel()
    viewer.add_image(lazy(home), multiscale=True, name="slide", contrast_limits=(0, 255))
    panel = open_panel(viewer)
    settle(panel)
    return panel


def accept(panel, settle, *at):
    ours(panel.annotation.viewer, "points").add(at)
    settle(panel)
    panel.controls.accept.click()


def texts(panel):
    return [offer.text for offer in panel.stored_labels.offers()]


def choose(panel, text):
    """Choose an entry of the opened list."""
    labels = panel.controls.labels
    labels.showPopup()
    labels.hidePopup()
    labels.setCurrentIndex(labels.findText(text))


def test_objects_are_written_into_the_labels_of_the_file(panel, home, settle):
    there = "Write into …/picture.zarr/labels/cells"
    assert texts(panel) == [there, "New in the file: …/picture.zarr/labels/objects"]
    active = panel.annotation.viewer.layers.selection.active
    choose(panel, there)
    assert panel.annotation.viewer.layers.selection.active is active
    target = panel.annotation.target
    assert (target.name, store_of(target)) == ("cells", home / "labels" / "cells")
    assert panel.controls.labels.layer is target
    assert there not in texts(panel)
    accept(panel, settle, 10, 20)
    fine, coarse = (level[:] for level in open_store(home / "labels" / "cells"))
    assert (fine[10, 20], fine[40, 45]) == (8, 7)
    np.testing.assert_array_equal(coarse == 8, fine[1::2, 1::2][: len(coarse)] == 8)


def test_new_labels_are_made_in_the_file_and_listed(panel, home, settle):
    choose(panel, "New in the file: …/picture.zarr/labels/objects")
    accept(panel, settle, 10, 20)
    assert open_store(home / "labels" / "objects")[0][10, 20] == 1
    listed = zarr.open_group(home / "labels", mode="r").attrs["labels"]
    assert listed == ["cells", "objects"]
    assert parent_at(home).path == home


def test_what_cannot_be_made_is_said_and_the_choice_stays(panel, home, settle, monkeypatch):
    said = []
    panel.stored_labels.remarked.connect(said.append)
    labels = panel.controls.labels
    labels.showPopup()
    (home / "labels" / "objects").mkdir()  # by somebody else, meanwhile
    labels.setCurrentIndex(labels.count() - 1)
    assert "is there already" in said[0]
    assert labels.layer is None
    assert labels.currentText() == "A new Labels layer"


def test_lazy_labels_of_a_reader_are_written_into_their_zarr(panel, home, settle):
    path = home / "labels" / "cells"
    layer = panel.annotation.viewer.add_labels(
        lazy(path), multiscale=True, name="theirs", visible=False
    )
    assert "Write into …/picture.zarr/labels/cells" not in texts(panel)
    panel.controls.labels.choose(layer)
    assert panel.annotation.target is layer
    assert layer.visible
    assert store_of(layer) == path
    before = open_store(path)[0][:]
    accept(panel, settle, 10, 20)
    assert open_store(path)[0][10, 20] == 8
    panel.controls.undo.click()
    np.testing.assert_array_equal(open_store(path)[0][:], before)


def test_lazy_labels_that_are_computed_are_refused_with_the_reason(panel, home):
    computed = da.from_zarr(home / "labels" / "cells" / "0") * 2
    layer = panel.annotation.viewer.add_labels(computed, name="twice")
    panel.controls.labels.choose(layer)
    assert panel.annotation.target is None
    assert "'twice' is computed by dask" in panel.controls.remark.text()
