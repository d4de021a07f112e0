"""What OME-XML says of sizes, before anybody makes room for that many slices."""

from __future__ import annotations

from typing import Any

from napari_sam.errors import InputError

__all__ = ["check_ome"]

MOST = 1_000_000  # slices; a list of so many is still made at once
COUNTS = ("IFD", "FirstC", "FirstT", "FirstZ", "NumPlanes", "PlaneCount")


def check_ome(text: str) -> None:
    """Refuse OME-XML of sizes below 1, of no numbers, or of more slices than any file has.

    Raises
    ------
    InputError
        In words that go behind the file's name.

    Examples
    --------
    >>> check_ome('<OME><Image><Pixels SizeX="9" SizeY="9" SizeZ="100000000"/></Image></OME>')
    Traceback (most recent call last):
    napari_sam.errors.InputError: its OME-XML says that it has 100,000,000 slices; ...
    """
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:  # as if it had none: its pages are read as they are
        return
    total = 0
    for element in root.iter():
        kind = element.tag.rpartition("}")[2]
        if kind == "Pixels":
            sizes = [_number(element, f"Size{letter}", least=1) for letter in "ZCT"]
            total += sizes[0] * sizes[1] * sizes[2]
            _number(element, "SizeX", least=1), _number(element, "SizeY", least=1)
        elif kind == "TiffData":
            total += sum(_number(element, name) for name in COUNTS)
        elif kind.startswith("ModuloAlong"):
            total += _steps(element)
    if total > MOST:
        raise InputError(
            f"its OME-XML says that it has {total:,} slices; up to {MOST:,} can be read"
        )


def _number(element: Any, name: str, least: int = 0) -> int:
    said = element.attrib.get(name, str(least))
    if not said.strip().isdecimal() or int(said) < least:
        raise InputError(
            f"its OME-XML says {name}={said!r}; it must be a whole number from {least}"
        )
    return int(said)


def _steps(element: Any) -> int:
    """Return how many places an axis within an axis has."""
    try:
        start, end, step = (float(element.attrib.get(name, 1)) for name in ("Start", "End", "Step"))
        return max(0, round((end - start) / step))
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise InputError("its OME-XML has an axis that nobody can count along") from error
