"""Words as prompts: encoders of words and crops in one space. Loads nothing until it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["encode"]


def encode(words: str, encoder: str = "words_tiny") -> NDArray[np.float32]:
    """Return the vector of some words, (D,) of length 1, that `Prompts(text=...)` carries.

    Parameters
    ----------
    words : str
        What to look for.
    encoder : str
        As in `napari_sam.text.load.load_encoder`; the built-in model understands the built-in one.

    Raises
    ------
    InputError
        If the extra ``text`` is not installed, or there is no such encoder here.
    """
    from napari_sam.text.load import load_encoder

    vector: NDArray[np.float32] = load_encoder(encoder).prompts([words])[0]
    return vector
