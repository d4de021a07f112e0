"""`napari-sam convert`: convert objects between formats, or measure them."""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from napari_sam.cli.pairing import nearest
from napari_sam.cli.paths import common_root, distinct, relative_folder
from napari_sam.cli.progress import Failures
from napari_sam.errors import InputError
from napari_sam.files import LABELS
from napari_sam.reasons import shown

if TYPE_CHECKING:
    from napari_sam.arrays import Array
    from napari_sam.cli.commands import Commands
    from napari_sam.io.objects.instances import Instances
    from napari_sam.io.spacing import Spacing

__all__ = ["add"]

CHANNELS = ("c", "channel", "channels")
STATE = ("scale", "translate", "units")


def add(commands: Commands) -> None:
    """Add the subcommand to the parser."""
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
        "--axes", metavar="LETTERS",
        help="what the axes of the labels are, in place of what the file says, of t (time), z "
        "(depth), c (channels), y and x; tyx is measured frame by frame",
    )  # fmt: skip
    parser.add_argument(
        "--polygons", action="store_true", help="in a .json, in place of run lengths"
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Convert and report the files written; return 1 if any was left out."""
    from napari_sam.io.export import OUTLINES, as_labels, write_instances, write_objects
    from napari_sam.io.labels import check_output

    kind = chosen.output.suffix.lower()
    if not kind and [one.suffix.lower() for one in chosen.labels] == [".json"]:
        return _into_folder(chosen.labels[0], chosen.output)
    failures = Failures()
    files = _files(chosen.labels, failures)
    if len(files) > 1 and kind != ".json":
        raise InputError("several files of labels go only into a .json")
    images = _images(files, chosen, failures)
    check_output(chosen.output, *files, *(image for image in images.values() if image))
    read: dict[Path, tuple[Instances, Spacing]] = {}
    for path, image in images.items():
        with failures.kept(path):
            read[path] = _read(path, _ImageInfo(image) if image else None, chosen.picture)
    if kind in OUTLINES and read:
        named = [chosen.image] if chosen.image else chosen.labels
        names = _called({path: images[path] or path for path in read}, common_root(named))
        by_image = {names[path]: instances for path, (instances, _) in read.items()}
        write_instances(chosen.output, by_image, outlines=chosen.polygons)
    elif read:
        [(path, (instances, spacing))] = read.items()
        if chosen.axes:
            spacing = spacing.named(chosen.axes)
        classes = {piece.id: piece.name for piece in instances.pieces if piece.name}
        image = images[path]
        pixels = _ImageInfo(image).pixels() if image and kind == ".csv" else None
        write_objects(chosen.output, as_labels(instances), spacing, classes=classes, image=pixels)
    if read:
        count = sum(_count(instances) for instances, _ in read.values())
        print(f"{count} objects: {shown(chosen.output.resolve())}")
    failures.tell(len(read) + len(failures.reasons))
    return int(bool(failures.reasons))


def _into_folder(coco: Path, folder: Path) -> int:
    """Write labels of each picture of a COCO file, called as those of other commands."""
    from napari_sam.io.export import as_labels, read_all, write_objects
    from napari_sam.io.spacing import Spacing

    by_image, failures = read_all(coco), Failures()
    folders = {name: PurePosixPath(name.replace("\\", "/")).parts[:-1] for name in by_image}
    outputs = distinct(
        by_image,
        lambda name: Path(Path(name).stem),
        lambda name: Path(*filter(_is_safe, folders[name])) / Path(name).stem,
        lambda name: Path(*filter(_is_safe, folders[name])) / Path(name).name,
    )
    if len(set(outputs.values())) < len(outputs):
        raise InputError(f"two of the pictures in {coco} have the same name; take --picture")
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, instances in by_image.items():
        with failures.kept(Path(name)):
            spacing = Spacing.of(len(instances.shape), {"axis_labels": instances.axes})
            write_objects(folder / f"{outputs[name]}{LABELS}.tif", as_labels(instances), spacing)
            count += _count(instances)
    done = len(by_image) - len(failures.reasons)
    print(f"{count} objects on {done} pictures: {shown(folder.resolve())}")
    failures.tell(len(by_image))
    return int(bool(failures.reasons))


def _is_safe(part: str) -> bool:
    """Tell whether a folder that a file names lies below where it is written to."""
    return part not in ("/", "..") and ":" not in part


def _files(paths: list[Path], failures: Failures) -> list[Path]:
    """Return files of objects as they are, and the labels in folders and patterns."""
    from napari_sam.io.export import INSTANCE_FILES
    from napari_sam.io.images.find import find_images

    instances = [path for path in paths if path.suffix.lower() in INSTANCE_FILES]
    others = [path for path in paths if path not in instances]
    return [*instances, *find_images(others, failures.reasons.__setitem__)]


def _images(
    files: list[Path], chosen: argparse.Namespace, failures: Failures
) -> dict[Path, Path | None]:
    """Return the picture of each file, None without `--image`; files without one are failures."""
    from napari_sam.io.images.find import find_images, name_of, whole_name_of

    if chosen.image is None:
        return dict.fromkeys(files)
    found = find_images([chosen.image], failures.reasons.__setitem__)
    if len(files) == len(found) == 1:
        return {files[0]: found[0]}
    by_name: dict[str, list[Path]] = defaultdict(list)
    for image in found:
        for name in {name_of(image), whole_name_of(image)}:
            by_name[name].append(image)
    names = {file: name_of(file).removesuffix(LABELS) for file in files}
    counts, roots = (
        Counter(names.values()),
        (common_root(chosen.labels), common_root([chosen.image])),
    )
    images: dict[Path, Path | None] = {}
    for file, name in names.items():
        with failures.kept(file):
            wanted = "image" if name == "labels" else name
            those = nearest(file, by_name[wanted], counts[name] == 1, roots)
            if len(those) != 1:
                raise InputError(
                    f"{file} needs one picture called {wanted} in {chosen.image}; {len(those)} are"
                )
            images[file] = those[0]
    return images


def _called(paths: Mapping[Path, Path], root: Path) -> dict[Path, str]:
    """Return names for the pictures of files, with their folders where they are the same."""
    from napari_sam.io.images.find import name_of

    def name(path: Path) -> str:
        return path.name if path.suffix else name_of(path)  # of a plate's field

    names = distinct(
        paths,
        lambda file: Path(name(paths[file])),
        lambda file: relative_folder(paths[file], root) / name(paths[file]),
    )
    if len(set(names.values())) < len(names):
        raise InputError("files in one .json must have different names")
    return {file: one.as_posix() for file, one in names.items()}


def _count(instances: Instances) -> int:
    return len({piece.id for piece in instances.pieces})


class _ImageInfo:
    """Shape and spacing of a picture without its channels, and where these are."""

    def __init__(self, path: Path) -> None:
        from napari_sam.io.images.read import open_image
        from napari_sam.io.scale import read_spacing
        from napari_sam.io.spacing import Spacing

        self.path = path
        with open_image(path) as image:
            shape = image.plain_shape
        about = read_spacing(path, len(shape))
        self.channels = [axis for axis, name in enumerate(about.names) if name in CHANNELS][:1]
        kept = [axis for axis in range(len(about.names)) if axis not in self.channels]
        self.shape = tuple(shape[axis] for axis in kept)
        state = {"axis_labels": about.names, **{key: getattr(about, key) for key in STATE}}
        self.spacing = Spacing.of(
            len(kept), {key: [values[axis] for axis in kept] for key, values in state.items()}
        )

    def pixels(self) -> Array:
        """Return the whole picture, channels last."""
        import numpy as np

        from napari_sam.io.images.read import open_image

        with open_image(self.path) as image:
            whole = np.asarray(image[...])
        return np.moveaxis(whole, self.channels, [-1] * len(self.channels))


def _read(
    path: Path, about: _ImageInfo | None, image_name: str | None
) -> tuple[Instances, Spacing]:
    """Return the objects of a file, and their spacing: the picture's if they fit to it."""
    from napari_sam.io.export import read_objects
    from napari_sam.io.scale import read_spacing
    from napari_sam.io.spacing import Spacing

    shape, axes = (about.shape, about.spacing.axes) if about else (None, None)
    instances = read_objects(path, shape, axes, image_name)
    if about and instances.shape == about.shape:
        return instances, about.spacing
    known = read_spacing(path, len(instances.shape))
    usual = known == Spacing.usual(len(instances.shape))
    return instances, Spacing.of(
        len(instances.shape), {"axis_labels": instances.axes}
    ) if usual else known
