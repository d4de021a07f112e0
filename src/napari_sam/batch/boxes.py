"""Segmentation from a table of box prompts, one object for each row: a task of one part."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_sam.batch.label_output import LabelTask
from napari_sam.batch.slices import stack_contrast
from napari_sam.errors import InputError
from napari_sam.files import Json
from napari_sam.io.images.read import open_image
from napari_sam.io.tables import read_boxes

if TYPE_CHECKING:
    from napari_sam.inference.embedding import Embedding
    from napari_sam.inference.overlaps import RankedMask
    from napari_sam.inference.predictor import Predictor
    from napari_sam.io.images.pixels import LazyImage
    from napari_sam.io.tables import BoxTable

__all__ = ["BoxesTask"]

MAX_BATCH = 256  # boxes whose masks are in memory as whole slices
MAX_NAMED = 5  # boxes that a word is about

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BoxesTask(LabelTask):
    """Task of `napari-sam segment --boxes` for one image.

    Every box gets its label, whatever the model's score, or a word why it has none; where masks
    overlap the better score counts, and one of which others have more than half gets no label.
    Slices without a box are not read.
    """

    table: Path

    @contextmanager
    def opened(self, predictor: Predictor) -> Iterator[_OpenBoxes]:
        """Open the image and read the table of boxes.

        Raises
        ------
        InputError
            If they do not fit each other, no box can be used, or a slice is too large to be looked
            at as a whole.
        """
        from napari_sam.inference.automatic.tiles import Tiling

        with open_image(self.source) as data:
            shape = data.plain_shape
            boxes = read_boxes(self.table, shape)
            if Tiling().cuts(shape[-2:]):
                raise InputError(
                    f"boxes are for pictures of up to {Tiling().alone} pixels a side; this one has "
                    f"{shape[-2:]}: cut it, or leave --boxes out"
                )
            fitting, unlabelled = boxes.fitting((shape[-2], shape[-1]))
            if len(fitting.ids) == 0:
                raise InputError(f"{self.table}: no box can be used; {_said(unlabelled)}")
            with self.target.room(shape) as labels:
                yield _OpenBoxes(self, predictor, data, fitting, labels, unlabelled)


@dataclass(frozen=True, eq=False)
class _OpenBoxes:
    """Open image with its boxes and labels, and the reasons why some boxes have no label."""

    task: BoxesTask
    predictor: Predictor
    data: LazyImage
    boxes: BoxTable
    labels: NDArray[np.int32]
    unlabelled: dict[str, str]
    parts: tuple[int] = (0,)

    def do(self, part: int) -> Iterator[float]:
        """Segment the boxes, slice by slice."""
        from napari_sam.inference.overlaps import resolve_overlaps

        contrast = stack_contrast(self.data, self.predictor.model.entry.intensity)
        planes = sorted(set(map(tuple, self.boxes.planes.tolist())))
        for done, plane in enumerate(planes, 1):
            corners = self.boxes.on(plane)
            embedding = self.predictor.embed(self.data[plane], contrast)
            found = self._answers(embedding, corners)
            self.labels[plane] = resolve_overlaps(found, embedding.shape)
            self._note_missing(plane, found)
            yield done / len(planes)

    def finish(self) -> Json:
        """Write the labels; return a report with the number of objects."""
        target, ids = self.task.target, np.unique(self.labels)
        spacing = self.task.spacing(self.labels.ndim)
        report = {
            "objects": int((ids > 0).sum()), "linked": None, "anisotropy": spacing.anisotropy,
            "unlabelled": self.unlabelled,
        }  # fmt: skip
        if self.unlabelled:
            logger.warning(
                "%s: boxes without a label: %s", self.task.source, _said(self.unlabelled)
            )
        target.write(self.labels, spacing, self.predictor.model.entry, report)
        target.clean()
        return report

    def _answers(
        self, embedding: Embedding, corners: Mapping[int, NDArray[np.float64]]
    ) -> dict[int, RankedMask]:
        """Return the masks of the boxes on a slice by id."""
        from napari_sam.inference.overlaps import RankedMask
        from napari_sam.masks import CroppedMask
        from napari_sam.prompts import Prompts

        found, ids = {}, list(corners)
        for some in (ids[at : at + MAX_BATCH] for at in range(0, len(ids), MAX_BATCH)):
            prompts = [Prompts(box=corners[id_]) for id_ in some]
            answers = self.predictor.predict_batch(embedding, prompts)
            for id_, answer in zip(some, answers, strict=True):
                found[id_] = RankedMask(CroppedMask.of(answer.masks[0]), float(answer.scores[0]))
        return found

    def _note_missing(self, plane: tuple[int, ...], found: Mapping[int, RankedMask]) -> None:
        """Note why boxes on a slice have no pixel among its labels."""
        there = np.unique(self.labels[plane])
        here = (self.boxes.planes == plane).all(axis=1) & ~np.isin(self.boxes.ids, there)
        for row in np.flatnonzero(here):
            mask = found[int(self.boxes.ids[row])].mask
            why = "its mask is empty" if mask is None else "others have more than half of its mask"
            self.unlabelled[self.boxes.name(row)] = why


def _said(unlabelled: Mapping[str, str]) -> str:
    """Say which boxes have no label, and why."""
    words = [f"{name} ({why})" for name, why in unlabelled.items()]
    more = f", and {len(words) - MAX_NAMED} more" if len(words) > MAX_NAMED else ""
    return ", ".join(words[:MAX_NAMED]) + more
