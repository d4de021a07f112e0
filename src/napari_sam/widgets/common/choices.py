"""Table of a tab's options, built as magicgui widgets that are read, set and saved together.

Rows stay those of `add_row`: the letters of their labels move the keyboard, magicgui's do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, FloatSlider, FloatSpinBox, LineEdit
from magicgui.widgets.bases import ValueWidget
from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDoubleSpinBox, QFormLayout, QSlider, QWidget

from napari_sam.settings import load_settings, save_settings
from napari_sam.widgets.common.forms import add_row, narrow

__all__ = ["Choice", "Choices", "Field", "Number", "Value"]

Value = str | float | bool
Entries = Mapping[str, str] | Mapping[int, str] | Mapping[bool, str]
Field = ValueWidget[Any]  # whose `value` is of the kind that its row of the table says
STEP = 0.01  # of numbers with a point
WIDEST = "00.00"  # of those beside a slider


@dataclass(frozen=True)
class Choice:
    """One option; its default value and entries determine its widget.

    Parameters
    ----------
    name : str
        Of its value, in the settings, too.
    label : str
        In front of the widget, with "&" before the letter that moves the keyboard there; behind a
        check box its text.
    tip : str
        Shown under the pointer.
    default : str, int, float or bool, optional
        Of a check box, a number or a text; of a list its first entry if there is none.
    entries : mapping
        Text of each value to choose from.
    tips : mapping
        Tip of each of these values.
    limits : tuple of float
        Lowest and highest number.
    unit : str
        Behind a number.
    lowest : str
        Shown in place of the lowest number.
    slider : bool
        Whether a number has a slider.
    """

    name: str
    label: str
    tip: str
    default: Value | None = None
    entries: Entries = field(default_factory=dict)
    tips: Mapping[str, str] = field(default_factory=dict)
    limits: tuple[float, float] = (0, 1)
    unit: str = ""
    lowest: str = ""
    slider: bool = False


class Number(FloatSpinBox):
    """Integer spin box with a unit and a text for zero, which magicgui's `SpinBox` lacks."""

    def get_value(self) -> int:
        """Return the value."""
        return round(super().get_value())


class Choices:
    """The option widgets of a table, by name.

    Parameters
    ----------
    table : sequence of Choice
        The options.
    section : str
        Of the settings, where they are remembered; empty if they are not.
    """

    changed = Signal(str)  # the name of what has another value, but for `put`

    def __init__(self, table: Sequence[Choice], section: str = "") -> None:
        self._section = section
        self._table = {choice.name: choice for choice in table}
        self._widgets = {choice.name: _widget(choice) for choice in table}
        for name, widget in self._widgets.items():
            widget.changed.connect(lambda _, name=name: self.changed.emit(name))

    def __getitem__(self, name: str) -> Field:
        return self._widgets[name]

    @property
    def values(self) -> dict[str, Any]:
        """The current values, by name."""
        return {name: widget.value for name, widget in self._widgets.items()}

    def put(self, values: Mapping[str, object]) -> None:
        """Set values without signals; skip values that a widget rejects (other versions)."""
        for name, value in values.items():
            if (widget := self._widgets.get(name)) is not None:
                with widget.changed.blocked(), suppress(TypeError, ValueError):
                    widget.value = _within(self._table[name], value)

    def recall(self) -> None:
        """Restore the saved values."""
        self.put(getattr(load_settings(), self._section))

    def remember(self) -> None:
        """Save the current values for the next start."""
        settings, chosen = load_settings(), self.values
        if getattr(settings, self._section) != chosen:
            save_settings(replace(settings, **{self._section: chosen}))  # type: ignore[arg-type]

    def enable(self, enabled: bool, *names: str) -> None:
        """Enable or disable the named options; all if none is named."""
        for name in names or self._widgets:
            self._widgets[name].enabled = enabled

    def add_to(self, form: QFormLayout, *names: str) -> None:
        """Add the named options as rows to a form; all if none is named."""
        for name in names or self._widgets:
            choice, native = self._table[name], self._widgets[name].native
            if isinstance(choice.default, bool):
                form.addRow(native)
            else:
                add_row(form, choice.label, native, native.focusProxy())


def _within(choice: Choice, value: object) -> object:
    """Return a number clamped to the limits of its choice, anything else as it is."""
    if choice.entries or isinstance(value, bool) or not isinstance(value, int | float):
        return value
    low, high = choice.limits
    return min(max(value, low), high)


def _widget(choice: Choice) -> Field:
    default = choice.default
    options: dict[str, Any] = {"name": choice.name, "tooltip": choice.tip}
    if default is not None:
        options["value"] = default
    if choice.entries:
        box = ComboBox(choices=[(text, one) for one, text in choice.entries.items()], **options)
        narrow(box.native)
        for place, one in enumerate(choice.entries):
            box.native.setItemData(place, choice.tips.get(str(one)), Qt.ItemDataRole.ToolTipRole)
        return box
    if isinstance(default, bool):
        return CheckBox(text=choice.label, **options)
    if isinstance(default, str):
        return LineEdit(**options)
    low, high = choice.limits
    if choice.slider:
        slider = FloatSlider(min=low, max=high, step=STEP, **options)
        _name_parts(slider.native, choice)
        return slider
    whole = isinstance(default, int)
    number = (Number if whole else FloatSpinBox)(
        min=low, max=high, step=1 if whole else STEP, **options
    )
    number.native.setDecimals(0 if whole else 2)
    number.native.setSuffix(choice.unit)
    number.native.setSpecialValueText(choice.lowest)
    return number


def _name_parts(slider: QWidget, choice: Choice) -> None:
    """Let the keyboard reach a slider and the number beside it; make that narrow."""
    handle, number = slider.findChild(QSlider), slider.findChild(QDoubleSpinBox)
    assert isinstance(handle, QSlider)
    assert isinstance(number, QDoubleSpinBox)
    slider.setFocusProxy(handle)
    handle.setPageStep(10 * handle.singleStep())  # else a click beside the handle moves it unseen
    number.setStyleSheet("background: transparent; border: 0; min-width: 10px; padding: 1px 0px;")
    number.setFixedWidth(number.fontMetrics().horizontalAdvance(WIDEST))
    number.setAccessibleName(f"{choice.label.replace('&', '')}, number")
    for part in (slider, handle, number):
        part.setToolTip(choice.tip)
