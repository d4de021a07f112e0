"""Go on where somebody left off: finds saved work of a picture, asks, and brings it back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QObject, QTimer, Signal

from napari_sam.errors import NapariSamError, SessionError
from napari_sam.session.disk.fingerprint import Match
from napari_sam.session.disk.folder import Restored, restore
from napari_sam.session.disk.library import (
    Saved,
    all_saved,
    all_unreadable,
    matches,
    sessions_folder,
)
from napari_sam.session.disk.manifest import Manifest
from napari_sam.session.objects import AnnotatedObject
from napari_sam.session.review import next_unsure
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.common.forms import Question
from napari_sam.widgets.common.keys import KEYS
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.saved.view_state import put_back, standing

__all__ = ["Resuming"]

REST_MS = 1000
DAMAGED = (
    "⚠ A part of what was saved could not be read: {} recovered, {} lost. What could be is here; "
    "the damaged file is kept in {}."
)


@dataclass(frozen=True, eq=False)
class Found:
    """Saved work of a picture."""

    saved: Saved
    match: Match
    objects: int
    fits: bool  # masks of that shape can lie on the picture
    asked_for: bool  # somebody has chosen it

    @classmethod
    def of(
        cls, saved: Saved, match: Match, now: Manifest, ndim: int, asked_for: bool = False
    ) -> Found:
        """Look into saved work.

        Raises
        ------
        SessionError
            If it cannot be read.
        """
        fits = saved.manifest.picture.shape[:ndim] == now.picture.shape[:ndim]
        return cls(saved, match, saved.count(), fits, asked_for)


class Search(NamedTuple):
    """What can be gone on with, and why other work of the same picture cannot be opened."""

    found: Found | None
    troubles: list[str]


class Resuming(QObject):
    """Offers saved work, brings it back, and writes down how the view stands meanwhile.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer.
    question : Question
        With two answers: go on, or begin anew.
    """

    resumed = Signal(object)  # how the view stood; mapping
    remarked = Signal(str)
    picture_wanted = Signal(object)  # Image

    def __init__(
        self, viewer: ViewerModel, question: Question, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._question = question
        self._annotation: Annotation | None = None
        self._offered: Saved | None = None
        self._wanted: Saved | None = None
        self._passed_over: set[Path] = set()
        self._background = Background("resuming", self)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._keep_view)
        go_on, anew = question.answers
        go_on.clicked.connect(lambda: self._bring_back(self._offered))
        anew.clicked.connect(self._pass_over)
        for event in self._view_events():
            event.connect(self._view_moved)

    @property
    def busy(self) -> bool:
        """True while saved work is looked for or read."""
        return self._background.busy

    def follow(self, annotation: Annotation | None) -> None:
        """Look for saved work of this annotation's picture."""
        if self._annotation is not None:
            self._keep_view()
        self._annotation = annotation
        self._offer(None)
        if annotation is None:
            return
        annotation.changed.connect(self._forget_offer)
        self._search(annotation, self._wanted)

    def open(self, saved: Saved) -> None:
        """Go on with this work: on a picture that is here, or opened from where it was."""
        annotation, source = self._annotation, saved.manifest.source
        here = None if annotation is None else annotation.saved_in
        if here is not None and here.path == saved.path:
            self.remarked.emit("This is the work that is open here.")
            return
        if annotation is not None and _seems_of(annotation, saved):
            self._search(annotation, saved)
            return
        self._wanted = saved  # whichever picture is chosen now
        try:
            self._open(source, saved.manifest.reader)
        finally:
            self._wanted = None

    def _open(self, source: str, reader: str) -> None:
        layers = [layer for layer in self._viewer.layers if isinstance(layer, Image)]
        layer = next((one for one in layers if source and one.source.path == source), None)
        if layer is None and source and Path(source).exists():
            added = self._viewer.open(source, plugin=reader or None)
            layer = next((one for one in added if isinstance(one, Image)), None)
        if layer is not None:
            self.picture_wanted.emit(layer)
            return
        self.remarked.emit(
            f"⚠ {source or 'The picture of this work'} cannot be found. Open the picture from "
            "where it is now: it is known by its content, and its saved work is offered then."
        )

    def close(self) -> None:
        """Look for nothing any more."""
        self.follow(None)
        self._rest.stop()
        self._background.close()
        for event in self._view_events():
            event.disconnect(self._view_moved)

    def _search(self, annotation: Annotation, wanted: Saved | None) -> None:
        passed_over = tuple(self._passed_over)
        identity, ndim = annotation.identity, annotation.picture.layer.ndim

        def search() -> Search:
            now = identity.wait()
            if wanted is None:
                return _search(now, ndim, passed_over)
            match = wanted.manifest.picture.compare(now.picture)
            return Search(Found.of(wanted, match, now, ndim, asked_for=True), [])

        self._background.submit(search, partial(self._take_found, annotation))

    def _take_found(self, annotation: Annotation, future: Future[Search]) -> None:
        if annotation is not self._annotation:
            return
        if error := future.exception():
            self.remarked.emit(f"⚠ Saved work of this picture was looked for in vain: {error}")
            return
        found, troubles = future.result()
        if troubles:
            self.remarked.emit(_told(troubles))
        if found is None:
            return
        if found.asked_for and found.match is Match.SAME:
            self._bring_back(found.saved)
        elif found.asked_for or not annotation.session.objects:
            self._offer(found)

    def _offer(self, found: Found | None) -> None:
        self._offered = None if found is None else found.saved
        self._question.ask("" if found is None else _words(found))
        self._question.answers[0].setVisible(found is not None and found.fits)
        self._question.answers[1].setText(
            "Start anew" if found is None or found.fits else "All right"
        )

    def _forget_offer(self) -> None:
        """Ask no longer: somebody has begun anew without an answer."""
        annotation = self._annotation
        if self._offered is not None and annotation is not None and annotation.session.objects:
            self._offer(None)

    def _pass_over(self) -> None:
        if self._offered is not None:
            self._passed_over.add(self._offered.path)
        self._offer(None)

    def _bring_back(self, saved: Saved | None) -> None:
        annotation = self._annotation
        if saved is None or annotation is None:
            return
        self._offer(None)
        self.remarked.emit("Reading what was saved…")
        self._background.submit(lambda: restore(saved.path), partial(self._take, annotation))

    def _take(self, annotation: Annotation, future: Future[Restored]) -> None:
        error = future.exception()
        if error is not None:
            self.remarked.emit(f"⚠ {error}")
            return
        restored = future.result()
        if annotation is not self._annotation:
            restored.folder.let_go()
            return
        try:
            said = annotation.binding.resume(restored)
        except (NapariSamError, MemoryError) as problem:
            restored.folder.let_go()
            self.remarked.emit(f"⚠ {problem}")
            return
        view = dict(restored.session.view)
        put_back(view, self._viewer, annotation)
        self.resumed.emit(view)
        welcome = _damage(restored) or _welcome(restored.session.objects)
        self.remarked.emit(f"{welcome} {said}".rstrip())

    def _keep_view(self) -> None:
        annotation = self._annotation
        if annotation is not None and annotation.saved_in is not None:
            view = standing(self._viewer, annotation)
            annotation.step(lambda session: session.keep_view(view))

    def _view_moved(self) -> None:
        if self._annotation is not None:
            self._rest.start()

    def _view_events(self) -> list[Any]:
        dims, camera = self._viewer.dims.events, self._viewer.scene.camera.events
        return [dims.point, dims.order, dims.ndisplay, camera.center, camera.zoom, camera.angles]


