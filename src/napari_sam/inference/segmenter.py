"""The predictor as a session sees it, with the latest embeddings at hand. Torch is loaded late."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.prompts import Prompts
from napari_sam.results import Prediction
from napari_sam.zoo import catalogue, fetch

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Embedding, Predictor

__all__ = ["Report", "Segmenter", "load_segmenter"]

Report = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done and how much there is (0: unknown)."""


def load_segmenter(name: str, device: str, report: Report) -> Segmenter:
    """Load a model of the zoo, after downloading it where needed, or a file of the user's own.

    Parameters
    ----------
    name, device : str
        As in `load_model`; the name may be a path.
    report : callable
        Hears of the progress; an exception that it raises stops the download.
    """
    if name in catalogue():
        fetch(name, lambda done, total: report(f"Downloading {name}", done, total))
    report(f"Loading {Path(name).name}", 0, 0)
    from napari_sam.inference.predictor import Predictor
    from napari_sam.model.load import load_model

    return Segmenter(Predictor(load_model(name, device)))


class Segmenter:
    """Fits `napari_sam.session.segmenter.Segmenter` by shape.

    Parameters
    ----------
    predictor : Predictor
        What does the work.
    keep : int
        How many embeddings to remember, latest first.
    """

    def __init__(self, predictor: Predictor, keep: int = 8) -> None:
        self._predictor = predictor
        self._keep = keep
        self._embeddings: OrderedDict[bytes, Embedding] = OrderedDict()

    @property
    def device(self) -> str:
        """Where the model runs, for example ``"cpu"``."""
        return str(self._predictor.model.device)

    @property
    def devices(self) -> tuple[str, ...]:
        """All devices of this machine that a model could run on."""
        from napari_sam.model.load import available_devices

        return available_devices()

    def embed(self, image: NDArray[Any], contrast: tuple[float, float] | None = None) -> Embedding:
        """Embed a picture (H, W) or (H, W, 3 or 4), unless its very content was embedded lately."""
        key = _key(image, contrast)
        embedding = self._embeddings.pop(key, None) or self._predictor.embed(image, contrast)
        self._embeddings[key] = embedding
        if len(self._embeddings) > self._keep:
            self._embeddings.popitem(last=False)
        return embedding

    def contrast(self, pixels: NDArray[Any]) -> tuple[float, float] | None:
        """Return one contrast for all planes of a stack; None if the model takes each by itself."""
        from napari_sam.inference.image import PERCENTILE, contrast_range

        if self._predictor.model.entry.intensity != PERCENTILE:
            return None
        return contrast_range(pixels)

    def predict(self, embedding: Embedding, prompts: Prompts) -> Prediction:
        """Predict one object."""
        return self._predictor.predict(embedding, prompts)


def _key(image: NDArray[Any], contrast: tuple[float, float] | None) -> bytes:
    head = f"{image.shape} {image.dtype} {contrast}".encode()
    salt = hashlib.sha256(head).digest()
    return hashlib.blake2b(np.ascontiguousarray(image).data, key=salt).digest()
