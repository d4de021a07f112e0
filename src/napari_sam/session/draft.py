"""Draft of the object being drawn, and the model request from its prompts. Both are frozen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from napari_sam.masks import CroppedMask, PlaneMask
from napari_sam.planes import Plane
from napari_sam.progress import Pause
from napari_sam.prompts import Prompts
from napari_sam.results import Prediction
from napari_sam.session.segmenter import Embedding, Segmenter

__all__ = ["Draft", "Request"]

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Draft:
    """The prompts of one object in one plane, as drawn so far.

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
    mask : CroppedMask, optional
        A rough mask that was drawn, to refine.
    seed : ndarray, optional
        What the added prompts refine: (h, w) float32 logits of the last answer, or the (H, W) bool
        mask that the object holds. It goes before `mask`.
    choice : int
        Which candidate is chosen.
    object_id : int, optional
        The object that is open; None for a new one.
    held : CroppedMask, optional
        What that object holds in this plane.
    touched : bool
        False while the prompts are as the open object has them and its own mask is on show.
    """

    plane: Plane = ()
    points: tuple[Point, ...] = ()
    labels: tuple[int, ...] = ()
    box: Box | None = None
    mask: CroppedMask | None = None
    seed: NDArray[np.float32] | PlaneMask | None = field(default=None, compare=False)
    choice: int = 0
    object_id: int | None = None
    held: CroppedMask | None = None
    touched: bool = False

    @property
    def is_empty(self) -> bool:
        """True while nothing is drawn and no object is open."""
        return self.object_id is None and not self.has_prompts

    @property
    def has_prompts(self) -> bool:
        """True if there is any point, box or mask prompt."""
        return bool(self.points) or self.box is not None or self.mask is not None

    @property
    def drawing(self) -> tuple[object, ...]:
        """Key to compare prompts: points, labels, box and mask; with the plane if there are any."""
        drawn = (self.points, self.labels, self.box, self.mask)
        return (self.plane, *drawn) if self.has_prompts else drawn

    @property
    def place(self) -> tuple[int, int, int, int] | None:
        """Box of pixels that holds all prompts; None if there are none."""
        corners = list(self.points)
        if self.box is not None:
            corners += [self.box[:2], self.box[2:]]
        if self.mask is not None:
            corners += [self.mask.box[:2], self.mask.box[2:]]
        if not corners:
            return None
        rows, columns = ([max(0, int(one[axis])) for one in corners] for axis in (0, 1))
        return min(rows), min(columns), max(rows) + 1, max(columns) + 1

    @property
    def points_somewhere(self) -> bool:
        """True if a foreground point, a box or a mask locates the object.

        Background points alone would make the model segment the background.
        """
        return self._drawing_points_somewhere or self.held is not None

    @property
    def _drawing_points_somewhere(self) -> bool:
        return self.box is not None or self.mask is not None or 1 in self.labels

    @property
    def shows_held(self) -> bool:
        """True while the stored mask of the open object is shown."""
        return self.held is not None and not self.touched

    def same_prompts(self, other: Draft) -> bool:
        """Return whether both hold the same prompts; chosen candidate and seed do not count."""
        return replace(self, choice=0) == replace(other, choice=0)

    def grew_from(self, other: Draft) -> bool:
        """Tell whether this is `other` with prompts added and none moved, changed or removed."""
        count = len(other.points)
        return (
            other.points_somewhere
            and self.plane == other.plane
            and self.points[:count] == other.points
            and self.labels[:count] == other.labels
            and other.box in (None, self.box)
            and other.mask == self.mask  # what the model is to refine is the newest drawing
        )

    def record(self) -> Draft | None:
        """Return the prompts to store with an accepted object, or None if there are none."""
        if not self.has_prompts:
            return None
        return replace(self, seed=None, object_id=None, held=None, touched=False)

    def request(self) -> Request | None:
        """Return the model request for the prompts.

        None while the prompts do not say where to look, or the object's own mask is on show.
        """
        if self.shows_held or not self.points_somewhere:
            return None
        mask = self.seed
        if mask is None and self.mask is not None:
            mask = self.mask.plane()
        elif mask is None and self.held is not None and not self._drawing_points_somewhere:
            mask = self.held.plane()
        return Request(self.plane, Prompts(self.points, self.labels, self.box, mask))


@dataclass(frozen=True, eq=False)
class Request:
    """Model request; plain data, so that any thread may run it.

    Parameters
    ----------
    plane : Plane
        The picture plane to look at.
    prompts : Prompts
        All prompts of the object, with the mask to refine if there is one.
    """

    plane: Plane
    prompts: Prompts

    def run(
        self, segmenter: Segmenter, embedding: Embedding, pause: Pause | None = None
    ) -> Prediction:
        """Predict the masks for the prompts from an image embedding."""
        return segmenter.predict(embedding, self.prompts, pause)
