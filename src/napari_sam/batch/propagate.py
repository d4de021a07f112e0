"""Propagate objects through a stack: a task of one part, as each slice needs the one before."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_sam.arrays import Array
from napari_sam.batch.label_output import LabelTask
from napari_sam.files import Json
from napari_sam.inference.propagation.settings import PropagateSettings
from napari_sam.inference.store.store import open_store
from napari_sam.io.images.read import open_image
from napari_sam.io.labels import open_labels

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor
    from napari_sam.io.images.pixels import LazyImage
    from napari_sam.io.spacing import Spacing
    from napari_sam.results import Step

__all__ = ["PropagateTask"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PropagateTask(LabelTask):
    """Task of `napari-sam propagate` for one stack.

    Parameters
    ----------
    source : Path
        The picture.
    target : LabelOutput
        Where its labels go.
    seeds : Path
        The labels that are known.
    settings : PropagateSettings
    """

    seeds: Path
    settings: PropagateSettings

    @contextmanager
    def opened(self, predictor: Predictor) -> Iterator[_OpenPropagate]:
        """Open the stack and its labels, and allocate the output labels."""
        with open_image(self.source) as stack, open_labels(self.seeds) as seeds:
            dtype = np.uint8 if seeds.dtype == bool else seeds.dtype
            with self.target.room(seeds.shape, dtype) as labels:
                yield _OpenPropagate(self, predictor, stack, seeds, labels)


@dataclass(frozen=True, eq=False)
class _OpenPropagate:
    """Open stack with its input labels and the output labels of all slices."""

    task: PropagateTask
    predictor: Predictor
    stack: LazyImage
    seeds: LazyImage
    labels: Array
    slices: dict[int, _SliceSummary] = field(default_factory=dict)
    parts: tuple[int] = (0,)

    def do(self, part: int) -> Iterator[float]:
        """Propagate the objects; if interrupted, write the slices that are done."""
        from napari_sam.inference.propagation.propagate import propagate

        steps = propagate(
            self.predictor, self.stack, self.seeds, self.task.settings, store=open_store()
        )
        for index in range(len(self.labels)):
            self.labels[index] = self.seeds[index]
        try:
            for step in steps:
                self.labels[step.index] = step.labels
                self.slices[step.index] = _SliceSummary.of(step)
                yield len(self.slices) / len(self.labels)
        except (KeyboardInterrupt, GeneratorExit):
            self.task.target.write_unfinished(self.labels, self._spacing())
            logger.warning("stopped; what was done is in %s", self.task.target.output)
            raise

    def finish(self) -> Json:
        """Write the labels; return a report on each object."""
        target, entry = self.task.target, self.predictor.model.entry
        report = {"objects": _objects(self.slices)}
        target.write(self.labels, self._spacing(), entry, report)
        target.clean()
        return report

    def _spacing(self) -> Spacing:
        return self.task.spacing(self.labels.ndim)


@dataclass(frozen=True)
class _SliceSummary:
    """Summary of a slice: its objects, those that stopped and those to review."""

    ids: frozenset[int]
    stopped: Mapping[int, str]
    unsure: Mapping[int, str]

    @classmethod
    def of(cls, step: Step) -> _SliceSummary:
        return cls(frozenset(np.unique(step.labels).tolist()) - {0}, step.stopped, step.unsure)


def _objects(slices: Mapping[int, _SliceSummary]) -> Json:
    """Return, for each object: where it is, where it stopped and where to look, with reasons."""
    objects: dict[int, Json] = {}
    for index, here in sorted(slices.items()):
        for id_ in {*here.ids, *here.stopped, *here.unsure}:
            one = objects.setdefault(id_, {"slices": [], "stopped": {}, "unsure": {}})
            if id_ in here.ids:
                one["slices"].append(index)
            if id_ in here.stopped:
                one["stopped"][str(index)] = here.stopped[id_]
            if id_ in here.unsure:
                one["unsure"][str(index)] = here.unsure[id_]
    return {str(id_): objects[id_] for id_ in sorted(objects)}
