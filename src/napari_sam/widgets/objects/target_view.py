"""The target layer as users see it: its outlines, and the properties of its objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels

from napari_sam.session.changed import What
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.common.keys import KEYS
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.objects.label_features import (
    class_columns,
    object_columns,
    write_features,
)
from napari_sam.widgets.objects.labels_look import LabelsLook, Look
from napari_sam.widgets.objects.objects_model import ObjectRow

__all__ = ["TargetView"]

REST_MS = 300  # the table is read by people
NOTHING = "There are no labels yet: accept an object first."


class TargetView:
    """Keeps the look and the feature table of the target layer of one annotation.

    Parameters
    ----------
    viewer : ViewerModel
        Where the labels are.
    annotation : Annotation
        Whose target.
    rows : callable
        Returns the rows of the list of objects.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        annotation: Annotation,
        rows: Callable[[], Sequence[ObjectRow]],
    ) -> None:
        self._viewer, self._annotation, self._rows = viewer, annotation, rows
        self._target: Labels | None = None
        self._look: LabelsLook | None = None
        self._columns: dict[str, np.ndarray] = {}
        self._soon = new_timer(REST_MS, self._collect)
        self._next = new_timer(0, self._write)  # not in one breath: there may be thousands
        annotation.changed.connect(self._view_moved)

    def follow(self, target: Labels | None) -> None:
        """Switch to these labels."""
        if target is not self._target:
            self._leave()
            self._target = target
            if target is not None:
                picture, seen = self._annotation.picture, lambda: self._annotation.seen
                self._look = LabelsLook(self._viewer, picture, target, seen)
        self.tell()

    def tell(self) -> None:
        """Write the properties of the objects to the feature table soon."""
        if self._target is not None and not self._soon.isActive():
            self._soon.start()

    def switch_look(self) -> str:
        """Show the labels filled, outlined or not at all, in turn; return what they are now."""
        if self._look is None:
            return NOTHING
        look = self._look.switch()
        again = f" {KEYS['look']} shows them again." if look is Look.OFF else ""
        return f"Labels are {look.value}.{again}"

    def close(self) -> None:
        """Disconnect, and leave the labels filled."""
        self._annotation.changed.disconnect(self._view_moved)
        self._leave()

    def _leave(self) -> None:
        self._soon.stop()  # the session may be another one already
        self._next.stop()
        if self._look is not None:
            self._look.close()
        self._look = None

    def _view_moved(self, what: What) -> None:
        if What.VIEW in what and self._look is not None:
            self._look.follow_view()

    def _collect(self) -> None:
        session = self._annotation.session
        if session.semantic:
            self._columns = class_columns(session.classes)
        else:
            self._columns = object_columns(self._rows(), session.classes)
        self._next.start()

    def _write(self) -> None:
        known = {"index", "quality"} & set(() if self._target is None else self._target.features)
        if self._target is not None and (len(self._columns["index"]) or len(known) == 2):
            write_features(self._target, self._columns)
