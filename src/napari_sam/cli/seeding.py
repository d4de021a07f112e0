"""The argument `--seeds` of `napari-sam segment`: how to choose points, or a file of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sam.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_sam.inference.grid_settings import GridSettings

__all__ = ["add_seeds", "seeded", "seeds_of"]

SeedsOf = Callable[[tuple[int, ...]], "NDArray[np.float64] | None"]


def add_seeds(parser: argparse.ArgumentParser) -> None:
    """Add the argument."""
    parser.add_argument(
        "--seeds", metavar="HOW",
        help="where to ask: adaptive (maxima, then a coarse grid where nothing was found; the "
        "default), maxima (of the blurred picture), distance (the deepest points of what a "
        "threshold takes for objects), grid; or a file: labels (.tif, .png, .zarr), of which each "
        "object is asked about at its deepest point, or points (.csv, as napari saves them)",
    )  # fmt: skip


def seeded(settings: GridSettings, how: str | None) -> GridSettings:
    """Return the settings with these seeds; a file changes nothing of them."""
    from dataclasses import replace

    from napari_sam.inference.grid_settings import SEEDS

    known: Any = how
    if how in SEEDS:
        return replace(settings, seeds=known)
    if how is not None and not Path(how).exists():
        raise InputError(f"--seeds must be one of {', '.join(SEEDS)}, or a file; got {how!r}")
    return settings


@contextmanager
def seeds_of(how: str | None, shape: tuple[int, ...]) -> Iterator[SeedsOf]:
    """Give what returns the points (N, 2) for a plane of a picture; None where none are given.

    Raises
    ------
    InputError
        If the file cannot be read, or its labels have another shape than the picture.
    """
    import numpy as np

    from napari_sam.inference.grid_settings import SEEDS

    if how is None or how in SEEDS:
        yield lambda plane: None
    elif Path(how).suffix.lower() == ".csv":
        from napari_sam.io.points import read_points

        points = read_points(Path(how), len(shape))
        yield lambda plane: points[(np.rint(points[:, :-2]) == plane).all(axis=1), -2:]
    else:
        from napari_sam.inference.seeds import deepest_points
        from napari_sam.io.labels import open_labels

        with open_labels(Path(how)) as labels:
            if labels.shape != shape:
                raise InputError(
                    f"the labels in {how} have shape {labels.shape}; those of the picture must "
                    f"have {shape}"
                )
            yield lambda plane: deepest_points(np.asarray(labels[plane]))
