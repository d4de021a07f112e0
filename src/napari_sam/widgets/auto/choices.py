"""What is chosen in the tab for the automatic mode: read, set from a preset, remembered."""

from __future__ import annotations

from dataclasses import replace

from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QSpinBox
from superqt import QLabeledDoubleSlider

from napari_sam.inference.automatic.presets import Preset, presets
from napari_sam.inference.automatic.selection import Selection
from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.inference.automatic.tiles import Tiling
from napari_sam.settings import load_settings, save_settings
from napari_sam.widgets.auto.controls import AutoControls

__all__ = ["AutoChoices"]

Choice = str | float | bool
Number = QDoubleSpinBox | QLabeledDoubleSlider
Field = QCheckBox | QComboBox | QSpinBox | Number


class AutoChoices:
    """The choices of one tab.

    Parameters
    ----------
    controls : AutoControls
        The widgets.
    """

    def __init__(self, controls: AutoControls) -> None:
        self._controls = c = controls
        self._fields: dict[str, Field] = {
            "preset": c.preset,
            "points": c.points,
            "min_score": c.min_score,
            "min_stability": c.min_stability,
            "seeds": c.seeds,
            "crops": c.crops,
            "same": c.same,
            "link": c.link,
            "gap": c.gap,
            "faint": c.faint,
            "no_edge": c.no_edge,
            "on_top": c.on_top,
            "certain": c.certain,
        }
        chosen = load_settings().auto
        self._put("preset", chosen.get("preset", c.preset.currentData()))
        self.take_preset()
        for name, value in chosen.items():
            self._put(name, value)

    @property
    def preset(self) -> Preset:
        """The chosen kind of picture."""
        return presets()[self._controls.preset.currentData()]

    def grid_for(self, shape: tuple[int, int]) -> GridSettings:
        """Return how to search a plane (H, W); in tiles it is a grid without crops."""
        c, large = self._controls, Tiling().cuts(shape)
        return replace(
            self.preset.grid,
            seeds="grid" if large else c.seeds.currentData(),
            points_per_side=c.points.value(),
            min_score=c.min_score.value() or None,
            min_stability=c.min_stability.value() or None,
            crop_layers=0 if large else c.crops.currentData(),
            overlap=c.same.currentData(),
        )

    @property
    def selection(self) -> Selection:
        """What to keep, and who is on top."""
        c = self._controls
        ranges = {name: row.range for name, row in c.rows.items()}
        return Selection(**ranges, no_edge=c.no_edge.isChecked(), overlap=c.on_top.currentData())

    def take_preset(self) -> None:
        """Set everything as the preset says."""
        c, preset = self._controls, self.preset
        grid, selection = preset.grid, preset.selection
        for name, value in {
            "points": grid.points_per_side,
            "min_score": grid.min_score or 0.0,
            "min_stability": grid.min_stability or 0.0,
            "seeds": grid.seeds,
            "crops": grid.crop_layers,
            "same": grid.overlap,
            "no_edge": selection.no_edge,
            "on_top": selection.overlap,
            "certain": preset.certain,
        }.items():
            self._put(name, value)
        for name, row in c.rows.items():
            row.set_range(getattr(selection, name))

    def remember(self) -> None:
        """Keep the choices for the next time; the ranges belong to a picture."""
        chosen = {name: _value(field) for name, field in self._fields.items()}
        settings = load_settings()
        if settings.auto != chosen:
            save_settings(replace(settings, auto=chosen))

    def _put(self, name: str, value: Choice) -> None:
        """Set a field; what it cannot hold is left out, for instance of another version."""
        field = self._fields.get(name)
        blocked = field is not None and field.blockSignals(True)
        if isinstance(field, QComboBox):
            field.setCurrentIndex(max(field.findData(value), 0))
        elif isinstance(field, QCheckBox):
            field.setChecked(bool(value))
        elif isinstance(field, QSpinBox) and not isinstance(value, str):
            field.setValue(round(value))
        elif isinstance(field, Number) and not isinstance(value, str):
            field.setValue(value)
        if field is not None:
            field.blockSignals(blocked)


def _value(field: Field) -> Choice:
    value: Choice
    if isinstance(field, QComboBox):
        value = field.currentData()
    elif isinstance(field, QCheckBox):
        value = field.isChecked()
    else:
        value = field.value()
    return value
