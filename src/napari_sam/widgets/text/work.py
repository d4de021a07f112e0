"""Worker for text-prompted search: proposals, embeddings and ranking in the model's thread.

What was found and looked at is kept: other words on the same slice are a matter of moments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_sam.progress import Pause, Progress
from napari_sam.results import Proposal
from napari_sam.serving.host import HostedModel
from napari_sam.text.reader import Reader
from napari_sam.widgets.jobs.piecework import Piece, Piecework
from napari_sam.widgets.jobs.worker import Worker
from napari_sam.widgets.search.work import SearchRequest, SearchWorker

if TYPE_CHECKING:
    from napari_sam.serving.segmenter import StoredSegmenter
    from napari_sam.text.ranking import EmbeddedProposals

__all__ = ["TextRequest", "TextWorker"]

Tell = Callable[[], None]


@dataclass(frozen=True, eq=False)
class TextRequest:
    """The text prompts, and the slice to search."""

    search: SearchRequest  # the slice, and how everything in it is found
    words: tuple[str, ...]  # a text for each kind
    whole: bool  # one area of each kind is wanted, not objects
    key: tuple[object, ...]  # equal for slices and searches that find the same


class TextWorker(Worker[tuple[HostedModel, TextRequest]]):
    """Runs one text-prompted search at a time; all other work of the model has priority.

    Parameters
    ----------
    reader : Reader
        Knows words.
    """

    progressed = Signal(object)  # Progress of the search
    compares = Signal()  # the search is over, or was not needed
    remarked = Signal(object)  # {text: what is to be said of it}, of unknown ones
    ranked = Signal(object)  # Ranked
    mapped = Signal(object)  # list of (Proposal, number of its word)

    def __init__(self, reader: Reader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.reader = reader
        self._search = SearchWorker(self)
        self._search.progressed.connect(self._hear)
        self._search.ended.connect(self._searched)
        self._pieces = Piecework(later=True, parent=self)
        self._pieces.stepped.connect(lambda tell: tell())
        self._pieces.ended.connect(self._finish)
        self._pieces.failed.connect(self.fail)
        self._checks = Piecework(later=True, parent=self)  # about words, while others are typed
        self._checks.stepped.connect(self.remarked.emit)
        self._found: list[Proposal] = []  # as far as the search is
        self._seen: tuple[tuple[object, ...], EmbeddedProposals] | None = None

    def ask(self, model: HostedModel, words: Sequence[str]) -> None:
        """Check which of these words are unknown; `remarked` emits the result."""
        self._checks.start(model, [lambda *_: self.reader.remarks(words)])

    def start(self, model: HostedModel, request: TextRequest) -> None:
        """Start a search; a running one is stopped."""
        self.stop()
        self._job = model, request
        self._found = []
        if request.whole:
            self._do(model, [partial(self._map, request)])
        elif self._seen is not None and self._seen[0] == request.key:
            self._do(model, [partial(self._compare, request.words, self._seen[1])])
        else:
            self.forget()
            self._search.start(model, request.search)

    def close(self) -> None:
        """Stop without any further signal."""
        super().close()
        self._search.close()
        self._pieces.cancel()

    def forget(self) -> None:
        """Drop the cached proposals."""
        self._seen = None

    def end(self) -> None:
        """Stop permanently."""
        self.close()
        self._checks.cancel()
        self.forget()

    def _hear(self, progress: Progress[list[Proposal]]) -> None:
        self._found = progress.result
        self.progressed.emit(progress)

    def _searched(self, why: str) -> None:
        if self._job is None:
            return
        if why:
            self.stop(why)
            return
        model, request = self._job
        self._do(model, self._look_and_compare(request, self._found))

    def _look_and_compare(self, request: TextRequest, found: list[Proposal]) -> Iterator[Piece]:
        yield partial(self._look, request, found)
        if self._seen is not None:
            yield partial(self._compare, request.words, self._seen[1])

    def _do(self, model: HostedModel, pieces: Iterable[Piece]) -> None:
        self.compares.emit()
        self._pieces.start(model, pieces)

    def _keep(self, key: tuple[object, ...], seen: EmbeddedProposals) -> None:
        self._seen = key, seen

    def _finish(self) -> None:
        self._job = None
        self.ended.emit("")

    # In the model's thread; what they return is done in the window's.

    def _look(
        self, request: TextRequest, found: list[Proposal], segmenter: StoredSegmenter, pause: Pause
    ) -> Tell:
        search = request.search
        seen = self.reader.embed_proposals(
            np.asarray(search.read()), found, search.contrast.of(segmenter), pause
        )
        return partial(self._keep, request.key, seen)

    def _compare(
        self, words: Sequence[str], seen: EmbeddedProposals, _: StoredSegmenter, pause: Pause
    ) -> Tell:
        return partial(self.ranked.emit, self.reader.compare(seen, words))

    def _map(self, request: TextRequest, segmenter: StoredSegmenter, pause: Pause) -> Tell:
        image, contrast = np.asarray(request.search.read()), request.search.contrast.of(segmenter)
        areas = self.reader.areas(segmenter, image, request.words, contrast, pause)
        return partial(self.mapped.emit, areas)
