"""Labels from files and to files, as the commands need them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sam.errors import InputError
from napari_sam.files import replacing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["check_output", "copy_labels", "open_labels", "write_labels"]

TIFF, PNG = (".tif", ".tiff"), (".png",)


@contextmanager
def open_labels(path: Path) -> Iterator[Any]:
    """Open labels; index them to read. The numbers behind a palette's colours are the labels.

    Raises
    ------
    InputError
        If the file is missing or cannot be read.
    """
    from napari_sam.io.pictures import find_pictures, open_picture

    find_pictures([path])
    if path.suffix.lower() not in PNG:
        with open_picture(path) as labels:
            yield labels
        return
    import numpy as np
    from PIL import Image

    with Image.open(path) as image:
        labels = np.asarray(image)
    if labels.ndim != 2:
        raise InputError(f"{path} is a colour picture; labels need a whole number per object")
    yield labels


def copy_labels(labels: Any) -> NDArray[np.integer]:
    """Return all of the labels in memory, to write in."""
    import numpy as np

    copy = np.array(labels[...])
    return copy.astype(np.uint8) if copy.dtype == bool else copy


def check_output(output: Path, *inputs: Path) -> None:
    """Refuse an output that would replace an input, or that has no format for labels."""
    if output.suffix.lower() not in (*TIFF, *PNG):
        raise InputError(f"labels are written as .tif, or .png if they are 2D; got {output}")
    if any(output.resolve() == one.resolve() for one in inputs):
        raise InputError(f"{output} is an input, too; give the result another name")


def write_labels(path: Path, labels: NDArray[np.integer]) -> None:
    """Write labels complete or not at all, in their own dtype.

    Raises
    ------
    InputError
        If a PNG cannot hold them.
    """
    if path.suffix.lower() in PNG:
        from PIL import Image

        if labels.ndim != 2 or labels.max(initial=0) > 65535:
            raise InputError(f"{path}: a .png holds one slice and ids up to 65535; write a .tif")
        small = labels.astype("uint8" if labels.max(initial=0) < 256 else "uint16")
        with replacing(path) as part:
            Image.fromarray(small).save(part, format="PNG")
        return
    import tifffile

    with replacing(path) as part:
        tifffile.imwrite(
            part,
            labels,
            compression="zlib",
            photometric="minisblack",
            bigtiff=labels.nbytes > 2**31,
        )
