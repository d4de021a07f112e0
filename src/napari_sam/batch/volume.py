"""Segmentation of volumes from three directions: a task of one part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_sam.batch.label_output import LabelTask
from napari_sam.batch.slices import runs, stack_contrast
from napari_sam.errors import InputError
from napari_sam.files import Json
from napari_sam.inference.automatic.settings import InstanceSettings
from napari_sam.io.images.read import open_image

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor
    from napari_sam.io.images.pixels import LazyImage

__all__ = ["VolumeTask"]


@dataclass(frozen=True)
class VolumeTask(LabelTask):
    """Task of `napari-sam segment --volume` for one stack in depth, or a series of them."""

    settings: InstanceSettings

    @contextmanager
    def opened(self, predictor: Predictor) -> Iterator[_OpenVolume]:
        """Open the image.

        Raises
        ------
        InputError
            If it has no depth.
        """
        with open_image(self.source) as data:
            shape = data.plain_shape
            spacing = self.spacing(len(shape))
            if spacing.along is None or spacing.axes[spacing.along] != "z":
                raise InputError(
                    f"--volume is for stacks in depth; the axes of this one are {spacing.axes}: "
                    "leave --volume out"
                )
            with self.target.room(shape) as labels:
                yield _OpenVolume(self, predictor, data, labels)


@dataclass(frozen=True, eq=False)
class _OpenVolume:
    """Open image with its labels."""

    task: VolumeTask
    predictor: Predictor
    data: LazyImage
    labels: NDArray[np.int32]
    parts: tuple[int] = (0,)

    def do(self, part: int) -> Iterator[float]:
        """Segment one volume after the other."""
        from napari_sam.inference.automatic.instances.directions import iter_volume

        shape = self.data.plain_shape
        spacing = self.task.spacing(len(shape))
        contrast = stack_contrast(self.data, self.predictor.model.entry.intensity)
        volumes = runs(shape[:-2], spacing.along)
        last = 0
        for number, planes in enumerate(volumes):
            steps = iter_volume(
                self.predictor,
                np.stack([self.data[plane] for plane in planes]),
                self.task.settings,
                anisotropy=spacing.anisotropy,
                contrast=contrast,
            )
            for step in steps:
                yield (number + step.done / step.total) / len(volumes)
                if step.result is not None:
                    for plane, found in zip(planes, step.result, strict=True):
                        self.labels[plane] = np.where(found > 0, found + last, 0)
                    last += int(step.result.max())

    def finish(self) -> Json:
        """Write the labels; return a report with the number of objects."""
        target, spacing = self.task.target, self.task.spacing(self.labels.ndim)
        report = {
            "objects": int(self.labels.max()),
            "way": "volume",
            "linked": None,
            "anisotropy": spacing.anisotropy,
        }
        target.write(self.labels, spacing, self.predictor.model.entry, report)
        target.clean()
        return report
