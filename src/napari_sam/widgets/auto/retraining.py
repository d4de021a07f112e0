"""Fine-tuning on an annotation's accepted objects, from the tab Auto."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike, NDArray
from qtpy.QtCore import QObject, Signal

from napari_sam.errors import InputError
from napari_sam.session.review import accepted_labels
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.layers.channel_mix import Read
from napari_sam.widgets.train.tab import TrainTab
from napari_sam.widgets.train.wording import progress_text

if TYPE_CHECKING:
    from napari_sam.progress import Progress
    from napari_sam.training.finetune import TrainingState

__all__ = ["Retraining"]


class Retraining(QObject):
    """Starts fine-tuning in the panel's tab Train; it continues when another image is selected.

    Parameters
    ----------
    train : TrainTab
        Does the work, and shows it there, too.
    """

    progressed = Signal(str)  # how far it is
    trained = Signal(str, object)  # the new model's name; the Annotation that it was made for
    ended = Signal(str)  # why there is none

    def __init__(self, train: TrainTab, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._annotation: Annotation | None = None  # that it is made for
        self._train = train
        work = train.work
        work.reported.connect(lambda what: self._say(f"{what}…"))
        work.progressed.connect(self._show)
        work.saved.connect(self._pass_on)
        work.stopped.connect(lambda: self._end("the training was stopped"))
        work.failed.connect(lambda error: self._end(str(error) or type(error).__name__))

    @property
    def busy(self) -> bool:
        """True while fine-tuning runs for the tab Auto."""
        return self._annotation is not None

    def start(self, annotation: Annotation) -> None:
        """Start fine-tuning.

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
        self._train.start_short(model.name, picture.layer.name, image, labels)
        self._annotation = annotation

    def stop(self) -> None:
        """Stop after the current training step."""
        if self.busy:
            self._train.stop()

    def _show(self, progress: Progress[TrainingState]) -> None:
        self._say(progress_text(progress))

    def _say(self, text: str) -> None:
        if self.busy:
            self.progressed.emit(text)

    def _pass_on(self, name: str) -> None:
        annotation, self._annotation = self._annotation, None
        if annotation is not None:
            self.trained.emit(name, annotation)

    def _end(self, why: str) -> None:
        if self.busy:
            self._annotation = None
            self.ended.emit(why)


class _Planes:
    """Lazy array of image planes as one stack."""

    def __init__(self, reads: Sequence[Read]) -> None:
        self._reads = reads

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[np.generic]:
        return np.stack([read() for read in self._reads]).astype(dtype, copy=False)
