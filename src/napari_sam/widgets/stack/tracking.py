"""Tracks of one annotation of a time series: linked, listed by doubt, edited, shown, exported."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from qtpy.QtWidgets import QFileDialog

from napari_sam.errors import NapariSamError
from napari_sam.files import free_path
from napari_sam.planes import Plane
from napari_sam.progress import Progress
from napari_sam.session.changed import What
from napari_sam.session.edit.tracks import (
    Centres,
    Frames,
    detections_in,
    frames_in,
    retrack,
    tracks_in,
)
from napari_sam.tracking import edits
from napari_sam.tracking.doubts import Doubt, doubts_of, worst_first
from napari_sam.tracking.linking import check_installed
from napari_sam.tracking.tracks import Tracks
from napari_sam.widgets.annotation.annotation import ANYTHING, Annotation
from napari_sam.widgets.annotation.hints import word_of
from napari_sam.widgets.common.keys import KEYS
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.common.wording import count
from napari_sam.widgets.layers.navigate import go_to
from napari_sam.widgets.stack.seeds import StackAxis
from napari_sam.widgets.stack.tracks_controls import TrackRow, TracksControls
from napari_sam.widgets.stack.tracks_layer import TracksLayer
from napari_sam.widgets.stack.tracks_work import TracksWorker, linked, written

__all__ = ["Tracking", "time_axis"]

REST_MS = 200  # frames may come faster than anybody reads
NONE = "There are no objects yet: find them in the tab Auto, or follow them; then link them."
CHANGED = "⚠ The objects have changed meanwhile; link them again."


def time_axis(annotation: Annotation) -> StackAxis | None:
    """Return the axis of time and a frame on it; None if there is none, or more than frames."""
    picture, seen = annotation.picture, annotation.seen
    leading = picture.axes.leading
    if seen is None or len(leading) != 1 or word_of(picture, leading[0]) != "frame":
        return None
    return StackAxis(seen, leading[0]) if seen[leading[0]] is not None else None


class Tracking:
    """Presenter of the drawer Tracks.

    Parameters
    ----------
    annotation : Annotation
        Whose objects are tracks.
    controls : TracksControls
        The drawer.
    work : TracksWorker
        What links and writes.
    select : callable
        Selects an object in all lists.
    """

    def __init__(
        self,
        annotation: Annotation,
        controls: TracksControls,
        work: TracksWorker,
        select: Callable[[int], object],
    ) -> None:
        self._annotation, self._controls, self._work = annotation, controls, work
        self._select = select
        self._layer = TracksLayer(annotation.viewer, annotation.picture)
        self._soon = new_timer(REST_MS, self._renew, controls)
        self._said = ""
        self._centres: Centres = {}  # to measure no mask twice
        annotation.changed.connect(self._note)

    def close(self) -> None:
        """Remove the layer and empty the list."""
        self._annotation.changed.disconnect(self._note)
        self._soon.stop()
        self._soon.deleteLater()
        self._layer.hide()
        self._controls.shown.setChecked(False)
        self._controls.show_rows(())

    def open(self) -> None:
        """Show what the objects are now."""
        self._said = ""
        self._renew()

    def link(self) -> None:
        """Link the objects of all frames, as one step."""
        frames, shape = self._frames(), self._shape()
        if self._work.busy or shape is None or not any(frames):
            return
        try:
            check_installed()
        except NapariSamError as error:
            self._say(f"⚠ {error}")
            return
        self._controls.bar.setRange(0, 0)
        self._controls.show_work(busy=True)
        self._work.start(linked(frames, shape), lambda tracks: self._take(frames, tracks))

    def show_reached(self, step: Progress[object]) -> None:
        """Show how far the work is."""
        self._controls.bar.setRange(0, step.total)
        self._controls.bar.setValue(int(step.done))

    def show_end(self, why: str) -> None:
        """Show that the work has ended, and why if before all was done."""
        if why:
            self._say(
                f"⚠ {why}" if why != "you cancelled it" else "Cancelled; nothing has changed."
            )
        self._renew()

    def show_layer(self, on: bool) -> None:
        """Show the layer of tracks, or hide it."""
        if not on:
            self._layer.hide()
        self._renew()

    def go(self, number: int, frame: int) -> None:
        """Select a track and go to a frame of it."""
        along, annotation = time_axis(self._annotation), self._annotation
        if along is None:
            return
        self._select(number)
        section = annotation.session.objects.section(number, along.at(frame))
        mask = None if section is None else section.mask
        go_to(annotation.viewer, annotation.picture, along.at(frame), mask)

    def edit(self, name: str) -> None:
        """Do an edit with the selected tracks, at the frame in view."""
        along, chosen = time_axis(self._annotation), self._controls.selected
        seen = self._annotation.seen
        frame = None if along is None or seen is None else along.index(seen)
        if not chosen or frame is None or self._work.busy:
            return
        self._change(lambda tracks: _edited(tracks, name, chosen, frame))

    def delete_short(self) -> None:
        """Delete tracks of fewer frames than the box says."""
        fewest = self._controls.shortest.value()
        self._change(lambda tracks: edits.delete_short(tracks, fewest))

    def export(self) -> None:
        """Ask for a folder, and write the tracks into a new one in there."""
        said = QFileDialog.getExistingDirectory(self._controls, "Export tracks into a folder")
        if said:
            self.write(Path(said))

    def write(self, parent: Path) -> None:
        """Write the tracks into a new folder in this one."""
        along, shape, frames = time_axis(self._annotation), self._shape(), self._frames()
        if along is None or shape is None or self._work.busy:
            return
        picture = self._annotation.picture
        name = re.sub(r"[^\w.-]+", "_", picture.layer.name)
        folder = free_path(parent / f"{name}_tracks")
        spanned = [axis for axis, at in enumerate(along.plane) if at is None]
        spacing = picture.axes.spacing.taken([along.axis, *spanned]).named("tyx")
        tracks = tracks_in(self._annotation.session.objects, frames)
        self._controls.show_work(busy=True)
        steps = written(folder, frames, shape, tracks, spacing)
        self._work.start(steps, lambda where: self._say(f"Written to {where}."))

    def _change(self, edit: Callable[[Tracks], Tracks]) -> None:
        session, planes = self._annotation.session, self._planes()
        before = session.ledger.number

        def step(_: object) -> None:
            self._annotation.binding.ensure_target()
            retrack(session, planes, edit(tracks_in(session.objects, self._frames())))

        if self._annotation.step(step):
            changed = session.ledger.number > before
            done = f"{KEYS['undo']} takes it back" if changed else "nothing had to change"
            self._say(f"{_counted(tracks_in(session.objects, self._frames()))}; {done}.")

    def _take(self, frames: Frames, tracks: Tracks) -> None:
        if self._frames() != frames:
            self._say(CHANGED)
            return
        self._controls.shown.setChecked(True)
        self._change(lambda _: tracks)

    def _say(self, text: str) -> None:
        self._said = text
        self._annotation.remarked.emit(text)
        self._renew()

    def _note(self, what: What = ANYTHING) -> None:
        if What.OBJECTS in what and (
            self._controls.isVisible() or self._controls.shown.isChecked()
        ):
            self._soon.start()
        elif What.VIEW in what:
            self._controls.select(self._annotation.selected)

    def _renew(self) -> None:
        """Show the tracks that the objects are."""
        frames, objects = self._frames(), self._annotation.session.objects
        tracks = tracks_in(objects, frames)
        found = detections_in(frames, self._centres)
        doubts = worst_first(doubts_of(found, tracks), tracks)
        self._controls.show_rows([_row(tracks, number, some) for number, some in doubts.items()])
        self._controls.show_work(self._work.busy)
        self._controls.link.setEnabled(bool(tracks.members))
        self._controls.status.setText(self._said or _summary(tracks, doubts.values()))
        if self._controls.shown.isChecked():
            self._layer.show(found, tracks)

    def _planes(self) -> list[Plane]:
        along = time_axis(self._annotation)
        if along is None:
            return []
        return [along.at(index) for index in range(self._annotation.picture.shape[along.axis])]

    def _frames(self) -> Frames:
        return frames_in(self._annotation.session.objects, self._planes())

    def _shape(self) -> tuple[int, int] | None:
        planes = self._planes()
        if not planes:
            return None
        height, width = self._annotation.picture.plane_shape(planes[0])
        return height, width


def _edited(tracks: Tracks, name: str, chosen: Sequence[int], frame: int) -> Tracks:
    first = min(chosen, key=lambda number: (tracks.first(number), number))
    others = [number for number in chosen if number != first]
    match name:
        case "join":
            return edits.join(tracks, first, others[0])
        case "break":
            return edits.break_track(tracks, first, frame)
        case "divide":
            return edits.divide(tracks, first, others)
        case "part":
            return edits.part(tracks, first)
    return edits.swap(tracks, first, others[0], frame)


def _row(tracks: Tracks, number: int, doubts: Sequence[Doubt]) -> TrackRow:
    first, last = tracks.first(number), tracks.last(number)
    words = [f"{number}", f"frames {first} to {last}" if last > first else f"frame {first}"]
    if number in tracks.parents:
        words.append(f"from {tracks.parents[number]}")
    if daughters := tracks.daughters.get(number):
        words.append(f"divides into {', '.join(map(str, daughters))}")
    worst = max(doubts, key=lambda one: one.weight, default=None)
    words += [f"frame {one.frame}: {one.words}" for one in doubts]
    return TrackRow(number, first if worst is None else worst.frame, " · ".join(words))


def _summary(tracks: Tracks, doubts: Iterable[Sequence[Doubt]]) -> str:
    if not tracks.members:
        return NONE
    some = [one for one in doubts if one]
    return f"{_counted(tracks)}; {len(some)} to look at. Click on one to go there."


def _counted(tracks: Tracks) -> str:
    divisions = sum(len(one) > 1 for one in tracks.daughters.values())
    return f"{count(len(tracks.members), 'track')}, {count(divisions, 'division')}"
