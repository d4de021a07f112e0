"""Keyboard shortcuts of the panel: shown on buttons, inactive while text is typed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtGui import QAction, QKeySequence
from qtpy.QtWidgets import QAbstractButton, QMainWindow, QShortcut, QWidget

from napari_sam.errors import InputError
from napari_sam.settings import load_settings, save_settings

__all__ = ["DEFAULTS", "KEYS", "NAMES", "KeyTable", "Keys", "set_keyed_text", "with_key"]

# None of them is a default key of napari's viewer or of its Image, Points, Shapes or Labels layers.
DEFAULTS = {
    "accept": "N",
    "reject": "Shift+N",
    "undo": "U",
    "redo": "Shift+U",
    "polarity": "Q",
    "box": "G",
    "cycle": "W",
    "next_unsure": "J",
    "pick": "Shift+J",
    "accept_slice": "K",
    "accept_object": "Shift+K",
    "unclear": "H",
    "open": "Shift+O",
    "continue": "Shift+C",
    "follow": "Shift+T",
    "copy_next": ".",
    "copy_previous": ",",
    "interpolate": "Shift+B",
    "absent": "Shift+H",
    "ends": "Shift+G",
    "halves": "Shift+R",
    "missing_follow": "Shift+Q",
    "missing_copy": "Shift+W",
    "missing_ends": ";",
    "merge": "Shift+M",
    "split": "Shift+S",
    "cut": "Shift+Z",
    "join": "Shift+I",
    "clean": "Shift+E",
    "lock": "Shift+X",
    "delete": "Shift+D",
    "look": "Shift+F",
    "alike": "Shift+Y",
    "suggest": "'",
    "picture_next": "Ctrl+PgDown",
    "picture_previous": "Ctrl+PgUp",
    "picture_done": "Ctrl+Return",
    "keys": "?",
}
NAMES = {
    "accept": "Accept, next object",
    "reject": "Reject",
    "undo": "Undo",
    "redo": "Redo",
    "polarity": "Include or exclude",
    "box": "Box, or the shape chosen last",
    "cycle": "Next mask",
    "next_unsure": "Next unsure",
    "pick": "Select what is below the mouse",
    "accept_slice": "Accept slice",
    "accept_object": "Accept on all slices",
    "unclear": "Unclear",
    "open": "Correct",
    "continue": "Continue here",
    "follow": "Follow again from here",
    "copy_next": "Copy to the next slice",
    "copy_previous": "Copy to the slice before",
    "interpolate": "Fill between two accepted slices",
    "absent": "Not on this slice",
    "ends": "Ends here",
    "halves": "Look in the middle; again: right",
    "missing_follow": "Missing here: follow it",
    "missing_copy": "Missing here: copy it",
    "missing_ends": "Missing here: it ends",
    "merge": "Merge",
    "split": "Split into its parts",
    "cut": "Cut by a stroke",
    "join": "Join by a stroke",
    "clean": "Clean",
    "lock": "Lock or unlock",
    "delete": "Delete",
    "look": "Labels filled, outlined, hidden",
    "alike": "Find more like these",
    "suggest": "Suggest classes by example",
    "picture_next": "Next picture of the queue",
    "picture_previous": "Previous picture of the queue",
    "picture_done": "Picture done",
    "keys": "Show the keys",
}
HELD = "Shift", "Control", "Ctrl", "Alt", "Meta", "AltGr"  # which are no keys by themselves
ACTION, TEXT = "napari_sam_action", "napari_sam_text"  # Qt properties of what shows a key


class KeyTable(Mapping[str, str]):
    """The key of each action: the default ones, and those that somebody has changed.

    Attributes
    ----------
    changed : psygnal.Signal
        Emitted when an action has another key.
    """

    changed = Signal()

    def __init__(self, defaults: Mapping[str, str]) -> None:
        self.defaults = dict(defaults)
        self._own: dict[str, str] = {}

    def __getitem__(self, action: str) -> str:
        return self._own.get(action) or self.defaults[action]

    def __iter__(self) -> Iterator[str]:
        return iter(self.defaults)

    def __len__(self) -> int:
        return len(self.defaults)

    def owner(self, key: str, but: str = "") -> str | None:
        """Return the action that has a key, other than `but`; None if it is free."""
        wanted = QKeySequence(key)
        return next((a for a in self if a != but and QKeySequence(self[a]) == wanted), None)

    def recall(self) -> None:
        """Take the saved keys; one that is unknown, unusable or taken twice is the default."""
        saved = {a: k for a, k in load_settings().keys.items() if a in self.defaults and _plain(k)}
        before, self._own = dict(self), {}
        for action, key in saved.items():
            if self.owner(key, action) is None:
                self._own[action] = key
        if dict(self) != before:
            self.changed.emit()

    def change(self, action: str, key: str) -> None:
        """Give an action another key, and save it.

        Raises
        ------
        InputError
            If the key belongs to another action, or is none that can be pressed.
        """
        if not _plain(key):
            raise InputError(
                f"{key or 'nothing'!r} cannot be a key of its own; press a letter, a digit or a "
                "function key, alone or with Ctrl, Alt or Shift"
            )
        if (owner := self.owner(key, action)) is not None:
            raise InputError(
                f"{key} is the key of “{NAMES[owner]}” already; give that another key first"
            )
        self._own[action] = key
        if QKeySequence(key) == QKeySequence(self.defaults[action]):
            del self._own[action]
        self._save()

    def reset(self) -> None:
        """Give every action its default key again, and save that."""
        self._own = {}
        self._save()

    def _save(self) -> None:
        save_settings(replace(load_settings(), keys=dict(self._own)))
        self.changed.emit()


KEYS = KeyTable(DEFAULTS)  # one for all windows, as there is one keyboard


def with_key(text: str, action: str) -> str:
    """Return a button's text with its shortcut appended.

    Examples
    --------
    >>> with_key("Undo", "undo")
    'Undo  [U]'
    """
    return f"{text}  [{KEYS[action]}]"


def set_keyed_text(widget: QAbstractButton | QAction, text: str, action: str) -> None:
    """Set the text of a button or menu entry with its key, which follows later changes."""
    widget.setProperty(ACTION, action)
    widget.setProperty(TEXT, text)
    widget.setText(with_key(text, action))


class Keys:
    """Keyboard shortcuts for actions, in the main window of a panel.

    They belong to the main window, so that they work while the canvas has the focus even when the
    panel floats; two viewers do not disturb each other. Text fields keep their letters.

    Parameters
    ----------
    panel : QWidget
        In whose window; its buttons show the keys.
    actions : dict of str to callable
        By the names in `KEYS`.
    """

    def __init__(self, panel: QWidget, actions: dict[str, Callable[[], None]]) -> None:
        KEYS.recall()
        self._panel, self._actions = panel, actions
        self._listening = False
        self.shortcuts: list[QShortcut] = []
        KEYS.changed.connect(self._renew)

    def listen(self, on: bool) -> None:
        """Enable or disable all shortcuts."""
        self._listening = on
        for shortcut in self.shortcuts:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self.shortcuts = [self._shortcut(*one) for one in self._actions.items()] if on else []

    def close(self) -> None:
        """Take the shortcuts away."""
        self.forget()
        self.listen(False)

    def forget(self) -> None:
        """Follow the keys no longer; the shortcuts go with the window."""
        KEYS.changed.disconnect(self._renew)

    def _renew(self) -> None:
        self.listen(self._listening)
        shown: list[QAbstractButton | QAction]
        shown = [*self._panel.findChildren(QAbstractButton), *self._panel.findChildren(QAction)]
        for widget in shown:
            if action := widget.property(ACTION):
                widget.setText(with_key(widget.property(TEXT), action))

    def _shortcut(self, action: str, call: Callable[[], None]) -> QShortcut:
        window = self._panel
        while not isinstance(window, QMainWindow) and (parent := window.parentWidget()) is not None:
            window = parent
        shortcut = QShortcut(QKeySequence(KEYS[action]), window)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.activated.connect(call)
        return shortcut


def _plain(key: str) -> bool:
    """Return whether a text is one key, alone or with others held."""
    sequence = QKeySequence(key)
    last = sequence.toString().rpartition("+")[2]
    return sequence.count() == 1 and last not in HELD and bool(last or "+" in key)
