"""`napari-sam convert`: objects from any format to any other, or measured."""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sam.cli.failures import Failures
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
        "labels", metavar="LABELS", type=Path, nargs="+",
        help="several, folders or patterns only into a .json",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, required=True,
        help="of a .json also a folder, for the labels of each of its pictures",
    )  # fmt: skip
    parser.add_argument(
        "--image", metavar="PICTURE", type=Path,
        help="the picture: gives shape, pixel size, and brightness in a .csv; for several files a "
        "folder or a pattern of pictures of the same names, which they get in the .json",
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

    kind = chosen.output.suffix.lower()
    if not kind and [one.suffix.lower() for one in chosen.labels] == [".json"]:
        return _into_folder(chosen.labels[0], chosen.output)
    files = _files(chosen.labels)
    if len(files) > 1 and kind != ".json":
        raise InputError("several files of labels go only into a .json")
    images = [None] * len(files) if chosen.image is None else _images(files, chosen.image)
    check_output(chosen.output, *files, *(image for image in images if image))
    abouts = [_Picture(image) if image else None for image in images]
    read = [_read(path, about, chosen.picture) for path, about in zip(files, abouts, strict=True)]
    if kind in OUTLINES:
        names = [_called(image or path) for path, image in zip(files, images, strict=True)]
        if len(set(names)) < len(names):
            raise InputError("files in one .json must have different names")
        pictures = {name: drawn for name, (drawn, _) in zip(names, read, strict=True)}
        write_drawn(chosen.output, pictures, outlines=chosen.polygons)
    else:
        ((drawn, spacing),), (about,) = read, abouts
        classes = {piece.id: piece.name for piece in drawn.pieces if piece.name}
        pixels = about.pixels() if about and kind == ".csv" else None
        write_objects(chosen.output, as_labels(drawn), spacing, classes=classes, image=pixels)
    print(f"{sum(_count(drawn) for drawn, _ in read)} objects: {chosen.output.resolve()}")
    return 0


def _into_folder(coco: Path, folder: Path) -> int:
    """Write labels of each picture of a COCO file, called as those of other commands."""
    from napari_sam.io.export import as_labels, read_all, write_objects
    from napari_sam.io.spacing import Spacing

    pictures = read_all(coco)
    outputs = {name: folder / f"{Path(name).stem}_labels.tif" for name in pictures}
    if len(set(outputs.values())) < len(outputs):
        raise InputError(f"two of the pictures in {coco} have the same name; take --picture")
    folder.mkdir(parents=True, exist_ok=True)
    failures, count = Failures(), 0
    for name, drawn in pictures.items():
        with failures.kept(Path(name)):
            spacing = Spacing.of(len(drawn.shape), {"axis_labels": drawn.axes})
            write_objects(outputs[name], as_labels(drawn), spacing)
            count += _count(drawn)
    done = len(pictures) - len(failures.reasons)
    print(f"{count} objects on {done} pictures: {folder.resolve()}")
    failures.tell(len(pictures))
    return int(bool(failures.reasons))


def _files(paths: list[Path]) -> list[Path]:
    """Return files of objects as they are, and the labels in folders and patterns."""
    from napari_sam.io.export import DRAWN
    from napari_sam.io.pictures import find_pictures

    files: list[Path] = []
    for path in paths:
        files += [path] if path.suffix.lower() in DRAWN else find_pictures([path])
    return files


def _images(files: list[Path], image: Path) -> list[Path]:
    """Return the picture of each file.

    Raises
    ------
    InputError
        If one has none, or several.
    """
    from napari_sam.io.pictures import find_pictures, name_of
    from napari_sam.training.pairs import LABELS

    pictures = find_pictures([image])
    if len(files) == len(pictures) == 1:
        return pictures
    by_name: dict[str, list[Path]] = defaultdict(list)
    for picture in pictures:
        by_name[name_of(picture)].append(picture)
    images = []
    for file in files:
        name = name_of(file).removesuffix(LABELS)
        those = by_name[name]
        if len(those) != 1:
            raise InputError(f"{file} needs one picture called {name} in {image}; {len(those)} are")
        images += those
    return images


def _called(path: Path) -> str:
    from napari_sam.io.pictures import name_of

    return path.name if path.suffix else name_of(path)  # of a plate's field


def _count(drawn: Drawn) -> int:
    return len({piece.id for piece in drawn.pieces})


class _Picture:
    """Shape and spacing of a picture without its channels, and where these are."""

    def __init__(self, path: Path) -> None:
        from napari_sam.batch.slices import axes
        from napari_sam.io.pictures import open_picture
        from napari_sam.io.scale import read_spacing
        from napari_sam.io.spacing import Spacing

        self.path = path
        with open_picture(path) as picture:
            shape = picture.shape[: axes(picture)]
        about = read_spacing(path, len(shape))
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
