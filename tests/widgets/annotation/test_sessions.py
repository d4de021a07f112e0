"""The session behind the panel: saved as one works, and bound to its layer."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image

from napari_sam.session import drawing
from napari_sam.session.disk.folder import restore
from napari_sam.session.disk.library import all_saved, sessions_folder
from napari_sam.session.edit import curation
from napari_sam.widgets.annotation.identity import fingerprinter
from napari_sam.widgets.layers.image_stack import ImageStack
from tests.widgets.conftest import ours, picture


def saved(viewer):
    picture = fingerprinter(ImageStack(viewer.layers["cells"]))()
    found = all_saved(sessions_folder())
    assert all(one.manifest.picture == picture for one in found)
    return found


def test_work_is_saved_while_one_works(viewer, panel, accept):
    assert saved(viewer) == []
    accept(10, 20)
    accept(30, 40)
    ours(viewer, "points").add((5, 50))
    labels = panel.annotation.target.data.copy()
    panel.close_panel()
    (found,) = saved(viewer)
    restored = restore(found.path)
    assert restored.folder.manifest.name == "cells"
    assert sorted(restored.session.objects) == [1, 2]
    assert restored.session.draft.points == ((5, 50),)
    for held in restored.session.objects.values():
        (section,) = held.sections.values()
        np.testing.assert_array_equal(section.mask.full(), labels == held.id)
    restored.folder.close()


def test_looking_alone_leaves_nothing(viewer, panel, settle):
    ours(viewer, "points").add((10, 20))
    settle(panel)
    panel.close_panel()
    assert saved(viewer) == []


def test_objects_of_a_deleted_layer_come_back_in_a_new_one(viewer, panel, accept):
    accept(10, 20)
    before = panel.annotation.target.data.copy()
    viewer.layers.remove(panel.annotation.target)
    accept(30, 40)
    labels = ours(viewer, "objects").data
    np.testing.assert_array_equal(labels[before > 0], before[before > 0])
    assert labels[30, 40] == 2
    for _ in range(4):
        panel.controls.undo.click()
    assert not labels.any()


def test_another_layer_has_objects_of_its_own(viewer, panel, accept):
    accept(10, 20)
    first = panel.annotation.target
    before = first.data.copy()
    other = viewer.add_labels(np.zeros((40, 60), np.uint16))
    ours(viewer, "points").add((30, 40))
    panel.controls.labels.choose(other)
    np.testing.assert_allclose(ours(viewer, "points").data, [(30, 40)])
    assert not panel.annotation.session.objects
    accept(32, 42)
    assert set(np.unique(other.data)) == {0, 1}
    np.testing.assert_array_equal(first.data, before)
    assert len(saved(viewer)) == 2
    panel.controls.labels.choose(first)
    assert panel.annotation.session.objects[1].sections[None, None].prompts.points == ((10, 20),)
    assert panel.annotation.session.draft.points == ((30, 40),)  # as it was left
    panel.controls.undo.click()
    panel.controls.undo.click()
    assert not first.data.any()
    assert other.data.any()


def test_a_layer_that_was_painted_meanwhile_has_no_session_to_go_back_to(viewer, panel, accept):
    accept(10, 20)
    first = panel.annotation.target
    panel.controls.labels.choose(None)
    first.data[10, 20] = 9
    panel.controls.labels.choose(first)
    assert not panel.annotation.session.objects
    assert "Saved work" in panel.controls.remark.text()
    assert first.data[10, 20] == 9
    (kept,) = saved(viewer)
    assert not kept.is_open


def test_what_is_painted_on_a_locked_object_is_put_back(viewer, panel, accept, qtbot):
    accept(10, 20)
    layer = panel.annotation.target
    curation.lock(panel.annotation.session, [1])
    before = layer.data.copy()
    layer.paint((10, 20), 9)
    qtbot.waitUntil(lambda: np.array_equal(layer.data == 1, before == 1))
    assert "locked" in panel.controls.remark.text()


def test_an_object_opened_again_is_shown_and_changed(viewer, panel, accept, settle):
    accept(10, 20)
    before = panel.annotation.target.data.copy()
    drawing.reopen(panel.annotation.session, 1, (None, None))
    np.testing.assert_allclose(ours(viewer, "points").data, [(10, 20)])
    np.testing.assert_array_equal(ours(viewer, "preview").data, before)
    assert panel.controls.accept.isEnabled()
    assert panel.controls.reject.isEnabled()
    ours(viewer, "points").add((10, 26))
    settle(panel)
    panel.controls.accept.click()
    after = panel.annotation.target.data
    assert set(np.unique(after)) == {0, 1}
    assert (after == 1).sum() > (before == 1).sum()
    assert "Object 1" in panel.controls.remark.text()


def test_a_disk_that_cannot_be_written_is_said(viewer, panel, settle, monkeypatch):
    ours(viewer, "points").add((10, 20))
    settle(panel)

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    panel.controls.accept.click()
    assert "No space left" in panel.controls.remark.text()
    assert ours(viewer, "objects") is None or not ours(viewer, "objects").data.any()
    assert panel.annotation.session.mask is not None
    monkeypatch.undo()
    panel.controls.accept.click()
    assert ours(viewer, "objects").data[10, 20] == 1


@pytest.mark.parametrize("shape", [(40, 60), (40, 60, 3), (9, 40, 60), (2, 5, 40, 60)])
def test_a_picture_is_known_by_its_content(shape):
    data, rgb = picture(*shape), shape[-1] == 3
    known = fingerprinter(ImageStack(Image(data, rgb=rgb)))()
    moved = Image(da.from_array(data), rgb=rgb, name="elsewhere")
    assert fingerprinter(ImageStack(moved))() == known
    assert fingerprinter(ImageStack(Image(data + 1, rgb=rgb)))() != known


def test_little_of_a_large_picture_is_read():
    read = []

    def block(block_info=None):
        read.append(block_info[None]["array-location"])
        return np.zeros((1, 512, 512), np.uint8)

    data = da.map_blocks(block, chunks=((1,) * 50, (512,), (512,)), dtype=np.uint8)
    fingerprinter(ImageStack(Image(data, contrast_limits=(0, 1), multiscale=False)))()
    assert len(read) <= 10


def test_it_is_looked_at_again_when_its_pixels_are_others(viewer, panel):
    before = panel.annotation.identity.wait()
    panel.annotation.picture.see(panel.annotation.picture.mix.channels)
    assert panel.annotation.identity.known == before
    viewer.layers["cells"].data = picture(40, 60) + 1
    assert panel.annotation.identity.wait().picture != before.picture


def switch(panel, settle, layer):
    panel.controls.picture.choose(layer)
    settle(panel)


def test_the_open_mask_is_there_again_after_another_picture(viewer, panel, settle):
    first, other = viewer.layers["cells"], viewer.add_image(picture(40, 60) // 2, name="other")
    ours(viewer, "points").add((10, 20))
    settle(panel)
    before = panel.annotation.session.mask.copy()
    switch(panel, settle, other)
    assert panel.annotation.session.draft.is_empty
    assert len(ours(viewer, "points").data) == 0
    switch(panel, settle, first)
    np.testing.assert_allclose(ours(viewer, "points").data, [(10, 20)])
    np.testing.assert_array_equal(panel.annotation.session.mask, before)
    panel.controls.accept.click()
    assert panel.annotation.target.data[10, 20] == 1


def test_objects_an_opened_one_and_undo_are_there_again_after_another_picture(
    viewer, panel, accept, settle
):
    first = viewer.layers["cells"]
    accept(10, 20)
    accept(30, 40)
    other = viewer.add_image(picture(30, 50), name="other")
    labels = panel.annotation.target
    before = labels.data.copy()
    drawing.reopen(panel.annotation.session, 2, (None, None))
    ours(viewer, "points").add((30, 46))
    settle(panel)
    switch(panel, settle, other)
    ours(viewer, "points").add((20, 20))
    settle(panel)
    panel.controls.accept.click()
    own = panel.annotation.target
    assert own is not labels
    switch(panel, settle, first)
    session = panel.annotation.session
    assert panel.annotation.target is labels
    assert sorted(session.objects) == [1, 2]
    assert (session.draft.object_id, session.draft.points) == (2, ((30, 40), (30, 46)))
    assert session.mask is not None
    np.testing.assert_array_equal(labels.data[before > 0], before[before > 0])
    assert not panel.controls.go_on.isVisibleTo(panel.controls)  # nobody is asked
    for _ in range(2):
        panel.controls.undo.click()
    assert session.draft.is_empty
    switch(panel, settle, other)
    assert panel.annotation.target is own


def test_a_picture_that_was_removed_and_its_labels_are_not_held(viewer, panel, accept, settle):
    other = viewer.add_image(picture(40, 60) // 2, name="other")
    accept(10, 20)
    first, labels = viewer.layers["cells"], panel.annotation.target
    switch(panel, settle, other)
    viewer.layers.remove(labels)
    switch(panel, settle, first)  # its labels are gone: it begins anew, or is asked about
    assert not panel.annotation.session.objects
    assert len(saved(viewer)) == 1
