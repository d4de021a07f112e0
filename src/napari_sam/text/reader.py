"""Facade of text prompts for widgets and commands; loads torch and encoder at the first use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from napari_sam.arrays import ContrastRange
from napari_sam.progress import Pause, Progress
from napari_sam.results import Proposal, SearchResult
from napari_sam.text.installed import missing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_sam.inference.similar.features import Described
    from napari_sam.masks import CroppedMask
    from napari_sam.serving.segmenter import StoredSegmenter
    from napari_sam.text.encoder import Encoder
    from napari_sam.text.ranking import EmbeddedProposals, Ranked

    Image = NDArray[np.generic]

__all__ = ["Reader"]


class Reader:
    """Ranks proposals by text and segments by text, with a lazily loaded encoder.

    Everything but `missing` may take seconds: it belongs into the model's thread.

    Parameters
    ----------
    load : callable, optional
        Makes the encoder; the built-in one where it is left out.
    """

    def __init__(self, load: Callable[[], Encoder] | None = None) -> None:
        self._load = load
        self._encoder: Encoder | None = None

    @property
    def missing(self) -> str:
        """Message about packages that must be installed first; empty if none."""
        return missing() if self._load is None else ""

    def encoder(self) -> Encoder:
        """Return the encoder, loaded at the first call.

        Raises
        ------
        InputError
            As `napari_sam.text.load.load_encoder`.
        """
        if self._encoder is None:
            if self._load is None:
                from napari_sam.text.load import load_encoder

                self._load = load_encoder
            self._encoder = self._load()
        return self._encoder

    def remarks(self, words: Sequence[str]) -> dict[str, str]:
        """Return a warning for each unknown text; see `napari_sam.text.search.unknown_words`."""
        from napari_sam.text.search import unknown_words

        return unknown_words(self.encoder(), words)

    def embed_proposals(
        self, image: Image, found: Sequence[Proposal], contrast: ContrastRange | None, pause: Pause
    ) -> EmbeddedProposals:
        """Return the vector of each proposal; see `napari_sam.text.ranking.embed_proposals`."""
        from napari_sam.text.ranking import embed_proposals

        return embed_proposals(self.encoder(), image, found, contrast=contrast, pause=pause)

    def compare(self, seen: EmbeddedProposals, words: Sequence[str]) -> Ranked:
        """Return the similarity of proposals and texts; see `napari_sam.text.ranking.compare`."""
        from napari_sam.text.ranking import compare

        return compare(self.encoder(), seen, words)

    def describe(
        self,
        segmenter: StoredSegmenter,
        image: Image,
        masks: Sequence[CroppedMask],
        contrast: ContrastRange | None,
        pause: Pause,
    ) -> Described:
        """Return the features of objects of an image; see `napari_sam.text.similar.describe`."""
        from napari_sam.text.similar import describe

        embedding = segmenter.embed(image, contrast, pause)
        return describe(
            segmenter.predictor, self.encoder(), embedding, image, masks, contrast, pause
        )

    def unfound(
        self,
        segmenter: StoredSegmenter,
        image: Image,
        examples: Described,
        found: Sequence[Proposal],
        held: NDArray[np.int64] | None,
        contrast: ContrastRange | None,
        pause: Pause,
    ) -> list[Proposal]:
        """Return objects like examples that a search has missed, see `similar.seeds.unfound`.

        `held`: labels (H, W) of what is settled; None: nothing is.
        """
        import numpy as np

        from napari_sam.inference.automatic.settings import GridSettings
        from napari_sam.inference.similar.seeds import unfound

        def ask(points: NDArray[np.float64]) -> Iterator[Progress[SearchResult]]:
            return segmenter.find(image, GridSettings(), None, contrast, pause, points)

        embedding, stride = (
            segmenter.embed(image, contrast, pause),
            segmenter.predictor.config.stride,
        )
        ground = np.zeros(image.shape[:2], np.int64) if held is None else held
        return unfound(embedding, stride, examples, found, ground, ask)

    def areas(
        self,
        segmenter: StoredSegmenter,
        image: Image,
        words: Sequence[str],
        contrast: ContrastRange | None,
        pause: Pause,
    ) -> list[tuple[Proposal, int]]:
        """Segment by text prompts; return the area of each text as a proposal, with its index.

        See `napari_sam.text.search.map_words`.
        """
        from napari_sam.text.search import map_words

        encoder, embedding = self.encoder(), segmenter.embed(image, contrast, pause)
        return map_words(segmenter.predictor, encoder, embedding, words).areas(image)
