"""Binding of a session to its save folder and to its Labels layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from napari.layers import Labels

from napari_sam.errors import InputError, NapariSamError
from napari_sam.planes import Plane
from napari_sam.session import drawing
from napari_sam.session.changed import What
from napari_sam.session.disk.autosave import Autosave
from napari_sam.session.disk.folder import Restored, SessionFolder, restore
from napari_sam.session.disk.library import sessions_folder
from napari_sam.session.draft import Draft
from napari_sam.session.drawing import Accepted
from napari_sam.session.overlap import Rule
from napari_sam.session.session import Session
from napari_sam.widgets.annotation.hints import CHANNELS
from napari_sam.widgets.annotation.labels_listener import LabelsListener
from napari_sam.widgets.annotation.labels_place import LabelsPlace
from napari_sam.widgets.annotation.queries import Answer, Query
from napari_sam.widgets.annotation.resume_layer import (
    layer_on_disk,
    layer_to_resume_in,
    name_as_before,
)
from napari_sam.widgets.layers.channel_mix import finest
from napari_sam.widgets.layers.labels_target import (
    BEGIN,
    PAINTED_OVER,
    LabelsTarget,
    check_planes,
    new_labels,
    store_of,
    why_not,
)
from napari_sam.widgets.layers.preview import first_helper

if TYPE_CHECKING:
    from napari_sam.widgets.annotation.annotation import Annotation

__all__ = ["LeftWork", "SessionBinding"]

ON_DISK = "Labels of this picture would take {:,.1f} GB in memory; they are on disk: {}"


@dataclass(frozen=True, eq=False)
class LeftWork:
    """What was done with a picture that is not annotated any more, to go on when it is again.

    Parameters
    ----------
    target : Labels or None
        Where its objects are written.
    folders : WeakKeyDictionary of Labels to Path
        Where the session of each Labels layer is saved.
    draft : Draft
        What was being drawn, if nothing is saved of it because no object was accepted.
    """

    target: Labels | None
    folders: WeakKeyDictionary[Labels, Path]
    draft: Draft


class SessionBinding:
    """Binds an annotation's session to a folder and a Labels layer; each Labels layer has its own.

    Attributes
    ----------
    session : Session
        The session of now.
    """

    session: Session

    def __init__(self, annotation: Annotation) -> None:
        self._annotation = annotation
        self._target: LabelsTarget | None = None
        self._listener: LabelsListener | None = None  # to the target
        self._place: LabelsPlace | None = None  # of the target
        self._left: WeakKeyDictionary[Labels, Path] = WeakKeyDictionary()
        self._begin()

    @property
    def layer(self) -> Labels | None:
        """The Labels layer that accepted objects are written to."""
        return None if self._target is None else self._target.layer

    @property
    def folder(self) -> SessionFolder | None:
        """Folder of the saved session; None while the session is empty."""
        saving = self._saving
        return saving if isinstance(saving, SessionFolder) else saving.folder

    def write_to(self, layer: Labels | None) -> None:
        """Write accepted objects to this compatible Labels layer; None: to a new one.

        The session with the objects of before ends, and stays saved. It goes on if its layer is
        chosen again, or is gone and a new one is wanted.
        """
        before, draft = self.layer, self.session.draft
        gone = before is not None and before not in self._annotation.viewer.layers
        self._release()
        ends = bool(self.session.objects) and not (gone and layer is None)
        if ends:
            if before is not None and self.folder is not None:
                self._left[before] = self.folder.path
            self._end()
            self._begin()
        if layer is not None:
            self._attach(layer)
            self._go_on_in(layer)
        session = self.session
        if ends and draft.object_id is None and draft.has_prompts and session.draft.is_empty:
            drawing.draw(session, draft.plane, draft.points, draft.labels, draft.box, draft.mask)
        self._annotation.changed.emit(What.DRAFT | What.OBJECTS)

    def accept(self, rule: Rule, rest: bool = False, across: Rule = Rule.KEEP) -> Accepted:
        """Write the current mask to the Labels layer; create the layer if none is chosen.

        See `napari_sam.session.drawing.accept`.
        """
        if self.session.mask is not None or self._target is not None:
            self.ensure_target()
        return drawing.accept(self.session, rule, rest, across)

    def ensure_target(self, largest_id: int = 0) -> None:
        """Create a Labels layer with room for an id if none is chosen.

        Raises
        ------
        InputError
            If the chosen one, or what there is already, does not fit the picture any more.
        """
        picture = self._annotation.picture
        if self._target is not None:
            if problem := why_not(self._target.layer, picture):
                raise InputError(problem)
            return
        check_planes(self.session.objects, picture, BEGIN)
        layer = new_labels(picture, max(self.session.objects, default=largest_id))
        self._add(layer)
        self._annotation.changed.emit(What.OBJECTS)
        if (path := store_of(layer)) is not None:
            pixels = finest(layer)
            size = math.prod(pixels.shape) * pixels.dtype.itemsize / 1e9
            answer = Answer("Fine", lambda: None, "They are kept there, chunk by chunk")
            query = Query("on disk", ON_DISK.format(size, path), (answer,))
            self._annotation.queries.ask(query)

    def resume(self, restored: Restored) -> str:
        """Resume a saved session, in the Labels layer that shows its objects or in a new one.

        The session of now ends and stays saved. Returns what is to be said of the layer.

        Raises
        ------
        InputError
            If its masks do not fit the picture; nothing changes.
        """
        picture, layers = self._annotation.picture, self._annotation.viewer.layers
        session, chosen = restored.session, self.layer
        check_planes(session.objects, picture, CHANNELS, session.draft.plane)
        layer, said = layer_to_resume_in(layers, picture, session, chosen), ""
        new = layer is None and bool(session.objects)
        made = None
        if new:
            made = layer_on_disk(picture, session) or new_labels(picture, max(session.objects))
        self._release()
        self._end()
        self._begin(restored)
        if made is not None:
            self._add(made)
            said = name_as_before(layers, session, made, chosen)
        elif layer is not None:
            self._attach(layer)
        self._annotation.follow_session()
        self._annotation.look_soon()  # what was painted since is a step of its own
        return said

    def leave(self) -> LeftWork:
        """Return what is needed to go on later; before `close`."""
        session, target, folder = self.session, self.layer, self.folder
        folders = self._left.copy()
        if target is not None and folder is not None and session.objects:
            folders[target] = folder.path
        return LeftWork(target, folders, Draft() if session.objects else session.draft)

    def go_on(self, left: LeftWork) -> None:
        """Go on with what was left, as soon as its Labels layer is written to."""
        self._left = left.folders.copy()
        draft = left.draft
        if draft.has_prompts and self._annotation.picture.fits(draft.plane, None):
            self._annotation.step(
                lambda s: drawing.draw(
                    s, draft.plane, draft.points, draft.labels, draft.box, draft.mask
                )
            )

    def compare(self) -> None:
        """Record differences between the labels in view and the objects as a paint step."""
        seen = self._annotation.seen
        if self._listener is not None and seen is not None:
            self._listener.compare(seen)

    def close(self) -> None:
        """Disconnect from the Labels layer without changing it."""
        self._release()
        self._saving.close()

    def _begin(self, restored: Restored | None = None) -> None:
        """Begin with nothing, or go on with a session that was saved."""
        annotation = self._annotation
        self._saving: Autosave | SessionFolder
        if restored is None:
            self.session = Session()
            self._saving = Autosave(self.session, sessions_folder(), annotation.identity.wait)
        else:
            self.session, self._saving = restored.session, restored.folder
        self.session.changed.connect(annotation.follow_session)
        self.session.remarked.connect(lambda text: annotation.remarked.emit(text))

    def _end(self) -> None:
        self._annotation.asking.boxes.forget()
        self._saving.close()

    def _attach(self, layer: Labels) -> None:
        annotation = self._annotation
        self._target = LabelsTarget(layer, self._is_shown, annotation.undo, annotation.redo)
        self._listener = LabelsListener(annotation, self._target)
        self._place = LabelsPlace(annotation, layer)

    def _is_shown(self, plane: Plane) -> bool:
        return not self._annotation.flat or plane == self._annotation.seen

    def _add(self, layer: Labels) -> None:
        viewer = self._annotation.viewer
        active = viewer.layers.selection.active
        viewer.layers.insert(first_helper(viewer), layer)
        self._attach(layer)
        viewer.layers.selection.active = active

    def _go_on_in(self, layer: Labels) -> None:
        """Bring back the session that wrote to a layer before, if that still shows its objects."""
        path = self._left.pop(layer, None)
        if path is None or self._target is None or self.session.objects:
            return
        try:
            restored = restore(path)
        except NapariSamError as error:
            self._annotation.remarked.emit(f"⚠ {error}")
            return
        if restored.session.labels.shown_in(self._target):
            self.resume(restored)
        else:
            restored.folder.let_go()
            self._annotation.remarked.emit(PAINTED_OVER)

    def _release(self) -> None:
        """Leave the labels as they are."""
        if self._listener is not None:
            self._listener.close()
        if self._place is not None:
            self._place.close()
        self._target = self._listener = self._place = None
