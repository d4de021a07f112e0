"""Table (CSV) of a queue: a row for each picture, read and written by panel and commands."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from napari_sam.errors import InputError
from napari_sam.files import replacing
from napari_sam.session.queue.queue import Entry, State

__all__ = ["COLUMNS", "TABLE", "is_table", "read_table", "write_table"]

TABLE = "napari-sam-queue.csv"
COLUMNS = (
    "picture",
    "state",
    "objects",
    "to_review",
    "prompts",
    "corrections",
    "seconds",
    "expected_corrections",
    "note",
)


def is_table(path: Path) -> bool:
    """Return whether a path is that of a table, by its ending."""
    return path.suffix.lower() == ".csv"


def read_table(path: Path) -> list[Entry]:
    """Return the entries of a table; pictures are named from its folder on.

    Raises
    ------
    InputError
        If it is no such table; the message says which row and why.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / TABLE
    >>> write_table(path, [Entry(path.parent / "day 1" / "a.tif", State.DONE, objects=3)])
    >>> [(one.path.name, one.state.value, one.objects) for one in read_table(path)]
    [('a.tif', 'done', 3)]
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = {"picture", "state"}.difference(rows.fieldnames or ())
        if missing:
            raise InputError(f"{path} is no table of a queue: it has no column {min(missing)!r}")
        return [_entry(path, number, row) for number, row in enumerate(rows, 2) if any(row)]


def write_table(path: Path, entries: Sequence[Entry]) -> None:
    """Write entries to a table, all at once; rows of other pictures that are there stay.

    Raises
    ------
    OSError, InputError
        If it cannot be written, or what is there is no table; that stays as it is then.
    """
    own = {os.path.abspath(entry.path) for entry in entries}
    there = read_table(path) if path.exists() else []
    others = [entry for entry in there if os.path.abspath(entry.path) not in own]
    rows = [_row(path.parent, entry) for entry in (*entries, *others)]
    rows.sort(key=lambda row: row[0])
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])


def _row(folder: Path, entry: Entry) -> tuple[str, ...]:
    expected = "" if entry.expected is None else f"{entry.expected:.2f}"
    figures = entry.objects, entry.to_review, entry.prompts, entry.corrections
    return (
        _named(folder, entry.path),
        entry.state.value,
        *map(str, figures),
        f"{entry.seconds:.1f}",
        expected,
        entry.note,
    )


def _named(folder: Path, path: Path) -> str:
    """Return a picture's path from the table's folder on, if it lies in it."""
    whole, root = Path(os.path.abspath(path)), Path(os.path.abspath(folder))
    return (whole.relative_to(root) if whole.is_relative_to(root) else whole).as_posix()


def _entry(table: Path, number: int, row: dict[str, str]) -> Entry:
    try:
        expected = row.get("expected_corrections") or ""
        return Entry(
            table.parent / row["picture"],
            State(row["state"] or State.TODO.value),
            int(row.get("objects") or 0),
            int(row.get("to_review") or 0),
            int(row.get("prompts") or 0),
            int(row.get("corrections") or 0),
            float(row.get("seconds") or 0),
            float(expected) if expected else None,
            row.get("note") or "",
        )
    except (ValueError, TypeError) as error:
        states = ", ".join(state.value for state in State)
        raise InputError(
            f"{table}, row {number}: {error}; the state is one of {states}, the rest are numbers"
        ) from error
