"""Log of reading a file of objects: invalid ones are left out, with a warning."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari_sam.errors import InputError
from napari_sam.io.objects.instances import ObjectRecord
from napari_sam.io.objects.outlines import Raster
from napari_sam.numbering import MAX_LABEL, whole_number

__all__ = ["ReadLog", "label_of", "read_json"]

MAX_PIXELS = 2**32  # pixels of all masks of a file, a byte each; more is taken for damage or malice
MAX_NAME = 60  # letters of a name
MAX_NAMED = 3  # of the objects that a word is about
CUT = "cut at the edge of the picture, over which they reach"
RENUMBERED = "given a new number, for theirs is no whole number from 1"

logger = logging.getLogger(__name__)


class ReadLog:
    """Log of the objects of a file; an invalid one does not stop the others."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = self._pixels = 0
        self._said: dict[str, list[str]] = {}

    @contextmanager
    def guard(self, name: str) -> Iterator[None]:
        """Context that skips an invalid object and records why."""
        try:
            yield
        except InputError as error:
            self.note(f"left out, for {error}", name)
        except Exception as error:  # files can be damaged in more ways than anyone can name
            logger.debug("%s: %s", self._path, name, exc_info=error)
            self.note("left out, for it is not written as such files are", name)

    def note(self, what: str, name: str) -> None:
        """Record a message about an object."""
        shown = name if name.isprintable() else ascii(name)
        self._said.setdefault(what, []).append(shown)

    def record(
        self, name: str, value: object, at: Mapping[str, int], raster: Raster, kind: str | None
    ) -> ObjectRecord:
        """Return the record of a valid object, and count it.

        Parameters
        ----------
        name : str
            To speak of it.
        value : object
            Its number in the file; it gets a new one where that is none.
        at : mapping of str to int
            Where it lies, by letters of axes.
        raster : Raster
        kind : str, optional
            Name of its class.

        Raises
        ------
        InputError
            If all masks together would not fit into memory.
        """
        number = whole_number(value)
        if number is None or not 1 <= number <= MAX_LABEL:
            number = None
            if value is not None:
                self.note(RENUMBERED, f"{name}: {str(value)[:40]}")
        if self._pixels + raster.mask.size > MAX_PIXELS:
            raise InputError(
                f"the masks of a file may take {MAX_PIXELS:,} pixels together; split it"
            )
        self._pixels += raster.mask.size
        self._kept += 1
        if raster.cut:
            self.note(CUT, name)
        return ObjectRecord(number, at, raster.corner, raster.mask, kind)

    def warn(self, count: int) -> None:
        """Log a warning for each kind of message; raise an error if no object was valid.

        Parameters
        ----------
        count : int
            How many objects the file holds.
        """
        words = [f"{what}: {_named(names)}" for what, names in self._said.items()]
        if words and count and not self._kept:
            raise InputError(f"{self._path} holds no object that can be used; {'; '.join(words)}")
        for line in words:
            logger.warning("%s: %s", self._path, line)


def read_json(path: Path, what: str) -> Any:
    """Parse a JSON file and return its content."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        reason = f"line {error.lineno} is no JSON; is the file whole?"
        raise InputError(f"{path} is no {what}: {reason}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no {what}: it is no text") from error
    except RecursionError as error:
        raise InputError(f"{path} is no {what}: its brackets are nested too deeply") from error
    except ValueError as error:  # a number of thousands of digits
        raise InputError(f"{path} is no {what}: {error}") from error


def label_of(what: str, name: object, count: int) -> str:
    """Return how an object is named in messages: by its name, else by its index from 1.

    Examples
    --------
    >>> label_of("annotation", 17, 3), label_of("feature", None, 3)
    ('annotation 17', 'feature number 3')
    """
    known = isinstance(name, str | int | float) and name != ""
    return f"{what} {name}"[:MAX_NAME] if known else f"{what} number {count}"


def _named(names: list[str]) -> str:
    more = ", ..." if len(names) > MAX_NAMED else ""
    return f"{len(names)} ({', '.join(names[:MAX_NAMED])}{more})"
