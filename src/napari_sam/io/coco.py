"""COCO's JSON of instances: several pictures, classes as categories, overlaps allowed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.files import replacing
from napari_sam.io.drawn import Drawn, Found, Piece, formats_extra, gather
from napari_sam.io.outlines import outline, polygons

__all__ = ["read_coco", "write_coco"]

CLASS = "object"  # of objects that have none: COCO wants one


def write_coco(path: Path, pictures: Mapping[str, Drawn], outlines: bool = False) -> None:
    """Write objects of one or more pictures, complete or not at all.

    COCO knows only 2D pictures: each plane of a stack is a picture of its own, and the annotations
    of one object share an ``object_id``, a key that other programs skip.

    Parameters
    ----------
    path : Path
        The file, ``.json``.
    pictures : mapping of str to Drawn
        By the pictures' file names.
    outlines : bool
        Write polygons in place of run lengths; an object with holes, which COCO's polygons cannot
        have, stays run lengths.
    """
    with formats_extra():
        import pycocotools.mask as rle  # noqa: F401 - before anything is written
    names = sorted(
        {piece.name or CLASS for drawn in pictures.values() for piece in drawn.pieces} or {CLASS}
    )
    categories = {name: number for number, name in enumerate(names, 1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for name, drawn in pictures.items():
        numbers = {}
        for plane in np.ndindex(*drawn.shape[:-2]):
            numbers[plane] = len(images) + 1
            images.append({"id": len(images) + 1, **_image(name, drawn, plane)})
        for piece in drawn.pieces:
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": numbers[piece.plane],
                    "category_id": categories[piece.name or CLASS],
                    "object_id": piece.id,
                    **_annotation(piece, drawn.shape[-2:], outlines),
                }
            )
    whole = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
    }
    with replacing(path) as part:
        part.write_text(json.dumps(whole), encoding="utf-8")


def read_coco(path: Path) -> dict[str, Drawn]:
    """Read the objects of each picture: run lengths, compressed or not, and polygons.

    Returns
    -------
    dict of str to Drawn
        By the pictures' file names; a stack that `write_coco` has written is one picture.

    Raises
    ------
    InputError
        If it is no such file.
    """
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        categories = {one["id"]: one["name"] for one in whole["categories"]}
        images = {one["id"]: one for one in whole["images"]}
        found: dict[str, list[Found]] = {_name(one): [] for one in images.values()}
        shapes: dict[str, tuple[int, ...]] = {}
        axes: dict[str, str] = defaultdict(lambda: "yx")
        for image in images.values():
            size = int(image["height"]), int(image["width"])
            shapes[_name(image)] = (*map(int, image.get("stack_shape", ())), *size)
            axes[_name(image)] = image.get("stack_axes", "") + "yx"
        for one in whole["annotations"]:
            image = images[one["image_id"]]
            mask = _mask(one["segmentation"], int(image["height"]), int(image["width"]))
            if mask.any():
                at = dict(zip(axes[_name(image)], image.get("plane", ()), strict=False))
                corner, cut = _cropped(mask)
                name = categories[one["category_id"]]
                found[_name(image)].append(Found(one.get("object_id"), at, corner, cut, name))
    except InputError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is no COCO file of instances: {error!r}") from error
    return {name: gather(pieces, shapes[name], axes[name]) for name, pieces in found.items()}


def _image(name: str, drawn: Drawn, plane: tuple[int, ...]) -> dict[str, Any]:
    height, width = drawn.shape[-2:]
    one: dict[str, Any] = {"file_name": name, "height": height, "width": width}
    if plane:
        where = "_".join(f"{letter}{n:04}" for letter, n in zip(drawn.axes, plane, strict=False))
        one |= {
            "file_name": f"{name}#{where}",
            "stack": name,
            "stack_axes": drawn.axes[:-2],
            "stack_shape": drawn.shape[:-2],
            "plane": plane,
        }
    return one


def _name(image: dict[str, Any]) -> str:
    return str(image.get("stack", image["file_name"]))


def _annotation(piece: Piece, size: tuple[int, ...], outlines: bool) -> dict[str, Any]:
    top, left = piece.corner
    height, width = piece.mask.shape
    about: dict[str, Any] = {
        "bbox": [left, top, width, height],
        "area": int(piece.mask.sum()),
        "iscrowd": 0,
    }
    if outlines:
        parts = polygons(outline(piece))
        if all(len(rings) == 1 for rings in parts):
            rings = [rings[0].astype(int).ravel().tolist() for rings in parts]
            return {"segmentation": rings, **about}
    import pycocotools.mask as rle

    whole = np.zeros(size, np.uint8, order="F")
    whole[top : top + height, left : left + width] = piece.mask
    coded = rle.encode(whole)
    return {"segmentation": {"size": list(size), "counts": coded["counts"].decode()}, **about}


def _mask(segmentation: Any, height: int, width: int) -> NDArray[np.bool_]:
    with formats_extra():
        import pycocotools.mask as rle
    if isinstance(segmentation, list):
        coded = rle.merge(rle.frPyObjects(segmentation, height, width)) if segmentation else None
    elif isinstance(segmentation["counts"], list):
        coded = rle.frPyObjects(segmentation, height, width)
    else:
        coded = segmentation
    if coded is None:
        return np.zeros((height, width), bool)
    return np.asarray(rle.decode(coded)).astype(bool)


def _cropped(mask: NDArray[np.bool_]) -> tuple[tuple[int, int], NDArray[np.bool_]]:
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    return (top, left), mask[top : rows[-1] + 1, left : columns[-1] + 1]
