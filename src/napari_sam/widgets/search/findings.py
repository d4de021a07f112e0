"""What was found on a plane of an annotation's picture, from the search until it is an object."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from napari.components import ViewerModel
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_sam.errors import InputError
from napari_sam.planes import Plane
from napari_sam.results import Proposal
from napari_sam.session.autofill import Chosen, FillCounts, fill, settled
from napari_sam.session.classes import named
from napari_sam.session.objects import Status
from napari_sam.session.overlap import Rule
from napari_sam.session.session import Session
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.layers.image_stack import on_plane
from napari_sam.widgets.search.found import Found, FoundPreview

__all__ = ["GONE", "NO_MODEL", "Findings", "free", "has_accepted", "held", "last_step", "state"]

UNSEEN = "Show a slice of the picture in the 2D view first."
NO_MODEL = "Choose a model in the tab Prompt first."
GONE = "⚠ What was found is let go of: the picture does not have its slice any more. Find again."


class Findings(QObject):
    """Shown over the picture, kept apart from what is settled, put into the session, taken back.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer.
    rule : callable
        Tells who keeps the pixels where new objects meet older ones.
    no_picture : str
        What to say while there is no picture.

    Attributes
    ----------
    annotation : Annotation or None
        Whose picture it is.
    found : Found or None
        What was found.
    rule : callable
        As given.
    """

    changed = Signal()  # the annotation
    began_afresh = Signal()  # what is known of the picture is of no use any more

    def __init__(
        self,
        viewer: ViewerModel,
        rule: Callable[[], Rule],
        no_picture: str,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.annotation: Annotation | None = None
        self.found: Found | None = None
        self.rule = rule
        self._viewer = viewer
        self._no_picture = no_picture
        self._preview: FoundPreview | None = None
        self._settled_by: tuple[Any, ...] = ()
        self._step = 0  # number of the session's step that can be taken back

    def follow(self, annotation: Annotation | None) -> None:
        """Serve this annotation from now on, or none; what was found for another is forgotten."""
        if self.annotation is not None:
            self.annotation.changed.disconnect(self._tell)
            self.annotation.began_afresh.disconnect(self._tell_afresh)
        self.forget()
        self._step = 0
        if self._preview is not None:
            self._preview.close()
        self.annotation, self._preview = annotation, None
        if annotation is not None:
            self._preview = FoundPreview(self._viewer, annotation.picture)
            annotation.changed.connect(self._tell)
            annotation.began_afresh.connect(self._tell_afresh)

    @property
    def missing(self) -> str:
        """What is to be done before anything can be found; empty if nothing."""
        if self.annotation is None:
            return self._no_picture
        if self.annotation.seen is None:
            return UNSEEN
        return "" if self.annotation.model is not None else NO_MODEL

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the slice that was searched, else of the one in view."""
        if self.annotation is None or self.gone:
            return 1, 1
        plane = self.annotation.seen if self.found is None else self.found.plane
        return (1, 1) if plane is None else self.annotation.picture.plane_shape(plane)

    @property
    def slices(self) -> int:
        """How many slices lie like the one that was searched."""
        if self.annotation is None or self.found is None or self.gone:
            return 1
        sizes = zip(self.annotation.picture.shape, self.found.plane, strict=True)
        return math.prod(size for size, at in sizes if at is not None)

    @property
    def gone(self) -> bool:
        """True if the slice where this was found is not there any more, or of another size."""
        if self.annotation is None or self.found is None:
            return False
        shape = self.found.anywhere.shape if self.found.left else None
        return not self.annotation.picture.fits(self.found.plane, shape)

    @property
    def elsewhere(self) -> bool:
        """True if it was found on another slice than the one in view."""
        annotation, found = self.annotation, self.found
        return annotation is not None and found is not None and annotation.seen != found.plane

    @property
    def stale(self) -> bool:
        """True if something may have been settled since what is shown was chosen."""
        if self._preview is None or not self._preview.visible or self.annotation is None:
            return False
        return self._settled_by[:-1] != state(self.annotation, self.rule())

    def begin(self, found: Found) -> None:
        """Take what will be found in place of what was."""
        self.forget()
        self.found = found

    def forget(self) -> None:
        """Take away what was found; no label changes."""
        self.found = None
        self._settled_by = ()
        self.hide()

    def settle(self, words: Sequence[str] | None = None) -> None:
        """Tell what was found what is settled by now; `words` as in `held`."""
        if self.annotation is None or self.found is None:
            return
        now = state(self.annotation, self.rule())
        if self._settled_by != (*now, words):
            self._settled_by = *now, words
            self.found.settle(held(self.annotation, self.found.plane, self.rule(), words))

    def show(
        self, chosen: Chosen | None, faint: bool, colours: Sequence[int] | None = None
    ) -> None:
        """Show what is kept; see `FoundPreview.show`."""
        if self._preview is not None and self.found is not None:
            self._preview.show(self.found, chosen, faint, colours)

    def hide(self) -> None:
        """Show nothing."""
        if self._preview is not None:
            self._preview.hide()

    def put(
        self,
        chosen: Chosen,
        certain: float,
        words: Mapping[str, Collection[Proposal]] | None = None,
    ) -> FillCounts:
        """Put what is kept into the session, as `fill` does, and hide it.

        Raises
        ------
        NapariSamError
            If the labels or the session do not take it.
        """
        annotation, found = self.annotation, self.found
        if annotation is None or found is None:
            return FillCounts(0, 0)
        self.open_target(len(chosen.kept))
        done = fill(annotation.session, found.plane, chosen, self.rule(), certain, words)
        self.note(done)
        return done

    def open_target(self, largest_id: int) -> None:
        """Make sure that there is a Labels layer with room for an id.

        Raises
        ------
        InputError
            As `SessionBinding.ensure_target`.
        """
        if self.annotation is not None:
            self.annotation.binding.ensure_target(largest_id)

    def note(self, done: FillCounts) -> None:
        """Remember a step that can be taken back."""
        self._step = done.step

    @property
    def can_take_back(self) -> bool:
        """True as long as the last thing that was done is what was put here."""
        return self.annotation is not None and last_step(self.annotation.session) == self._step != 0

    def take_back(self) -> None:
        """Undo what was put, all objects at once."""
        if self.annotation is not None and self.can_take_back:
            self.annotation.undo()

    def _tell(self) -> None:
        self.changed.emit()

    def _tell_afresh(self) -> None:
        self.began_afresh.emit()


