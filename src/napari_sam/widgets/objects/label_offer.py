"""Offer to work on, or refine, a Labels layer of the picture's shape that somebody else made."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar
from weakref import WeakSet

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Layer
from napari.utils.events import Event
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_sam.io.label_stores.opening import too_large
from napari_sam.session.adopt import LabelCount, count_labels
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.annotation.queries import Answer, Query
from napari_sam.widgets.common.connections import Connections
from napari_sam.widgets.common.wording import count
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.layers.channel_mix import finest
from napari_sam.widgets.layers.image_stack import OURS
from napari_sam.widgets.layers.labels_target import misfit, new_labels, why_not
from napari_sam.widgets.objects.adopting import KIND, Adopting

__all__ = ["LabelOffer"]

WORK_TIP = "They become objects of the list, with their numbers; no pixel changes, and Undo works"
COPY_TIP = "They become objects of a new Labels layer that can be painted; '{}' stays as it is"
REFINE_TIP = "Let the model draw their borders anew; you see the changes before they are written"
LEAVE_TIP = "They stay as they are, and you are not asked again"
Result = TypeVar("Result")
NO_COPY = (
    "⚠ '{}' of shape {} does not fit into the memory to be copied. Save it as OME-Zarr, open that, "
    "and choose it under Options, Write to."
)
COPYING = "Reading '{}'…"


class LabelOffer(QObject):
    """Asks what to do with labels of other origin, once for each layer.

    Parameters
    ----------
    viewer : ViewerModel
        Whose Labels layers are looked at.
    """

    target_wanted = Signal(object)  # Labels
    refine_wanted = Signal(object)  # Labels

    def __init__(self, viewer: ViewerModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.adopting = Adopting(self)
        self._viewer = viewer
        self._answered: WeakSet[Labels] = WeakSet()  # or worked on
        self._background = Background("labels of others", self)
        self._presenter: _OfferPresenter | None = None

    @property
    def busy(self) -> bool:
        """True while labels are counted, read or made objects."""
        return self._background.busy or self.adopting.busy

    def follow(self, annotation: Annotation | None) -> None:
        """Look at labels that fit the image of this annotation."""
        if self._presenter is not None:
            self._presenter.close()
        self.adopting.stop()
        self._presenter = None if annotation is None else _OfferPresenter(self, annotation)

    def settle(self, layer: Labels) -> None:
        """Ask no more about a layer that somebody has begun to work with."""
        if self._presenter is not None:
            self._presenter.settle(layer)

    def close(self) -> None:
        """Stop permanently and disconnect from the viewer."""
        self.follow(None)
        self.adopting.close()
        self._background.close()


class _OfferPresenter:
    """Presenter of the offer for one annotation."""

    def __init__(self, part: LabelOffer, annotation: Annotation) -> None:
        self._part = part
        self._annotation = annotation
        self._closed = False
        self._looked_at: Labels | None = None  # counted, or asked about
        self._heard: list[Labels] = []
        self._connections = Connections()
        layers = part._viewer.layers.events
        self._connections.add(layers.inserted, self._look)
        self._connections.add(layers.removed, self._look)
        self._connections.add(annotation.changed, self._look)
        self._look()

    def close(self) -> None:
        self._closed = True
        self._connections.close()
        self._listen([])
        self._annotation.queries.withdraw(KIND)

    def settle(self, layer: Labels) -> None:
        self._part._answered.add(layer)
        self._look()

    def _look(self, event: object = None) -> None:
        """Count the objects of the topmost layer that may be asked about, if it is another one."""
        target, answered = self._annotation.target, self._part._answered
        if target is not None:
            answered.add(target)
        fitting = [layer for layer in self._part._viewer.layers if self._is_foreign(layer)]
        self._listen(fitting)
        layer = next((one for one in reversed(fitting) if one not in answered), None)
        if layer is self._looked_at:
            return
        if self._looked_at is not None and not self._part.adopting.busy:
            self._annotation.queries.withdraw(KIND)
        self._looked_at = layer
        if layer is not None:
            data = finest(layer)
            self._submit(layer, lambda: count_labels(data), self._ask)

    def _is_foreign(self, layer: Layer) -> bool:
        if not isinstance(layer, Labels) or OURS in layer.metadata:
            return False
        return tuple(finest(layer).shape) == self._annotation.picture.shape

    def _listen(self, layers: list[Labels]) -> None:
        """Follow what is put into these layers later."""
        if layers == self._heard:  # at most changes of the view
            return
        for layer in self._heard:
            layer.events.data.disconnect(self._renewed)
        self._heard = layers
        for layer in layers:
            layer.events.data.connect(self._renewed)

    def _renewed(self, event: Event) -> None:
        if event.source is self._looked_at:
            self._annotation.queries.withdraw(KIND)
            self._looked_at = None
        self._look()

    def _submit(
        self, layer: Labels, work: Callable[[], Result], then: Callable[[Labels, Result], None]
    ) -> None:
        def take(future: Future[Result]) -> None:
            wanted = not self._closed and self._looked_at is layer
            if future.cancelled() or not wanted:
                return
            if error := future.exception():
                words = str(error) or type(error).__name__
                self._annotation.remarked.emit(f"⚠ '{layer.name}': {words}")
                self.settle(layer)
            else:
                then(layer, future.result())

        self._part._background.submit(work, take)

    def _ask(self, layer: Labels, counted: LabelCount) -> None:
        if not counted.number:
            return  # until something is put into it
        picture = self._annotation.picture
        if why_not(layer, picture):
            tip = COPY_TIP.format(layer.name)
            work = Answer("Work on a copy", lambda: self._copy(layer), tip)
        else:
            work = Answer("Work on them", lambda: self._work_on(layer), WORK_TIP)
        answers = [work]
        if not misfit(layer, picture):
            answers.append(Answer("Refine them", lambda: self._refine(layer), REFINE_TIP))
        answers.append(Answer("Leave them", lambda: self.settle(layer), LEAVE_TIP))
        more = "" if counted.whole else "More than "
        text = f"{more}{count(counted.number)} in '{layer.name}'."
        self._annotation.queries.ask(Query(KIND, text, tuple(answers)))

    def _refine(self, layer: Labels) -> None:
        self.settle(layer)
        self._part.refine_wanted.emit(layer)

    def _work_on(self, layer: Labels) -> None:
        self.settle(layer)
        self._part.target_wanted.emit(layer)
        if not self._closed and self._annotation.target is layer:
            self._annotation.arm(self._annotation.tool)  # a layer that was opened takes the mouse
            self._part.adopting.start(self._annotation, layer)

    def _copy(self, layer: Labels) -> None:
        """Work on a copy: these labels cannot be painted, or do not lie on the picture."""
        data = finest(layer)
        if too_large(data.shape, data.dtype):
            self._annotation.remarked.emit(NO_COPY.format(layer.name, data.shape))
            self.settle(layer)
            return
        self._annotation.remarked.emit(COPYING.format(layer.name))
        self._submit(layer, lambda: np.array(data), self._work_on_copy)

    def _work_on_copy(self, layer: Labels, pixels: NDArray[np.integer]) -> None:
        self.settle(layer)
        annotation = self._annotation
        if annotation.picture.shape != pixels.shape:  # the picture has other axes now
            return
        copy = new_labels(annotation.picture)
        copy.data = pixels
        copy.name = f"{layer.name} objects"
        self._part._viewer.layers.append(copy)
        layer.visible = False  # else both would be seen, one on top of the other
        self._work_on(copy)
