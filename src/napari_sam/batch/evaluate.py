"""Evaluate a model on a labelled image: a task without parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam.data.samples import LabelledImage
from napari_sam.evaluation.evaluate import ObjectScores, evaluate

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor

__all__ = ["EvaluateTask"]


@dataclass(frozen=True, eq=False)
class EvaluateTask:
    """Task of `napari-sam evaluate` for one image; the pixels are sent with it."""

    picture: LabelledImage
    max_objects: int | None = None
    folder: None = None

    @property
    def source(self) -> Path:
        """Path of the sample."""
        return Path(self.picture.source)

    @contextmanager
    def opened(self, predictor: Predictor) -> Iterator[_OpenEvaluate]:
        """Return the open task; no file is opened, as the pixels are in memory."""
        yield _OpenEvaluate(self, predictor)


@dataclass(frozen=True, eq=False)
class _OpenEvaluate:
    """Labelled image and the model to evaluate; `finish` does all work."""

    task: EvaluateTask
    predictor: Predictor
    parts: tuple[()] = ()

    def do(self, part: int) -> Iterator[float]:
        """Do nothing."""
        yield from ()

    def finish(self) -> list[ObjectScores]:
        """Evaluate the model; return the scores of each object."""
        ((_, rows),) = evaluate(self.predictor, [self.task.picture], self.task.max_objects)
        return rows
