"""`napari-sam evaluate --against`: two sets of labels of the same images, without a model."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from napari_sam.cli.pairing import pair_labels
from napari_sam.cli.progress import Failures
from napari_sam.cli.streams import print_json
from napari_sam.errors import InputError
from napari_sam.files import replacing
from napari_sam.reasons import shown

if TYPE_CHECKING:
    from napari_sam.evaluation.differences import Agreement, Difference, Pair

__all__ = ["compare_labels"]

HEAD = ("labels", "plane", "what", "mine", "theirs", "row", "column", "pixels", "distance")
OTHERS = ("labels", "held_out", "most", "way", "grid", "scheduler")


class _Compared(NamedTuple):
    """Two label files: how far they agree, and where they differ, with the plane of each."""

    agreement: Agreement
    differences: list[tuple[tuple[int, ...], Difference]]


def compare_labels(chosen: argparse.Namespace) -> int:
    """Compare labels with others, print the table, write the files; return 1 if a file failed.

    Raises
    ------
    InputError
        If nothing could be compared, or an option is given that needs a model.
    """
    from tqdm import tqdm

    from napari_sam.io.images.find import find_images

    if wrong := [name for name in OTHERS if getattr(chosen, name)]:
        raise InputError(
            f"--against compares labels with labels, and does not go with --{wrong[0]}".replace(
                "_", "-"
            )
        )
    failures = Failures()
    mine = find_images(chosen.data, failures.reasons.__setitem__)
    pairs = pair_labels(mine, chosen.data, chosen.against, failures)
    found: dict[Path, _Compared] = {}
    for path, other in tqdm(pairs.items(), unit=" files", disable=chosen.quiet):
        with failures.kept(path):
            found[path] = _compared(path, other, chosen.distance)
    if not found:
        failures.tell(len(failures.reasons))
        raise InputError("none of the labels could be compared")
    _say(chosen, found, failures)
    failures.tell(len(found) + len(failures.reasons))
    return int(bool(failures.reasons))


def _compared(path: Path, other: Path, distance: float) -> _Compared:
    from napari_sam.evaluation.differences import agreement, find_differences
    from napari_sam.io.labels import open_labels

    differences: list[tuple[tuple[int, ...], Difference]] = []
    with ExitStack() as stack:
        mine, theirs = (stack.enter_context(open_labels(one)) for one in (path, other))
        if mine.shape != theirs.shape:
            raise InputError(f"it has the shape {mine.shape}, and {other} has {theirs.shape}")

        def planes() -> Iterator[Pair]:
            import numpy as np

            for index in np.ndindex(*mine.shape[:-2]):
                pair = np.asarray(mine[index]), np.asarray(theirs[index])
                differences.extend((index, one) for one in find_differences(*pair, distance))
                yield pair

        return _Compared(agreement(planes())["all"], differences)


def _say(chosen: argparse.Namespace, found: Mapping[Path, _Compared], failures: Failures) -> None:
    """Print the table and write the files."""
    text = _table(found)
    if chosen.output is not None:
        with replacing(chosen.output / "table.md") as part:
            part.write_text(text + "\n", "utf-8", "backslashreplace")
        with replacing(chosen.output / "differences.csv") as part:
            _write(part, found)
    if chosen.json:
        pictures = {
            str(path): asdict(one.agreement) | _counts([one]) for path, one in found.items()
        }
        print_json({"pictures": pictures, "failures": failures.reasons})
    elif not chosen.quiet:
        print(text)


def _table(found: Mapping[Path, _Compared]) -> str:
    """Return a Markdown table with a line for each file, and their mean."""
    from napari_sam.evaluation.report import markdown

    lines = [_line(shown(path), [one]) for path, one in found.items()]
    if len(found) > 1:
        lines.append(_line("mean", list(found.values())))
    kinds = _counts([])
    return markdown(["labels", "mine", "theirs", "mSA", "F1", *kinds], lines)


def _line(name: str, some: Sequence[_Compared]) -> list[str]:
    agreed = [one.agreement for one in some]
    mine, theirs = sum(one.mine for one in agreed), sum(one.theirs for one in agreed)
    accuracy, f1 = (
        sum(getattr(one, measure) for one in agreed) / len(agreed) for measure in ("accuracy", "f1")
    )
    counts = map(str, _counts(some).values())
    return [name, str(mine), str(theirs), f"{accuracy:.3f}", f"{f1:.3f}", *counts]


def _counts(some: Sequence[_Compared]) -> dict[str, int]:
    """Return how often each kind of difference occurs."""
    from napari_sam.evaluation.differences import Disparity

    kinds = [difference.kind for one in some for _, difference in one.differences]
    return {kind.value: kinds.count(kind) for kind in Disparity}


def _write(path: Path, found: Mapping[Path, _Compared]) -> None:
    """Write one line per difference, with the centre of its box."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(HEAD)
        for name, compared in found.items():
            for plane, one in compared.differences:
                ids = (" ".join(map(str, side)) for side in (one.mine, one.theirs))
                middle = (one.box[0] + one.box[2] - 1) / 2, (one.box[1] + one.box[3] - 1) / 2
                at = " ".join(map(str, plane))
                far = "" if one.distance == float("inf") else f"{one.distance:.4g}"
                table.writerow([shown(name), at, one.kind.value, *ids, *middle, one.pixels, far])