def _search(now: Manifest, ndim: int, passed_over: Collection[Path]) -> Search:
    """Look for the work to go on with, in any thread."""
    shelf = sessions_folder()
    odd = [one for one in all_unreadable(shelf) if one.is_of(now)]
    troubles = [one.reason for one in odd if one.path not in passed_over]
    for saved, match in matches(all_saved(shelf), now):
        if saved.path in passed_over:
            continue
        try:
            if problem := saved.obstacle:
                raise SessionError(problem)
            return Search(Found.of(saved, match, now, ndim), troubles)
        except SessionError as error:
            troubles.append(str(error))
    return Search(None, troubles)


def _seems_of(annotation: Annotation, saved: Saved) -> bool:
    """Tell whether saved work may belong to the picture that is annotated."""
    known, source = annotation.identity.known, saved.manifest.source
    same = known is not None and known.picture == saved.manifest.picture
    return same or (bool(source) and annotation.picture.layer.source.path == source)


def _damage(restored: Restored) -> str:
    """Say what of saved work could not be read; nothing if all could."""
    steps = f"{restored.recovered} step{'' if restored.recovered == 1 else 's'}"
    where = restored.folder.path
    return DAMAGED.format(steps, restored.lost or "none", where) if restored.damaged else ""


def _welcome(objects: Mapping[int, AnnotatedObject]) -> str:
    """Say what is here again, and how to go on with it."""
    count = len(objects)
    here = f"Here is your work again: {count} object{'' if count == 1 else 's'}."
    waits = next_unsure(objects) is not None
    return f"{here} {KEYS['next_unsure']} goes to what nobody has accepted." if waits else here


def _told(troubles: Sequence[str]) -> str:
    """Say what was found and cannot be opened."""
    more = f" There are {len(troubles) - 1} more of this kind." if len(troubles) > 1 else ""
    return (
        f"⚠ There is saved work of this picture that cannot be opened: {troubles[0]}.{more} "
        "More options, Saved work, lists it."
    )


def _words(found: Found) -> str:
    """Return the question about saved work."""
    changed = found.saved.changed
    when = f"{changed.day} {changed:%B %Y, %H:%M}"
    count = found.objects
    what = f"{count} object{'' if count == 1 else 's'}" if count else "what was being drawn"
    if found.match is Match.SAME:
        return f"You worked on this picture before ({when}): {what} saved. Continue?"
    if found.fits:
        return (
            f"There is saved work of this file ({when}, {what}), but the picture holds other "
            "pixels now. Continue all the same?"
        )
    was = " x ".join(map(str, found.saved.manifest.picture.shape))
    return (
        f"There is saved work of this file ({when}, {what}), but it was another picture then, of "
        f"{was} pixels. The work is kept: see More options, Saved work."
    )
