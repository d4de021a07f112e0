"""Requests to the model: for the open object, and for batches of boxes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_sam.planes import Plane
from napari_sam.results import Prediction
from napari_sam.serving.host import HostedModel
from napari_sam.session.changed import What
from napari_sam.session.session import Session
from napari_sam.widgets.annotation.box_batch import BoxBatch, propose
from napari_sam.widgets.annotation.hints import gone
from napari_sam.widgets.jobs.prompt_jobs import PromptAnswer, PromptJob, PromptJobs
from napari_sam.widgets.layers.labels_target import misfit
from napari_sam.widgets.layers.read_prompts import AreaPrompt

if TYPE_CHECKING:
    from napari_sam.widgets.annotation.annotation import Annotation

__all__ = ["Asking"]


class Asking:
    """Sends an annotation's requests to its model, and handles the predictions.

    Attributes
    ----------
    boxes : BoxBatch
        What is drawn as objects of their own.
    failed : bool
        True if the model could not answer the open question.
    """

    def __init__(self, annotation: Annotation, jobs: PromptJobs) -> None:
        self.boxes = BoxBatch(jobs)
        self.failed = False
        self._annotation = annotation
        self._jobs = jobs
        self.boxes.answered.connect(self._take_boxes)
        self.boxes.failed.connect(self._boxes_failed)
        annotation.picture.changed.connect(self._picture_changed)
        annotation.picture.redrawn.connect(self._doubt)

    def use(self, model: HostedModel | None) -> None:
        """Replace the model, or set none."""
        self._annotation.model = model
        self._begin_afresh()

    def ask(self) -> None:
        """Request a prediction for the open prompts; without any, embed the visible plane early."""
        annotation = self._annotation
        plane, waiting = annotation.session.draft.plane or annotation.seen, annotation.waiting
        idle = annotation.hidden and not waiting
        if annotation.model is None or plane is None or idle:
            return
        if not annotation.picture.fits(plane, None):
            annotation.remarked.emit(f"⚠ {gone()}")
            self.fail()
            return
        self.failed = False
        request = annotation.session.request if waiting else None
        job = PromptJob(annotation.planes.keep(plane), request, annotation.tidy)
        self._jobs.submit(annotation.model, job)

    def ask_boxes(self) -> None:
        """Request masks for the queued boxes."""
        if self._annotation.model is not None:
            self.boxes.ask(self._annotation.model, self._annotation.planes.of)

    def take(self, answer: PromptAnswer) -> None:
        """Apply a prediction, unless it was computed from outdated pixels."""
        annotation = self._annotation
        if not annotation.session.objects:  # which belong to the pixels that they were drawn on
            annotation.step(lambda _: annotation.identity.tell(annotation.saved_in))
        if self._saw_others():
            return
        if answer.request is not None and answer.prediction is not None:
            taken = annotation.session.receive(answer.request, answer.prediction)
            if taken and answer.prediction.remark:
                annotation.remarked.emit(answer.prediction.remark)

    def fail(self) -> None:
        """Mark the open request as failed."""
        self.failed = self._annotation.waiting
        self._annotation.changed.emit(What.MODEL)

    def close(self) -> None:
        """Cancel all requests."""
        self._jobs.forget()
        self.boxes.forget()
        self._annotation.picture.changed.disconnect(self._picture_changed)
        self._annotation.picture.redrawn.disconnect(self._doubt)
        self._annotation.model = None
        self._annotation.planes.forget()  # large, and not to wait for the garbage collector

    def _picture_changed(self) -> None:
        self._annotation.remarked.emit("")  # what was said of the pixels before
        self._begin_afresh()

    def _begin_afresh(self) -> None:
        annotation = self._annotation
        session, pending = annotation.session, annotation.pending
        target, picture = annotation.target, annotation.picture
        if said := self.boxes.keep(annotation.own_layers.fits):
            annotation.remarked.emit(said)
        elif target is not None and (said := misfit(target, picture)):
            annotation.remarked.emit(f"⚠ {said}")
        annotation.planes.renew()
        self._jobs.forget()
        accepting, pending.accepting = pending.holds(session.request), None
        session.ask_again()
        if accepting and not self.failed:
            pending.accept(session.request)
        if not annotation.waiting:
            self.ask()
        self.ask_boxes()
        annotation.changed.emit(What.MODEL)
        annotation.began_afresh.emit()

    def _doubt(self) -> None:
        self._annotation.planes.doubt()
        self._annotation.look_soon()

    def _saw_others(self, first: Callable[[], object] = lambda: None) -> bool:
        """Begin afresh if pixels were changed in place since the model has seen them."""
        if not self._annotation.planes.renewed:
            return False
        first()
        self._annotation.identity.renew()
        self._annotation.picture.renew()
        return True

    def _take_boxes(self, plane: Plane, areas: list[AreaPrompt], found: list[Prediction]) -> None:
        annotation = self._annotation
        if self._saw_others(lambda: self.boxes.put_back(plane, areas)):
            return

        def take(session: Session) -> None:
            annotation.binding.ensure_target()
            if remark := propose(session, plane, areas, found):
                annotation.remarked.emit(remark)

        annotation.step(take)
        annotation.own_layers.show()
        annotation.changed.emit(What.DRAFT | What.MODEL)

    def _boxes_failed(self, error: BaseException) -> None:
        self._annotation.remarked.emit(
            f"⚠ {error} What you drew is kept; choose another model to try again."
        )
        self._annotation.changed.emit(What.MODEL)
