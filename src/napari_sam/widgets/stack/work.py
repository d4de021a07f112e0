"""Worker for a propagation; each slice is one job of the model, and is written at once."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import repeat

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_sam.errors import NapariSamError
from napari_sam.inference.propagation.settings import PropagateSettings
from napari_sam.masks import CroppedMask, cropped_masks
from napari_sam.planes import Plane
from napari_sam.progress import Estimate, Progress
from napari_sam.results import Step
from napari_sam.serving.host import HostedModel
from napari_sam.serving.segmenter import StoredSegmenter
from napari_sam.session.batch import Batch, NewMask
from napari_sam.session.changes import Kind
from napari_sam.session.objects import Origin, Source, Status
from napari_sam.session.overlap import Rule
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.annotation.premises import Premises
from napari_sam.widgets.jobs.piecework import Piecework
from napari_sam.widgets.jobs.worker import Worker
from napari_sam.widgets.stack.report import StackReport, is_doubtful
from napari_sam.widgets.stack.seeds import ObjectMasks, StackAxis, StackSlices

__all__ = ["PropagationTask", "PropagationWorker"]


@dataclass(frozen=True, eq=False)
class PropagationTask:
    """Input of a propagation.

    Parameters
    ----------
    along : StackAxis
        The slices.
    length : int
        How many there are.
    seeds : dict of int to ObjectMasks
        What is known, by object.
    settings : PropagateSettings
        Direction, limits, and the objects to follow.
    rule : Rule
        Who keeps the pixels of other objects.
    noun : str
        What a slice is called: in time, objects that are lost are to be looked at.
    """

    along: StackAxis
    length: int
    seeds: Mapping[int, ObjectMasks]
    settings: PropagateSettings
    rule: Rule
    noun: str = "slice"

    @property
    def anchors(self) -> dict[int, list[int]]:
        """The slices that each object starts from."""
        return {number: self.seeds[number].shown for number in self.settings.only or ()}

    @property
    def masked(self) -> dict[int, list[int]]:
        """Those of them on which each object has a mask already."""
        return {number: self.seeds[number].masked for number in self.settings.only or ()}


class PropagationWorker(Worker["_OpenPropagation"]):
    """Propagates objects through a stack in the background during annotation.

    A job of less haste than prompts, which are answered between slices and between the layers of
    the encoder. Whatever ends it, the slices that have come stay, as one step of the session.
    """

    reached = Signal(object)  # Progress, at most; its result is the index of the slice

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = Piecework(later=True, parent=self)
        self._work.stepped.connect(self._take)
        self._work.failed.connect(self._fail)

    def start(
        self, annotation: Annotation, model: HostedModel, task: PropagationTask
    ) -> StackReport:
        """Start a propagation; return its report, which is updated with each slice."""
        self.stop()
        self._job = run = _OpenPropagation(annotation, model, task)
        self._work.start(model, repeat(run.step))
        return run.report

    def check(self) -> None:
        """Stop if the session, labels or model were replaced, or the step was undone."""
        if self._job is not None and (why := self._job.why_over()):
            self.stop(why)

    def close(self) -> None:
        """Stop without any further signal."""
        run, self._job = self._job, None
        self._work.cancel()
        if run is not None:
            run.end()

    def _fail(self, error: BaseException) -> None:
        self.check()
        self.fail(error)

    def _take(self, found: _PackedStep | None) -> None:
        self.check()
        run = self._job
        if run is None or found is None:
            self.stop()
            return
        try:
            reached = run.write(found)
        except NapariSamError as problem:
            self.stop(str(problem))
            return
        if run is self._job:
            self.reached.emit(reached)


@dataclass(frozen=True, eq=False)
class _PackedStep:
    """A propagation step with packed masks of the objects it reports on."""

    step: Step
    masks: Mapping[int, CroppedMask | None]


class _OpenPropagation:
    """State of one propagation; `step` runs in the model's thread, the rest in the GUI thread."""

    def __init__(self, annotation: Annotation, model: HostedModel, task: PropagationTask) -> None:
        self.model = model
        self.report = StackReport(task.anchors)
        self._task = task
        self._premises, self._session = Premises(annotation, model), annotation.session
        self._mix, self._contrast = annotation.picture.mix, annotation.planes.contrast
        self._batch = Batch(self._session, Kind.PROPAGATED, task.rule)
        self._steps: Generator[Step] | None = None
        self._progress = _PropagationProgress(task)

    def why_over(self) -> str:
        """Return why no more masks may be written; empty if they may."""
        return self._premises.why_over(self._batch.is_open)

    def end(self) -> None:
        """Stop writing."""
        self._batch.end()

    def step(self, segmenter: StoredSegmenter, pause: Callable[[], None]) -> _PackedStep | None:
        """Propagate to the next slice; return None at the end."""
        if self._steps is None:
            task = self._task
            anchor = next(at for places in task.anchors.values() for at in places)
            self._steps = segmenter.propagate(
                StackSlices(partial(self._read, pause), task.length, anchor),
                task.seeds,
                task.settings,
                self._contrast.of(segmenter),
                pause,
            )
        step = next(self._steps, None)
        if step is None:
            return None
        found = cropped_masks(step.labels)
        return _PackedStep(
            step,
            {
                number: found.get(number)
                for number, places in self._task.masked.items()
                if step.index not in places and self._tells(step, number)
            },
        )

    def write(self, found: _PackedStep) -> Progress[int]:
        """Write the masks of a slice to the session."""
        step, masks = found.step, found.masks
        plane = self._task.along.at(step.index)
        for number in step.ends:
            self._withdraw_beyond(number, step)
        proposals = [
            self._proposal(number, mask, step)
            for number, mask in masks.items()
            if number in self._session.objects and (mask is not None or self._free(number, plane))
        ]
        self._batch.add(plane, proposals)
        self.report.add(step)
        self.report.overlaps = self._batch.tally.said("masks")
        return self._progress.reach(step.index)

    def _tells(self, step: Step, number: int) -> bool:
        """Tell whether a step has something to write of an object."""
        end = step.ends.get(number)
        doubtful = end is not None and is_doubtful(end, self._task.noun)
        return number in step.scores or number in step.unsure or doubtful

    def _free(self, number: int, plane: Plane) -> bool:
        """Tell whether it may be noted that an object was not found where it has a mask."""
        section = self._session.objects.section(number, plane)
        return section is None or section.origin.source is Source.PROPAGATED

    def _withdraw_beyond(self, number: int, step: Step) -> None:
        """Take back what an earlier propagation found beyond the end of an object, or at it."""
        ending, held = self.report.ending(number, step), self._session.objects.get(number)
        if ending is None or held is None:
            return
        along, first = self._task.along, ending.at * ending.way
        places = ((along.index(plane), plane) for plane in held.sections)
        beyond = [
            plane
            for index, plane in places
            if index is not None and index * ending.way >= first
            if held.sections[plane].origin.source is Source.PROPAGATED
        ]
        self._batch.withdraw(number, beyond)

    def _proposal(self, number: int, mask: CroppedMask | None, step: Step) -> NewMask:
        near = min(self.report.anchors[number], key=lambda at: abs(at - step.index))
        sure = number not in step.unsure and mask is not None
        return NewMask(
            mask,
            number,
            step.scores.get(number),
            Origin(Source.PROPAGATED, self._task.along.at(near)),
            Status.PROPOSED if sure else Status.UNCLEAR,
        )

    def _read(self, pause: Callable[[], None], index: int) -> np.ndarray:
        pause()
        return np.asarray(self._mix.reader(self._task.along.at(index))())


class _PropagationProgress:
    """Progress of a propagation, forward and then backward, with an upper bound of slices."""

    def __init__(self, task: PropagationTask) -> None:
        first, last = task.settings.limits(task.length)
        places = [at for anchors in task.anchors.values() for at in anchors]
        self._start, self._end = min(places), max(places)
        direction = task.settings.direction
        self._forward = (self._end if direction == "backward" else last) - self._start
        backward = self._end - (self._start if direction == "forward" else first)
        self._total = self._forward + backward
        self._index = -1
        self._turned = False
        self._estimate = Estimate()

    def reach(self, index: int) -> Progress[int]:
        """Count a slice; slices come in ascending, then in descending order."""
        self._turned = self._turned or index <= self._index
        self._index = index
        done = self._forward + self._end - index if self._turned else index - self._start
        return Progress(done, self._total, index, self._estimate.left(done, self._total))
