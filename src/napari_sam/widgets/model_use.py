"""The selected model: passed to the annotation, with its progress shown in the panel."""

from __future__ import annotations

from qtpy.QtCore import QObject, Signal

from napari_sam.serving.host import HostedModel, ModelHost
from napari_sam.widgets.annotation.current import CurrentAnnotation
from napari_sam.widgets.common.activity import Activity
from napari_sam.widgets.jobs.prompt_jobs import PromptAnswer, PromptJob, PromptJobs
from napari_sam.widgets.prompt.controls import Controls
from napari_sam.widgets.prompt.prompting import Prompting

__all__ = ["ModelUse"]

MASK_THERE = "The mask that you asked for is there."


class ModelUse(QObject):
    """Passes the selected model to the annotation, and its predictions and errors to the panel.

    Attributes
    ----------
    model : HostedModel or None
        The model that is in use; None while it is not there yet.
    ran_on : str
        The device that answered last.
    """

    waited = Signal(str)  # what somebody has waited for is there

    def __init__(
        self,
        host: ModelHost,
        controls: Controls,
        prompting: Prompting,
        current: CurrentAnnotation,
        jobs: PromptJobs,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.model: HostedModel | None = None
        self.ran_on = "none so far"
        self._host = host
        self._controls = c = controls
        self._prompting = prompting
        self._current = current
        self._jobs = jobs
        self._activity = Activity(self)
        c.model.chosen.connect(self.choose)
        c.model.download_wanted.connect(self._use)
        c.device.currentIndexChanged.connect(self.choose)
        jobs.reported.connect(self._show_progress)
        jobs.answered.connect(self._take)
        jobs.failed.connect(self._show_failure)
        jobs.idle.connect(self._activity.end)
        jobs.idle.connect(lambda: c.area.show_work(""))

    def choose(self) -> None:
        """Use the selected model, unless it must be downloaded first."""
        self._prompting.took = ""
        if self._controls.model.ready:
            self._use()
        else:
            self.model = None
            self._current.use_model(None)

    def name(self, name: str) -> None:
        """Select the model of this name, if listed."""
        models = self._controls.model.list
        if (index := models.findData(name)) >= 0:
            models.setCurrentIndex(index)

    def close(self) -> None:
        """Release the model; running work ends soon."""
        self._jobs.close()
        self._activity.end()
        self.model = None

    def _use(self) -> None:
        c = self._controls
        self.model = self._host.model(c.model.name, c.device.currentText())
        self._jobs.submit(self.model, PromptJob())
        self._current.use_model(self.model)

    def _show_progress(self, what: str, done: int, total: int) -> None:
        self._activity.show(what, done, total)
        amount = f": {done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else ""
        self._controls.area.show_work(f"{what}{amount}…")

    def _take(self, answer: PromptAnswer) -> None:
        self.ran_on = answer.device
        c = self._controls
        if self._activity.is_long:
            ready = f"The model {c.model.name} is ready."
            self.waited.emit(ready if answer.request is None else MASK_THERE)
        if answer.request is None:  # the model may just have been loaded
            c.model.refresh()
            for device in answer.devices:
                if c.device.findText(device) < 0:
                    c.device.addItem(device)
        self._prompting.took = f"{max(answer.seconds, 0.01):.2f} s on {answer.device}"
        if self._current.annotation is not None:
            self._current.annotation.asking.take(answer)
        self._prompting.refresh()

    def _show_failure(self, error: BaseException) -> None:
        self._controls.model.refresh()
        self._prompting.took = ""
        if self._current.annotation is not None:
            self._current.annotation.asking.fail()
        self._prompting.refresh()
        self._prompting.warn(error)
