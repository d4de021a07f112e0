"""The tab Text: finds objects by text prompts and adds them to the session as classes."""

from __future__ import annotations

from collections.abc import Callable

from napari.components import ViewerModel
from qtpy.QtCore import QObject, Signal

from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.session.overlap import Rule
from napari_sam.text.reader import Reader
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.text.controls import TextControls
from napari_sam.widgets.text.presenter import TextPresenter
from napari_sam.widgets.text.unknown import UnknownWords
from napari_sam.widgets.text.wording import NO_PICTURE
from napari_sam.widgets.text.work import TextWorker

__all__ = ["TextTab"]


class TextTab(QObject):
    """Runs text-prompted search in the image of one panel's annotation.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer.
    rule : callable
        Tells who keeps the pixels where new objects meet older ones.
    grid_for : callable
        Returns how to search a plane (H, W) for everything.
    reader : Reader
        Knows words.
    """

    ended = Signal()  # a search; what came of it is on show

    def __init__(
        self,
        viewer: ViewerModel,
        rule: Callable[[], Rule],
        grid_for: Callable[[tuple[int, int]], GridSettings],
        reader: Reader,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.viewer, self.rule, self.grid_for = viewer, rule, grid_for
        self.presenter: TextPresenter | None = None
        self.controls = TextControls()
        self.work = TextWorker(reader, self)
        self.unknown = UnknownWords(self.controls, self.work)
        self._in_front = True
        self.follow(None)

    def present(self, in_front: bool) -> None:
        """Show what was found while the tab is in front, and hide it while it is not."""
        self._in_front = in_front
        if self.presenter is not None:
            self.presenter.present(in_front)

    def follow(self, annotation: Annotation | None) -> None:
        """Switch to this annotation, or to none; discard proposals of the previous one."""
        if self.presenter is not None:
            self.presenter.close()
        self.presenter = None if annotation is None else TextPresenter(self, annotation)
        self.present(self._in_front)
        if annotation is None:
            self.controls.show_nothing(self.work.reader.missing or NO_PICTURE)

    def close(self) -> None:
        """Stop permanently; objects in the session are kept."""
        self.work.end()
        self.follow(None)
