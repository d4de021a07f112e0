"""Feature table of a Labels layer: quality, class, status and slices of the objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from napari.layers import Labels

from napari_sam.session.objects import Status
from napari_sam.widgets.objects.objects_model import ObjectRow

__all__ = ["class_columns", "object_columns", "write_features"]

STATUS = {status: status.value for status in Status}  # the enum itself is slow
OURS = "quality", "class", "class_certainty", "status", "slices"
MISSING: dict[str, object] = {
    "quality": np.nan,
    "class": "",
    "class_certainty": np.nan,
    "status": "",
    "slices": 0,
}


def object_columns(rows: Sequence[ObjectRow], classes: Mapping[int, str]) -> dict[str, np.ndarray]:
    """Return a column of labels, named index, and one for each property of the objects.

    Parameters
    ----------
    rows : sequence of ObjectRow
        The objects.
    classes : mapping of int to str
        Names of the classes.
    """
    held = [row.held for row in rows]
    scores = [row.score for row in rows]
    numbers = [one.traits.class_id for one in held]
    words = {number: classes.get(number, str(number)) for number in set(numbers)}
    return {
        "index": np.array([one.id for one in held], np.int64),
        "quality": np.array(scores, float),  # None becomes NaN
        "class": np.array([words[number] for number in numbers], object),
        "class_certainty": np.array([one.certainty for one in held], float),
        "status": np.array([STATUS[row.status] for row in rows], object),
        "slices": np.array([len(one.sections) for one in held], np.int64),
    }


def class_columns(classes: Mapping[int, str]) -> dict[str, np.ndarray]:
    """Return the columns for labels that are numbers of classes."""
    return {
        "index": np.array(list(classes), np.int64),
        "class": np.array(list(classes.values()), object),
    }


def write_features(layer: Labels, columns: Mapping[str, np.ndarray]) -> None:
    """Write columns to the layer's feature table; columns of other names are kept.

    Parameters
    ----------
    layer : napari.layers.Labels
        The labels.
    columns : mapping of str to (N,) array
        The labels, named index, and their properties.
    """
    before = layer.features
    others = [name for name in before.columns if name not in ("index", *OURS)]
    whole = {**columns, **_kept(before, others, columns["index"])} if others else dict(columns)
    length = len(whole["index"])
    for name, values in columns.items():
        if name != "index" and len(values) < length:  # labels that only others know
            rest = np.full(length - len(values), MISSING[name], values.dtype)
            whole[name] = np.concatenate([values, rest])
    if not _equal(before, whole):
        layer.features = whole


def _kept(before: Any, others: list[str], labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return somebody's columns for these labels, then for those that only they have."""
    at = before["index"] if "index" in before.columns else range(len(before))
    table = before[others].set_axis(np.asarray(at), axis=0)
    table = table[~table.index.duplicated()].dropna(how="all")
    known = set(labels.tolist())
    order = [*labels.tolist(), *(label for label in table.index if label not in known)]
    table = table.reindex(order)
    return {"index": np.array(order, np.int64)} | {n: table[n].to_numpy() for n in others}


def _equal(before: Any, columns: Mapping[str, np.ndarray]) -> bool:
    if list(before.columns) != list(columns) or len(before) != len(columns["index"]):
        return False
    return all(
        np.array_equal(before[name].to_numpy(), values, equal_nan=values.dtype.kind == "f")
        for name, values in columns.items()
    )
