"""Linking and writing of tracks in a thread of their own, with progress and cancel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from threading import Event
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_sam.io.spacing import Spacing
from napari_sam.io.tracks.folder import write_tracks
from napari_sam.progress import Progress
from napari_sam.session.edit.tracks import Frames, detections_in, drawn_frames
from napari_sam.tracking.detections import Detections, iter_detections
from napari_sam.tracking.linking import link
from napari_sam.tracking.tracks import Tracks, called_as_objects
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.jobs.worker import Worker

__all__ = ["TracksWorker", "linked", "written"]

Steps = Iterator[Progress[Any]]


def linked(frames: Frames, shape: tuple[int, int]) -> Steps:
    """Link masks (H, W) of frames; the last step has the tracks, called as the objects are."""
    found: Detections | None = None
    for step in iter_detections(drawn_frames(frames, shape), len(frames)):
        found = step.result
        yield Progress(step.done, step.total + 1, None, step.seconds_left)
    assert found is not None
    tracks = called_as_objects(link(found))
    yield Progress(len(frames) + 1, len(frames) + 1, tracks)


def written(
    folder: Path, frames: Frames, shape: tuple[int, int], tracks: Tracks, spacing: Spacing
) -> Steps:
    """Write tracks of masks (H, W) into a folder; the last step has the folder."""
    yield Progress(0, 1, None)
    write_tracks(folder, detections_in(frames), tracks, spacing, drawn_frames(frames, shape))
    yield Progress(1, 1, folder)


class TracksWorker(Worker[Event]):
    """Goes through steps in a thread; what the last one brings is handed over in the window's."""

    reached = Signal(object)  # Progress

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = Background("tracks", self)

    def start(self, steps: Steps, then: Callable[[Any], object]) -> None:
        """Go through steps, and call `then` with the result of the last."""
        cancelled = Event()
        self._job = cancelled

        def work() -> Any:
            result = None
            for step in steps:
                if cancelled.is_set():
                    return None
                self.reached.emit(step)
                result = step.result
            return result

        self._background.submit(work, lambda future: self._end(cancelled, future, then))

    def close(self) -> None:
        """Stop without any further signal."""
        if self._job is not None:
            self._job.set()
        super().close()

    def shut(self) -> None:
        """Stop permanently; what is being written is finished."""
        self.close()
        self._background.close()

    def _end(self, job: Event, future: Future[Any], then: Callable[[Any], object]) -> None:
        if job is not self._job:  # it was cancelled
            return
        if (error := future.exception()) is not None:
            self.fail(error)
            return
        self._job = None
        then(future.result())
        self.ended.emit("")
