"""Which pictures are meant, where the labels of each go, and which labels go with it."""

from __future__ import annotations

import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from glob import has_magic
from itertools import takewhile
from pathlib import Path

from napari_sam.cli.failures import Failures
from napari_sam.errors import InputError
from napari_sam.reasons import shown

__all__ = ["nearest", "outputs_of", "paired", "pictures_of", "root_of"]

LABELS = "_labels"


def pictures_of(
    named: Sequence[Path], failures: Failures, output: Path | None = None, quiet: bool = False
) -> list[Path]:
    """Return the pictures that are meant; what cannot be read is a failure.

    Labels of other pictures that are meant, too, are left out with a word: ``labels`` beside
    ``image``, ``cells_labels`` beside ``cells`` or in the folder that is written to, and what these
    commands have written before. They count as pictures where there is nothing else.

    Raises
    ------
    InputError
        If there are none.
    """
    from napari_sam.io.pictures import find_pictures

    found = find_pictures(named, failures.reasons.__setitem__)
    test = _test_of_labels(found, output)
    labels = [path for path in found if test(path)]
    if not labels or len(labels) == len(found):
        return found
    if not quiet:
        some = (
            f"{len(labels)} files, such as {shown(labels[0])}" if labels[1:] else shown(labels[0])
        )
        print(f"left out, as labels of others: {some}", file=sys.stderr)
    return [path for path in found if path not in set(labels)]


def outputs_of(
    images: list[Path],
    named: Sequence[Path],
    output: Path,
    failures: Failures,
    others: Iterable[Path] = (),
) -> dict[Path, Path]:
    """Return where the labels of each picture go; pictures that it cannot be said of are failures.

    Parameters
    ----------
    images : list of Path
        The pictures.
    named : sequence of Path
        What they were found in. Where names collide, its folders are mirrored.
    output : Path
        A file for one picture; a folder.
    failures : Failures
    others : iterable of Path
        Other inputs, which must stay.

    Raises
    ------
    InputError
        If several would go to one file, or it has no format for objects.
    """
    from napari_sam.io.labels import check_output

    if output.suffix:
        if len(images) > 1:
            raise InputError(f"the labels of {len(images)} pictures need a folder; got {output}")
        check_output(output)
        names = dict.fromkeys(images, output)
    else:
        names = {image: output / name for image, name in _names(images, root_of(named)).items()}
    inputs = {Path(os.path.realpath(path)) for path in (*images, *others)}
    outputs: dict[Path, Path] = {}
    taken: dict[str, Path] = {}
    for image, one in names.items():
        with failures.kept(image):
            check_output(one, *inputs.intersection([Path(os.path.realpath(one))]))
            first = taken.setdefault(os.path.normcase(one), image)
            if first != image:
                raise InputError(f"its labels would replace those of {first}; do one after another")
            outputs[image] = one
    return outputs


def paired(
    images: list[Path], named: Sequence[Path], labels: Path, failures: Failures
) -> dict[Path, Path]:
    """Return the labels of each picture; pictures without are failures.

    One file goes with one picture. Of several, those of ``cells.tif`` are called ``cells`` or
    ``cells_labels``, with whatever ending, and those of ``image`` also ``labels``; where pictures
    have the same name, the folders of the labels are called as theirs.

    Raises
    ------
    InputError
        If there are no labels at all.
    """
    from napari_sam.io.pictures import find_pictures, name_of, whole_name_of

    found = find_pictures([labels], failures.reasons.__setitem__)
    if len(images) == len(found) == 1:
        return {images[0]: found[0]}
    by_name: dict[str, list[Path]] = defaultdict(list)
    pictures = set(map(os.path.realpath, images))
    for path in found:
        if os.path.realpath(path) not in pictures:
            by_name[name_of(path).removesuffix(LABELS)].append(path)
    counts = Counter(map(name_of, images))
    pairs = {}
    for image in images:
        with failures.kept(image):
            name = name_of(image)
            those = [*by_name[name], *(by_name["labels"] if name == "image" else ())]
            those = by_name[whole_name_of(image)] or those
            best = nearest(image, those, counts[name] == 1, (root_of(named), root_of([labels])))
            if len(best) != 1:
                several = " and ".join(map(str, best)) or f"none of the {len(found)} there"
                raise InputError(f"one file of {labels} must have the same name; got {several}")
            pairs[image] = best[0]
    return pairs


