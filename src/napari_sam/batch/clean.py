"""Clean labels of a file by rules of shape, slice by slice; needs no model."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np

from napari_sam.batch.label_output import LabelOutput
from napari_sam.errors import InputError
from napari_sam.files import Json
from napari_sam.inference.edit.clean import CleanSettings, clean_labels
from napari_sam.io.export import write_objects
from napari_sam.io.labels import open_labels
from napari_sam.io.provenance import write_provenance
from napari_sam.io.scale import read_spacing
from napari_sam.io.spacing import Spacing
from napari_sam.progress import Progress

__all__ = ["clean_file", "pixel_in_um"]

UM = {"nanometer": 1e-3, "micrometer": 1.0, "millimeter": 1e3, "angstrom": 1e-4}
"""Micrometers in each unit that files of microscopes have."""


def pixel_in_um(spacing: Spacing) -> tuple[float, float]:
    """Return height and width of a pixel in micrometers.

    Raises
    ------
    InputError
        If nothing says how large pixels are.

    Examples
    --------
    >>> pixel_in_um(Spacing.of(2, {"scale": (500, 250), "units": ("nanometer", "nanometer")}))
    (0.5, 0.25)
    """
    known = {*spacing.units[-2:]} <= UM.keys() and min(spacing.scale[-2:]) > 0
    if not known:
        raise InputError(
            "nothing says how many micrometers a pixel has; give lengths in pixels, without --um"
        )
    height, width = (
        scale * UM[unit] for scale, unit in zip(spacing.scale[-2:], spacing.units[-2:], strict=True)
    )
    return height, width


def clean_file(
    source: Path, target: LabelOutput, settings: CleanSettings, um: bool = False
) -> Generator[Progress[Json]]:
    """Clean a file of labels, and write them with how they were made.

    Parameters
    ----------
    source : Path
        The labels.
    target : LabelOutput
        Where they go.
    settings : CleanSettings
        The rules.
    um : bool
        Whether their lengths are in micrometers, not in pixels.

    Yields
    ------
    Progress of dict
        After each slice how many ``objects`` have changed, and how many pixels were ``gained`` and
        ``lost``. The labels are written before the last.

    Raises
    ------
    InputError
        If the file cannot be read as labels, or does not say how large its pixels are.
    """
    with open_labels(source) as labels:
        spacing = read_spacing(source, len(labels.shape))
        pixel = pixel_in_um(spacing) if um else (1.0, 1.0)
        planes = list(np.ndindex(*labels.shape[:-2]))
        changed: set[int] = set()
        gained = lost = 0
        dtype = np.uint8 if labels.dtype == bool else labels.dtype
        with target.room(labels.shape, dtype) as after:
            for done, index in enumerate(planes, 1):
                before = np.asarray(labels[index])
                after[index] = now = clean_labels(before, settings, pixel)
                differ = before != now
                changed.update(np.unique([before[differ], now[differ]]).tolist())
                gained += int(np.count_nonzero(differ & (before == 0)))
                lost += int(np.count_nonzero(differ & (now == 0)))
                report: Json = {"objects": len(changed - {0}), "gained": gained, "lost": lost}
                if done < len(planes):
                    yield Progress(done, len(planes), report)
            write_objects(target.output, after, spacing)
        write_provenance(target.output, {**target.about, "report": report})
        target.clean()
        yield Progress(len(planes), len(planes), report)
