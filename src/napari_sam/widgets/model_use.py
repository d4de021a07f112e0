"""The selected model: passed to the annotation, with its progress shown in the panel."""

from __future__ import annotations

from qtpy.QtCore import QObject, Signal

from napari_sam.progress import Estimate, Progress
from napari_sam.serving.host import HostedModel, ModelHost
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.annotation.current import CurrentAnnotation
from napari_sam.widgets.annotation.queries import Answer, Queries, Query
from napari_sam.widgets.common.activity import Activity
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.common.wording import time_left
from napari_sam.widgets.jobs.prompt_jobs import PromptAnswer, PromptJob, PromptJobs
from napari_sam.widgets.prompt.controls import Controls
from napari_sam.widgets.prompt.prompting import Prompting

__all__ = ["ModelUse"]

PATIENCE_MS = 2000  # after which a wait can be cancelled
WAIT = "wait"  # the kind of question
WAITS = {
    "Loading": "The model is being loaded, once until napari is closed; this takes some seconds.",
    "Downloading": "The model is being downloaded, once for all.",
}
EMBEDS = "What is in view is being prepared, once; then every click there is quick."
LET_GO = "Stop waiting; what you clicked or drew is kept"
CANCELLED = "Cancelled. Your next click or box asks again."
NOT_HERE = "Cancelled: the model {} is not here yet. Download fetches it."
MASK_THERE = "The mask that you asked for is there."


class ModelUse(QObject):
    """Passes the selected model to the annotation, and its predictions and errors to the panel.

    Parameters
    ----------
    host, controls, prompting, current, jobs
        Where models come from, the widgets, what is said, what is annotated, the model's thread.
    idle : Queries
        Where a question goes while nothing is annotated.

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
        idle: Queries,
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
        self._what, self._estimate = "", Estimate()
        self._patience = new_timer(PATIENCE_MS, self._offer_cancel, self)
        self._idle = idle
        self._offered: Queries | None = None  # where a wait can be cancelled
        c.model.chosen.connect(self.choose)
        c.model.download_wanted.connect(self._use)
        c.device.changed.connect(self.choose)
        c.device.chosen_again.connect(self._connect_again)
        jobs.reported.connect(self._show_progress)
        jobs.answered.connect(self._take)
        jobs.failed.connect(self._show_failure)
        jobs.idle.connect(self._end_wait)

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

    def follow(self, annotation: Annotation | None) -> None:
        """Offer to cancel a wait where the panel asks now."""
        if self._offered is not None:
            self._offered.withdraw(WAIT)
            self._offer_cancel()

    def close(self) -> None:
        """Release the model; running work ends soon."""
        self._jobs.close()
        self._end_wait()
        self.model = None

    def _use(self) -> None:
        c = self._controls
        self.model = self._host.model(c.model.name, c.device.device)
        self._jobs.submit(self.model, PromptJob())
        self._current.use_model(self.model)

    def _connect_again(self) -> None:
        """Let go of a model whose cluster may be gone, and look for the cluster anew."""
        self.model = None
        self._current.use_model(None)
        self.choose()

    def _show_progress(self, what: str, done: int, total: int) -> None:
        self._activity.show(what, done, total)
        if what != self._what:
            self._what, self._estimate = what, Estimate()
        if self._offered is None and not self._patience.isActive():
            self._patience.start()
        text = f"{what}, some seconds" if what.startswith("Loading") else what
        if total:
            left = Progress(done, total, None, self._estimate.left(done, total))
            text = f"{what}: {100 * done / total:.0f} %{time_left(left)}"
        self._controls.area.show_work(f"{text}…")

    def _offer_cancel(self) -> None:
        annotation = self._current.annotation
        self._offered = self._idle if annotation is None else annotation.queries
        text = WAITS.get(self._what.partition(" ")[0], EMBEDS)
        self._offered.ask(Query(WAIT, text, (Answer("Cancel", self._cancel, LET_GO),)))

    def _cancel(self) -> None:
        self._jobs.cancel()
        self._end_wait()
        c, annotation, said = self._controls, self._current.annotation, CANCELLED
        if annotation is not None:
            annotation.asking.fail()
        if not c.model.ready:  # it was being downloaded: not again by the next click
            said = NOT_HERE.format(c.model.name)
            self.choose()
        self._prompting.remark(said)

    def _end_wait(self) -> None:
        self._patience.stop()
        self._activity.end()
        self._what = ""
        self._controls.area.show_work("")
        if self._offered is not None:
            self._offered.withdraw(WAIT)
            self._offered = None

    def _take(self, answer: PromptAnswer) -> None:
        self.ran_on = answer.device
        c = self._controls
        if self._activity.is_long:
            ready = f"The model {c.model.name} is ready."
            self.waited.emit(ready if answer.request is None else MASK_THERE)
        if answer.request is None:  # the model may just have been loaded
            c.model.refresh()
            c.device.offer(answer.devices)
        if answer.news:
            self._prompting.remark(f"⚠ {answer.news}")
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
