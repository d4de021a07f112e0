"""The tab Stack: starts a propagation from the chosen options, and shows its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from napari.components import ViewerModel
from qtpy.QtCore import QObject

from napari_sam.errors import InputError
from napari_sam.inference.propagation.settings import PropagateSettings
from napari_sam.planes import Plane
from napari_sam.progress import Progress
from napari_sam.serving.host import HostedModel
from napari_sam.session.changed import What
from napari_sam.session.changes import Kind
from napari_sam.session.overlap import Rule
from napari_sam.widgets.annotation.annotation import ANYTHING, Annotation
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.common.wording import duration
from napari_sam.widgets.stack.controls import StackControls
from napari_sam.widgets.stack.report import StackReport
from napari_sam.widgets.stack.seeds import StackAxis, accepted_here, accepted_last, seed_masks
from napari_sam.widgets.stack.work import PropagationTask, PropagationWorker

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
    """Propagates the objects of one panel's annotation.

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
        self.controls = c = StackControls()
        self.work = PropagationWorker(self)
        self._viewer = viewer
        self._selected = selected
        self._presenter: _StackPresenter | None = None
        c.choices.changed.connect(self._choose)
        c.axis.activated.connect(lambda: self.refresh())
        c.start.clicked.connect(lambda: self._do(_StackPresenter.start))
        c.cancel.clicked.connect(lambda: self.work.stop("you cancelled it"))
        c.undo.clicked.connect(lambda: self._do(_StackPresenter.take_back))
        c.slice_wanted.connect(lambda index: self._do(lambda one: one.go_to(index)))
        self.work.reached.connect(lambda at: self._do(lambda one: one.show_reached(at)))
        self.work.ended.connect(self._show_end)
        self.refresh()

    def follow(self, annotation: Annotation | None) -> None:
        """Switch to this annotation, or to none; a running propagation stops."""
        self.work.stop("another picture was chosen")
        self._drop()
        self.controls.show_report({}, "slice")
        if annotation is not None:
            self._presenter = _StackPresenter(
                self._viewer, annotation, self.controls, self.work, self._selected
            )
            annotation.changed.connect(self.refresh)
            annotation.began_afresh.connect(self._begin_afresh)
        self.refresh()

    def close(self) -> None:
        """Stop permanently; finished slices are kept."""
        self._drop()
        self.work.close()

    def refresh(self, what: What = ANYTHING) -> None:
        """Update the widgets."""
        if what == What.DRAFT:  # at every click
            return
        self.work.check()
        if self.work.busy:
            return
        if self._presenter is not None:
            self._presenter.refresh()
            return
        self.controls.start.setEnabled(False)
        self.controls.status.setText(NO_PICTURE)
        self.controls.undo.hide()

    def _do(self, step: Callable[[_StackPresenter], object]) -> None:
        if self._presenter is not None:
            step(self._presenter)

    def _drop(self) -> None:
        if self._presenter is not None:
            self._presenter.annotation.changed.disconnect(self.refresh)
            self._presenter.annotation.began_afresh.disconnect(self._begin_afresh)
            self._presenter.close()
            self._presenter = None

    def _choose(self) -> None:
        self.controls.choices.remember()
        self._do(lambda one: one.say(""))
        self.refresh()

    def _begin_afresh(self) -> None:
        self.work.stop("the picture or the model is another one now")
        self.refresh()

    def _show_end(self, why: str) -> None:
        self.controls.show_work(busy=False)
        self._do(lambda one: one.show_end(why))
        self.refresh()


class _Ready(NamedTuple):
    """Validated input of a propagation."""

    seen: Plane
    axis: int
    model: HostedModel
    objects: list[int]


