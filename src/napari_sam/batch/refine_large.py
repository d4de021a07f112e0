"""Refine labels of large pictures, window by window: neither is ever read whole."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xxhash
from numpy.typing import NDArray

from napari_sam.arrays import Array, ContrastRange
from napari_sam.batch.label_output import LabelTask
from napari_sam.batch.slices import stack_contrast
from napari_sam.errors import InputError
from napari_sam.files import Json, replacing
from napari_sam.inference.sampling import sample_image
from napari_sam.inference.store.store import open_store
from napari_sam.io.images.read import LazyPlane
from napari_sam.io.label_stores.objects import ObjectWindow, object_windows
from napari_sam.masks import CroppedMask, cropped_masks, enclosing, slices
from napari_sam.results import Step

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor
    from napari_sam.inference.refinement.two_pass import Refined
    from napari_sam.io.images.pixels import LazyImage

__all__ = ["OpenLargeRefine", "Tally"]


@dataclass(frozen=True, eq=False)
class OpenLargeRefine:
    """Open image of large slices and its labels, which are refined.

    Objects are asked about in tiles of the picture, those of a window together; what comes of each
    window is kept in the folder, so that a run that was cut short goes on.

    Parameters
    ----------
    task : LabelTask
    predictor : Predictor
    image, labels : LazyImage
        (Y, X) or (Z, Y, X), with the colours of the image.

    Raises
    ------
    InputError
        If they do not fit each other, or have more axes.
    """

    task: LabelTask
    predictor: Predictor
    image: LazyImage
    labels: LazyImage

    def __post_init__(self) -> None:
        shape = self.image.plain_shape
        if len(shape) > 3 or self.labels.shape != shape:
            raise InputError(
                f"the labels must have the picture's shape {shape}, (Y, X) or (Z, Y, X); got "
                f"{self.labels.shape}"
            )

    @property
    def parts(self) -> list[tuple[int, ...]]:
        """Indices of all slices."""
        return list(np.ndindex(*self.labels.shape[:-2]))

    def do(self, part: tuple[int, ...]) -> Iterator[float]:
        """Refine a slice, window by window, unless what came of one is kept."""
        plane, known = LazyPlane(self.image, part), LazyPlane(self.labels, part)
        for window in object_windows(known):
            mark = self._mark(plane, window)
            path = self._path(part, window.corner)
            with suppress(Exception):  # it is not there, or damaged in a way that nobody can name
                if _read_mark(path) == mark:
                    continue
            _write(path, mark, self._refined(plane, known, window))
            yield window.block[0].start / known.shape[0]
        yield 1.0

    def finish(self) -> Json:
        """Write the labels; return a report on each object."""
        from napari_sam.inference.refinement.refine import settled

        target, tally = self.task.target, Tally()
        shape = self.labels.shape
        height, width = shape[-2:]
        with target.room(shape, self.labels.dtype) as after:
            for number, part in enumerate(self.parts):
                got = self._kept(part)
                there, covered = settled(got, (height, width), after.dtype, after[part])
                for id_, one in got.items():
                    box = enclosing(one.before.box, one.after.box)
                    new = there[slices(box)] == id_
                    kept = bool(one.unsure) or id_ in covered
                    tally.add(id_, number, one.score, one.before.within(box), new, kept=kept)
            report = {"objects": tally.objects()}
            spacing = self.task.spacing(len(shape))
            target.write(after, spacing, self.predictor.model.entry, report)
        target.clean()
        return report

    def _refined(
        self, plane: LazyPlane, known: LazyPlane, window: ObjectWindow
    ) -> dict[int, Refined]:
        """Return the objects of a window as they were and as they are now, by id."""
        from napari_sam.inference.refinement.refine import REFINE_RULE
        from napari_sam.inference.refinement.two_pass import Refined, predict_two_pass

        (top, left), (height, width) = window.corner, known.shape
        masks = {
            id_: one.placed((top, left), (height, width))
            for id_, one in cropped_masks(window.pixels).items()
        }
        embedding = open_store().get(self.predictor, plane, self._contrast)
        predict = partial(self.predictor.predict_batch, embedding)
        answers = predict_two_pass(predict, masks, REFINE_RULE, known)
        return {id_: Refined.of(masks[id_], answer) for id_, (_, answer) in answers.items()}

    def _kept(self, part: tuple[int, ...]) -> dict[int, Refined]:
        """Return what came of all windows of a slice."""
        known = LazyPlane(self.labels, part)
        got: dict[int, Refined] = {}
        for window in object_windows(known):
            got |= _read(self._path(part, window.corner), known.shape[-2:])
        return got

    @cached_property
    def _contrast(self) -> ContrastRange:
        from napari_sam.inference.image import pixel_range

        rule = self.predictor.model.entry.intensity
        alone = stack_contrast(self.image, rule)
        return alone or pixel_range(sample_image(LazyPlane(self.image, ())), rule)

    def _path(self, part: tuple[int, ...], corner: tuple[int, ...]) -> Path:
        name = "-".join(f"{at:06}" for at in (*part, *corner))
        return self.task.target.scratch / f"{name}.npz"

    def _mark(self, plane: LazyPlane, window: ObjectWindow) -> str:
        """Return a hash of all that decides what comes of a window."""
        contrast = [np.asarray(end, float).tolist() for end in self._contrast]
        mark = xxhash.xxh128(repr([contrast, self.predictor.model.entry.digest]).encode())
        for array in (plane[window.block], window.pixels):
            mark.update(f"{array.dtype.str} {array.shape}".encode())
            mark.update(np.ascontiguousarray(array).tobytes())
        return mark.hexdigest()


def _write(path: Path, mark: str, got: dict[int, Refined]) -> None:
    said = [[id_, one.score, one.unsure] for id_, one in got.items()]
    masks = [mask for one in got.values() for mask in (one.before, one.after)]
    bits = [np.frombuffer(mask.bits, np.uint8) for mask in masks]
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(
            file,
            mark=mark,
            said=json.dumps(said),
            boxes=np.array([mask.box for mask in masks]),
            lengths=[len(one) for one in bits],
            bits=np.concatenate(bits),
        )


def _read_mark(path: Path) -> str:
    with np.load(path, allow_pickle=False) as file:
        return str(file["mark"])


def _read(path: Path, shape: tuple[int, ...]) -> dict[int, Refined]:
    """Return what was kept of a window, as masks of the whole slice."""
    from napari_sam.inference.refinement.two_pass import Refined

    with np.load(path, allow_pickle=False) as file:
        bits: list[Array] = np.split(file["bits"], np.cumsum(file["lengths"]))[:-1]
        masks = [
            CroppedMask((shape[0], shape[1]), tuple(box), one.tobytes())
            for box, one in zip(file["boxes"].tolist(), bits, strict=True)
        ]
        said = json.loads(str(file["said"]))
    return {
        id_: Refined(before, after, score, unsure)
        for (id_, score, unsure), before, after in zip(said, masks[::2], masks[1::2], strict=True)
    }


class Tally:
    """Statistics of the changes to each object.

    Examples
    --------
    >>> tally, old, new = Tally(), np.array([True, True, False]), np.ones(3, bool)
    >>> tally.add(7, 0, 0.9, old, new, kept=False)
    >>> tally.objects()["7"]["score"], round(tally.objects()["7"]["iou_with_old"], 2)
    (0.9, 0.67)
    """

    def __init__(self) -> None:
        self._both: dict[int, int] = defaultdict(int)
        self._either: dict[int, int] = defaultdict(int)
        self._scores: dict[int, list[float]] = defaultdict(list)
        self._kept: dict[int, list[int]] = defaultdict(list)

    def add_step(self, before: Array, step: Step) -> None:
        """Add the changes on one slice, of which the labels (H, W) were `before`."""
        for id_, score in step.scores.items():
            old, new = before == id_, step.labels == id_
            self.add(id_, step.index, score, old, new, kept=id_ in step.unsure)

    def add(
        self,
        id_: int,
        index: int,
        score: float,
        old: NDArray[np.bool_],
        new: NDArray[np.bool_],
        *,
        kept: bool,
    ) -> None:
        """Add the change of one object on a slice.

        Parameters
        ----------
        id_, index : int
            The object and the slice.
        score : float
            Predicted IoU.
        old, new : bool arrays of one shape
            Its pixels in a window that holds both.
        kept : bool
            Whether the old mask stays.
        """
        self._both[id_] += int((old & new).sum())
        self._either[id_] += int((old | new).sum())
        self._scores[id_].append(score)
        if kept:
            self._kept[id_].append(index)

    def objects(self) -> Json:
        """Return per object: lowest score, IoU of old and new, slices whose old mask stays."""
        return {
            str(id_): {
                "score": min(scores),
                "iou_with_old": self._both[id_] / self._either[id_],
                "kept_old": self._kept[id_],
            }
            for id_, scores in sorted(self._scores.items())
        }
