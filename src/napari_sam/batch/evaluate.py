"""Measuring a model on a labelled picture as work of one piece."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam.training.evaluate import Row, evaluate
from napari_sam.training.samples import Picture

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor

__all__ = ["EvaluateWork"]


@dataclass(frozen=True, eq=False)
class EvaluateWork:
    """What `napari-sam evaluate` does to a picture, which travels with the work.

    Parameters
    ----------
    picture : Picture
    most : int, optional
        As in `evaluate`.
    """

    picture: Picture
    most: int | None = None
    folder: None = None

    @property
    def source(self) -> Path:
        """The sample."""
        return Path(self.picture.source)

    def parts(self) -> list[int]:
        """Return none: all is done at the end."""
        return []

    def do(self, part: int, predictor: Predictor) -> None:
        """Do nothing."""

    def finish(self, predictor: Predictor) -> list[Row]:
        """Return a row for each object."""
        ((_, rows),) = evaluate(predictor, [self.picture], self.most)
        return rows
