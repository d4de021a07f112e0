"""Clean-up of objects in the panel: what would change is shown, then written as one step."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
from napari.components import ViewerModel
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_sam.errors import InputError
from napari_sam.inference.edit.clean import CleanSettings, PixelSize, clean_answer
from napari_sam.io.spacing import SYMBOLS
from napari_sam.masks import CroppedMask, enclosing, slices
from napari_sam.planes import Plane, spanned
from napari_sam.reasons import reason
from napari_sam.results import Prediction
from napari_sam.session.changed import What
from napari_sam.session.edit.clean import CleanTask, clean_tasks, planes_of, write_cleaned
from napari_sam.widgets.annotation.annotation import ANYTHING, Annotation
from napari_sam.widgets.common.keys import KEYS
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.edit.clean_dialog import CleanDialog
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.layers.preview import Preview

__all__ = ["Cleaning", "differences"]

REST_MS = 150  # a number that is being turned is not followed at every step
COLOURS = "#ff6a00", "#0091ff"  # what is lost, what is gained; no label has one like these
LOST, GAINED = 1, 2

Cleaned = Mapping[int, CroppedMask]


@dataclass
class _Run:
    """A clean-up under way."""

    tasks: Iterator[CleanTask]
    count: int
    found: list[tuple[CleanTask, Cleaned]] = field(default_factory=list)


class Cleaning(QObject):
    """Shows what the rules would change on the slice in view, and applies them.

    Parameters
    ----------
    viewer : ViewerModel
        Where.
    selected : callable
        Returns the ids of the objects that are selected in the list.

    Attributes
    ----------
    dialog : CleanDialog
        The window with the rules.
    """

    rule_changed = Signal(str)  # the rules at each accept, in words; empty if there are none

    def __init__(
        self,
        viewer: ViewerModel,
        selected: Callable[[], Sequence[int]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._selected = selected
        self._annotation: Annotation | None = None
        self._preview: Preview | None = None
        self._run: _Run | None = None
        self._asked = 0  # number of the preview that is wanted
        owner = parent.parent() if parent is not None else None
        self.dialog = CleanDialog(owner if isinstance(owner, QWidget) else None)
        self._thread = Background("clean", self)
        self._soon = new_timer(REST_MS, self._look, self)
        self.dialog.choices.changed.connect(self._changed)
        self.dialog.opened.connect(self._open)
        self.dialog.clean.clicked.connect(self._begin)
        self.dialog.stop.clicked.connect(self._stop)
        self.dialog.show_work(False)

    @property
    def busy(self) -> bool:
        """True while masks are cleaned, for the preview, too."""
        return self._soon.isActive() or self._thread.busy

    def open(self) -> None:
        """Show the window."""
        self.dialog.show()
        self.dialog.raise_()
        if self._annotation is not None and not self._selected():
            self._annotation.remarked.emit(
                "No object is selected: choose in the window to clean all."
            )

    def follow(self, annotation: Annotation | None) -> None:
        """Switch to the objects of this annotation; a rule at each accept holds for it, too."""
        self._stop()
        if self._annotation is not None:
            self._annotation.changed.disconnect(self._follow)
            self._annotation.tidy = None
        if self._preview is not None:
            self._preview.close()
        self._annotation, self._preview = annotation, None
        if annotation is not None:
            annotation.changed.connect(self._follow)
        self._tell_unit()
        self._set_rule()

    def close(self) -> None:
        """Stop all work, and release the annotation."""
        self.follow(None)
        self._soon.stop()
        self._thread.close()
        self.dialog.close()

    def _open(self, on: bool) -> None:
        if on:
            self._tell_unit()
            self._soon.start()
        else:
            self._asked += 1
            self._stop()
            self._hide()

    def _changed(self, name: str) -> None:
        if name == "physical":
            self._tell_unit()
        self._set_rule()
        self._soon.start()

    def _follow(self, what: What = ANYTHING) -> None:
        """Look again when another slice, other objects or other selected ones are there."""
        if self.dialog.isVisible() and what & (What.OBJECTS | What.VIEW):
            self._soon.start()

    def _tell_unit(self) -> None:
        """Offer the unit of the picture."""
        unit = ""
        if self._annotation is not None:
            spacing = self._annotation.picture.axes.spacing
            unit = SYMBOLS.get(spacing.units[-1], spacing.units[-1]) if spacing.measured else ""
        self.dialog.show_unit(unit)

    def _pixel(self, plane: Plane) -> PixelSize:
        """Return the size of a pixel in the unit of the rules."""
        if self._annotation is None or not self.dialog.choices["physical"].value:
            return 1.0, 1.0
        scale = self._annotation.picture.axes.spacing.scale
        height, width = (abs(scale[axis]) or 1.0 for axis in spanned(plane))
        return height, width

    def _set_rule(self) -> None:
        """Clean the model's answers before they are shown, or do so no more."""
        annotation, settings = self._annotation, self.dialog.settings
        on = self.dialog.choices["always"].value and settings.does_something
        seen = None if annotation is None else annotation.seen
        if annotation is not None:
            pixel = (1.0, 1.0) if seen is None else self._pixel(seen)
            annotation.tidy = _tidier(settings, pixel) if on else None
        self.rule_changed.emit(settings.said(self._unit) if on else "")

    @property
    def _unit(self) -> str:
        choice = self.dialog.choices["physical"]
        return str(choice.native.currentText()) if choice.value else "px"

    def _ids(self) -> Collection[int] | None:
        """Return the objects that are meant; None: all."""
        return list(self._selected()) if self.dialog.choices["which"].value == "selected" else None

    def _tasks(self, planes: Sequence[Plane]) -> Iterator[CleanTask]:
        """Yield the tasks on these planes, each with the size of its pixels."""
        assert self._annotation is not None
        session, settings, ids = self._annotation.session, self.dialog.settings, self._ids()
        for plane in planes:
            yield from clean_tasks(session, [plane], settings, self._pixel(plane), ids)

    def _look(self) -> None:
        """Show what would change on the slice in view."""
        annotation = self._annotation
        if annotation is None or annotation.seen is None or not self.dialog.isVisible():
            self._say("There is no slice of a picture in view.")
            self._hide()
            return
        if self._run is not None:
            return
        self._asked += 1
        number = self._asked
        if self._ids() == []:
            self._say("Select objects in the list, or choose to clean all.")
            self._hide()
            return
        if not self.dialog.settings.does_something:
            self._say("Choose what is to be done.")
            self._hide()
            return
        try:
            tasks = list(self._tasks([annotation.seen]))
        except InputError as error:
            self._say(f"⚠ {error}")
            return
        if not tasks:
            self._say("None of them lies on this slice, or they are locked.")
            self._hide()
            return
        [task] = tasks

        def then(future: Future[tuple[Cleaned, NDArray[np.uint8]]]) -> None:
            if number == self._asked and self._run is None:
                self._show(task, future)

        self._thread.submit(lambda: _seen(task), then)

    def _show(self, task: CleanTask, future: Future[tuple[Cleaned, NDArray[np.uint8]]]) -> None:
        if (error := future.exception()) is not None:
            self._say(f"⚠ {reason(error)}")
            return
        changed, shown = future.result()
        annotation = self._annotation
        if annotation is None or annotation.seen != task.plane:
            return
        if self._preview is None:
            self._preview = Preview(
                self._viewer, annotation.picture, "napari-sam cleaned", COLOURS, 0.8, "cleaned"
            )
        self._preview.show(shown, task.plane)
        gained, lost = (int(np.count_nonzero(shown == value)) for value in (GAINED, LOST))
        self._say(
            f"{len(changed)} of {len(task.masks)} objects change on this slice: {gained:,} pixels "
            f"are gained (blue), {lost:,} lost (orange)."
        )

    def _begin(self) -> None:
        """Clean all that is meant, plane by plane, then write it."""
        annotation = self._annotation
        if annotation is None or self._run is not None:
            return
        which, session, seen = (
            self.dialog.choices["which"].value,
            annotation.session,
            annotation.seen,
        )
        planes = [] if seen is None else [seen]
        if which != "slice":
            planes = planes_of(session, self._ids())
        if not planes or not self.dialog.settings.does_something:
            self._look()
            return
        self._asked += 1
        self._run = _Run(self._tasks(planes), len(planes))
        self.dialog.show_work(True)
        self._next(self._run)

    def _next(self, run: _Run) -> None:
        try:
            task = next(run.tasks, None)
        except InputError as error:
            self._stop()
            self._say(f"⚠ {error}")
            return
        if task is None:
            self._write(run)
            return
        self._say(f"Cleaning: {len(run.found)} of {run.count} slices")

        def then(future: Future[Cleaned]) -> None:
            if run is not self._run:
                return
            if (error := future.exception()) is not None:
                self._stop()
                self._say(f"⚠ {reason(error)}")
                return
            run.found.append((task, future.result()))
            self._next(run)

        self._thread.submit(task.run, then)

    def _write(self, run: _Run) -> None:
        self._stop()
        self._hide()
        changed: set[int] = set()
        if self._annotation is not None and self._annotation.step(
            lambda session: changed.update(write_cleaned(session, run.found))
        ):
            count = f"{len(changed):,} object{'' if len(changed) == 1 else 's'}"
            said = f"{count} cleaned. {KEYS['undo']} undoes it." if changed else "Nothing changes."
            self._say(said)
            self._annotation.remarked.emit(said)

    def _stop(self) -> None:
        self._run = None
        self.dialog.show_work(False)

    def _hide(self) -> None:
        if self._preview is not None:
            self._preview.show(None, ())

    def _say(self, text: str) -> None:
        self.dialog.status.setText(text)


def differences(task: CleanTask, changed: Cleaned) -> NDArray[np.uint8]:
    """Return (H, W) what objects would lose (1) and gain (2) on their plane."""
    shown = np.zeros(next(iter(task.masks.values())).shape, np.uint8)
    for number, mask in changed.items():
        box = enclosing(mask.box, task.masks[number].box)
        now, before = mask.within(box), task.masks[number].within(box)
        part = shown[slices(box)]
        part[before & ~now & (part == 0)] = LOST
        part[now & ~before] = GAINED
    return shown


def _seen(task: CleanTask) -> tuple[Cleaned, NDArray[np.uint8]]:
    changed = task.run()
    return changed, differences(task, changed)


def _tidier(settings: CleanSettings, pixel: PixelSize) -> Callable[[Prediction], Prediction]:
    return lambda prediction: clean_answer(prediction, settings, pixel)
