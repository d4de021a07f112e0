"""Protocols of batch tasks: each file has parts that any machine can do, in any order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor

__all__ = ["FileState", "OpenTask", "Task"]


class OpenTask(Protocol):
    """Protocol of a task whose file is open.

    Parts may be done twice, or be left half-way: what they write gets its name when it is whole,
    and what is there is not made again. Of a file of several parts each may be done, and all be put
    together, by another job on another machine.
    """

    @property
    def parts(self) -> Sequence[Any]:
        """Independent parts of the task."""
        ...

    def do(self, part: Any) -> Iterator[float]:
        """Do a part, unless it is done; yield its progress from 0 to 1."""
        ...

    def finish(self) -> Any:
        """Merge all parts and return a report."""
        ...


class Task(Protocol):
    """Protocol of a batch task for one file: a frozen, picklable dataclass of settings."""

    @property
    def source(self) -> Path:
        """Path of the input file."""
        ...

    @property
    def folder(self) -> Path | None:
        """Output folder, if any."""
        ...

    def opened(self, predictor: Predictor) -> AbstractContextManager[OpenTask]:
        """Open the file and return the open task."""
        ...


@dataclass(frozen=True)
class FileState:
    """State of a file in a batch; its progress counts parts.

    Parameters
    ----------
    task : Task
    report : object
        What `OpenTask.finish` returned; None before.
    problem : str
        Why nothing more is done to this file; empty if all is well.
    """

    task: Task
    report: Any = None
    problem: str = ""
