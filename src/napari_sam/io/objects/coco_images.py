"""Validation of the image and category entries of a COCO file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from napari_sam.errors import InputError
from napari_sam.files import Json
from napari_sam.io.objects.instances import PLANES, check_labels_size
from napari_sam.io.objects.read_log import ReadLog
from napari_sam.numbering import whole_number

__all__ = ["CocoImage", "class_names_of", "images_of", "key_of"]


@dataclass(frozen=True)
class CocoImage:
    """Image entry of a COCO file: an image, or one plane of a stack that `write_coco` has written.

    Parameters
    ----------
    name : str
        Of the picture or the whole stack.
    shape : tuple of int
        Of all of it.
    axes : str
        A letter of "tczyx" for each axis.
    plane : tuple of int
        Which one of the stack.
    """

    name: str
    shape: tuple[int, ...]
    axes: str
    plane: tuple[int, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Image size: rows and columns."""
        return self.shape[-2], self.shape[-1]

    @property
    def at(self) -> Mapping[str, int]:
        """Index of the plane in its stack, by axis letter."""
        return dict(zip(self.axes, self.plane, strict=False))


def key_of(value: object, what: str) -> int | str:
    """Return the id of an image or category: an integer or a string."""
    key = value if isinstance(value, str) else whole_number(value)
    if key is None:
        raise InputError(f"{what} must be a whole number or text; got {value!r}")
    return key


def images_of(images: object, log: ReadLog) -> dict[int | str, CocoImage]:
    """Return the image entries by id; invalid ones are left out and logged."""
    by_id: dict[int | str, CocoImage] = {}
    stacks: dict[str, CocoImage] = {}
    taken: set[tuple[str, tuple[int, ...]]] = set()
    keys = set()
    for number, image in enumerate(_entries(images, "images"), 1):
        key = key_of(image.get("id"), f"the id of image {number}")
        if key in keys:
            raise InputError(f"two images have the id {key!r}")
        keys.add(key)
        with log.guard(f"image {str(key)[:40]}"):
            known = _image_of(image)
            first = stacks.setdefault(known.name, known)
            if (known.name, known.plane) in taken:
                raise InputError("another image has its name")
            if (first.shape, first.axes) != (known.shape, known.axes):
                raise InputError("it has another shape than the other slices of its stack")
            taken.add((known.name, known.plane))
            by_id[key] = known
    return by_id


def class_names_of(categories: object) -> dict[int | str, str]:
    """Return the category names by id."""
    names: dict[int | str, str] = {}
    for number, one in enumerate(_entries(categories, "categories"), 1):
        key = key_of(one.get("id"), f"the id of category {number}")
        name = one.get("name")
        if key in names:
            raise InputError(f"two categories have the id {key!r}")
        if not isinstance(name, str):
            raise InputError(f"the name of category {number} must be text; got {name!r}")
        names[key] = name
    return names


def _entries(listed: object, what: str) -> list[Json]:
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise InputError(f"its {what} must be a list of objects")
    return listed


def _image_of(image: Json) -> CocoImage:
    name = image.get("stack", image.get("file_name"))
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise InputError("its name must be text that can be printed")
    stack, axes = _numbers(image, "stack_shape"), image.get("stack_axes", "")
    size = [whole_number(image.get(side)) for side in ("height", "width")]
    shape = tuple(n for n in (*stack, *size) if n is not None and n > 0)
    if len(shape) < len(stack) + 2:
        raise InputError("its height and width must be whole numbers from 1")
    plane = _numbers(image, "plane")
    if not _fits(axes, len(stack)) or len(plane) != len(stack):
        raise InputError("it does not say which slice of its stack it is")
    if any(not 0 <= at < n for at, n in zip(plane, shape, strict=False)):
        raise InputError("its slice is not in its stack")
    check_labels_size(shape)
    return CocoImage(name, shape, f"{axes}yx", plane)


def _numbers(image: Json, key: str) -> tuple[int, ...]:
    values = image.get(key, [])
    numbers = [whole_number(one) for one in values] if isinstance(values, list) else [None]
    if None in numbers:
        raise InputError(f"its {key} must be a list of whole numbers")
    return tuple(one for one in numbers if one is not None)


def _fits(axes: object, count: int) -> bool:
    """Tell whether these are letters of so many different axes."""
    return isinstance(axes, str) and len(axes) == count == len({*axes} & {*PLANES})
