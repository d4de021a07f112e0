"""What the commands do to a file, in parts that any machine can do, in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from napari_sam.inference.predictor import Predictor

__all__ = ["Progress", "Work"]


class Work(Protocol):
    """What is to be done to one file: a frozen dataclass of names and settings, to be sent around.

    Parts may be done twice, or be left half-way: what they write gets its name when it is whole,
    and what is there is not made again.
    """

    @property
    def source(self) -> Path:
        """The file."""
        ...

    @property
    def folder(self) -> Path | None:
        """The folder that is written to, if any."""
        ...

    def parts(self) -> Sequence[Any]:
        """Return the parts."""
        ...

    def do(self, part: Any, predictor: Predictor) -> None:
        """Do a part, unless it is done."""
        ...

    def finish(self, predictor: Predictor) -> Any:
        """Put all parts together and return a report."""
        ...


@dataclass(frozen=True)
class Progress:
    """How far a file is.

    Parameters
    ----------
    work : Work
    done, total : int
        Parts.
    report : object
        What `Work.finish` returned; None before.
    problem : str
        Why nothing more is done to this file; empty if all is well.
    """

    work: Work
    done: int
    total: int
    report: Any = None
    problem: str = ""
