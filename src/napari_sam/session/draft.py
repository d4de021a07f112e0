"""The object that is being drawn: its prompts, and what they ask of the model. All frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.prompts import Prompts
from napari_sam.results import Prediction
from napari_sam.session.segmenter import Segmenter
from napari_sam.session.target import Plane

__all__ = ["Draft", "Request"]

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Draft:
    """The prompts of one object, as drawn so far.

    Parameters
    ----------
    plane : Plane
        The picture plane they lie in; empty while nothing is drawn.
    points : tuple of (row, column)
        Clicked positions in pixels, oldest first.
    labels : tuple of int
        1 for a foreground point, 0 for a background point.
    box : (y0, x0, y1, x1), optional
        The box.
    seed : (h, w) float32, optional
        Low-resolution logits of the mask to refine.
    choice : int
        Which candidate is chosen.
    """

    plane: Plane = ()
    points: tuple[Point, ...] = ()
    labels: tuple[int, ...] = ()
    box: Box | None = None
    seed: NDArray[np.float32] | None = None
    choice: int = 0

    @property
    def is_empty(self) -> bool:
        """True while nothing is drawn."""
        return not self.points and self.box is None

    @property
    def points_somewhere(self) -> bool:
        """True if a foreground point or a box says where the object is.

        Background points alone would make the model segment the background.
        """
        return self.box is not None or 1 in self.labels

    def same_prompts(self, other: Draft) -> bool:
        """Tell whether both hold the same prompts, whatever was chosen or refined."""
        return (self.plane, self.points, self.labels, self.box) == (
            other.plane,
            other.points,
            other.labels,
            other.box,
        )

    def grew_from(self, other: Draft) -> bool:
        """Tell whether this is `other` with prompts added and none moved, changed or removed."""
        count = len(other.points)
        return (
            other.points_somewhere
            and self.plane == other.plane
            and self.points[:count] == other.points
            and self.labels[:count] == other.labels
            and other.box in (None, self.box)
        )

    def request(self) -> Request | None:
        """Return what to ask the model, or None while the prompts do not say where to look."""
        if not self.points_somewhere:
            return None
        prompts = Prompts(self.points, self.labels, self.box, self.seed)
        return Request(self.plane, prompts)


@dataclass(frozen=True, eq=False)
class Request:
    """One question to the model; plain data, so that any thread may run it.

    Parameters
    ----------
    plane : Plane
        The picture plane to look at.
    prompts : Prompts
        All prompts of the object, with the mask to refine if there is one.
    """

    plane: Plane
    prompts: Prompts

    def run(self, segmenter: Segmenter, embedding: Any) -> Prediction:
        """Predict."""
        return segmenter.predict(embedding, self.prompts)
