"""CLIP-like dual encoders through `transformers`; users download the weights."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_sam.errors import DISTRIBUTION, InputError
from napari_sam.text.crops import ObjectCrop
from napari_sam.text.encoder import shares, unit

if TYPE_CHECKING:
    from transformers import PreTrainedModel, ProcessorMixin
    from transformers.utils import ModelOutput

__all__ = ["Clip", "load_clip"]

AT_ONCE = 16
AGAINST = ["background", "something else", "debris"]


class Clip:
    """A dual encoder of `transformers` (CLIP, SigLIP and models of their form).

    Parameters
    ----------
    name : str
    model, processor
        As `transformers.AutoModel` and `AutoProcessor` give them.
    """

    threshold = 0.5

    def __init__(self, name: str, model: PreTrainedModel, processor: ProcessorMixin) -> None:
        self.name, self._model, self._processor = name, model.eval(), processor
        self.width = int(model.config.projection_dim)
        size = model.config.vision_config.image_size
        self.side = int(size)
        self._scale = float(model.logit_scale.detach().exp())

    @torch.inference_mode()
    def words(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of texts, (N, D); see `Encoder`."""
        batch = self._processor(
            text=list(texts), return_tensors="pt", padding=True, truncation=True
        )
        return unit(_vectors(self._model.get_text_features(**batch)))

    @torch.inference_mode()
    def crops(self, crops: Sequence[ObjectCrop]) -> NDArray[np.float32]:
        """Return the vectors of crops, (N, D), without masked attention; see `Encoder`."""
        found = [np.zeros((0, self.width), np.float32)]
        for first in range(0, len(crops), AT_ONCE):
            shown = [crop.rgb for crop in crops[first : first + AT_ONCE]]
            batch = self._processor(images=shown, return_tensors="pt")
            found.append(_vectors(self._model.get_image_features(**batch)))
        return unit(np.concatenate(found))

    def prompts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the prompt vectors, (N, D): the texts' own vectors; see `Encoder`."""
        return self.words(texts)

    def similarity(
        self, seen: NDArray[np.float32], meant: NDArray[np.float32], others: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the similarity, (N, K): the softmax over all texts; see `Encoder`."""
        return shares(self._scale * seen @ np.concatenate([meant, others]).T, len(meant))

    def against(self, words: Sequence[str]) -> list[str]:
        """Return negative texts to compare with."""
        return [text for text in AGAINST if text not in words]

    def familiarity(self, text: str) -> tuple[float, None]:
        """Return 1 and no threshold: the vocabulary is open."""
        return 1.0, None


def load_clip(name: str) -> Clip:
    """Load a model from a folder or the cache of the Hugging Face hub, without network access.

    Raises
    ------
    InputError
        If `transformers` is not installed, or the model is not here; says how to get it.
    """
    if find_spec("transformers") is None:
        raise InputError(
            f"the encoder {name} needs the package transformers: pip install '{DISTRIBUTION}[text]'"
        )
    from transformers import AutoModel, AutoProcessor

    try:
        processor = AutoProcessor.from_pretrained(name, local_files_only=True)
        model = AutoModel.from_pretrained(name, local_files_only=True, use_safetensors=True)
    except (OSError, ValueError) as error:
        raise InputError(
            f"there is no encoder of words {name!r} here. Built in is 'words_tiny'; others are "
            "downloaded by you, once, with a network: `hf download openai/clip-vit-base-patch32`, "
            f"and then found by that name, or by their folder ({error})"
        ) from error
    if not all(hasattr(model, part) for part in ("get_text_features", "get_image_features")):
        raise InputError(f"{name!r} is no model of both words and pictures, such as CLIP")
    return Clip(Path(name).name, model, processor)


def _vectors(features: Tensor | ModelOutput) -> NDArray[np.float32]:
    # Newer versions give the whole output, older ones the projected vectors.
    tensor = getattr(features, "pooler_output", features)
    array: NDArray[np.float32] = tensor.float().cpu().numpy()
    return array
