"""Hands that count what they do."""

from __future__ import annotations

from tests.widgets.hands import Hands


class Counting(Hands):
    """Counts clicks of the mouse and presses of keys."""

    clicks = keys = 0

    def click(self, *position, **how):
        self.clicks += 1
        super().click(*position, **how)

    def push(self, button):
        self.clicks += 1
        super().push(button)

    def turn_to(self, title):
        self.clicks += 1
        super().turn_to(title)

    def press(self, *key):
        self.keys += 1
        super().press(*key)
