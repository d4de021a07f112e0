"""Resume a session: find the saved sessions of an image, ask, and restore."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path

from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QObject, Signal

from napari_sam.errors import NapariSamError
from napari_sam.session.disk.fingerprint import Match
from napari_sam.session.disk.folder import Restored, restore
from napari_sam.session.disk.library import Saved
from napari_sam.session.review import next_unsure
from napari_sam.session.session import Session
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.common.connections import Connections
from napari_sam.widgets.common.keys import KEYS
from napari_sam.widgets.common.questions import Question
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.common.wording import count
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.saved.offer import Offer, OfferResult, find_offer
from napari_sam.widgets.saved.view_state import restore_view, view_state

__all__ = ["Resuming"]

REST_MS = 1000
DAMAGED = (
    "⚠ A part of what was saved could not be read: {} recovered, {} lost. What could be is here; "
    "the damaged file is kept in {}."
)


class Resuming(QObject):
    """Offers and restores saved sessions, and saves the view state.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer.
    question : Question
        With two answers: go on, or begin anew.
    settings : callable
        Returns the settings in force, which are saved with the view.

    Attributes
    ----------
    at_once : callable
        Tells of a layer whether its saved work comes back without a question.
    """

    resumed = Signal(object)  # how the view stood; mapping
    nothing_saved = Signal()  # of this annotation
    remarked = Signal(str)
    picture_wanted = Signal(object)  # Image

    def __init__(
        self,
        viewer: ViewerModel,
        question: Question,
        settings: Callable[[], Mapping[str, object]] = dict,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.at_once: Callable[[Image], bool] = lambda layer: False
        self._settings = settings
        self._background = Background("resuming", self)
        self._passed_over: set[Path] = set()  # what nobody wants to go on with
        self._viewer = viewer
        self._question = question
        self._presenter: _ResumePresenter | None = None
        self._wanted: Saved | None = None
        question.answers[0].clicked.connect(lambda: self._answer(go_on=True))
        question.answers[1].clicked.connect(lambda: self._answer(go_on=False))

    @property
    def busy(self) -> bool:
        """True while saved sessions are searched or read."""
        return self._background.busy

    def follow(self, annotation: Annotation | None) -> None:
        """Search the saved sessions of this annotation's image."""
        if self._presenter is not None:
            self._presenter.close()
        self._presenter = (
            None if annotation is None else _ResumePresenter(self, annotation, self._wanted)
        )

    def open(self, saved: Saved) -> None:
        """Resume this session, on the open image or after opening its source file."""
        if self._presenter is not None and self._presenter.open(saved):
            return
        self._wanted = saved  # whichever picture is chosen now
        try:
            self._open(saved.manifest.source, saved.manifest.reader)
        finally:
            self._wanted = None

    def close(self) -> None:
        """Stop searching permanently."""
        self.follow(None)
        self._background.close()

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

    def _answer(self, go_on: bool) -> None:
        if self._presenter is not None:
            self._presenter.answer(go_on)


