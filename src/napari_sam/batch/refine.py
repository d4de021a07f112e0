"""Refine labels: a task of one part for each slice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from napari_sam.arrays import Array, LazyArray
from napari_sam.batch.label_output import LabelTask
from napari_sam.batch.refine_large import OpenLargeRefine, Tally
from napari_sam.errors import InputError
from napari_sam.files import Json, replacing
from napari_sam.inference.pyramid import is_large
from napari_sam.inference.stack import Stack
from napari_sam.inference.store.store import open_store
from napari_sam.io.images.read import open_image
from napari_sam.io.labels import open_labels
from napari_sam.results import Step

if TYPE_CHECKING:
    from napari_sam.batch.task import OpenTask
    from napari_sam.inference.predictor import Predictor

__all__ = ["RefineTask"]


@dataclass(frozen=True)
class RefineTask(LabelTask):
    """Task of `napari-sam refine` for one image and its labels.

    Parameters
    ----------
    source : Path
        The picture.
    target : LabelOutput
        Where its labels go.
    labels : Path
        The labels that are known.
    """

    labels: Path

    @contextmanager
    def opened(self, predictor: Predictor) -> Iterator[OpenTask]:
        """Open the image and its labels, both as stacks; large ones are never read whole."""
        with open_image(self.source) as image, open_labels(self.labels) as known:
            if is_large(image.plain_shape[-2:]):
                yield OpenLargeRefine(self, predictor, image, known)
                return
            flat = len(known.shape) == 2
            stack = Stack(np.asarray(image)[None] if flat else image)
            labels = np.asarray(known)[None] if flat else known
            shape = (len(stack), *stack.shape)
            if tuple(labels.shape) != shape:
                raise InputError(
                    f"the labels must have the picture's shape {shape[flat:]}; got {known.shape}"
                )
            yield _OpenRefine(self, predictor, stack, labels, flat)


@dataclass(frozen=True, eq=False)
class _OpenRefine:
    """Open image and labels that are refined."""

    task: RefineTask
    predictor: Predictor
    stack: Stack
    labels: LazyArray
    flat: bool

    @property
    def parts(self) -> range:
        """Indices of all slices."""
        return range(len(self.stack))

    def do(self, part: int) -> Iterator[float]:
        """Refine a slice and save the result."""
        from napari_sam.inference.refinement.refine import refine_stack

        path, before = self._path(part), np.asarray(self.labels[part])
        mark = self._mark(part, before)
        with suppress(Exception):  # it is not there, or damaged in a way that nobody can name
            if _read(path, part)[0] == mark:
                return
        steps = refine_stack(
            self.predictor, self.stack.data, self.labels,
            contrast=self._contrast, store=open_store(), indices=[part],
        )  # fmt: skip
        _write(path, mark, next(steps, Step(part, before, {})))
        yield 1.0

    def finish(self) -> Json:
        """Write the labels; return a report on each object."""
        target, tally = self.task.target, Tally()
        dtype = np.uint8 if self.labels.dtype == bool else self.labels.dtype
        with target.room(self.labels.shape, dtype) as after:
            for part in self.parts:
                _, step = _read(self._path(part), part)
                tally.add_step(np.asarray(self.labels[part]), step)
                after[part] = step.labels
            labels = after[0] if self.flat else after
            report = {"objects": tally.objects()}
            spacing = self.task.spacing(labels.ndim)
            target.write(labels, spacing, self.predictor.model.entry, report)
        target.clean()
        return report

    @cached_property
    def _contrast(self) -> tuple[Any, Any]:
        return self.stack.contrast(self.predictor.model.entry.intensity)

    def _path(self, part: int) -> Path:
        return self.task.target.scratch / f"{part:06}.npz"

    def _mark(self, part: int, labels: Array) -> str:
        """Return a hash of all that decides what comes of a slice."""
        pixels = np.asarray(self.stack.data[part])
        contrast = [np.asarray(end, float).tolist() for end in self._contrast]
        mark = xxhash.xxh128(repr([contrast, self.predictor.model.entry.digest]).encode())
        for array in (pixels, labels):
            mark.update(f"{array.dtype.str} {array.shape}".encode())
            mark.update(np.ascontiguousarray(array).tobytes())
        return mark.hexdigest()


def _write(path: Path, mark: str, step: Step) -> None:
    scores = {str(id_): float(score) for id_, score in step.scores.items()}
    unsure = {str(id_): why for id_, why in step.unsure.items()}
    said = json.dumps([scores, unsure])
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(file, mark=mark, labels=step.labels, said=said)


def _read(path: Path, index: int) -> tuple[str, Step]:
    """Return the mark and what was kept with it."""
    with np.load(path, allow_pickle=False) as file:
        scores, unsure = (
            {int(id_): value for id_, value in one.items()} for one in json.loads(str(file["said"]))
        )
        return str(file["mark"]), Step(index, file["labels"], scores, unsure=unsure)
