"""Assignment of class numbers to class names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

__all__ = ["UNNAMED", "named"]

UNNAMED: Mapping[int, str] = {1: "object"}
"""The classes of a session in which nobody has named any."""


def named(
    classes: Mapping[int, str], used: Collection[int], words: Sequence[str]
) -> tuple[dict[int, str], dict[str, int]]:
    """Return the classes with missing names added, and the class number of each name.

    A name that is there keeps its number; where nobody has named or used any, the first is 1.

    Parameters
    ----------
    classes : mapping of int to str
        Names by number.
    used : collection of int
        Classes that objects have.
    words : sequence of str
        Names that are needed.

    Examples
    --------
    >>> named({1: "object"}, (), ["nuclei", "rods"])
    ({1: 'nuclei', 2: 'rods'}, {'nuclei': 1, 'rods': 2})
    >>> named({1: "object"}, {1}, ["nuclei"])
    ({1: 'object', 2: 'nuclei'}, {'nuclei': 2})
    """
    names = {} if dict(classes) == UNNAMED and not used and words else dict(classes)
    numbers: dict[str, int] = {}
    for word in words:
        known = next((n for n, name in names.items() if name.casefold() == word.casefold()), None)
        numbers[word] = max(names, default=0) + 1 if known is None else known
        names.setdefault(numbers[word], word)
    return names, numbers
