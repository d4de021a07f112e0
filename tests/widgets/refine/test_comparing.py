"""A second opinion on labels: what differs is listed, and each difference gets an answer."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_sam.session.changes import Kind
from napari_sam.session.disk.folder import restore
from napari_sam.session.edit import curation
from tests.widgets.conftest import picture

SHAPE = (3, 40, 60)


def labels(*those):
    found = np.zeros(SHAPE, np.uint16)
    for number, (plane, r0, c0, r1, c1) in those:
        found[plane, r0:r1, c0:c1] = number
    return found


MINE = (1, (1, 2, 2, 12, 12)), (2, (1, 20, 20, 30, 40)), (2, (2, 20, 20, 30, 40))
THEIRS = (5, (1, 2, 2, 12, 18)), (6, (1, 20, 20, 30, 30)), (7, (1, 20, 30, 30, 40))
NEW = (8, (0, 5, 5, 9, 9))


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    viewer.add_image(picture(*SHAPE), name="cells")
    viewer.dims.set_point(0, 1)
    return viewer


@pytest.fixture
def mine(viewer):
    return viewer.add_labels(labels(*MINE), name="mine")


@pytest.fixture
def panel(viewer, mine, open_panel, settle):
    theirs = viewer.add_labels(labels(*THEIRS, NEW), name="theirs")
    panel = open_panel(viewer)
    settle(panel)
    panel.controls.labels.choose(mine)
    settle(panel)
    panel.controls.refine.labels.choose(theirs)
    panel.tabs.setCurrentWidget(panel._refine_tab)
    return panel


@pytest.fixture
def compare(panel, qtbot):
    """Return a function that compares, on this slice or on all, and waits."""

    def compare(all_slices=False):
        panel.controls.refine.choices["slices"].value = all_slices
        panel.controls.refine.compare.click()
        qtbot.waitUntil(lambda: not panel.comparing.busy)
        return panel.controls.refine.differences

    return compare


def pick(differences, mine, theirs):
    """Select the row of this difference."""
    table = differences.table
    rows = [
        [table.item(row, column).text() for column in (1, 2)] for row in range(table.rowCount())
    ]
    table.selectRow(rows.index([mine, theirs]))


def test_differences_are_listed_largest_first_and_outlined(viewer, panel, compare):
    differences = compare()
    c = panel.controls.refine
    assert c.text.text().startswith("2 differences: 1 one of mine, several of theirs, 1 another b")
    rows = [differences.table.item(row, 0).text() for row in range(2)]
    assert rows == ["mine joined", "border"]
    shown = next(one for one in viewer.layers if one.name == "napari-sam differences")
    assert set(np.unique(shown.data)) == {0, 1, 2}
    pick(differences, "1", "5")
    assert not shown.data[0, 20:30].any()  # only what is selected
    panel.tabs.setCurrentIndex(0)
    assert not shown.data.any()  # where one clicks they would be in the way
    panel.tabs.setCurrentWidget(panel._refine_tab)
    assert shown.data.any()
    viewer.dims.set_point(0, 0)
    assert not shown.data.any()
    c.finish.click()
    assert panel.comparing.found == ()
    assert not c.differences.isVisible()


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (Qt.Key.Key_M, {(0, 15): 0, (0, 5): 1}),
        (Qt.Key.Key_T, {(0, 15): 1, (0, 5): 1}),
        (Qt.Key.Key_B, {(0, 15): 1, (0, 5): 1}),
        (Qt.Key.Key_N, {(0, 15): 0, (0, 5): 0}),
    ],
)
def test_a_letter_answers_as_one_step(panel, mine, compare, key, expected):
    differences = compare()
    before = mine.data.copy()
    pick(differences, "1", "5")
    QTest.keyClick(differences.table, key)
    assert len(panel.comparing.found) == 1
    for (_, column), value in expected.items():
        assert mine.data[1, 5, column] == value
    np.testing.assert_array_equal(mine.data[1, 20:], before[1, 20:])
    session = panel.annotation.session
    if key == Qt.Key.Key_M:
        assert not session.can_undo
        return
    assert session.history.done[-1].kind is Kind.COMPARED
    panel.controls.undo.click()
    np.testing.assert_array_equal(mine.data, before)


def test_theirs_keep_my_number_for_the_largest_and_other_slices_stay(panel, mine, compare):
    differences = compare()
    pick(differences, "2", "6, 7")
    differences.buttons[next(v for v in differences.buttons if v.value == "theirs")].click()
    assert mine.data[1, 25, 25] == 2
    assert mine.data[1, 25, 35] == 3
    assert (mine.data[2, 20:30, 20:40] == 2).all()


def test_all_slices_and_what_only_they_have(panel, mine, compare):
    differences = compare(all_slices=True)
    assert {one.plane[0] for one in panel.comparing.found} == {0, 1, 2}
    pick(differences, "", "8")
    QTest.keyClick(differences.table, Qt.Key.Key_T)
    assert (mine.data[0, 5:9, 5:9] == 3).all()
    pick(differences, "2", "")  # only mine, on the last slice
    QTest.keyClick(differences.table, Qt.Key.Key_N)
    assert not mine.data[2].any()
    assert (mine.data[1, 20:30, 20:40] == 2).all()


def test_a_locked_object_stays_and_the_difference_with_it(panel, mine, compare):
    differences = compare()
    pick(differences, "1", "5")
    QTest.keyClick(differences.table, Qt.Key.Key_T)
    panel.controls.undo.click()
    curation.lock(panel.annotation.session, [1])
    differences = compare()
    before = mine.data.copy()
    pick(differences, "1", "5")
    QTest.keyClick(differences.table, Qt.Key.Key_T)
    assert "object 1 is locked" in panel.controls.refine.area.remark.text()
    np.testing.assert_array_equal(mine.data, before)
    assert len(panel.comparing.found) == 2


def test_it_says_what_is_missing_or_that_all_agree(viewer, panel, mine, compare):
    c = panel.controls.refine
    c.labels.choose(mine)
    compare()
    assert "choose another layer" in c.text.text()
    same = viewer.add_labels(mine.data.copy(), name="same")
    c.labels.choose(same)
    compare()
    assert c.text.text().startswith("No difference")


def test_an_answer_is_in_the_saved_session(panel, compare):
    differences = compare()
    pick(differences, "1", "5")
    QTest.keyClick(differences.table, Qt.Key.Key_T)
    folder = panel.annotation.saved_in
    panel.close_panel()
    restored = restore(folder.path)
    assert [change.kind for change in restored.session.history.done] == [Kind.COMPARED]
    assert restored.session.objects[1].pixels == 160
    restored.folder.close()
