"""What the tabs Auto and Text have in common: they make a presenter for each annotation."""

from __future__ import annotations

from collections.abc import Callable

from napari.components import ViewerModel
from qtpy.QtCore import QObject, Signal

from napari_sam.session.overlap import Rule
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.search.controls import SearchControls
from napari_sam.widgets.search.presenter import SearchPresenter

__all__ = ["SearchTab"]


class SearchTab(QObject):
    """A tab that searches slices of an annotation's picture.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer.
    rule : callable
        Tells who keeps the pixels where new objects meet older ones.
    controls : SearchControls
        The widgets.

    Attributes
    ----------
    presenter : SearchPresenter or None
        Serves the annotation; None if there is none.
    """

    ended = Signal()  # a search; what came of it is on show

    def __init__(
        self,
        viewer: ViewerModel,
        rule: Callable[[], Rule],
        controls: SearchControls,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.viewer, self.rule, self.controls = viewer, rule, controls
        self.presenter: SearchPresenter | None = None

    def follow(self, annotation: Annotation | None) -> None:
        """Serve this annotation from now on, or none; what was found for another is forgotten."""
        if self.presenter is not None:
            self.presenter.close()
        self.presenter = None if annotation is None else self._present(annotation)
        if self.presenter is None:
            self.controls.show_nothing(self._nothing())

    def _present(self, annotation: Annotation) -> SearchPresenter:
        """Return a presenter for an annotation."""
        raise NotImplementedError

    def _nothing(self) -> str:
        """Return what to say while there is no annotation."""
        raise NotImplementedError
