"""Input images of a command, and the output path of each."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from glob import has_magic
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TypeVar

from napari_sam.cli.progress import Failures
from napari_sam.errors import InputError
from napari_sam.files import LABELS
from napari_sam.reasons import shown

__all__ = ["common_root", "distinct", "input_images", "output_paths", "relative_folder"]

T = TypeVar("T")


def input_images(
    named: Sequence[Path], failures: Failures, output: Path | None = None, quiet: bool = False
) -> list[Path]:
    """Return the input images; unreadable ones are failures.

    Labels of other pictures that are meant, too, are left out with a word: ``labels`` beside
    ``image``, ``cells_labels`` beside ``cells`` or in the folder that is written to, and what these
    commands have written before. They count as pictures where there is nothing else.
    """
    from napari_sam.io.images.find import find_images
    from napari_sam.io.images.label_files import test_of_labels

    found = find_images(named, failures.reasons.__setitem__)
    test = test_of_labels(found, output)
    labels = [path for path in found if test(path)]
    if not labels or len(labels) == len(found):
        return found
    if not quiet:
        some = (
            f"{len(labels)} files, such as {shown(labels[0])}" if labels[1:] else shown(labels[0])
        )
        print(f"left out, as labels of others: {some}", file=sys.stderr)
    return [path for path in found if path not in set(labels)]


def output_paths(
    images: list[Path],
    named: Sequence[Path],
    output: Path,
    failures: Failures,
    others: Iterable[Path] = (),
    ending: str = LABELS,
) -> dict[Path, Path]:
    """Return the output path of each image; images without a valid one are failures.

    Parameters
    ----------
    images : list of Path
        The pictures.
    named : sequence of Path
        What they were found in. Where names collide, its folders are mirrored.
    output : Path
        A file for one picture; a folder.
    others : iterable of Path
        Other inputs, which must stay.
    ending : str
        Behind the names in a folder.
    """
    from napari_sam.io.images.find import name_of, whole_name_of
    from napari_sam.io.labels import check_output

    if output.suffix:
        if len(images) > 1:
            raise InputError(f"the labels of {len(images)} pictures need a folder; got {output}")
        check_output(output)
        names = dict.fromkeys(images, output)
    else:
        root = common_root(named)
        names = distinct(
            images,
            lambda image: Path(name_of(image)),
            lambda image: relative_folder(image, root) / name_of(image),
            lambda image: relative_folder(image, root) / whole_name_of(image),
        )
        names = {image: output / f"{name}{ending}.tif" for image, name in names.items()}
    inputs = {Path(os.path.realpath(path)) for path in (*images, *others)}
    outputs: dict[Path, Path] = {}
    taken: dict[str, Path] = {}
    alike = len({str(one).casefold() for one in names.values()}) < len(set(names.values()))
    blind = alike and _is_blind(output)
    for image, one in names.items():
        with failures.kept(image):
            check_output(one, *inputs.intersection([Path(os.path.realpath(one))]))
            first = taken.setdefault(str(one).casefold() if blind else str(one), image)
            if first != image:
                raise InputError(f"its labels would replace those of {first}; do one after another")
            outputs[image] = one
    return outputs


def distinct(items: Iterable[T], *ways: Callable[[T], Path]) -> dict[T, Path]:
    """Name items the first way; on a collision the next way, and so on.

    Examples
    --------
    >>> names = distinct(["a/x", "b/x", "y"], lambda path: Path(Path(path).name), Path)
    >>> [name.as_posix() for name in names.values()]
    ['a/x', 'b/x', 'y']
    """
    first, *others = ways
    names = {item: first(item) for item in items}
    for way in others:
        counts = Counter(names.values())
        names = {item: way(item) if counts[name] > 1 else name for item, name in names.items()}
    return names


def common_root(named: Sequence[Path]) -> Path:
    """Return the common parent folder of all paths."""
    heads = [os.path.abspath(_head(path)) for path in named]
    try:
        return Path(os.path.commonpath(heads))
    except ValueError:  # several drives
        return Path(Path(heads[0]).anchor)


def _head(path: Path) -> Path:
    """Return the folder in which everything lies that is meant by a path."""
    from napari_sam.io.images.find import ZARR, folder_of

    if os.path.isdir(path) and path.suffix.lower() not in ZARR:
        return path
    if os.path.exists(path) or not has_magic(str(path)):
        return folder_of(path)
    return next(one for one in path.parents if not has_magic(str(one)))


def relative_folder(path: Path, root: Path) -> Path:
    """Return an image's folder relative to a root, or to the drive if outside the root."""
    from napari_sam.io.images.find import folder_of

    place = Path(os.path.abspath(folder_of(path)))
    return place.relative_to(root if place.is_relative_to(root) else place.anchor)


def _is_blind(folder: Path) -> bool:
    """Tell whether the disk takes upper and lower case for the same name."""
    folder.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=folder, prefix="aA") as file:
        return folder.joinpath(Path(file.name).name.swapcase()).exists()