def held(
    annotation: Annotation, plane: Plane, rule: Rule, words: Sequence[str] | None = None
) -> NDArray[np.int64]:
    """Return what of a plane is settled, also in the Labels layer; see `settled`.

    Only earlier finds of these words make room; None: all do.
    """
    session = annotation.session
    shape, target = annotation.picture.plane_shape(plane), annotation.target
    labels = None
    if target is not None and target.data.shape == annotation.picture.shape:  # else it was changed
        labels = np.asarray(target.data[on_plane(plane)])
    classes = None
    if words is not None:
        used = {one.class_id for one in session.objects.values()}
        classes = named(session.classes, used, words)[1].values()
    return settled(session.objects, plane, shape, rule, labels, classes)


def state(annotation: Annotation, rule: Rule) -> tuple[Any, ...]:
    """Return what is equal as long as nothing can have been settled since."""
    return annotation.session, annotation.target, last_step(annotation.session), rule


def last_step(session: Session) -> int:
    """Return the number of the step that an undo takes back, 0 if there is none."""
    done = session.history.done
    return done[-1].number if done else 0


def free(region: NDArray[np.bool_] | None, there: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    """Return where (H, W) anything is left to be found; None if everywhere.

    Parameters
    ----------
    region : (H, W) bool, optional
        Where to search.
    there : (H, W) int
        What is settled; see `held`.

    Raises
    ------
    InputError
        If there is no such place.

    Examples
    --------
    >>> free(np.array([[False, True, True]]), np.array([[0, 0, 7]]))
    array([[False,  True, False]])
    """
    left = there == 0
    if region is not None:
        left &= region
    if not left.any():
        raise InputError(
            "there is no place left to search: draw larger shapes, or search the whole slice"
        )
    return None if left.all() else left


def has_accepted(annotation: Annotation | None) -> bool:
    """Tell whether anything is accepted that a model could learn from."""
    return annotation is not None and any(
        section.status is Status.ACCEPTED
        for one in annotation.session.objects.values()
        for section in one.sections.values()
    )
