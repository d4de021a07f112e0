"""What a session asks of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from napari_sam.progress import Pause
from napari_sam.prompts import Prompts
from napari_sam.results import Prediction

__all__ = ["Segmenter"]


class Segmenter(Protocol):
    """A model as the session sees it; an embedding is opaque to the session."""

    def embed(
        self,
        image: NDArray[Any],
        contrast: tuple[Any, Any] | None = None,
        pause: Pause | None = None,
    ) -> Any:
        """Embed a picture of shape (H, W) or (H, W, 3 or 4).

        `pause` is called now and then; an exception that it raises stops the work.
        """

    def contrast(self, pixels: NDArray[Any]) -> tuple[Any, Any]:
        """Return one contrast (low, high) for all planes of a stack.

        From pixels all over it, (N,) or (N, 3 or 4); both may have an entry for each colour.
        """

    def predict(self, embedding: Any, prompts: Prompts) -> Prediction:
        """Predict one object: three candidates for a lone point, else one."""

    def predict_batch(self, embedding: Any, prompts: Sequence[Prompts]) -> list[Prediction]:
        """Predict many objects of one picture, each as `predict` does."""
