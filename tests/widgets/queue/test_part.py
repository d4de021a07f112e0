"""Somebody goes through three pictures, closes, and comes back: nothing is lost or asked."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Labels

from napari_sam.session.disk.library import all_saved, sessions_folder
from napari_sam.session.queue.queue import State
from napari_sam.session.queue.table import TABLE, read_table
from tests.widgets.conftest import ours


@pytest.fixture
def accept(settle):
    def accept(viewer, panel, *position):
        ours(viewer, "points").add(position)
        settle(panel)
        panel.controls.accept.click()

    return accept


def title(panel):
    return panel.queue.strip.title.text()


def pictures(viewer):
    return [layer.name for layer in viewer.layers if layer.name in "abc"]


def shown(viewer):
    return [layer for layer in viewer.layers if isinstance(layer, Labels) and layer.data.any()]


def states(folder):
    return {one.path.stem: one.state for one in read_table(folder / TABLE)}


def test_three_pictures_and_back_again(folder, opened, rest, accept):
    viewer, panel = opened(folder)
    strip = panel.queue.strip
    assert (title(panel), pictures(viewer)) == ("Picture 1 of 3", ["a"])
    assert not strip.isHidden()
    assert not strip.previous.isEnabled()
    panel.annotation.session.configure(classes={1: "cell", 2: "debris"}, new_class=2)
    accept(viewer, panel, 10, 10)
    strip.done.click()
    rest(panel)
    assert (title(panel), pictures(viewer)) == ("Picture 2 of 3", ["b"])
    assert not shown(viewer)
    assert panel.annotation.session.classes == {1: "cell", 2: "debris"}
    accept(viewer, panel, 20, 20)
    accept(viewer, panel, 20, 45)
    labels = panel.annotation.target.data.copy()
    strip.next.click()
    rest(panel)
    assert strip.line.text().startswith("1 done · 1 started · 1 to do")
    strip.previous.click()
    rest(panel)
    assert not panel.controls.go_on.isVisible()
    np.testing.assert_array_equal(panel.annotation.target.data, labels)
    panel.close_panel()
    assert states(folder) == {"a": State.DONE, "b": State.STARTED, "c": State.TODO}

    viewer, panel = opened(folder)
    assert (title(panel), pictures(viewer)) == ("Picture 2 of 3", ["b"])
    np.testing.assert_array_equal(panel.annotation.target.data, labels)
    assert panel.annotation.session.objects[1].class_id == 2
    panel.queue.finish()
    rest(panel)
    panel.queue.finish()
    assert panel.queue.strip.line.text() == "All 3 pictures are done."
    panel.queue.finish()
    assert panel.queue.queue.counts()[State.DONE] == 2
    panel.close_panel()
    assert len(all_saved(sessions_folder())) == 2  # none of the one that was only looked at


def test_the_next_pictures_are_embedded_ahead(folder, opened, model):
    opened(folder)
    assert len(model.kept) == 2


def test_layers_of_others_stay_and_so_does_the_picture_at_the_end(folder, begin, rest, accept):
    viewer, panel = begin(np.zeros((30, 30), np.uint8), name="mine")
    accept(viewer, panel, 10, 10)
    before = panel.annotation.target
    panel.queue.open([folder])
    rest(panel)
    accept(viewer, panel, 10, 10)
    own = panel.annotation.target
    panel.queue.step(1)
    rest(panel)
    assert before in viewer.layers
    assert own not in viewer.layers
    panel.queue.leave()
    assert panel.queue.strip.isHidden()
    assert pictures(viewer) == ["b"]


def test_a_picture_that_cannot_be_read_is_said_and_passed(folder, opened, rest):
    (folder / "b.tif").write_bytes(b"nothing")
    viewer, panel = opened(folder)
    panel.queue.step(1)
    rest(panel)
    assert pictures(viewer) == []
    assert "b.tif" in panel.queue.queue.current.note
    panel.queue.step(1)
    rest(panel)
    assert pictures(viewer) == ["c"]


def test_a_table_that_cannot_be_written_is_said(folder, opened, rest):
    _, panel = opened(folder)
    (folder / TABLE).mkdir()
    said = []
    panel.queue.remarked.connect(said.append)
    panel.queue.finish()
    rest(panel)
    assert "could not be written" in said[-1]
    assert title(panel) == "Picture 2 of 3"


def test_an_empty_folder_opens_no_queue(tmp_path, opened):
    (tmp_path / "nothing").mkdir()
    _, panel = opened(tmp_path / "nothing")
    assert panel.queue.queue is None
    assert "no picture" in panel.controls.remark.text()
