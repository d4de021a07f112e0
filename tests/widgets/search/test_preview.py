"""What is found but not written does not look as if it were written."""

from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication

from napari_sam.session.autofill import Chosen
from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.search import preview
from napari_sam.widgets.search.preview import hatched
from tests.widgets.conftest import ours
from tests.widgets.search.finding import disc

SHAPE = 100, 120


@pytest.mark.parametrize("side", [64, 512, 2048])
def test_areas_are_hatched_inside_of_their_outlines(side):
    areas = disc(side // 2, side // 2, side // 3, (side, side)).astype(np.uint8) * 7
    shown = hatched(areas)
    assert set(np.unique(shown)) == {0, 7}
    assert not shown[areas == 0].any()
    share = (shown > 0).sum() / (areas > 0).sum()
    assert 0.4 < share < 0.75
    row = np.flatnonzero(areas[side // 2])
    assert shown[side // 2, row[0]] == shown[side // 2, row[-1]] == 7
    lines = np.diff(np.flatnonzero(np.diff(shown[side // 2, row[8] : row[-8]] > 0)))
    assert set(lines) == {max(2, side // 256)}  # seen as wide on the screen, whatever the size


def test_small_and_touching_objects_keep_their_outlines():
    areas = np.zeros((20, 20), np.uint8)
    areas[5:8, 5:8], areas[5:8, 8:11] = 1, 2
    shown = hatched(areas)
    for value in (1, 2):
        assert (shown == value).sum() >= 8


def test_what_is_left_out_has_no_outlines():
    areas = np.zeros((20, 20), np.uint8)
    areas[2:18, 2:18], areas[5:10, 5:10] = 9, 1
    shown = hatched(areas, faint=9)
    assert (shown == 1).sum() == (hatched(areas * (areas == 1)) == 1).sum()
    ring = shown[2, 2:18]  # the first row of the area that is left out
    assert set(ring.tolist()) == {0, 9}


class Drawn:
    """Proposals over a picture of three strips and a bit, in a viewer without a window."""

    def __init__(self, monkeypatch):
        monkeypatch.setattr(preview, "STRIP", 30 * SHAPE[1])
        self.viewer = ViewerModel()
        self.viewer.add_image(np.zeros(SHAPE, np.uint8))
        self.preview = preview.ProposalsPreview(self.viewer, ImageStack(self.viewer.layers[0]))

    def show(self, labels, rest=None):
        mask = labels > 0 if rest is None else rest
        found = SimpleNamespace(plane=(None, None), mask=mask)
        chosen = Chosen(labels, [None] * int(labels.max()))
        self.preview.show(found, chosen, rest is not None)

    @property
    def seen(self):
        layer = ours(self.viewer, "preview")
        return np.zeros(SHAPE, np.uint8) if layer is None else layer.data.copy()


def labelled(*places):
    labels = np.zeros(SHAPE, np.int32)
    for number, (row, column) in enumerate(places, 1):
        labels[disc(row, column, 12, SHAPE)] = number
    return labels


def whole(labels, rest=None):
    shown = labels.astype(np.uint8)
    if rest is not None:
        shown[rest & (shown == 0)] = len(preview.COLOURS) + 1
    return hatched(shown, len(preview.COLOURS) + 1)


def test_a_large_plane_is_drawn_in_strips_that_fit_together(qtbot, monkeypatch):
    d = Drawn(monkeypatch)
    labels, rest = labelled((30, 40), (62, 90), (93, 20)), disc(60, 60, 50, SHAPE)
    d.show(labels, rest)
    assert not d.seen.any()  # the others have their turn first
    qtbot.waitUntil(lambda: d.seen.any())
    np.testing.assert_array_equal(d.seen, whole(labels, rest))


def test_while_a_slider_moves_the_plane_is_drawn_again_and_again(qtbot, monkeypatch):
    d, shown = Drawn(monkeypatch), []
    moved = [labelled((30, 40 + by)) for by in range(20)]
    for labels in moved:
        d.show(labels)
        QApplication.processEvents()
        shown.append(d.seen)
    qtbot.waitUntil(lambda: np.array_equal(d.seen, whole(moved[-1])))
    assert any(one.any() for one in shown)  # long before it came to rest


def test_what_is_hidden_meanwhile_does_not_come_back(qtbot, monkeypatch):
    d = Drawn(monkeypatch)
    d.show(labelled((30, 40)))
    d.show(labelled((60, 90)))
    d.preview.hide()
    qtbot.wait(100)
    assert not d.seen.any()
    d.show(labelled((93, 20)))
    qtbot.waitUntil(lambda: np.array_equal(d.seen, whole(labelled((93, 20)))))
