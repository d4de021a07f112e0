"""One object for each row of a table of boxes, as work of one part."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.batch.slices import axes
from napari_sam.batch.target import Target
from napari_sam.errors import InputError

if TYPE_CHECKING:
    from napari_sam.inference.embedding import Embedding
    from napari_sam.inference.overlaps import Found
    from napari_sam.inference.predictor import Predictor
    from napari_sam.io.tables import Boxes

__all__ = ["BoxesWork"]

AT_ONCE = 256  # boxes whose masks are in memory as whole slices
NAMED = 5  # boxes that a word is about

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BoxesWork:
    """What `napari-sam segment --boxes` does to a picture.

    Every box gets its label, whatever the model's score, or a word why it has none; where masks
    overlap the better score counts. Slices without a box are not read.

    Parameters
    ----------
    source : Path
        The picture.
    target : Target
        Where its labels go.
    table : Path
        The boxes.
    """

    source: Path
    target: Target
    table: Path

    @property
    def folder(self) -> Path:
        """Where it writes."""
        return self.target.folder

    @contextmanager
    def opened(self, predictor: Predictor) -> Iterator[_Boxed]:
        """Open the picture and read the table.

        Raises
        ------
        InputError
            If they do not fit each other, no box can be used, or a slice is too large to be looked
            at as a whole.
        """
        from napari_sam.inference.automatic.tiles import Tiling
        from napari_sam.io.pictures import open_picture
        from napari_sam.io.tables import read_boxes

        with open_picture(self.source) as data:
            shape = tuple(data.shape[: axes(data)])
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
                yield _Boxed(self, predictor, data, fitting, labels, unlabelled)


@dataclass(frozen=True, eq=False)
class _Boxed:
    """A picture that is open, its boxes and its labels, and why some boxes have none."""

    work: BoxesWork
    predictor: Predictor
    data: Any
    boxes: Boxes
    labels: NDArray[np.int32]
    unlabelled: dict[str, str]
    parts: tuple[int] = (0,)

    def do(self, part: int) -> Iterator[float]:
        """Segment slice by slice."""
        from napari_sam.inference.image import pixel_range
        from napari_sam.inference.overlaps import settle
        from napari_sam.inference.sampling import sample_stack
        from napari_sam.io.pictures import read_plane

        ndim, contrast = self.labels.ndim, None
        if ndim > 2:
            rule = self.predictor.model.entry.intensity
            contrast = pixel_range(sample_stack(self.data, ndim), rule)
        planes = sorted(set(map(tuple, self.boxes.planes.tolist())))
        for done, plane in enumerate(planes, 1):
            corners = self.boxes.on(plane)
            embedding = self.predictor.embed(read_plane(self.data, plane), contrast)
            found = self._answers(embedding, corners)
            self.labels[plane] = settle(found, embedding.shape)
            self._note_missing(plane, found)
            yield done / len(planes)

    def finish(self) -> dict[str, Any]:
        """Write the labels; return how many objects there are."""
        from napari_sam.io.scale import read_spacing

        target, ids = self.work.target, np.unique(self.labels)
        spacing = read_spacing(self.work.source, self.labels.ndim)
        report = {
            "objects": int((ids > 0).sum()), "linked": None, "anisotropy": spacing.anisotropy,
            "unlabelled": self.unlabelled,
        }  # fmt: skip
        if self.unlabelled:
            logger.warning(
                "%s: boxes without a label: %s", self.work.source, _said(self.unlabelled)
            )
        target.write(self.labels, spacing, self.predictor.model.entry, report)
        target.clean()
        return report

    def _answers(
        self, embedding: Embedding, corners: Mapping[int, NDArray[np.float64]]
    ) -> dict[int, Found]:
        """Return the masks of the boxes on a slice by id."""
        from napari_sam.inference.overlaps import Found
        from napari_sam.masks import CroppedMask
        from napari_sam.prompts import Prompts

        found, ids = {}, list(corners)
        for some in (ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE)):
            prompts = [Prompts(box=corners[id_]) for id_ in some]
            answers = self.predictor.predict_batch(embedding, prompts)
            for id_, answer in zip(some, answers, strict=True):
                found[id_] = Found(CroppedMask.of(answer.masks[0]), float(answer.scores[0]))
        return found

    def _note_missing(self, plane: tuple[int, ...], found: Mapping[int, Found]) -> None:
        """Note why boxes on a slice have no pixel among its labels."""
        there = np.unique(self.labels[plane])
        here = (self.boxes.planes == plane).all(axis=1) & ~np.isin(self.boxes.ids, there)
        for row in np.flatnonzero(here):
            mask = found[int(self.boxes.ids[row])].mask
            why = "its mask is empty" if mask is None else "others took all of its mask"
            self.unlabelled[self.boxes.name(row)] = why


def _said(unlabelled: Mapping[str, str]) -> str:
    """Say which boxes have no label, and why."""
    words = [f"{name} ({why})" for name, why in unlabelled.items()]
    more = f", and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return ", ".join(words[:NAMED]) + more
