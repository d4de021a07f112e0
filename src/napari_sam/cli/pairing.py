"""Pair label files with images, by names and folders."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path

from napari_sam.cli.paths import common_root, relative_folder
from napari_sam.cli.progress import Failures
from napari_sam.errors import InputError
from napari_sam.files import LABELS

__all__ = ["nearest", "pair_labels"]

Score = tuple[int, bool]
Roots = tuple[Path, Path]


def pair_labels(
    images: list[Path], named: Sequence[Path], labels: Path, failures: Failures
) -> dict[Path, Path]:
    """Return the label file of each image; images without one are failures.

    One file goes with one picture. Of several, those of ``cells.tif`` are called ``cells`` or
    ``cells_labels``, with whatever ending, and those of ``image`` also ``labels``; where pictures
    have the same name, the folders of the labels are called as theirs.
    """
    from napari_sam.io.images.find import find_images, name_of

    found = find_images([labels], failures.reasons.__setitem__)
    if len(images) == len(found) == 1:
        return {images[0]: found[0]}
    own, by_name = set(map(os.path.realpath, images)), defaultdict(list)
    for path in found:
        if os.path.realpath(path) not in own:
            by_name[name_of(path).removesuffix(LABELS)].append(path)
    counts, roots = Counter(map(name_of, images)), (common_root(named), common_root([labels]))
    best = {
        image: nearest(image, _called_so(image, by_name), counts[name_of(image)] == 1, roots)
        for image in images
    }
    pairs = {}
    for image, those in best.items():
        with failures.kept(image):
            those = [one for one in those if not any(_closer(image, one, best, roots))]
            if len(those) != 1:
                several = " and ".join(map(str, those)) or f"none of the {len(found)} there"
                raise InputError(f"one file of {labels} must have the same name; got {several}")
            pairs[image] = those[0]
    return pairs


def nearest(path: Path, those: list[Path], alone: bool, roots: Roots) -> list[Path]:
    """Return the files of the same name in another folder tree that match a file best.

    Parameters
    ----------
    path : Path
        The one.
    those : list of Path
        The others.
    alone : bool
        If no other file has its name: then the only one goes with it, wherever that lies.
    roots : tuple of Path
        Of its tree, and of theirs. Folders must be called the same, from the last up to the second
        root.
    """
    if alone and len(those) < 2:
        return those
    scores = {one: score for one in those if (score := _likeness(path, one, roots)) is not None}
    if alone and scores and max(scores.values())[0] == 0:
        return those  # nothing says which
    return [one for one, score in scores.items() if score == max(scores.values())]


def _called_so(image: Path, by_name: Mapping[str, list[Path]]) -> list[Path]:
    """Return the labels that by their name may be those of a picture."""
    from napari_sam.io.images.find import name_of, whole_name_of

    name = name_of(image)
    usual = by_name["labels"] if name == "image" else []
    return by_name[whole_name_of(image)] or [*by_name[name], *usual]


def _closer(
    image: Path, labels: Path, best: Mapping[Path, list[Path]], roots: Roots
) -> Iterator[bool]:
    """Tell, for each picture in another folder, whether labels are as much its own, or more."""
    score = _likeness(image, labels, roots) or (0, False)
    for other, those in best.items():
        if labels in those and other.parent != image.parent:
            yield (_likeness(other, labels, roots) or (0, False)) >= score


def _likeness(one: Path, other: Path, roots: Roots) -> Score | None:
    """Return how many folders have the same names, from the last, and if they lie equally deep.

    None if one of the folders up to the second root is called otherwise.
    """
    places = [relative_folder(path, root) for path, root in zip((one, other), roots, strict=True)]
    tails = [reversed((root / place).parts) for root, place in zip(roots, places, strict=True)]
    same = takewhile(lambda pair: pair[0] == pair[1], zip(*tails, strict=False))
    count = sum(1 for _ in same)
    return (count, places[0] == places[1]) if count >= len(places[1].parts) else None
