"""The tab Stack: starts a propagation from the chosen options, and shows its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from napari.components import ViewerModel
from qtpy.QtCore import QObject

from napari_sam.errors import InputError
from napari_sam.inference.propagation.settings import Direction, PropagateSettings
from napari_sam.planes import Plane
from napari_sam.progress import Progress
from napari_sam.serving.host import HostedModel
from napari_sam.session.changed import What
from napari_sam.session.changes import Kind
from napari_sam.session.edit.halves import around, looked_at
from napari_sam.session.overlap import Rule
from napari_sam.widgets.annotation.annotation import ANYTHING, Annotation
from napari_sam.widgets.annotation.hints import word_of
from napari_sam.widgets.common.wording import count, duration
from napari_sam.widgets.stack.by_hand import ByHand
from napari_sam.widgets.stack.controls import StackControls
from napari_sam.widgets.stack.report import StackReport
from napari_sam.widgets.stack.reviewing import Reviewing
from napari_sam.widgets.stack.seeds import (
    StackAxis,
    accepted_here,
    accepted_last,
    corrected,
    seed_masks,
)
from napari_sam.widgets.stack.sides import Sides
from napari_sam.widgets.stack.tracking import Tracking, time_axis
from napari_sam.widgets.stack.tracks_work import TracksWorker
from napari_sam.widgets.stack.work import PropagationTask, PropagationWorker

__all__ = ["StackTab"]

NO_PICTURE = "Choose a picture in the tab Prompt; objects are followed through stacks."
FLAT = "This picture is a single slice: there is nothing to follow objects through."
UNSEEN = "Show a slice of the picture in the 2D view first."
NO_MODEL = "Choose a model in the tab Prompt first."
NONE = {
    "here": "First accept an object on this slice, in the tab Prompt; then follow it from here.",
    "last": "First accept an object, in the tab Prompt; then follow it from there.",
    "selected": "First select objects in the list of the tab Prompt.",
}
BY_HAND: dict[str, Callable[[ByHand], object]] = {
    "copy_next": lambda one: one.copy(1),
    "copy_previous": lambda one: one.copy(-1),
    "interpolate": ByHand.interpolate,
    "absent": ByHand.mark_absent,
    "ends": ByHand.end,
    "halves": ByHand.look,
    "missing_follow": ByHand.follow_missing,
    "missing_copy": ByHand.copy_missing,
    "missing_ends": ByHand.end_missing,
}
WAYS: dict[int, Direction] = {1: "forward", -1: "backward", 0: "both"}
BUSY = "Wait until the objects are followed, or press Cancel."
NONE_CORRECTED = "Accept an object first, or its correction; then follow it from here."


class StackTab(QObject):
    """Propagates the objects of one panel's annotation.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer.
    selected : callable
        Returns the objects that are selected in the list of objects.
    select : callable
        Selects one there.

    Attributes
    ----------
    actions : dict of str to callable
        What can be done by keys as well, by their names.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        selected: Callable[[], Sequence[int]],
        select: Callable[[int], object],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.controls = c = StackControls()
        self.work = PropagationWorker(self)
        self._viewer = viewer
        self._selected, self._select = selected, select
        self._presenter: _StackPresenter | None = None
        self._tracking: Tracking | None = None
        self.tracks_work = TracksWorker(self)
        self.actions: dict[str, Callable[[], None]] = {
            "follow": lambda: self._do(_StackPresenter.follow_again)
        } | {name: partial(self._by_hand, step) for name, step in BY_HAND.items()}
        c.choices.changed.connect(self._choose)
        c.axis.activated.connect(lambda: self.refresh())
        c.start.clicked.connect(lambda: self._do(_StackPresenter.start))
        c.cancel.clicked.connect(lambda: self.work.stop("you cancelled it"))
        c.undo.clicked.connect(lambda: self._do(_StackPresenter.take_back))
        c.again.clicked.connect(lambda: self.actions["follow"]())
        c.accept_certain.clicked.connect(lambda: self._do(lambda one: one.rows.accept_certain()))
        c.review.clicked.connect(lambda: self._do(lambda one: one.rows.go_on()))
        c.list.place_wanted.connect(lambda *place: self._do(lambda one: one.rows.go(*place)))
        c.by_hand.wanted.connect(lambda name: self.actions[name]())
        c.by_hand.sides.clicked.connect(lambda: self._do(lambda one: one.sides.toggle()))
        self.work.reached.connect(lambda at: self._do(lambda one: one.show_reached(at)))
        self.work.ended.connect(self._show_end)
        self._connect_tracks()
        self.refresh()

    def _connect_tracks(self) -> None:
        tracks, work = self.controls.tracks, self.tracks_work
        tracks.opened.connect(lambda: self._track(Tracking.open))
        tracks.link.clicked.connect(lambda: self._track(Tracking.link))
        tracks.cancel.clicked.connect(lambda: work.stop("you cancelled it"))
        tracks.shown.toggled.connect(lambda on: self._track(lambda one: one.show_layer(on)))
        tracks.went.connect(lambda *place: self._track(lambda one: one.go(*place)))
        tracks.wanted.connect(lambda name: self._track(lambda one: one.edit(name)))
        tracks.delete_short.clicked.connect(lambda: self._track(Tracking.delete_short))
        tracks.export.clicked.connect(lambda: self._track(Tracking.export))
        work.reached.connect(lambda step: self._track(lambda one: one.show_reached(step)))
        work.ended.connect(lambda why: self._track(lambda one: one.show_end(why)))

    def follow(self, annotation: Annotation | None) -> None:
        """Switch to this annotation, or to none; a running propagation stops."""
        self.work.stop("another picture was chosen")
        self._drop()
        if annotation is not None:
            self._presenter = _StackPresenter(
                annotation, self.controls, self.work, self._selected, self._select
            )
            self._tracking = Tracking(
                annotation, self.controls.tracks, self.tracks_work, self._select
            )
            annotation.changed.connect(self.refresh)
            annotation.began_afresh.connect(self._begin_afresh)
        self.refresh()

    def close(self) -> None:
        """Stop permanently; finished slices are kept."""
        self._drop()
        self.controls.strip.thumbnails.close()
        self.work.close()
        self.tracks_work.shut()

    def refresh(self, what: What = ANYTHING) -> None:
        """Update the widgets."""
        if what == What.DRAFT:  # at every click
            return
        self.work.check()
        along = None if self._presenter is None else time_axis(self._presenter.annotation)
        self.controls.offer_tracks(along is not None)
        if self._presenter is not None:
            self._presenter.refresh()
            return
        self.controls.start.setEnabled(False)
        self.controls.status.setText(NO_PICTURE)
        self.controls.undo.setEnabled(False)

    def _do(self, step: Callable[[_StackPresenter], object]) -> None:
        if self._presenter is not None:
            step(self._presenter)

    def _track(self, step: Callable[[Tracking], object]) -> None:
        if self._tracking is not None:
            step(self._tracking)

    def _by_hand(self, step: Callable[[ByHand], object]) -> None:
        self._do(lambda one: step(one.hand))

    def _drop(self) -> None:
        self.tracks_work.close()
        if self._tracking is not None:
            self._tracking.close()
            self._tracking = None
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
        annotation: Annotation,
        controls: StackControls,
        work: PropagationWorker,
        selected: Callable[[], Sequence[int]],
        select: Callable[[int], object],
    ) -> None:
        self.annotation = annotation
        self.rows = Reviewing(annotation, controls, select)
        self.hand = ByHand(annotation, controls, self.rows.go, self.follow_from)
        self.sides = Sides(annotation, lambda: self._axis(self._axes()), controls)
        self._controls = controls
        self._work = work
        self._selected = selected
        self._again = False  # whether it was wanted by the key
        self._followed = False  # whether anything was, since this annotation is shown
        self._noun = "slice"
        self._said = ""
        self._report = StackReport({})

    def close(self) -> None:
        self.sides.close()
        self.hand.close()
        self.rows.close()

    def say(self, text: str) -> None:
        self._said = text

    def refresh(self) -> None:
        c, axes, busy = self._controls, self._axes(), self._work.busy
        if (axis := self._axis(axes)) is not None and not busy:
            self._noun = word_of(self.annotation.picture, axis)
            c.name_slices(self._noun, axes, self.annotation.picture.shape[axis])
        self.rows.show(axis, self._noun, busy)
        self.hand.show(self.rows.along)
        if busy:
            return
        ready = self._ready()
        c.start.setEnabled(isinstance(ready, _Ready))
        c.status.setText(self._said or (ready if isinstance(ready, str) else _words(ready)))
        c.undo.setEnabled(self._can_take_back())

    def start(self) -> None:
        """Follow the chosen objects."""
        ready = self._ready()
        if isinstance(ready, _Ready) and not self._work.busy:
            c = self._controls
            self._start(ready, c.choices["direction"].value, (c.first.value(), c.last.value()))

    def follow_again(self) -> None:
        """Follow the object that was corrected, from all slices that it is accepted on."""
        annotation, ready = self.annotation, self._ready(any_objects=True)
        if self._work.busy:
            annotation.remarked.emit(BUSY)
        elif isinstance(ready, str):
            annotation.remarked.emit(ready)
        elif not (numbers := corrected(annotation.session, ready.seen, self._selected())):
            annotation.remarked.emit(NONE_CORRECTED)
        else:
            names = ", ".join(map(str, numbers))
            annotation.remarked.emit(f"Following object {names} again…")
            way = self._controls.choices["direction"].value
            between = self._between(ready, numbers)
            self._start(ready._replace(objects=numbers), way, between, again=True)

    def follow_from(self, number: int, index: int, way: int) -> None:
        """Follow one object from its mask on a slice, accepted or not; 0 is both ways."""
        ready = self._ready(any_objects=True)
        if self._work.busy or isinstance(ready, str):
            self.annotation.remarked.emit(BUSY if self._work.busy else str(ready))
            return
        c = self._controls
        first, last = c.first.value(), c.last.value()
        between = (index if way > 0 else first, index if way < 0 else last)
        self.annotation.remarked.emit(f"Following object {number} from {self._noun} {index}…")
        self._start(ready._replace(objects=[number]), WAYS[way], between, again=True, start=index)

    def _between(self, ready: _Ready, numbers: Sequence[int]) -> tuple[int, int]:
        """Return from where to where a correction on the slice in view changes anything."""
        first, last = self._controls.first.value(), self._controls.last.value()
        along, objects = StackAxis(ready.seen, ready.axis), self.annotation.session.objects
        line, at = along.line(self.annotation.picture.shape[ready.axis]), along.index(ready.seen)
        begins, ends = [], []
        for number in numbers:
            looked = looked_at(objects[number], line)
            before, behind = around(looked, at) if at is not None and at in looked else (None, None)
            begins.append(first if before is None else max(first, before))
            ends.append(last if behind is None else min(last, behind))
        return min(begins), max(ends)

    def _start(
        self,
        ready: _Ready,
        way: Direction,
        between: tuple[int, int],
        again: bool = False,
        start: int | None = None,
    ) -> None:
        self._again, c = again, self._controls
        along, picture = StackAxis(ready.seen, ready.axis), self.annotation.picture
        rule = Rule(c.choices["rule"].value)
        try:
            seeds, settings = seed_masks(
                self.annotation.session,
                along,
                ready.objects,
                rule,
                PropagateSettings(way, *between),
                picture.shape,
                picture.axes.spacing.scale,
                None if start is None else along.at(start),
            )
        except InputError as error:
            self._said = f"⚠ {error}"
            self.annotation.remarked.emit(self._said)
            self.refresh()
            return
        self._said, self._followed = "", True
        c.show_start()
        task = PropagationTask(along, picture.shape[ready.axis], seeds, settings, rule, self._noun)
        self._report = self._work.start(self.annotation, ready.model, task)
        self.rows.show_report(self._report)
        self.refresh()

    def take_back(self) -> None:
        """Undo the propagation, if it is the last step."""
        if self._can_take_back():
            self.annotation.undo()
            self._said = "All of it was taken back."
            self.refresh()

    def show_reached(self, reached: Progress[int]) -> None:
        c = self._controls
        c.bar.setRange(0, max(reached.total, 1))
        c.bar.setValue(int(reached.done))
        left = duration(reached.seconds_left)
        c.status.setText(f"At {self._noun} {reached.result}, at most about {left} left")

    def show_end(self, why: str) -> None:
        self.rows.settle(lambda: self._show_end(why))

    def _show_end(self, why: str) -> None:
        sure, look = self._controls.list.slices.sure, self._controls.list.slices.look
        found = f"{count(sure, 'mask')} sure, {count(look, self._noun)} to look at."
        said = f"It ended early: {why}. What has come stays." if why else f"Done: {found}"
        self._said = f"{said} {self._report.overlaps}".rstrip()
        if self._again and not self._controls.isVisible():  # by the key, from another tab
            self.annotation.remarked.emit(self._said)
        self.refresh()

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

    def _ready(self, any_objects: bool = False) -> _Ready | str:
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
        if not (objects := self._chosen(seen)) and not any_objects:
            return NONE[self._controls.choices["objects"].value]
        return _Ready(seen, axis, model, objects)

    def _can_take_back(self) -> bool:
        done = self.annotation.session.history.done
        return self._followed and bool(done) and done[-1].kind is Kind.PROPAGATED


def _words(ready: _Ready) -> str:
    names = ", ".join(map(str, ready.objects[:8])) + ("…" if len(ready.objects) > 8 else "")
    noun = "object" if len(ready.objects) == 1 else "objects"
    return f"Ready to follow {noun} {names}: press the button."
