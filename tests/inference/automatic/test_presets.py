"""The presets of the automatic mode, as the file gives them."""

from __future__ import annotations

from napari_sam.inference.automatic.presets import presets
from napari_sam.inference.automatic.settings import GridSettings


def test_all_kinds_of_the_paper_s_users_are_there():
    assert list(presets()) == ["nuclei", "cells", "bacteria", "electron", "tissue"]
    for preset in presets().values():
        assert preset.title
        assert preset.about
        assert 0 < preset.certain <= 1


def test_what_a_preset_leaves_out_is_the_default():
    cells, bacteria = presets()["cells"], presets()["bacteria"]
    assert cells.grid == GridSettings()
    assert bacteria.grid.points_per_side > cells.grid.points_per_side
    low, high = presets()["nuclei"].selection.roundness
    assert 0 < low < 1
    assert high is None
