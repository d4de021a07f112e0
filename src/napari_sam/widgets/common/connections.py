"""Signal connections that are made and disconnected as a group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["Connections"]


class Connectable(Protocol):
    """Protocol of a Qt or psygnal signal."""

    def connect(self, slot: Callable[..., object], /) -> object:
        """Connect a callback."""

    def disconnect(self, slot: Callable[..., object], /) -> object:
        """Disconnect a callback."""


class Connections:
    """Group of connections from a short-lived receiver to long-lived signals."""

    def __init__(self) -> None:
        self._made: list[tuple[Connectable, Callable[..., object]]] = []

    def add(self, signal: Connectable, slot: Callable[..., object]) -> None:
        """Connect a signal to a callback until `close`."""
        signal.connect(slot)
        self._made.append((signal, slot))

    def close(self) -> None:
        """Disconnect all."""
        for signal, slot in self._made:
            signal.disconnect(slot)
        self._made = []
