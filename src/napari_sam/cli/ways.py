"""Ways to find everything in a picture: their arguments, and the settings that they ask for."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sam.errors import InputError

if TYPE_CHECKING:
    from napari_sam.inference.automatic.settings import SearchSettings

__all__ = ["WAYS", "add_ways", "given_ways", "no_decoder", "search_settings"]

WAYS = ("instances", "refined", "points")
OF_POINTS = {"points": "points_per_side", "seeds": "seeds", "min_stability": "min_stability"}
OF_INSTANCES = {
    "diameter": "diameter",
    "foreground": "foreground",
    "split": "split",
    "min_size": "smallest",
    "max_size": "largest",
}


def add_ways(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "--way", choices=WAYS,
        help="instances: at once, from what the model sees in each pixel; refined: those, and the "
        "model is asked about each again; points: asked at many points (default: instances "
        "if the model can, else points; with an option of one way, that)",
    )  # fmt: skip
    parser.add_argument(
        "--min-score", type=float, metavar="S",
        help="lowest score, 0 to 1: of points the predicted IoU, of instances how sure the model "
        "is of each (default: the model's)",
    )  # fmt: skip
    instances = parser.add_argument_group("instances", "for --way instances and refined")
    instances.add_argument(
        "--diameter", type=float, metavar="PIXELS",
        help="usual diameter of the objects (default: the size that fits best is found)",
    )  # fmt: skip
    instances.add_argument(
        "--foreground", type=float, metavar="P",
        help="how sure it must be that a pixel belongs to an object, 0 to 1: lower finds fainter "
        "objects and makes all larger (default 0.5)",
    )  # fmt: skip
    instances.add_argument(
        "--split", type=float, metavar="S",
        help="how readily objects that touch are cut apart, 0 to 1: higher cuts more, and loses "
        "faint ones (default 0.45)",
    )  # fmt: skip
    instances.add_argument(
        "--min-size", type=float, metavar="AREA", help="smallest object, in pixels (default: any)"
    )
    instances.add_argument(
        "--max-size", type=float, metavar="AREA", help="largest object, in pixels (default: any)"
    )
    points = parser.add_argument_group("points", "for --way points")
    points.add_argument(
        "--points", type=int, metavar="N",
        help="at most N x N points, of a grid just as many (default 32)",
    )  # fmt: skip
    points.add_argument(
        "--seeds", metavar="HOW",
        help="where to ask: adaptive (maxima, then a coarse grid where nothing was found; the "
        "default), maxima (of the blurred picture), distance (the deepest points of what a "
        "threshold takes for objects), grid; or a file: labels (.tif, .png, .zarr), of which each "
        "object is asked about at its deepest point, or points (.csv, as napari saves them)",
    )  # fmt: skip
    points.add_argument(
        "--min-stability", type=float, metavar="IOU", help="lowest stability (default: the model's)"
    )


def given_ways(chosen: argparse.Namespace) -> list[str]:
    """Return the options that say how to search, as they are written."""
    names = ("way", "min_score", *OF_INSTANCES, *OF_POINTS)
    return [_option(name) for name in names if getattr(chosen, name) is not None]


def search_settings(chosen: argparse.Namespace, has_decoder: bool) -> SearchSettings:
    """Return the settings of the way that is asked for, else of the best that the model knows.

    Seeds from a file change nothing of them.

    Parameters
    ----------
    chosen : argparse.Namespace
        With the arguments of `add_ways`, and the name of the model.
    has_decoder : bool
        Whether the model has an instance decoder.

    Raises
    ------
    InputError
        If the model does not know the way, options of two ways are given, or a value makes no
        sense.
    """
    from napari_sam.inference.automatic.settings import (
        SEEDS,
        GridSettings,
        InstanceSettings,
        best_settings,
    )

    of_points, of_instances = (_given(chosen, names) for names in (OF_POINTS, OF_INSTANCES))
    first_instances = next((_option(name) for name in of_instances), "")
    first_points = next((_option(name) for name in of_points), "")
    if chosen.way == "points":
        _refuse(first_instances, "instances", "--way points")
    elif chosen.way is not None:
        _refuse(first_points, "points", f"--way {chosen.way}")
    elif first_instances:
        _refuse(first_points, "points", first_instances)
    asked = f"--way {chosen.way}" if chosen.way in ("instances", "refined") else first_instances
    if asked and not has_decoder:
        raise no_decoder(asked, chosen.model)
    if asked:
        settings: SearchSettings = InstanceSettings()
    elif chosen.way or of_points:
        settings = GridSettings()
    else:
        settings = best_settings(has_decoder)
    changes: dict[str, Any] = {}
    if isinstance(settings, InstanceSettings):
        changes = {OF_INSTANCES[name]: value for name, value in of_instances.items()}
        if chosen.way is not None:
            changes["refine"] = chosen.way == "refined"
    else:
        changes = {OF_POINTS[name]: value for name, value in of_points.items()}
        if (how := changes.get("seeds")) not in (None, *SEEDS):
            if not Path(how).exists():
                raise InputError(
                    f"--seeds must be one of {', '.join(SEEDS)}, or a file; got {how!r}"
                )
            del changes["seeds"]
    if chosen.min_score is not None:
        points = isinstance(settings, GridSettings)
        changes["min_score" if points else "quality"] = chosen.min_score
    return replace(settings, **changes)


def no_decoder(option: str, model: str) -> InputError:
    """Return the error for an option of instances with a model that does not know them."""
    return InputError(
        f"{option} needs an instance decoder, which {model} has not; take --way points, or another "
        "model, such as cells_tiny"
    )


def _given(chosen: argparse.Namespace, names: dict[str, str]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(chosen, name)) is not None}


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _refuse(option: str, kind: str, other: str) -> None:
    """Raise for an option of one way beside another."""
    if option:
        raise InputError(f"{option} is for {kind} and does not go with {other}; leave one out")
