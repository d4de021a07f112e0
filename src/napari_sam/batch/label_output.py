"""Output of tasks that write labels: the file, its scratch folder and its provenance."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from errno import EISDIR
from os import strerror
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from napari_sam.arrays import Array, LazyArray
from napari_sam.files import clear_left_over, scratch
from napari_sam.io.export import write_objects
from napari_sam.io.ome_zarr import check_replaceable
from napari_sam.io.provenance import provenance_path, write_provenance
from napari_sam.io.scale import read_spacing

if TYPE_CHECKING:
    from napari_sam.batch.task import OpenTask
    from napari_sam.inference.predictor import Predictor
    from napari_sam.io.spacing import Spacing
    from napari_sam.zoo.catalogue import Entry

__all__ = ["LabelOutput", "LabelTask"]


@dataclass(frozen=True)
class LabelOutput:
    """Output file of labels, with scratch folder and provenance.

    Parameters
    ----------
    output : Path
        The file.
    about : dict
        What the labels depend on, from `napari_sam.io.provenance.describe_run`.
    """

    output: Path
    about: Mapping[str, object]

    @property
    def folder(self) -> Path:
        """Folder of the output file."""
        return self.output.parent

    @property
    def scratch(self) -> Path:
        """Folder for intermediate results until the labels are written."""
        return self.output.with_name(f".{self.output.name}.parts")

    def prepare(self) -> None:
        """Create the output folder and check that labels can be written there.

        Raises
        ------
        InputError
            If something else is in the place of the labels.
        OSError
            If nothing can be written, or a name is too long.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.output.suffix.lower() == ".zarr":
            check_replaceable(self.output)
        elif self.output.is_dir():
            raise IsADirectoryError(EISDIR, strerror(EISDIR), str(self.output))
        with suppress(FileNotFoundError):
            self.scratch.lstat()  # the longest of the names
        try:
            with TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            error.filename = str(self.folder)
            raise

    @contextmanager
    def room(self, shape: tuple[int, ...], dtype: DTypeLike = np.int32) -> Iterator[Array]:
        """Yield a zero-filled label array, memory-mapped to a temporary file.

        The file has no name, and is gone at the end, however that comes.

        Raises
        ------
        OSError
            If the disk has no room for them.
        """
        clear_left_over(self.output)
        self.scratch.mkdir(parents=True, exist_ok=True)
        size = np.dtype(dtype).itemsize * int(np.prod(shape, dtype=np.int64))
        with scratch(self.scratch, max(size, 1)) as file:
            yield np.memmap(file, dtype, "r+", shape=shape)

    def write(
        self, labels: LazyArray, spacing: Spacing, entry: Entry, report: Mapping[str, object]
    ) -> None:
        """Write the labels and their provenance file."""
        write_objects(self.output, labels, spacing)
        write_provenance(self.output, {**self.about, "contrast": entry.intensity, "report": report})

    def write_unfinished(self, labels: LazyArray, spacing: Spacing) -> None:
        """Write incomplete labels, without provenance."""
        provenance_path(self.output).unlink(missing_ok=True)  # of others that were there before
        write_objects(self.output, labels, spacing)

    def clean(self) -> None:
        """Delete all intermediate results, also those of processes that were killed."""
        rmtree(self.scratch, ignore_errors=True)
        clear_left_over(self.output)


@dataclass(frozen=True)
class LabelTask(ABC):
    """Base class of tasks that write labels of an image.

    Parameters
    ----------
    source : Path
        The picture.
    target : LabelOutput
        Where its labels go.
    """

    source: Path
    target: LabelOutput

    @property
    def folder(self) -> Path:
        """Folder of the output file."""
        return self.target.folder

    @abstractmethod
    def opened(self, predictor: Predictor) -> AbstractContextManager[OpenTask]:
        """Open the image."""

    def spacing(self, ndim: int) -> Spacing:
        """Return the spacing of labels with `ndim` axes."""
        return read_spacing(self.source, ndim)
