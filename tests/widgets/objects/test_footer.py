"""The row below all tabs."""

from __future__ import annotations

import re

from tests.widgets.conftest import open_tab


def test_it_says_since_when_all_is_saved(panel, accept, viewer):
    assert panel.footer.state.text() == "Nothing to save yet"
    accept(10, 20)
    assert re.fullmatch(r"All saved \d\d:\d\d", panel.footer.state.text())
    viewer.layers.remove("cells")
    assert panel.footer.state.text() == "Nothing to save yet"


def test_it_is_there_in_every_tab(panel, accept):
    panel.show()
    for title in ("Prompt", "Stack", "Auto", "Text", "Refine", "Train"):
        open_tab(panel, title)
        assert panel.footer.save.isVisible()
        assert panel.footer.measure.isVisible()


def test_every_tab_says_what_came_of_it(panel):
    panel.footer.save.click()
    for area in panel._areas:
        assert "accept a mask first" in area.remark.text()
