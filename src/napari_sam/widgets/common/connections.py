"""Connections of signals that are made together and ended together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["Connections"]


class Connectable(Protocol):
    """A signal of Qt or psygnal."""

    def connect(self, slot: Callable[..., object], /) -> object:
        """Call this from now on."""

    def disconnect(self, slot: Callable[..., object], /) -> object:
        """Call it no longer."""


class Connections:
    """Connects somebody who goes to signals of those who stay."""

    def __init__(self) -> None:
        self._made: list[tuple[Connectable, Callable[..., object]]] = []

    def add(self, signal: Connectable, slot: Callable[..., object]) -> None:
        """Connect a signal until `close`."""
        signal.connect(slot)
        self._made.append((signal, slot))

    def close(self) -> None:
        """Disconnect them all."""
        for signal, slot in self._made:
            signal.disconnect(slot)
        self._made = []
