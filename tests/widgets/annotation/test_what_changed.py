"""The signal says what there is anew to show, and only that is shown anew."""

from __future__ import annotations

import pytest
from napari.components import ViewerModel

from napari_sam.session.changed import What
from napari_sam.widgets.layers.prompt_layers import Tool
from tests.widgets.conftest import ours, picture


@pytest.fixture
def viewer():
    viewer = ViewerModel()
    viewer.add_image(picture(5, 40, 60), name="cells")
    return viewer


@pytest.fixture
def redrawn(panel, accept, monkeypatch, qtbot):
    """Return a list of what is redrawn of the list of objects, which holds one object."""
    accept(2, 10, 20)
    drawn, objects = [], panel.controls.objects
    qtbot.waitUntil(lambda: objects.model.rowCount() == 1)  # it follows a moment later

    def note(owner, name):
        call = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *some: (drawn.append(name), call(*some))[1])

    for name in ("show_session", "refresh", "show_classes", "count"):
        note(objects, name)
    note(objects.classes, "show_session")
    for signal in ("dataChanged", "rowsInserted", "rowsRemoved", "modelReset", "layoutChanged"):
        getattr(objects.model, signal).connect(lambda *_, name=signal: drawn.append(name))
    return drawn


@pytest.fixture
def told(panel):
    told = []
    panel.annotation.changed.connect(told.append)
    return told


def test_a_move_of_the_view_redraws_no_list(viewer, panel, redrawn, told, settle):
    viewer.dims.set_point(0, 4)
    settle(panel)
    assert panel.annotation.seen == (4, None, None)
    assert What.VIEW in told
    assert not any(What.OBJECTS in what for what in told)
    assert redrawn == []


def test_a_change_of_the_draft_rebuilds_no_rows(viewer, panel, redrawn, told, settle, qtbot):
    ours(viewer, "points").add((2, 30, 40))
    settle(panel)
    ours(viewer, "points").add((2, 32, 44))
    settle(panel)
    qtbot.wait(150)  # the list follows a moment later
    assert panel.annotation.session.mask is not None
    assert any(What.DRAFT in what for what in told)
    assert redrawn == []


def test_an_accepted_object_is_in_the_list_at_once(viewer, panel, redrawn, accept, qtbot):
    accept(2, 30, 40)
    qtbot.waitUntil(lambda: panel.controls.objects.model.rowCount() == 2)
    assert "refresh" in redrawn


def test_the_tool_and_the_selection_are_the_views(panel, told):
    panel.annotation.arm(Tool.BOX)
    panel.annotation.select(None)
    assert told == [What.VIEW, What.VIEW]


def test_another_model_is_told(panel, told, settle):
    panel.annotation.asking.use(panel.annotation.model)
    settle(panel)
    assert any(What.MODEL in what for what in told)


def test_a_failure_is_the_models(panel, told):
    panel.annotation.asking.fail()
    assert told == [What.MODEL]
