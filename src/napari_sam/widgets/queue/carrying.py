"""Classes and model that go along from picture to picture of a queue."""

from __future__ import annotations

from napari_sam.session.changes import LabelScheme
from napari_sam.session.queue.progress import Carried
from napari_sam.session.records import Configured
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.saved.resuming import Resuming

__all__ = ["Carrying"]

USUAL = LabelScheme()


class Carrying:
    """Gives each new picture of a queue the classes of the one before.

    Parameters
    ----------
    resuming : Resuming
        Says which picture has no saved work.

    Attributes
    ----------
    scheme : LabelScheme
        The classes, and what labels hold.
    keeps_model : bool
        True if the model stays as it is when saved work comes back.
    """

    def __init__(self, resuming: Resuming) -> None:
        self.scheme, self.keeps_model = USUAL, False
        self._annotation: Annotation | None = None  # of the open picture
        resuming.nothing_saved.connect(self._bring_classes)
        resuming.resumed.connect(self._keep_model)

    def begin(self, carried: Carried) -> None:
        """Begin with what the latest work of a queue was done with."""
        self.scheme, self.keeps_model = carried.scheme, bool(carried.model)

    def end(self) -> None:
        """Let the model change with saved work again."""
        self._annotation, self.keeps_model = None, False

    def follow(self, annotation: Annotation | None) -> None:
        """Switch to this annotation of a picture of the queue, or to none."""
        self._annotation = annotation

    def look(self) -> None:
        """Note the classes of the open picture."""
        if self._annotation is not None and self._annotation.session.scheme != USUAL:
            self.scheme = self._annotation.session.scheme

    def _bring_classes(self) -> None:
        annotation = self._annotation
        self._keep_model()
        if annotation is None or self.scheme == USUAL or annotation.session.scheme != USUAL:
            return
        annotation.step(lambda session: session.commit(Configured(self.scheme)))

    def _keep_model(self, view: object = None) -> None:
        if self._annotation is not None:
            self.keeps_model = True
