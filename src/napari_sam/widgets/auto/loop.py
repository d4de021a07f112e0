"""The loop of annotating: teach the model what was accepted, and use the new one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_sam.errors import InputError
from napari_sam.session.review import accepted_labels
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.train.tab import Training
from napari_sam.widgets.train.wording import where

if TYPE_CHECKING:
    from napari_sam.progress import Progress
    from napari_sam.training.finetune import TrainingState

__all__ = ["AutoLoop"]


class AutoLoop(QObject):
    """Has a panel's training tab train on an annotation's accepted objects.

    Parameters
    ----------
    training : Training
        Does the work, and shows it in its own tab.
    """

    said = Signal(str)  # how it stands
    taught = Signal(str)  # the new model's name
    ended = Signal(str)  # why there is none

    def __init__(self, training: Training, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.busy = False
        self._training = training
        work = training.work
        work.reported.connect(lambda what: self._say(f"{what}…"))
        work.progressed.connect(self._show)
        work.saved.connect(self._pass_on)
        work.stopped.connect(lambda: self._end("the training was stopped"))
        work.failed.connect(lambda error: self._end(str(error) or type(error).__name__))

    def start(self, annotation: Annotation) -> None:
        """Begin to train.

        Raises
        ------
        InputError
            If there is no model, nothing was accepted, or another training is under way.
        """
        model, picture = annotation.model, annotation.picture
        if model is None:
            raise InputError("choose a model in the tab Prompt first")
        planes, labels = accepted_labels(annotation.session.objects, picture.plane_shape)
        image = _Planes([picture.reader(plane) for plane in planes])
        self._training.teach(model.name, picture.layer.name, image, labels)
        self.busy = True

    def stop(self) -> None:
        """End after the step that is done now."""
        if self.busy:
            self._training.stop()

    def _show(self, progress: Progress[TrainingState]) -> None:
        self._say(where(progress))

    def _say(self, text: str) -> None:
        if self.busy:
            self.said.emit(text)

    def _pass_on(self, name: str) -> None:
        if self.busy:
            self.busy = False
            self.taught.emit(name)

    def _end(self, why: str) -> None:
        if self.busy:
            self.busy = False
            self.ended.emit(why)


class _Planes:
    """Planes of a picture as one stack, read when somebody needs them."""

    def __init__(self, reads: Sequence[Callable[[], NDArray[Any]]]) -> None:
        self._reads = reads

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.stack([read() for read in self._reads]).astype(dtype, copy=False)
