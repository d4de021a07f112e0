"""Checks of the dimensions that OME-XML claims, before memory is allocated."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sam.errors import InputError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["check_ome"]

MAX_SLICES = 1_000_000  # slices; a list of so many is still made at once
AXES = "XYZCT"
COUNTS = ("IFD", "FirstC", "FirstT", "FirstZ", "NumPlanes", "PlaneCount")


def check_ome(text: str, folder: Path, pixels: int) -> None:
    """Refuse OME-XML with dimensions below 1, not numeric, or with more planes than any file has.

    Parameters
    ----------
    text : str
        The XML.
    folder : Path
        Where the other files of a set lie.
    pixels : int
        How many the file's first slice has.

    Examples
    --------
    >>> pixels = '<Pixels DimensionOrder="XYZCT" SizeX="9" SizeY="9" SizeZ="100000000"/>'
    >>> check_ome(f"<OME><Image>{pixels}</Image></OME>", Path(), 81)
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
            total += _slices(element, pixels)
        elif kind == "TiffData":
            total += sum(_number(element, name) for name in COUNTS)
        elif kind.startswith("ModuloAlong"):
            total += _steps(element)
        elif kind == "UUID":
            _check_place(folder, element.attrib.get("FileName", ""))
    if total > MAX_SLICES:
        raise InputError(
            f"its OME-XML says that it has {total:,} slices; up to {MAX_SLICES:,} can be read"
        )


def _slices(element: Element, pixels: int) -> int:
    """Return how many slices of so many pixels it takes to hold what is said."""
    order = element.attrib.get("DimensionOrder", "")
    if sorted(order) != sorted(AXES) or order[:2] != "XY":
        raise InputError(f"its OME-XML says DimensionOrder={order!r}; it must be such as {AXES}")
    return -(-math.prod(_number(element, f"Size{axis}", least=1) for axis in AXES) // pixels)


def _check_place(folder: Path, name: str) -> None:
    """Refuse a name that leads to another folder, or to something to be read without end."""
    place = folder / name
    if name and (place.parent != folder or (place.exists() and not place.is_file())):
        raise InputError(f"its OME-XML names {name!r}, which is no file beside it")


def _number(element: Element, name: str, least: int = 0) -> int:
    said = element.attrib.get(name, str(least))
    if not said.strip().isdecimal() or int(said) < least:
        raise InputError(
            f"its OME-XML says {name}={said!r}; it must be a whole number from {least}"
        )
    return int(said)


def _steps(element: Element) -> int:
    """Return how many places an axis within an axis has."""
    try:
        start, end, step = (float(element.attrib.get(name, 1)) for name in ("Start", "End", "Step"))
        return max(0, round((end - start) / step))
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise InputError("its OME-XML has an axis that nobody can count along") from error