class _ResumePresenter:
    """Presenter of saved sessions for one annotation."""

    def __init__(self, part: Resuming, annotation: Annotation, wanted: Saved | None) -> None:
        self._part = part
        self._annotation = annotation
        self._offered: Saved | None = None
        self._closed = False
        self._rest = new_timer(REST_MS, self._keep_view, part)
        self._connections = Connections()
        self._connections.add(annotation.changed, self._forget_offer)
        dims, camera = part._viewer.dims.events, part._viewer.scene.camera.events
        turned = dims.point, dims.order, dims.ndisplay
        for event in (*turned, camera.center, camera.zoom, camera.angles):
            self._connections.add(event, self._view_moved)
        self._offer(None)
        self._search(wanted)

    def open(self, saved: Saved) -> bool:
        """Resume this session if it seems to belong to the image; return False if it does not."""
        here = self._annotation.saved_in
        if here is not None and here.path == saved.path:
            self._part.remarked.emit("This is the work that is open here.")
        elif _seems_of(self._annotation, saved):
            self._search(saved)
        else:
            return False
        return True

    def answer(self, go_on: bool) -> None:
        offered = self._offered
        self._offer(None)
        if offered is None:
            return
        if go_on:
            self._bring_back(offered)
        else:
            self._part._passed_over.add(offered.path)

    def close(self) -> None:
        """Save the view state, and ignore any further results."""
        self._keep_view()
        self._offer(None)
        self._closed = True
        self._connections.close()
        self._rest.stop()
        self._rest.deleteLater()

    def _search(self, wanted: Saved | None) -> None:
        passed_over = tuple(self._part._passed_over)
        identity, ndim = self._annotation.identity, self._annotation.picture.layer.ndim

        def work() -> OfferResult:
            now = identity.wait()
            if wanted is None:
                return find_offer(now, ndim, passed_over)
            match = wanted.manifest.picture.compare(now.picture)
            return OfferResult(Offer.of(wanted, match, now, ndim, asked_for=True), [])

        self._part._background.submit(work, self._take_found)

    def _take_found(self, future: Future[OfferResult]) -> None:
        if self._closed:
            return
        if error := future.exception():
            self._part.remarked.emit(
                f"⚠ Saved work of this picture was looked for in vain: {error}"
            )
            return
        result = future.result()
        if result.problem:
            self._part.remarked.emit(result.problem)
        if (offer := result.offer) is None:
            self._part.nothing_saved.emit()
            return
        annotation = self._annotation
        begun = bool(annotation.session.objects) or not annotation.session.draft.is_empty
        at_once = self._part.at_once(annotation.picture.layer) and not begun
        if offer.match is Match.SAME and (offer.asked_for or at_once):
            self._bring_back(offer.saved)
        elif offer.asked_for or not self._annotation.session.objects:
            self._offer(offer)

    def _offer(self, offer: Offer | None) -> None:
        self._offered = None if offer is None else offer.saved
        question, fits = self._part._question, offer is not None and offer.fits
        question.ask("" if offer is None else offer.question)
        question.answers[0].setVisible(fits)
        question.answers[1].setText("Start anew" if offer is None or fits else "All right")

    def _forget_offer(self) -> None:
        """Ask no longer: somebody has begun anew without an answer."""
        if self._offered is not None and self._annotation.session.objects:
            self._offer(None)

    def _bring_back(self, saved: Saved) -> None:
        self._offer(None)
        self._part.remarked.emit("Reading what was saved…")
        self._part._background.submit(lambda: restore(saved.path), self._take)

    def _take(self, future: Future[Restored]) -> None:
        remarked = self._part.remarked
        if error := future.exception():
            remarked.emit(f"⚠ {error}")
            return
        restored = future.result()
        if self._closed:
            restored.folder.let_go()
            return
        try:
            said = self._annotation.binding.resume(restored)
        except (NapariSamError, MemoryError) as problem:
            restored.folder.let_go()
            remarked.emit(f"⚠ {problem}")
            return
        view = dict(restored.session.view)
        restore_view(view, self._part._viewer, self._annotation)
        self._part.resumed.emit(view)
        welcome = _damage(restored) or _welcome(restored.session)
        remarked.emit(f"{welcome} {said}".rstrip())

    def _keep_view(self) -> None:
        if self._annotation.saved_in is not None:
            view = view_state(self._part._viewer, self._annotation, self._part._settings())
            self._annotation.step(lambda session: session.keep_view(view))

    def _view_moved(self) -> None:
        self._rest.start()


def _seems_of(annotation: Annotation, saved: Saved) -> bool:
    """Tell whether saved work may belong to the picture that is annotated."""
    known, source = annotation.identity.known, saved.manifest.source
    same = known is not None and known.picture == saved.manifest.picture
    return same or (bool(source) and annotation.picture.layer.source.path == source)


def _damage(restored: Restored) -> str:
    """Say what of saved work could not be read; nothing if all could."""
    recovered, where = count(restored.recovered, "step"), restored.folder.path
    return DAMAGED.format(recovered, restored.lost or "none", where) if restored.damaged else ""


def _welcome(session: Session) -> str:
    """Say what is here again, and how to go on with it."""
    objects, tally = session.objects, session.ledger.tally
    here = f"Here is your work again: {count(len(objects))}."
    if not (tally.seconds or tally.prompts or tally.untimed):
        here = f"A search has filled this in: {count(len(objects))}."
    waits = next_unsure(objects) is not None
    return f"{here} {KEYS['next_unsure']} goes to what nobody has accepted." if waits else here
