"""What a window or a command needs of words. Torch and the encoder are loaded at the first use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from napari_sam.progress import Pause
from napari_sam.results import Proposal
from napari_sam.text.installed import missing

if TYPE_CHECKING:
    from napari_sam.serving.segmenter import StoredSegmenter
    from napari_sam.text.encoder import Encoder
    from napari_sam.text.ranking import Ranked, Seen

__all__ = ["Reader"]


class Reader:
    """Compares what was found with words, and finds what they mean.

    Everything but `missing` and `kinds` may take seconds: it belongs into the model's thread.

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
        """What is to be installed first; empty if nothing."""
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
        """Return what is to be said of each unknown text; see `napari_sam.text.search.unknown`."""
        from napari_sam.text.search import unknown

        return unknown(self.encoder(), words)

    def look(self, image: Any, found: Sequence[Proposal], contrast: Any, pause: Pause) -> Seen:
        """Look at each object of a picture; see `napari_sam.text.ranking.look`."""
        from napari_sam.text.ranking import look

        return look(self.encoder(), image, found, contrast=contrast, pause=pause)

    def compare(self, seen: Seen, words: Sequence[str]) -> Ranked:
        """Compare each object with each text; see `napari_sam.text.ranking.compare`."""
        from napari_sam.text.ranking import compare

        return compare(self.encoder(), seen, words)

    def areas(
        self,
        segmenter: StoredSegmenter,
        image: Any,
        words: Sequence[str],
        contrast: Any,
        pause: Pause,
    ) -> list[tuple[Proposal, int]]:
        """Return the area of everything that fits each text, and which text that is.

        See `napari_sam.text.search.map_words`.
        """
        from napari_sam.text.search import map_words

        encoder, embedding = self.encoder(), segmenter.embed(image, contrast, pause)
        return map_words(segmenter.predictor, encoder, embedding, words).areas(image)