def nearest(path: Path, those: list[Path], alone: bool, roots: tuple[Path, Path]) -> list[Path]:
    """Return which files go best with one of the same name in another tree of folders.

    Parameters
    ----------
    path : Path
        The one.
    those : list of Path
        The others.
    alone : bool
        If no other file has its name: then the only one goes with it, wherever that lies.
    roots : tuple of Path
        Of its tree, and of theirs. The same place in both counts most, then how many folders have
        the same names, from the last.
    """
    if alone and len(those) < 2:
        return those
    scores = {one: _likeness(path, one, roots) for one in sorted(those)}
    most = max(scores.values(), default=0)
    return [one for one, score in scores.items() if score == most] if most or alone else []


def root_of(named: Sequence[Path]) -> Path:
    """Return the folder that all that was named lies in."""
    heads = [os.path.abspath(_head(path)) for path in named]
    try:
        return Path(os.path.commonpath(heads))
    except ValueError:  # several drives
        return Path(Path(heads[0]).anchor)


def _head(path: Path) -> Path:
    """Return the folder in which everything lies that is meant by a path."""
    from napari_sam.io.pictures import ZARR, place_of

    if path.is_dir() and path.suffix.lower() not in ZARR:
        return path
    if path.exists() or not has_magic(str(path)):
        return place_of(path)
    return next(one for one in path.parents if not has_magic(str(one)))


def _names(images: list[Path], root: Path) -> dict[Path, Path]:
    """Return names for the labels of pictures, different ones as far as possible.

    That of the picture; where several have it with its folder, too; and if these lie in one folder,
    with the picture's ending.
    """
    from napari_sam.io.pictures import name_of, whole_name_of

    names = {image: Path(name_of(image)) for image in images}
    for further in (
        lambda image: _place(image, root) / name_of(image),
        lambda image: _place(image, root) / whole_name_of(image),
    ):
        counts = Counter(names.values())
        names = {i: further(i) if counts[name] > 1 else name for i, name in names.items()}
    return {image: name.with_name(f"{name.name}{LABELS}.tif") for image, name in names.items()}


def _place(path: Path, root: Path) -> Path:
    """Return where a picture lies below a folder; on another drive, below that."""
    from napari_sam.io.pictures import place_of

    place = Path(os.path.abspath(place_of(path)))
    return place.relative_to(root if place.is_relative_to(root) else place.anchor)


def _likeness(one: Path, other: Path, roots: tuple[Path, Path]) -> int:
    places = [_place(path, root) for path, root in zip((one, other), roots, strict=True)]
    if places[0] == places[1]:
        return sys.maxsize
    tails = [reversed((root / place).parts) for root, place in zip(roots, places, strict=True)]
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*tails, strict=False)))


def _test_of_labels(found: list[Path], output: Path | None) -> Callable[[Path], bool]:
    """Return what tells whether a file holds labels of one of these pictures."""
    from napari_sam.io.pictures import name_of, place_of, whole_name_of
    from napari_sam.io.provenance import is_told

    folder = None if output is None else Path(os.path.abspath(output))
    names: Mapping[str, set[Path]] = defaultdict(set)
    for path in found:
        for name in (name_of(path), whole_name_of(path)):
            names[name].add(place_of(path))

    def test(path: Path) -> bool:
        name, place = name_of(path), place_of(path)
        of = "image" if name == "labels" else name.removesuffix(LABELS)
        if of == name or of not in names:
            return is_told(path)
        written = folder is not None and Path(os.path.abspath(path)).is_relative_to(folder)
        return place in names[of] or (written and name != "labels") or is_told(path)

    return test
