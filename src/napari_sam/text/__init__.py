"""Text prompts: dual encoders of texts and image crops. Loads nothing until it is used.

`encode` and `find` are the public functions; `reader.Reader` is the same for windows and commands.
The built-in encoder and CLIP both are an `encoder.Encoder`. Uses `inference`, `serving`, `model`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from napari_sam.arrays import ContrastRange
    from napari_sam.inference.automatic.settings import SearchSettings
    from napari_sam.inference.predictor import Predictor
    from napari_sam.text.encoder import Encoder
    from napari_sam.text.ranking import Ranked

__all__ = ["encode", "find"]

BUILT_IN = "words_tiny"


def encode(words: str, encoder: str | Encoder = BUILT_IN) -> NDArray[np.float32]:
    """Encode a text as the vector, (D,) of length 1, that `Prompts(text=...)` takes.

    Parameters
    ----------
    words : str
        What to look for.
    encoder : str or Encoder
        A name, or what `napari_sam.text.load.load_encoder` returns for one; the built-in model
        understands the built-in one.

    Returns
    -------
    (D,) float32
        D is the encoder's; 384 for the built-in one.

    Raises
    ------
    InputError
        If the extra ``text`` is not installed, there is no such encoder here, or the words say
        nothing.

    Examples
    --------
    >>> import napari_sam as ns
    >>> vector = ns.text.encode("bright round nuclei")
    >>> vector.shape, str(vector.dtype)
    ((384,), 'float32')
    >>> prompts = ns.Prompts(text=vector)
    """
    from napari_sam.text.ranking import check_words

    check_words([words])
    return _loaded(encoder).prompts([words])[0]


def find(
    predictor: Predictor,
    image: ArrayLike,
    words: Sequence[str],
    settings: SearchSettings | None = None,
    *,
    encoder: str | Encoder = BUILT_IN,
    contrast: ContrastRange | None = None,
) -> Ranked:
    """Segment everything in an image, and score each object's similarity with each text.

    `napari_sam.text.search.iter_ranked` does the same bit by bit, for a progress bar.

    Parameters
    ----------
    predictor : Predictor
        Finds the objects.
    image : (H, W) or (H, W, 3 or 4) array-like
        The picture.
    words : sequence of str
        A text for each class.
    settings : GridSettings or InstanceSettings, optional
        How everything is found; None takes the best way that the model knows.
    encoder : str or Encoder
        As in `encode`.
    contrast : (low, high), optional
        Intensities that become black and white; None takes the model's own rule.

    Returns
    -------
    Ranked
        The proposals, and the similarity of each with each of the words.

    Raises
    ------
    InputError
        As `encode`; also if there are no words.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_sam as ns
    >>> rows, columns = np.indices((48, 64))
    >>> image = np.where(np.hypot(rows - 20, columns - 30) < 9, 180, 20).astype(np.uint8)
    >>> predictor = ns.Predictor(ns.load_model("cells_tiny"))
    >>> settings = ns.GridSettings(seeds="distance")
    >>> found = ns.text.find(predictor, image, ["nuclei", "bacteria"], settings)
    >>> found.similarity.shape == (len(found.proposals), 2)
    True
    >>> labels, kept = found.labels(image.shape)
    >>> labels.shape
    (48, 64)
    """
    from napari_sam.text.search import iter_ranked

    steps = iter_ranked(predictor, _loaded(encoder), image, words, settings, contrast=contrast)
    [found] = [step.result for step in steps if step.result is not None]
    return found


def _loaded(encoder: str | Encoder) -> Encoder:
    if not isinstance(encoder, str):
        return encoder
    from napari_sam.text.load import load_encoder

    return load_encoder(encoder)
