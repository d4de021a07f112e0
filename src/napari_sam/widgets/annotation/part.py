"""What every part of the panel does that has to do with the annotation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from napari_sam.widgets.annotation.annotation import Annotation

__all__ = ["Part"]


class Part(Protocol):
    """A part of the panel that follows the annotation; the panel keeps one tuple of them."""

    def follow(self, annotation: Annotation | None) -> None:
        """Serve this annotation from now on, or none; nothing of the one before is kept."""

    def close(self) -> None:
        """End all work and disconnect from the viewer, for good."""
