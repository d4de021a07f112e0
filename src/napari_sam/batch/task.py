"""What the commands do to a file, in parts that any machine can do, in any order."""

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
    """A file that is open to be worked on.

    Parts may be done twice, or be left half-way: what they write gets its name when it is whole,
    and what is there is not made again. Of a file of several parts each may be done, and all be put
    together, by another job on another machine.
    """

    @property
    def parts(self) -> Sequence[Any]:
        """The parts."""
        ...

    def do(self, part: Any) -> Iterator[float]:
        """Do a part, unless it is done; give now and then what share of it is, 0 to 1."""
        ...

    def finish(self) -> Any:
        """Put all parts together and return a report."""
        ...


class Task(Protocol):
    """What is to be done to a file: a frozen dataclass of names and settings, to be sent around."""

    @property
    def source(self) -> Path:
        """The file."""
        ...

    @property
    def folder(self) -> Path | None:
        """The folder that is written to, if any."""
        ...

    def opened(self, predictor: Predictor) -> AbstractContextManager[OpenTask]:
        """Open the file."""
        ...


@dataclass(frozen=True)
class FileState:
    """What is known of a file; its progress counts parts.

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
