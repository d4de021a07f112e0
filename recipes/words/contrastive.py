"""Train the tower of pictures against the locked tower of words.

Every crop is compared with every caption of a batch: the pair belongs together if all that the
caption says is true of the object. The loss is that of each pair by itself (a sigmoid), because
many captions fit one object and one caption fits many objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from napari_sam.text.encoder import unit
from napari_sam.text.image_tower import ImageTower, as_tensors
from napari_sam.text.vocabulary import Vocabulary
from napari_sam.training.amp import mixed
from recipes.words.crops import BACKGROUND, CropSampler
from recipes.words.optim import OneCycleAdamW
from recipes.words.scenes import caption, chosen_facts

__all__ = ["Captions", "fit_bridge", "train_tower"]

FEW = 4  # objects whose vectors are averaged
RIDGE = 3.0
EncodeTexts = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Captions:
    """Captions, the facts that each states and their text vectors.

    Parameters
    ----------
    texts : list of str
    says : (N, F) bool
        Which facts each names; the last column is that there is nothing.
    vectors : (N, D) float32
    """

    texts: list[str]
    says: NDArray[np.bool_]
    vectors: NDArray[np.float32]
    facts: list[str]

    @classmethod
    def make(
        cls, objects: CropSampler, words: Vocabulary, encode: EncodeTexts, count: int, seed: int = 0
    ) -> Captions:
        """Return captions, each true of one of `count` random objects."""
        rng = np.random.default_rng(seed)
        facts = [*words.facts, *BACKGROUND]
        _, known = objects.draw(count, rng)
        texts, says = [], []
        for some in known:
            if some == BACKGROUND:
                said = some
                texts.append(words.background[rng.integers(len(words.background))])
            else:
                said = chosen_facts(some, words, rng)
                texts.append(caption(said, words, rng))
            says.append([fact in said for fact in facts])
        return cls(texts, np.array(says), encode(texts), facts)

    def fit(self, facts: Sequence[frozenset[str]]) -> NDArray[np.bool_]:
        """Tell of each object (rows) whether each caption (columns) is true of it."""
        lacks = np.array([[fact not in some for fact in self.facts] for some in facts])
        return (lacks.astype(np.float32) @ self.says.T.astype(np.float32)) == 0


def train_tower(
    tower: ImageTower,
    objects: CropSampler,
    captions: Captions,
    steps: int,
    *,
    batch: int = 96,
    rate: float = 2e-3,
    seed: int = 0,
) -> Iterator[dict[str, float]]:
    """Train in place; yields the loss of each step.

    The weights at the end are their moving average.
    """
    vectors = torch.from_numpy(captions.vectors)
    rng = np.random.default_rng(seed)
    tower.train()
    with OneCycleAdamW(tower, rate, steps) as optimiser:
        for _ in range(steps):
            crops, facts = objects.draw(batch, rng)
            fits = captions.fit(facts)
            own = [rng.choice(np.flatnonzero(row)) for row in fits if row.any()]
            texts = np.unique([*own, *rng.integers(len(vectors), size=batch)])
            pixels, masks, sizes = as_tensors(crops)
            pixels = pixels.contiguous(memory_format=torch.channels_last)
            with mixed(torch.device("cpu")):
                found = tower(pixels, masks, sizes).float()
            logits = tower.scale.exp() * found @ vectors[texts].T + tower.bias
            loss = F.binary_cross_entropy_with_logits(
                logits, torch.from_numpy(fits[:, texts]).float()
            )
            yield {"loss": optimiser.step(loss)}
    tower.eval()


def fit_bridge(
    tower: ImageTower, objects: CropSampler, captions: Captions, *, count: int = 2000, seed: int = 0
) -> NDArray[np.float32]:
    """Return the linear map from vectors of captions to those of objects that they fit, (D, D).

    Ridge regression on the mean image vector of up to four objects for each caption.
    """
    rng = np.random.default_rng((seed, 1))
    crops, facts = objects.draw(count, rng)
    with torch.inference_mode():
        parts = (tower(*as_tensors(crops[i : i + 100])) for i in range(0, count, 100))
        seen = torch.cat(list(parts)).numpy()
    fits = captions.fit(facts)  # (objects, captions)
    shown, said = [], []
    for vector, fitting in zip(captions.vectors, fits.T, strict=True):
        some = rng.permutation(np.flatnonzero(fitting))[:FEW]
        if len(some):
            shown.append(unit(seen[some].mean(axis=0)))
            said.append(vector)
    x, y = np.array(said, np.float64), np.array(shown, np.float64)
    ridge = RIDGE * np.eye(x.shape[1])
    bridge: NDArray[np.float32] = np.linalg.solve(x.T @ x + ridge, x.T @ y).astype(np.float32)
    return bridge
