"""Protocol for the parts of the panel that follow the current annotation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from napari_sam.widgets.annotation.annotation import Annotation

__all__ = ["Part"]


class Part(Protocol):
    """Protocol of a panel part that follows the annotation; the panel keeps a tuple of them."""

    def follow(self, annotation: Annotation | None) -> None:
        """Switch to this annotation, or to none; discard all state of the previous one."""

    def close(self) -> object:
        """Stop all work and disconnect from the viewer permanently."""
