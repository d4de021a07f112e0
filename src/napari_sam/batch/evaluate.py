"""Measure a model on a labelled picture: a task without parts."""

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
    """What `napari-sam evaluate` does to a picture, which travels with the work."""

    picture: LabelledImage
    max_objects: int | None = None
    folder: None = None

    @property
    def source(self) -> Path:
        """The sample."""
        return Path(self.picture.source)

    @contextmanager
    def opened(self, predictor: Predictor) -> Iterator[_OpenEvaluate]:
        """Open nothing: the picture is here."""
        yield _OpenEvaluate(self, predictor)


@dataclass(frozen=True, eq=False)
class _OpenEvaluate:
    """A picture and the model that is measured; all is done at the end."""

    task: EvaluateTask
    predictor: Predictor
    parts: tuple[()] = ()

    def do(self, part: int) -> Iterator[float]:
        """Do nothing."""
        yield from ()

    def finish(self) -> list[ObjectScores]:
        """Return a row for each object."""
        ((_, rows),) = evaluate(self.predictor, [self.task.picture], self.task.max_objects)
        return rows
