"""Refining and following as work in parts, whose steps are kept in files until all are done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sam.errors import InputError
from napari_sam.files import replacing
from napari_sam.inference.embeddings import open_store
from napari_sam.inference.stops import PropagateSettings
from napari_sam.results import Step

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor

__all__ = ["PropagateWork", "RefineWork", "kept", "kept_steps"]


@dataclass(frozen=True)
class RefineWork:
    """What `napari-sam refine` does to a picture and its labels, slice by slice.

    Parameters
    ----------
    source, labels, folder : Path
        The picture, its labels, and where the steps are kept.
    """

    source: Path
    labels: Path
    folder: Path

    def parts(self) -> list[int]:
        """Return the slices."""
        with _stacks(self.source, self.labels) as (_, labels):
            return list(range(labels.shape[0]))

    def do(self, part: int, predictor: Predictor) -> None:
        """Refine a slice."""
        from napari_sam.inference.refine import refine_stack
        from napari_sam.inference.stack import Stack

        with _stacks(self.source, self.labels) as (stack, labels):
            planes = Stack(stack)
            if (len(planes), *planes.shape) != tuple(labels.shape):
                shape = (len(planes), *planes.shape)
                raise InputError(
                    f"the labels must have the stack's shape {shape}; got {labels.shape}"
                )
            contrast = planes.contrast(predictor.model.entry.intensity)
            one = slice(part, part + 1)
            steps = refine_stack(
                predictor, stack[one], labels[one], contrast=contrast, store=open_store()
            )
            _keep(self.folder, part, [replace(step, index=part) for step in steps])

    def finish(self, predictor: Predictor) -> str:
        """Return where the steps are."""
        return str(self.folder)


@dataclass(frozen=True)
class PropagateWork:
    """What `napari-sam propagate` does to a stack: one part, each slice needs the one before.

    Parameters
    ----------
    source, seeds, folder : Path
        The stack, the labels that are known, and where the steps are kept.
    settings : PropagateSettings
    """

    source: Path
    seeds: Path
    folder: Path
    settings: PropagateSettings

    def parts(self) -> list[int]:
        """Return one part."""
        return [0]

    def do(self, part: int, predictor: Predictor) -> None:
        """Follow the objects."""
        from napari_sam.inference.propagate import propagate
        from napari_sam.io.labels import open_labels
        from napari_sam.io.pictures import open_picture

        with open_picture(self.source) as stack, open_labels(self.seeds) as seeds:
            steps = propagate(predictor, stack, seeds, self.settings, store=open_store())
            _keep(self.folder, part, list(steps))

    def finish(self, predictor: Predictor) -> str:
        """Return where the steps are."""
        return str(self.folder)


def kept(output: Path) -> Path:
    """Return a folder beside an output, made anew, for the steps that it is made of."""
    folder = output.resolve().with_name(f".{output.name}.steps")
    rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def kept_steps(folder: Path) -> Iterator[Step]:
    """Give the steps of all parts in order; the folder is deleted at the end."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            for number, one in enumerate(about):
                names = ("scores", "stopped", "unsure")
                said = {name: {int(id_): v for id_, v in one[name].items()} for name in names}
                yield Step(one["index"], file[f"labels{number}"], **said)
    rmtree(folder)


def _keep(folder: Path, part: int, steps: list[Step]) -> None:
    about = [
        {
            "index": step.index,
            "scores": {str(id_): float(score) for id_, score in step.scores.items()},
            "stopped": dict(step.stopped),
            "unsure": dict(step.unsure),
        }
        for step in steps
    ]
    labels: dict[str, Any] = {f"labels{i}": step.labels for i, step in enumerate(steps)}
    with replacing(folder / f"{part:06}.npz") as path, path.open("wb") as file:
        np.savez_compressed(file, about=json.dumps(about), **labels)


@contextmanager
def _stacks(picture: Path, labels: Path) -> Iterator[tuple[Any, Any]]:
    """Open a picture and its labels, both as stacks."""
    from napari_sam.io.labels import open_labels
    from napari_sam.io.pictures import open_picture

    with open_picture(picture) as image, open_labels(labels) as known:
        flat = len(known.shape) == 2
        yield (np.asarray(image)[None], np.asarray(known)[None]) if flat else (image, known)
