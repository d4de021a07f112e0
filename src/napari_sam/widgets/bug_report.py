"""System information for bug reports, without personal data."""

from __future__ import annotations

import platform
import traceback
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from napari.layers import Layer
from qtpy import API_NAME, QT_VERSION

from napari_sam.errors import DISTRIBUTION
from napari_sam.zoo import catalogue

__all__ = ["bug_report"]

PACKAGES = (DISTRIBUTION, "napari", "torch", "numpy", "qtpy", "psygnal", "superqt")


def bug_report(
    layers: Iterable[Layer], model: str, device: str, error: BaseException | None
) -> str:
    """Return versions, device, layers and the last error as Markdown.

    Layer names are left out, because they are often names of files; of a traceback only functions
    and lines are told, the home folder becomes ``~``, and a model of the user's own stays unnamed.

    Parameters
    ----------
    layers : iterable of napari.layers.Layer
        Of the viewer.
    model, device : str
        What ran (a name or a path), and where.
    error : exception, optional
        The last error.
    """
    lines = [
        f"- {platform.platform()}, Python {platform.python_version()}, {API_NAME} {QT_VERSION}",
        "- " + ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        f"- model {model} on {device}",
    ]
    for layer in layers:
        data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
        kind = "multiscale " if getattr(layer, "multiscale", False) else ""
        shape, dtype = getattr(data, "shape", len(data)), getattr(data, "dtype", "")
        rgb = " rgb" if getattr(layer, "rgb", False) else ""
        lines.append(
            f"- {kind}{type(layer).__name__} {shape} {dtype}{rgb}, scale {layer.scale.tolist()}"
        )
    if error is None:
        lines.append("- no error so far")
    else:
        frames = traceback.extract_tb(error.__traceback__)
        where = " > ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames)
        lines.append(f"- last error: {type(error).__name__}: {error}\n  at {where}")
    report = "\n".join(lines) + "\n"
    if model not in catalogue.entries():
        report = report.replace(model, "(a file of the user's own)")
    return report.replace(str(Path.home()), "~")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
