"""The stack tab: what is chosen becomes an order; what comes back is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from napari.components import ViewerModel
from qtpy.QtCore import QObject, QTimer

from napari_sam.errors import InputError
from napari_sam.inference.propagation.settings import PropagateSettings
from napari_sam.planes import Plane
from napari_sam.session.changes import Kind
from napari_sam.session.overlap import Rule
from napari_sam.session.session import Session
from napari_sam.settings import load_settings, save_settings
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.common.wording import duration
from napari_sam.widgets.stack.controls import StackControls
from napari_sam.widgets.stack.order import Line, Report, accepted_here, accepted_last, known_masks
from napari_sam.widgets.stack.work import Order, Reached, StackWork

__all__ = ["StackTab"]

REST_MS = 300  # slices may come faster than anybody reads

NO_PICTURE = "Choose a picture in the tab Prompt; objects are followed through stacks."
FLAT = "This picture is a single slice: there is nothing to follow objects through."
UNSEEN = "Show a slice of the picture in the 2D view first."
NO_MODEL = "Choose a model in the tab Prompt first."
NONE = {
    "here": "First accept an object on this slice, in the tab Prompt; then follow it from here.",
    "last": "First accept an object, in the tab Prompt; then follow it from there.",
    "selected": "First select objects in the list of the tab Prompt.",
}
DONE = (
    "Done. Click on what is listed to see it. To correct a slice, go to Prompt; "
    "following again starts from it, too."
)


class StackTab(QObject):
    """Follows the objects of one panel's annotation.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer.
    selected : callable
        Returns the objects that are selected in the list of objects.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        selected: Callable[[], Sequence[int]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._selected = selected
        self.controls = c = StackControls()
        self.work = StackWork(self)
        self._viewer = viewer
        self._annotation: Annotation | None = None
        self._line: Line | None = None  # of the latest report
        self._noun = "slice"
        self._report = Report({})
        self._said = ""
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._show_report)
        chosen = load_settings().stack
        for name, box in (("objects", c.objects), ("direction", c.direction), ("rule", c.rule)):
            box.setCurrentIndex(max(box.findData(chosen.get(name)), 0))
            box.activated.connect(self._remember)
        for box in (c.objects, c.axis):
            box.activated.connect(self.refresh)
        c.start.clicked.connect(self.start)
        c.cancel.clicked.connect(lambda: self.work.stop("you cancelled it"))
        c.undo.clicked.connect(self._take_back)
        c.slice_wanted.connect(self._go_to)
        self.work.reached.connect(self._show_reached)
        self.work.ended.connect(self._show_end)
        self.refresh()

    def follow(self, annotation: Annotation | None) -> None:
        """Serve this annotation from now on, or none; what was being followed ends."""
        self._disconnect()
        self.work.stop("another picture was chosen")
        self._annotation, self._line, self._said = annotation, None, ""
        self._soon.stop()
        self.controls.show_report({}, self._noun)
        if annotation is not None:
            annotation.changed.connect(self.refresh)
            annotation.began_afresh.connect(self._begin_afresh)
        self.refresh()

    def close(self) -> None:
        """End for good; the slices that have come stay."""
        self._disconnect()
        self._soon.stop()
        self._annotation = None
        self.work.close()

    def refresh(self) -> None:
        """Show what can be done now."""
        self.work.check()
        if self.work.busy:
            return
        c, annotation = self.controls, self._annotation
        axes = self._axes()
        axis = self._axis(axes)
        if annotation is not None and axis is not None:
            self._noun = "time point" if axes[axis].lower() in ("t", "time") else "slice"
            c.name_slices(self._noun, axes, annotation.picture.shape[axis])
        missing = self._missing(axis)
        c.start.setEnabled(not missing)
        c.status.setText(self._said or missing or self._ready())
        c.undo.setVisible(self._can_take_back())

    def start(self) -> None:
        """Follow what is chosen."""
        annotation, axes, c = self._annotation, self._axes(), self.controls
        axis = self._axis(axes)
        if annotation is None or self.work.busy or axis is None or self._missing(axis):
            return
        seen, model, session = annotation.seen, annotation.model, annotation.session
        if seen is None or model is None:
            return
        line, length = Line(seen, axis), annotation.picture.shape[axis]
        rule = Rule(c.rule.currentData())
        try:
            settings = PropagateSettings(c.direction.currentData(), c.first.value(), c.last.value())
            chosen = self._chosen(seen)
            seeds, settings = known_masks(session, line, chosen, rule, settings, length)
        except InputError as error:
            self._said = f"⚠ {error}"
            self.refresh()
            return
        self._line, self._said = line, ""
        order = Order(line, length, seeds, settings, rule)
        c.show_work(busy=True)
        c.undo.hide()
        c.bar.setRange(0, 0)
        c.status.setText("Starting…")
        c.show_remark("")
        c.show_report({}, self._noun)
        self._report = self.work.start(annotation, model, order)

    def _chosen(self, seen: Plane) -> list[int]:
        if self._annotation is None:
            return []
        session: Session = self._annotation.session
        match self.controls.objects.currentData():
            case "last":
                return accepted_last(session)
            case "selected":
                return [number for number in self._selected() if number in session.objects]
        return accepted_here(session, seen)

    def _axes(self) -> dict[int, str]:
        """Return the axes to go along, by name: those that the viewer does not show."""
        if self._annotation is None or self._annotation.seen is None:
            return {}
        picture = self._annotation.picture
        labels = picture.transform.arguments["axis_labels"]
        return {
            axis: f"axis {axis}" if labels[axis].startswith("-") else labels[axis]
            for axis, at in enumerate(self._annotation.seen)
            if at is not None and picture.shape[axis] > 1
        }

    def _axis(self, axes: dict[int, str]) -> int | None:
        chosen = self.controls.axis.currentData()
        return chosen if chosen in axes else max(axes, default=None)

    def _missing(self, axis: int | None) -> str:
        """Say what is to be done before anything can be followed; empty if nothing."""
        annotation = self._annotation
        if annotation is None:
            return NO_PICTURE
        if annotation.picture.ndim < 3:
            return FLAT
        if annotation.seen is None:
            return UNSEEN
        if axis is None:
            return FLAT
        if annotation.model is None:
            return NO_MODEL
        if not self._chosen(annotation.seen):
            return NONE[self.controls.objects.currentData()]
        return ""

    def _ready(self) -> str:
        seen = self._annotation.seen if self._annotation is not None else None
        numbers = self._chosen(seen) if seen is not None else []
        names = ", ".join(map(str, numbers[:8])) + ("…" if len(numbers) > 8 else "")
        return f"Ready to follow object {names}: press the button."

    def _can_take_back(self) -> bool:
        done = self._annotation.session.history.done if self._annotation is not None else []
        return bool(self._line and done) and done[-1].kind is Kind.PROPAGATED

    def _take_back(self) -> None:
        if self._annotation is not None and self._can_take_back():
            self._annotation.undo()
            self._said = "All of it was taken back."
            self.controls.show_report({}, self._noun)
            self.refresh()

    def _go_to(self, index: int) -> None:
        annotation, line = self._annotation, self._line
        plane = () if line is None else line.at(index)
        if annotation is None or line is None or not annotation.picture.fits(plane, None):
            return
        world = annotation.picture.transform.to_world(np.array([float(at or 0) for at in plane]))
        self._viewer.dims.set_point(
            self._viewer.dims.ndim - len(plane) + line.axis, float(world[line.axis])
        )

    def _begin_afresh(self) -> None:
        self.work.stop("the picture or the model is another one now")
        self.refresh()

    def _show_reached(self, reached: Reached) -> None:
        c = self.controls
        c.bar.setRange(0, max(reached.total, 1))
        c.bar.setValue(reached.done)
        left = duration(reached.seconds_left)
        c.status.setText(f"At {self._noun} {reached.index}, at most about {left} left")
        if not self._soon.isActive():
            self._soon.start(REST_MS)

    def _show_report(self) -> None:
        self._soon.stop()
        self.controls.show_report(self._report.objects, self._noun)

    def _show_end(self, why: str) -> None:
        self._said = f"It ended early: {why}. What has come stays." if why else DONE
        self.controls.show_work(busy=False)
        self._show_report()
        self.refresh()

    def _remember(self) -> None:
        c = self.controls
        boxes = {"objects": c.objects, "direction": c.direction, "rule": c.rule}
        chosen = {name: box.currentData() for name, box in boxes.items()}
        save_settings(replace(load_settings(), stack=chosen))
        self._said = ""
        self.refresh()

    def _disconnect(self) -> None:
        if self._annotation is not None:
            self._annotation.changed.disconnect(self.refresh)
            self._annotation.began_afresh.disconnect(self._begin_afresh)
