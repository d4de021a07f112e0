"""The tab Text: say what to find, and what fits is put into the session as classes."""

from __future__ import annotations

from collections.abc import Callable

from napari.components import ViewerModel
from qtpy.QtCore import QObject

from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.session.overlap import Rule
from napari_sam.text.reader import Reader
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.search.tab import SearchTab
from napari_sam.widgets.text.controls import TextControls
from napari_sam.widgets.text.presenter import TextPresenter
from napari_sam.widgets.text.unknown import UnknownWords
from napari_sam.widgets.text.wording import NO_PICTURE
from napari_sam.widgets.text.work import TextWorker

__all__ = ["TextTab"]


class TextTab(SearchTab):
    """Finds by words in the picture of one panel's annotation.

    Parameters
    ----------
    viewer, rule
        As in `SearchTab`.
    grid_for : callable
        Returns how to search a plane (H, W) for everything.
    reader : Reader
        Knows words.
    """

    controls: TextControls

    def __init__(
        self,
        viewer: ViewerModel,
        rule: Callable[[], Rule],
        grid_for: Callable[[tuple[int, int]], GridSettings],
        reader: Reader,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(viewer, rule, TextControls(), parent)
        self.grid_for = grid_for
        self.work = TextWorker(reader, self)
        self.unknown = UnknownWords(self.controls, self.work)
        self.follow(None)

    def close(self) -> None:
        """End for good; what is in the session stays."""
        self.work.end()
        self.follow(None)

    def _present(self, annotation: Annotation) -> TextPresenter:
        return TextPresenter(self, annotation)

    def _nothing(self) -> str:
        return self.work.reader.missing or NO_PICTURE
