"""Frozen text tower: a sentence encoder whose weights come with a Python package."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from napari_sam.errors import InputError
from napari_sam.text.installed import SENTENCES, missing

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["SentenceEncoder"]

AT_ONCE = 64


class SentenceEncoder:
    """Sentence encoder: mean token vector of all-MiniLM-L6-v2, of length 1, in 384 dimensions."""

    width = 384

    @cached_property
    def _parts(self) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
        from transformers import AutoModel, AutoTokenizer

        folder = _folder()
        with without_bars():
            return AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()

    @torch.inference_mode()
    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return (N, 384) float32."""
        tokenizer, model = self._parts
        found = []
        for first in range(0, len(texts), AT_ONCE):
            some = [text.strip().lower() for text in texts[first : first + AT_ONCE]]
            batch = tokenizer(some, padding=True, truncation=True, return_tensors="pt")
            hidden = model(**batch).last_hidden_state  # (N, T, 384)
            there = batch["attention_mask"][..., None].to(hidden.dtype)
            found.append(F.normalize((hidden * there).sum(1) / there.sum(1), dim=-1))
        return torch.cat(found).numpy()


@contextmanager
def without_bars() -> Iterator[None]:
    """Suppress the progress bars of `transformers`."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _folder() -> Path:
    """Return where the weights lie.

    Raises
    ------
    InputError
        If the extra is not installed.
    """
    spec = find_spec(SENTENCES)
    if spec is None or missing():
        raise InputError(missing())
    # Found, not imported: importing the package loads much that is not needed here.
    return Path((spec.submodule_search_locations or [""])[0]) / "model"
