"""Methods… says how objects were made, and names nothing that nobody asked for."""

from __future__ import annotations

import json

from qtpy.QtWidgets import QFileDialog

from tests.widgets.conftest import ours


def test_the_methods_of_a_picture(viewer, panel, accept, qtbot, tmp_path, monkeypatch):
    dialog = panel.methods
    panel.controls.methods.click()
    qtbot.waitUntil(lambda: not dialog.busy)
    assert "Nothing is saved yet" in dialog.text.toPlainText()
    assert not dialog.save.isEnabled()
    accept(10, 10)
    ours(viewer, "points").add((30, 30))
    dialog.open()
    qtbot.waitUntil(lambda: not dialog.busy)
    text = dialog.text.toPlainText()
    assert "They are 1 object: 1 drawn with clicks" in text
    assert "'cells'" not in json.dumps(dialog.about)
    path = tmp_path / "methods.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    dialog.save.click()
    saved = json.loads(path.read_text())
    assert saved["paragraph"] == text
    assert saved["objects"]["clicked"] == 1
    dialog.names.click()
    qtbot.waitUntil(lambda: not dialog.busy)
    assert dialog.about["names"] == ["cells"]
    dialog.hide()
