"""Which labels go with which picture."""

from __future__ import annotations

import os
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from napari_sam.cli.failures import Failures
from napari_sam.cli.naming import LABELS, place_below, root_of
from napari_sam.errors import InputError

__all__ = ["nearest", "paired"]


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


def _likeness(one: Path, other: Path, roots: tuple[Path, Path]) -> int:
    places = [place_below(path, root) for path, root in zip((one, other), roots, strict=True)]
    if places[0] == places[1]:
        return sys.maxsize
    tails = [reversed((root / place).parts) for root, place in zip(roots, places, strict=True)]
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*tails, strict=False)))
