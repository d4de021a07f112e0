"""Conversion of masks to proposals: filter by crop edge and size, clean, measure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_sam.arrays import Array
from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.inference.automatic.sweep import PointMask
from napari_sam.inference.masks import keep_prompted, without_specks
from napari_sam.inference.windows import View
from napari_sam.masks import Box, bounding_box, shifted
from napari_sam.prompts import Prompts
from napari_sam.results import Proposal

__all__ = ["ProposalMaker", "near_edge"]

EDGE_MARGIN = 20  # pixels from the edge of a crop; an object that comes so near may go on outside


class ProposalMaker:
    """Converts masks of one image to proposals: filters, cleans and measures them.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) ndarray
        Whose pixels are measured.
    settings : GridSettings
        What is cleaned, and what is too large.
    """

    def __init__(self, image: Array, settings: GridSettings) -> None:
        self._grey = image if image.ndim == 2 else image.mean(axis=2, dtype=np.float32)
        self._settings = settings

    def proposal(
        self, found: PointMask, view: View, point: NDArray[np.float64], crop: Box
    ) -> Proposal | None:
        """Return a proposal, or None if the mask is cut off or covers nearly all of the image.

        Parameters
        ----------
        found : PointMask
            What `sweep` gave.
        view : View
            What it was seen through: of the picture, or of a crop of it.
        point : (2,) float
            Row and column in what the view shows.
        crop : Box
            What the view shows.
        """
        mask, shape = found.mask, self._grey.shape
        if view.config.dense:  # as the predictor does: SAM's own sizes answer as the reference
            mask = _under(mask, point - found.corner)
        box = bounding_box(mask)
        assert box is not None  # what is enlarged has pixels
        box = shifted(box, *found.corner)
        if near_edge(box, view.seen, (0, 0, *view.embedding.shape), 1):
            return None
        if near_edge(shifted(box, *crop[:2]), crop, (0, 0, *shape), EDGE_MARGIN):
            return None
        if self._settings.clean:
            mask = without_specks(mask, self._settings.clean)
        one = Proposal.of(
            mask,
            self._grey,
            score=found.score,
            stability=found.stability,
            point=(point[0] + crop[0], point[1] + crop[1]),
            crop=crop,
            corner=(found.corner[0] + crop[0], found.corner[1] + crop[1]),
        )
        largest = self._settings.largest
        return None if largest is not None and one.area >= largest * np.prod(shape) else one


def _under(mask: NDArray[np.bool_], point: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Keep the part of a mask that lies under a point; all, if none does."""
    if (point < -0.5).any() or (point > np.array(mask.shape) - 0.5).any():
        return mask
    return keep_prompted(mask, Prompts([point], [1]))


def near_edge(box: Box, part: Box, whole: Box, pixels: int) -> bool:
    """Return whether a box is near a border of a part that is no border of the whole image."""
    last = (box[0], box[1], box[2] - 1, box[3] - 1)  # the pixels, as the public generator counts
    return any(
        abs(side - end) <= pixels < abs(side - border)
        for side, end, border in zip(last, part, whole, strict=True)
    )
