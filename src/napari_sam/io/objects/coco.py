"""COCO instance JSON: several images, classes as categories, masks that may overlap."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_sam.errors import InputError
from napari_sam.files import Json, replacing
from napari_sam.io.objects.coco_images import CocoImage, class_names_of, images_of
from napari_sam.io.objects.coco_masks import mask_of
from napari_sam.io.objects.instances import Instances, ObjectRecord, Piece, formats_extra, gather
from napari_sam.io.objects.outlines import outline, rings_of
from napari_sam.io.objects.read_log import ReadLog, label_of, read_json
from napari_sam.numbering import whole_number

__all__ = ["read_coco", "write_coco"]

CLASS = "object"  # of objects that have none: COCO wants one
NO_COCO = "COCO file of instances"
CLASSLESS = "kept without a class, for theirs is not among the categories"


def write_coco(path: Path, by_image: Mapping[str, Instances], outlines: bool = False) -> None:
    """Write the instances of one or more images to a COCO file, atomically.

    COCO knows only 2D pictures: each plane of a stack is a picture of its own, and the annotations
    of one object share an ``object_id``, a key that other programs skip.

    Parameters
    ----------
    path : Path
        The file, ``.json``.
    by_image : mapping of str to Instances
        By the pictures' file names.
    outlines : bool
        Write polygons in place of run lengths; an object with holes, which COCO's polygons cannot
        have, stays run lengths.
    """
    with formats_extra():
        import pycocotools.mask as rle  # noqa: F401 - before anything is written
    names = sorted(
        {piece.name or CLASS for instances in by_image.values() for piece in instances.pieces}
        or {CLASS}
    )
    categories = {name: number for number, name in enumerate(names, 1)}
    images: list[Json] = []
    annotations: list[Json] = []
    for name, instances in by_image.items():
        numbers = {}
        for plane in np.ndindex(*instances.shape[:-2]):
            numbers[plane] = len(images) + 1
            images.append({"id": len(images) + 1, **_image(name, instances, plane)})
        for piece in instances.pieces:
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": numbers[piece.plane],
                    "category_id": categories[piece.name or CLASS],
                    "object_id": piece.id,
                    **_annotation(piece, instances.shape[-2:], outlines),
                }
            )
    whole = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
    }
    with replacing(path) as part:
        part.write_text(json.dumps(whole), encoding="utf-8")


def read_coco(path: Path) -> dict[str, Instances]:
    """Read the instances of each image of a COCO file: RLE, compressed or not, and polygons.

    Returns
    -------
    dict of str to Instances
        By the pictures' file names; a stack that `write_coco` has written is one picture.

    Raises
    ------
    InputError
        If it is no such file, or holds objects of which none can be used. Those that cannot be used
        beside others are left out, and a warning says why.
    """
    whole, log = read_json(path, NO_COCO), ReadLog(path)
    if not isinstance(whole, dict) or not isinstance(whole.get("annotations"), list):
        raise InputError(f"{path} is no {NO_COCO}: it has no list of annotations")
    try:
        names = class_names_of(whole.get("categories") or [])
        images_by_id = images_of(whole.get("images"), log)
    except InputError as error:
        raise InputError(f"{path} is no {NO_COCO}: {error}") from error
    found: dict[str, list[ObjectRecord]] = {image.name: [] for image in images_by_id.values()}
    for count, one in enumerate(whole["annotations"], 1):
        name = label_of("annotation", one.get("id") if isinstance(one, dict) else None, count)
        with log.guard(name):
            image = _image_of(one, images_by_id)
            raster = mask_of(one.get("segmentation"), image.size)
            kind = _class(one, names, log, name)
            record = log.record(name, one.get("object_id"), image.at, raster, kind)
            found[image.name].append(record)
    log.warn(len(whole["annotations"]))
    if not images_by_id:
        raise InputError(f"{path} names no picture that can be used")
    by_image = {image.name: image for image in images_by_id.values()}
    return {name: gather(found[name], one.shape, one.axes) for name, one in by_image.items()}


def _image(name: str, instances: Instances, plane: tuple[int, ...]) -> Json:
    height, width = instances.shape[-2:]
    one: Json = {"file_name": name, "height": height, "width": width}
    if plane:
        where = "_".join(
            f"{letter}{n:04}" for letter, n in zip(instances.axes, plane, strict=False)
        )
        one |= {
            "file_name": f"{name}#{where}",
            "stack": name,
            "stack_axes": instances.axes[:-2],
            "stack_shape": instances.shape[:-2],
            "plane": plane,
        }
    return one


def _annotation(piece: Piece, size: tuple[int, ...], outlines: bool) -> Json:
    top, left = piece.corner
    height, width = piece.mask.shape
    about: Json = {
        "bbox": [left, top, width, height],
        "area": int(piece.mask.sum()),
        "iscrowd": 0,
    }
    if outlines:
        parts = rings_of(outline(piece))
        if all(len(rings) == 1 for rings in parts):
            rings = [rings[0].astype(int).ravel().tolist() for rings in parts]
            return {"segmentation": rings, **about}
    import pycocotools.mask as rle

    whole = np.zeros(size, np.uint8, order="F")
    whole[top : top + height, left : left + width] = piece.mask
    coded = rle.encode(whole)
    return {"segmentation": {"size": list(size), "counts": coded["counts"].decode()}, **about}


def _image_of(annotation: Json, images_by_id: Mapping[Any, CocoImage]) -> CocoImage:
    image = images_by_id.get(_key(annotation.get("image_id")))
    if image is None:
        raise InputError("its picture is not among the images that can be used")
    return image


def _class(annotation: Json, names: Mapping[Any, str], log: ReadLog, name: str) -> str | None:
    key = annotation.get("category_id")
    kind = names.get(_key(key))
    if kind is None and key is not None:
        log.note(CLASSLESS, name)
    return kind


def _key(value: object) -> int | str | None:
    return value if isinstance(value, str) else whole_number(value)
