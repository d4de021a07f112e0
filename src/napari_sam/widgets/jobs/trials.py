"""How long one call of the decoder takes on a slice that is prepared."""

from __future__ import annotations

from qtpy.QtCore import QObject, Signal

from napari_sam.prompts import Prompts
from napari_sam.results import Prediction
from napari_sam.serving.host import HostedModel
from napari_sam.widgets.jobs.glances import Glances
from napari_sam.widgets.jobs.plane import EmbeddedPlane

__all__ = ["Trials"]

CALLS = 5  # of the decoder: the first one or two are much slower, others held up by other work


class Trials(QObject):
    """Times some glances at one place, one after the other, so that clicks go before each.

    `timed` is emitted with the seconds of the fastest, which tell what this machine can do: just
    after the start much else is at work. Never where the model fails.
    """

    timed = Signal(float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._glances = Glances(self)
        self._seconds: list[float] = []

    @property
    def busy(self) -> bool:
        """True while the model is asked."""
        return self._glances.busy

    def begin(self, model: HostedModel, plane: EmbeddedPlane, place: tuple[int, int]) -> None:
        """Time a click at a pixel of a plane; another one replaces it."""
        self._seconds = []
        self._again(model, plane, Prompts([place], [1]))

    def stop(self) -> None:
        """Time no more."""
        self._glances.forget()

    def close(self) -> None:
        """Time no more, for good."""
        self._glances.close()

    def _again(self, model: HostedModel, plane: EmbeddedPlane, prompts: Prompts) -> None:
        def note(_: Prediction, seconds: float) -> None:
            self._seconds.append(seconds)
            if len(self._seconds) < CALLS:
                self._again(model, plane, prompts)
            else:
                self.timed.emit(min(self._seconds))

        self._glances.ask(model, plane, prompts, note)
