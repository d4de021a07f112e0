"""`napari-sam convert`: objects from any format to any other, or measured."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sam.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_sam.io.drawn import Drawn
    from napari_sam.io.spacing import Spacing

__all__ = ["add"]

CHANNELS = ("c", "channel", "channels")
STATE = ("scale", "translate", "units")


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "convert",
        help="write objects in another format, or measure them",
        description="The endings say the formats: .tif, .ome.tif, .zarr, .png are labels, .json is "
        "COCO, .geojson is for QuPath, .zip holds ROIs of ImageJ, .csv measurements.",
    )
    parser.add_argument(
        "labels", metavar="LABELS", type=Path, nargs="+", help="several only into a .json"
    )
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True)
    parser.add_argument(
        "--image", metavar="PICTURE", type=Path,
        help="the picture: gives shape, pixel size, and brightness in a .csv",
    )  # fmt: skip
    parser.add_argument(
        "--picture", metavar="NAME", help="which one, where a .json holds several pictures"
    )
    parser.add_argument(
        "--polygons", action="store_true", help="in a .json, in place of run lengths"
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Read, write, and say what was written."""
    from napari_sam.io.export import OUTLINES, as_labels, write_drawn, write_objects
    from napari_sam.io.labels import check_output

    check_output(chosen.output, *chosen.labels, *([chosen.image] if chosen.image else []))
    kind = chosen.output.suffix.lower()
    if len(chosen.labels) > 1 and (chosen.image or kind != ".json"):
        raise InputError("several files of labels go only into a .json, and without --image")
    about = None if chosen.image is None else _Picture(chosen.image)
    read = [_read(path, about, chosen.picture) for path in chosen.labels]
    if kind in OUTLINES:
        names = [(chosen.image or path).name for path in chosen.labels]
        if len(set(names)) < len(names):
            raise InputError("files in one .json must have different names")
        pictures = {name: drawn for name, (drawn, _) in zip(names, read, strict=True)}
        write_drawn(chosen.output, pictures, outlines=chosen.polygons)
    else:
        ((drawn, spacing),) = read
        classes = {piece.id: piece.name for piece in drawn.pieces if piece.name}
        image = about.pixels() if about and kind == ".csv" else None
        write_objects(chosen.output, as_labels(drawn), spacing, classes=classes, image=image)
    count = sum(len({piece.id for piece in drawn.pieces}) for drawn, _ in read)
    print(f"{count} objects: {chosen.output.resolve()}")
    return 0


class _Picture:
    """Shape and spacing of a picture without its channels, and where these are."""

    def __init__(self, path: Path) -> None:
        from napari_sam.io.pictures import open_picture
        from napari_sam.io.scale import read_spacing
        from napari_sam.io.spacing import Spacing

        self.path = path
        with open_picture(path) as picture:
            shape = tuple(picture.shape)
        colours = len(shape) > 2 and shape[-1] in (3, 4)
        about = read_spacing(path, len(shape) - colours)
        self.channels = [axis for axis, name in enumerate(about.names) if name in CHANNELS][:1]
        kept = [axis for axis in range(len(about.names)) if axis not in self.channels]
        self.shape = tuple(shape[axis] for axis in kept)
        state = {"axis_labels": about.names, **{key: getattr(about, key) for key in STATE}}
        self.spacing = Spacing.of(
            len(kept), {key: [values[axis] for axis in kept] for key, values in state.items()}
        )

    def pixels(self) -> NDArray[Any]:
        """Return the whole picture, channels last."""
        import numpy as np

        from napari_sam.io.pictures import open_picture

        with open_picture(self.path) as picture:
            whole = np.asarray(picture[...])
        return np.moveaxis(whole, self.channels, [-1] * len(self.channels))


def _read(path: Path, about: _Picture | None, picture: str | None) -> tuple[Drawn, Spacing]:
    """Return the objects of a file, and their spacing: the picture's if they fit to it."""
    from napari_sam.io.export import read_objects
    from napari_sam.io.scale import read_spacing
    from napari_sam.io.spacing import Spacing

    shape, axes = (about.shape, about.spacing.axes) if about else (None, None)
    drawn = read_objects(path, shape, axes, picture)
    if about and drawn.shape == about.shape:
        return drawn, about.spacing
    known = read_spacing(path, len(drawn.shape))
    usual = known == Spacing.usual(len(drawn.shape))
    return drawn, Spacing.of(len(drawn.shape), {"axis_labels": drawn.axes}) if usual else known
