"""Predictor with a store of embeddings, as a session uses it. Loads torch late."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import Array, ContrastRange, LazyArray, plain
from napari_sam.errors import InputError
from napari_sam.inference.automatic.settings import InstanceSettings, SearchSettings
from napari_sam.inference.automatic.tiles import Tiling
from napari_sam.inference.propagation.settings import PropagateSettings
from napari_sam.inference.pyramid import PyramidTile
from napari_sam.inference.store.store import EmbeddingStore
from napari_sam.progress import Pause, Progress
from napari_sam.prompts import Prompts
from napari_sam.results import Prediction, SearchResult, Step
from napari_sam.zoo.catalogue import entries, fetch

if TYPE_CHECKING:
    from napari_sam.inference.embedding import Embedding
    from napari_sam.inference.predictor import Predictor
    from napari_sam.inference.tiled_embedding import TiledEmbedding
    from napari_sam.serving.kept_maps import KeptMaps

__all__ = ["Report", "StoredSegmenter", "load_segmenter", "preload"]

Report = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done and how much there is (0: unknown)."""


def load_segmenter(
    name: str, device: str, report: Report, store: EmbeddingStore
) -> StoredSegmenter:
    """Load a model of the zoo, downloading it where needed, or a weights file of the user's own.

    Parameters
    ----------
    name, device : str
        A name of the zoo or a file; ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.
    report : callable
        Hears of the progress; an exception that it raises stops the download.
    store : EmbeddingStore
        Where its embeddings are kept.
    """
    if name in entries():
        fetch(name, lambda done, total: report(f"Downloading {name}", done, total))
    report(f"Loading {Path(name).name}", 0, 0)
    from napari_sam.inference.predictor import Predictor
    from napari_sam.model.load import load_model

    return StoredSegmenter(Predictor(load_model(name, device)), store)


def preload() -> None:
    """Import PyTorch and what a model needs, so that it loads quicker; errors are left to that."""
    with suppress(Exception):
        import napari_sam.inference.predictor
        import napari_sam.model.load  # noqa: F401


class StoredSegmenter:
    """Predictor whose embeddings are cached; implements `session.segmenter.Segmenter`.

    Parameters
    ----------
    predictor : Predictor
        What does the work.
    store : EmbeddingStore
        Where its embeddings are kept.

    Attributes
    ----------
    predictor : Predictor
        As given.
    """

    def __init__(self, predictor: Predictor, store: EmbeddingStore) -> None:
        self.predictor = predictor
        self._store = store

    @property
    def device(self) -> str:
        """Device of the model, for example ``"cpu"``."""
        return str(self.predictor.model.device)

    @property
    def has_instances(self) -> bool:
        """Whether the model has an instance decoder, which sees all objects at once."""
        return self.predictor.model.instance_decoder is not None

    @property
    def devices(self) -> tuple[str, ...]:
        """Devices of this machine that a model can run on."""
        from napari_sam.model.load import available_devices

        return available_devices()

    def news(self) -> str:
        """Return, once, what the user should know of the model; here there is nothing."""
        return ""

    def embed(
        self,
        image: LazyArray,
        contrast: ContrastRange | None = None,
        pause: Pause | None = None,
    ) -> Embedding | TiledEmbedding:
        """Embed an image (H, W) or (H, W, 3 or 4), unless an embedding of its content is stored.

        A large picture is embedded tile by tile as prompts come (see `EmbeddingStore.get`).
        """
        return self._store.get(self.predictor, image, contrast, pause)

    def work(self, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Return how much of an embedding is done at each pause, from 0 to 1, about.

        Of a large picture it is one tile that is made.
        """
        return self.predictor.work(shape)

    def keep(
        self,
        image: LazyArray,
        contrast: ContrastRange | None = None,
        pause: Pause | None = None,
    ) -> int:
        """Embed an image and store the result; return the bytes that are stored, 0 for none."""
        return self._store.keep(self.predictor, image, contrast, pause)

    def keep_tile(
        self, tiled: TiledEmbedding, tile: PyramidTile, pause: Pause | None = None
    ) -> int:
        """Do as `keep` for one tile of a large picture; `tiled` came from `embed`."""
        return self._store.keep_tile(self.predictor, tiled, tile, pause)

    def contrast(self, pixels: Array) -> ContrastRange:
        """Return one contrast range for all planes of a stack, by the model's rule."""
        from napari_sam.inference.image import pixel_range

        return pixel_range(pixels, self.predictor.model.entry.intensity)

    def predict(
        self,
        embedding: Embedding | TiledEmbedding,
        prompts: Prompts,
        pause: Pause | None = None,
    ) -> Prediction:
        """Predict the masks of one object; `pause` is called while a tile is embedded for it."""
        return self.predictor.predict(embedding, prompts, pause=pause)

    def propagate(
        self,
        stack: LazyArray,
        seeds: LazyArray | Mapping[int, Mapping[int, object]],
        settings: PropagateSettings,
        contrast: ContrastRange | None,
        pause: Pause,
    ) -> Generator[Step]:
        """Propagate objects through a stack, as `napari_sam.propagate` does."""
        from napari_sam.inference.propagation.propagate import propagate
        from napari_sam.inference.tiled_embedding import TiledEmbedding

        def get(
            predictor: Predictor, image: Array, contrast: ContrastRange | None
        ) -> Embedding | TiledEmbedding:
            embedding = self._store.get(predictor, image, contrast, pause)
            return embedding.pausing(pause) if isinstance(embedding, TiledEmbedding) else embedding

        store = SimpleNamespace(get=get)
        return propagate(
            self.predictor, stack, seeds, settings, contrast=contrast, store=store, pause=pause
        )

    def find(
        self,
        image: LazyArray,
        settings: SearchSettings,
        where: NDArray[np.bool_] | None,
        contrast: ContrastRange | None,
        pause: Pause,
        seeds: NDArray[np.float64] | None = None,
        kept: KeptMaps | None = None,
    ) -> Iterator[Progress[SearchResult]]:
        """Segment everything in an image, as `iter_proposals` does.

        What is known of the picture is taken from `kept`, and added to it. In a picture that
        `Tiling` cuts, tile by tile, which takes no seeds and keeps no maps (see
        `napari_sam.inference.automatic.tiled.iter_tiles`).
        """
        from napari_sam.inference.automatic.search import iter_proposals
        from napari_sam.inference.automatic.tiled import iter_tiles

        options: dict[str, Any] = {"where": where, "contrast": contrast, "pause": pause}
        if not Tiling().cuts(image.shape):
            whole = plain(image, "the picture")
            options |= {"seeds": seeds, "store": self._store}
            if kept is not None and isinstance(settings, InstanceSettings):
                options["known"] = kept.of(whole, contrast)
            return iter_proposals(self.predictor, whole, settings, **options)
        if seeds is not None:
            raise InputError(
                "a picture as large as this one is searched on a grid; take no layer to ask at"
            )
        return iter_tiles(self.predictor, image, settings, **options)

    def predict_batch(
        self,
        embedding: Embedding | TiledEmbedding,
        prompts: Sequence[Prompts],
        pause: Pause | None = None,
    ) -> list[Prediction]:
        """Predict the masks of many objects of one image, as `predict` does."""
        return self.predictor.predict_batch(embedding, prompts, pause=pause)