class _StackPresenter:
    """Presenter of the propagation in one annotation, and of its result."""

    def __init__(
        self,
        viewer: ViewerModel,
        annotation: Annotation,
        controls: StackControls,
        work: PropagationWorker,
        selected: Callable[[], Sequence[int]],
    ) -> None:
        self.annotation = annotation
        self._viewer = viewer
        self._controls = controls
        self._work = work
        self._selected = selected
        self._along: StackAxis | None = None  # of the latest report
        self._noun = "slice"
        self._report = StackReport({})
        self._said = ""
        self._soon = new_timer(REST_MS, self._show_report, controls)

    def close(self) -> None:
        self._soon.stop()
        self._soon.deleteLater()

    def say(self, text: str) -> None:
        self._said = text

    def refresh(self) -> None:
        c, axes = self._controls, self._axes()
        if (axis := self._axis(axes)) is not None:
            self._noun = "time point" if axes[axis].lower() in ("t", "time") else "slice"
            c.name_slices(self._noun, axes, self.annotation.picture.shape[axis])
        ready = self._ready()
        c.start.setEnabled(isinstance(ready, _Ready))
        c.status.setText(self._said or (ready if isinstance(ready, str) else _words(ready)))
        c.undo.setVisible(self._can_take_back())

    def start(self) -> None:
        c, ready = self._controls, self._ready()
        if isinstance(ready, str) or self._work.busy:
            return
        along, length = StackAxis(ready.seen, ready.axis), self.annotation.picture.shape[ready.axis]
        rule = Rule(c.choices["rule"].value)
        try:
            settings = PropagateSettings(
                c.choices["direction"].value, c.first.value(), c.last.value()
            )
            seeds, settings = seed_masks(
                self.annotation.session, along, ready.objects, rule, settings, length
            )
        except InputError as error:
            self._said = f"⚠ {error}"
            self.refresh()
            return
        self._along, self._said = along, ""
        c.show_start(self._noun)
        task = PropagationTask(along, length, seeds, settings, rule)
        self._report = self._work.start(self.annotation, ready.model, task)

    def take_back(self) -> None:
        """Undo the propagation, if it is the last step."""
        if self._can_take_back():
            self.annotation.undo()
            self._said = "All of it was taken back."
            self._controls.show_report({}, self._noun)
            self.refresh()

    def go_to(self, index: int) -> None:
        along, picture, dims = self._along, self.annotation.picture, self._viewer.dims
        if along is None or not picture.fits(plane := along.at(index), None):
            return
        world = picture.transform.to_world(np.array([float(at or 0) for at in plane]))
        dims.set_point(dims.ndim - len(plane) + along.axis, float(world[along.axis]))

    def show_reached(self, reached: Progress[int]) -> None:
        c = self._controls
        c.bar.setRange(0, max(reached.total, 1))
        c.bar.setValue(int(reached.done))
        left = duration(reached.seconds_left)
        c.status.setText(f"At {self._noun} {reached.result}, at most about {left} left")
        if not self._soon.isActive():
            self._soon.start()

    def show_end(self, why: str) -> None:
        said = f"It ended early: {why}. What has come stays." if why else DONE
        self._said = f"{said} {self._report.overlaps}".rstrip()
        self._show_report()

    def _show_report(self) -> None:
        self._soon.stop()
        self._controls.show_report(self._report.objects, self._noun)

    def _chosen(self, seen: Plane) -> list[int]:
        session = self.annotation.session
        match self._controls.choices["objects"].value:
            case "last":
                return accepted_last(session)
            case "selected":
                return [number for number in self._selected() if number in session.objects]
        return accepted_here(session, seen)

    def _axes(self) -> dict[int, str]:
        """Return the axes to go along, by name: those that the viewer does not show."""
        picture = self.annotation.picture
        labels = picture.transform.arguments["axis_labels"]
        return {
            axis: f"axis {axis}" if labels[axis].startswith("-") else labels[axis]
            for axis, at in enumerate(self.annotation.seen or ())
            if at is not None and picture.shape[axis] > 1
        }

    def _axis(self, axes: dict[int, str]) -> int | None:
        chosen = self._controls.axis.currentData()
        return chosen if chosen in axes else max(axes, default=None)

    def _ready(self) -> _Ready | str:
        """Return all that is needed, or say what is to be done before."""
        seen, model, axis = self.annotation.seen, self.annotation.model, self._axis(self._axes())
        if self.annotation.picture.ndim < 3:
            return FLAT
        if seen is None:
            return UNSEEN
        if axis is None:
            return FLAT
        if model is None:
            return NO_MODEL
        if not (objects := self._chosen(seen)):
            return NONE[self._controls.choices["objects"].value]
        return _Ready(seen, axis, model, objects)

    def _can_take_back(self) -> bool:
        done = self.annotation.session.history.done
        return bool(self._along and done) and done[-1].kind is Kind.PROPAGATED


def _words(ready: _Ready) -> str:
    names = ", ".join(map(str, ready.objects[:8])) + ("…" if len(ready.objects) > 8 else "")
    return f"Ready to follow object {names}: press the button."
