"""One object for each row of a table of boxes, as work of one part."""

from __future__ import annotations

from collections.abc import Iterator
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
    from napari_sam.inference.predictor import Predictor
    from napari_sam.io.boxes import Boxes

__all__ = ["BoxesWork"]


@dataclass(frozen=True)
class BoxesWork:
    """What `napari-sam segment --boxes` does to a picture.

    Every box gets its label, whatever the model's score; where masks overlap the better score
    counts. Slices without a box are not read.

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
            If they do not fit each other, or a slice is too large to be looked at as a whole.
        """
        from napari_sam.inference.tiling import Tiling
        from napari_sam.io.boxes import read_boxes
        from napari_sam.io.pictures import open_picture

        with open_picture(self.source) as data:
            shape = tuple(data.shape[: axes(data)])
            boxes = read_boxes(self.table, shape)
            if Tiling().cuts(shape[-2:]):
                raise InputError(
                    f"boxes are for pictures of up to {Tiling().alone} pixels a side; this one has "
                    f"{shape[-2:]}: cut it, or leave --boxes out"
                )
            with self.target.room(shape) as labels:
                yield _Boxed(self, predictor, data, boxes, labels)


@dataclass(frozen=True, eq=False)
class _Boxed:
    """A picture that is open, its boxes and its labels."""

    work: BoxesWork
    predictor: Predictor
    data: Any
    boxes: Boxes
    labels: NDArray[np.int32]
    parts: tuple[int] = (0,)

    def do(self, part: int) -> Iterator[float]:
        """Segment slice by slice."""
        from napari_sam.inference.image import pixel_range
        from napari_sam.inference.overlaps import Found, settle
        from napari_sam.inference.patch import Patch
        from napari_sam.inference.sampling import sample_stack
        from napari_sam.io.pictures import read_plane
        from napari_sam.prompts import Prompts

        ndim, contrast = self.labels.ndim, None
        if ndim > 2:
            rule = self.predictor.model.entry.intensity
            contrast = pixel_range(sample_stack(self.data, ndim), rule)
        planes = sorted(set(map(tuple, self.boxes.planes.tolist())))
        for done, plane in enumerate(planes, 1):
            corners = self.boxes.on(plane)
            embedding = self.predictor.embed(read_plane(self.data, plane), contrast)
            answers = self.predictor.predict_batch(
                embedding, [Prompts(box=corner) for corner in corners.values()]
            )
            found = {
                id_: Found(Patch.of(answer.masks[0]), float(answer.scores[0]))
                for id_, answer in zip(corners, answers, strict=True)
            }
            self.labels[plane] = settle(found, embedding.shape)
            yield done / len(planes)

    def finish(self) -> dict[str, Any]:
        """Write the labels; return how many objects there are."""
        from napari_sam.io.scale import read_spacing

        target, ids = self.work.target, np.unique(self.labels)
        spacing = read_spacing(self.work.source, self.labels.ndim)
        report = {
            "objects": int((ids > 0).sum()), "linked": None, "anisotropy": spacing.anisotropy
        }  # fmt: skip
        target.write(self.labels, spacing, self.predictor.model.entry, report)
        target.clean()
        return report
