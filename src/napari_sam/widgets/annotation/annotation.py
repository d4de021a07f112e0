"""One picture being annotated in one viewer: joins the session, the layers and the model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.events import Event
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_sam.errors import InputError, NapariSamError
from napari_sam.planes import Plane
from napari_sam.results import Prediction
from napari_sam.serving.host import HostedModel
from napari_sam.session import curation, drawing
from napari_sam.session.disk.autosave import Autosave
from napari_sam.session.disk.folder import Restored, SessionFolder, restore
from napari_sam.session.disk.library import sessions_folder
from napari_sam.session.drawing import Accepted
from napari_sam.session.objects import Status
from napari_sam.session.overlap import Rule
from napari_sam.session.session import Session
from napari_sam.widgets.annotation.going_on import layer_to_go_on_in, name_as_before
from napari_sam.widgets.annotation.hints import CHANNELS, GONE, not_taken
from napari_sam.widgets.annotation.identity import Identity
from napari_sam.widgets.annotation.many import Many, propose, proposed
from napari_sam.widgets.annotation.pending import Haste
from napari_sam.widgets.annotation.retracing import retrace
from napari_sam.widgets.jobs.plane import Looks
from napari_sam.widgets.jobs.prompt_jobs import Answer, Job, Jobs
from napari_sam.widgets.layers.drawn import Area
from napari_sam.widgets.layers.labels_target import (
    BEGIN,
    PAINTED_OVER,
    LabelsTarget,
    check_places,
    misfit,
    new_labels,
    why_not,
)
from napari_sam.widgets.layers.labels_watch import LabelsWatch
from napari_sam.widgets.layers.picture import Picture
from napari_sam.widgets.layers.preview import Preview, first_helper
from napari_sam.widgets.layers.prompt_layers import PromptLayers, Tool

__all__ = ["Annotation"]

REST_MS = 100  # a slice that was only passed over is not looked at


class Annotation:
    """Turns what is drawn into questions for the model, and the answers into masks.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer.
    picture : Picture
        The picture.
    jobs : Jobs
        Where the model works.

    Attributes
    ----------
    session : Session
        The annotation itself.
    identity : Identity
        Which picture this is.
    looks : Looks
        The picture as the model sees it.
    tool : Tool
        What the mouse draws.
    haste : Haste
        What was done before the mask was there.
    failed : bool
        True if the model could not answer the open question.
    selected : int or None
        The one object that is selected to be looked at.
    changed : psygnal.Signal
        Emitted when there is something new to show.
    began_afresh : psygnal.Signal
        Emitted when what was embedded so far is of no use any more.
    remarked : psygnal.Signal
        Emitted with a sentence for the user.
    """

    changed = Signal()
    began_afresh = Signal()
    remarked = Signal(str)

    def __init__(self, viewer: ViewerModel, picture: Picture, jobs: Jobs) -> None:
        self.picture = picture
        self.identity = Identity(picture)
        self.tool = Tool.INCLUDE
        self.haste = Haste()
        self._viewer = viewer
        self._jobs = jobs
        self._model: HostedModel | None = None
        self.looks = Looks(picture)
        self._target: LabelsTarget | None = None
        self._left: WeakKeyDictionary[Labels, Path] = WeakKeyDictionary()
        self._watch: LabelsWatch | None = None  # of the target
        self.failed = False
        self.selected: int | None = None
        self._preview = Preview(viewer, picture)
        self._prompts = PromptLayers(viewer, picture)
        if (seen := self.seen) is not None:  # now, or the first click would wait for the layer
            self._preview.show(np.zeros(picture.plane_shape(seen), bool), seen)
        self._prompts.changed.connect(self._drawn)
        self.many = Many(jobs)
        self.many.answered.connect(self._take_many)
        self.many.failed.connect(self._many_failed)
        self._begin_session()
        self._rest = QTimer(jobs)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._rested)
        for event in self._view_events():
            event.connect(self._view_moved)
        picture.follow()
        picture.layer.events.data.connect(self.identity.renew)
        picture.changed.connect(self._picture_changed)
        picture.redrawn.connect(self._doubt)
        self.arm(self.tool)

    @property
    def seen(self) -> Plane | None:
        """The plane that the viewer shows, or None."""
        return self.picture.plane(self._viewer.dims)

    @property
    def flat(self) -> bool:
        """False in the 3D view."""
        return bool(self._viewer.dims.ndisplay == 2)

    @property
    def resting(self) -> bool:
        """True while no prompts are taken, because nobody sees the panel."""
        return self._prompts.resting

    @property
    def has_model(self) -> bool:
        """True if there is a model to ask."""
        return self._model is not None

    @property
    def model(self) -> HostedModel | None:
        """The model that is asked."""
        return self._model

    @property
    def waiting(self) -> bool:
        """True while a question to the model is open."""
        return self.session.request is not None and self.session.prediction is None

    @property
    def proposed(self) -> list[int]:
        """The objects on this slice that were drawn together and wait to be accepted."""
        return proposed(self.session.objects, self.seen)

    def use_model(self, model: HostedModel | None) -> None:
        """Ask another model from now on, or none."""
        self._model = model
        self._start_afresh()

    def ask(self) -> None:
        """Send the open question to the model, or let it look at the plane ahead of one."""
        plane = self.session.draft.plane or self.seen
        if self._model is None or plane is None or (self.resting and not self.waiting):
            return
        if not self.picture.fits(plane, None):
            self.remarked.emit(f"⚠ {GONE}")
            self.fail()
            return
        self.failed = False
        request = self.session.request if self.waiting else None
        self._jobs.submit(self._model, Job(self.looks.keep(plane), request))

    def arm(self, tool: Tool) -> None:
        """Draw with this tool."""
        self.tool = tool
        if self.flat:
            self._prompts.arm(tool)
        self.changed.emit()

    def rest(self) -> None:
        """Take no clicks and look at no slices ahead of one until `wake`."""
        self._prompts.rest()

    def wake(self) -> None:
        """Be as before."""
        self._prompts.wake()
        self.ask()

    def select(self, object_id: int | None) -> None:
        """Take note of the object that is looked at."""
        self.selected = object_id
        self.changed.emit()

    def take(self, answer: Answer) -> None:
        """Take what came back from the model, unless it has seen pixels that are gone."""
        if not self.session.objects:  # which belong to the pixels that they were drawn on
            self.step(lambda _: self.identity.tell(self.saved_in))
        if self._saw_others():
            return
        if answer.request is not None and answer.prediction is not None:
            self.session.receive(answer.request, answer.prediction)

    def fail(self) -> None:
        """Take note that the model could not answer."""
        self.failed = self.waiting
        self.changed.emit()

    def outline(self, on: bool) -> None:
        """Show the mask as an outline."""
        self._preview.outline(on)

    def write_to(self, layer: Labels | None) -> None:
        """Send accepted objects to this layer, which fits; None: to a new one.

        Another layer has objects of its own: the session with those of before ends, and stays
        saved. It goes on if its layer is chosen again, or is gone and a new one is wanted.
        """
        before, draft = self.target, self.session.draft
        gone = before is not None and before not in self._viewer.layers
        self._release()
        ends = bool(self.session.objects) and not (gone and layer is None)
        if ends:
            self.many.forget()
            if before is not None and self.saved_in is not None:
                self._left[before] = self.saved_in.path
            self._saving.close()
            self._begin_session()
        if layer is not None:
            self._attach(layer)
            self._go_on_in(layer)
        if ends and draft.object_id is None and draft.has_prompts and self.session.draft.is_empty:
            drawing.draw(
                self.session, draft.plane, draft.points, draft.labels, draft.box, draft.mask
            )
        self.changed.emit()

    def accept(self, rule: Rule) -> Accepted:
        """Write the mask on show into the Labels layer, or into a new one if none is chosen."""
        if self.session.mask is not None or self._target is not None:
            self.ensure_target()
        return drawing.accept(self.session, rule)

    def ensure_target(self, largest_id: int = 0) -> None:
        """Make a Labels layer with room for an id if none is chosen.

        Raises
        ------
        InputError
            If the chosen one, or what there is already, does not fit the picture any more.
        """
        if self._target is not None:
            if problem := why_not(self._target.layer, self.picture):
                raise InputError(problem)
            return
        check_places(self.session.objects, self.picture, BEGIN)
        self._add(new_labels(self.picture, max(self.session.objects, default=largest_id)))
        self.changed.emit()

    def accept_proposed(self) -> None:
        """Accept all objects on this slice that were drawn together."""
        ids, seen = self.proposed, self.seen
        if ids and seen is not None:
            self.step(lambda s: curation.set_status(s, ids, Status.ACCEPTED, seen))

    @property
    def target(self) -> Labels | None:
        """The Labels layer that objects go to."""
        return None if self._target is None else self._target.layer

    @property
    def saved_in(self) -> SessionFolder | None:
        """Where the session is saved; None before there is anything in it."""
        saving = self._saving
        return saving if isinstance(saving, SessionFolder) else saving.folder

    def resume(self, restored: Restored) -> str:
        """Go on with a saved session, in the Labels layer that shows its objects or in a new one.

        The session of now ends and stays saved. Returns what is to be said of the layer.

        Raises
        ------
        InputError
            If its masks do not fit the picture; nothing changes.
        """
        session, layers, chosen = restored.session, self._viewer.layers, self.target
        check_places(session.objects, self.picture, CHANNELS, session.draft.plane)
        layer, said = layer_to_go_on_in(layers, self.picture, session, chosen), ""
        new = layer is None and bool(session.objects)
        made = new_labels(self.picture, max(session.objects)) if new else None
        self._release()
        self.many.forget()
        self._saving.close()
        self._begin_session(restored)
        if made is not None:
            self._add(made)
            said = name_as_before(layers, session, made, chosen)
        elif layer is not None:
            self._attach(layer)
        self._follow_session()
        self._rest.start(REST_MS)  # what was painted since is a step of its own
        return said

    def close(self) -> None:
        """Take our layers away and let go of everything; accepted objects stay."""
        self._release()
        self._saving.close()
        self._jobs.forget()
        self.many.forget()
        self._rest.stop()
        for event in self._view_events():
            event.disconnect(self._view_moved)
        self.picture.layer.events.data.disconnect(self.identity.renew)
        self.picture.changed.disconnect(self._picture_changed)
        self.picture.redrawn.disconnect(self._doubt)
        self.picture.follow(False)
        self._prompts.changed.disconnect()
        self._prompts.close()
        self._preview.close()
        self.identity.close()
        self._model = None
        self.looks.let_go()  # large, and not to wait for the garbage collector

    def _begin_session(self, restored: Restored | None = None) -> None:
        """Begin with nothing, or go on with a session that was saved."""
        self._saving: Autosave | SessionFolder
        if restored is None:
            self.session = Session()
            self._saving = Autosave(self.session, sessions_folder(), self.identity.wait)
        else:
            self.session, self._saving = restored.session, restored.folder
        self.session.changed.connect(self._follow_session)
        self.session.remarked.connect(lambda text: self.remarked.emit(text))

    def _attach(self, layer: Labels) -> None:
        self._target = LabelsTarget(
            layer, lambda plane: not self.flat or plane == self.seen, self.undo, self.redo
        )
        self._watch = LabelsWatch(
            self, self._target, lambda: self._rest.start(REST_MS), self.remarked.emit
        )

    def _add(self, layer: Labels) -> None:
        layers = self._viewer.layers
        active = layers.selection.active
        layers.insert(first_helper(self._viewer), layer)
        self._attach(layer)
        layers.selection.active = active

    def _go_on_in(self, layer: Labels) -> None:
        """Bring back the session that wrote to a layer before, if that still shows its objects."""
        path = self._left.pop(layer, None)
        if path is None or self._target is None or self.session.objects:
            return
        try:
            restored = restore(path)
        except NapariSamError as error:
            self.remarked.emit(f"⚠ {error}")
            return
        if restored.session.labels.shown_in(self._target):
            self.resume(restored)
        else:
            restored.folder.let_go()
            self.remarked.emit(PAINTED_OVER)

    def _release(self) -> None:
        """Leave the labels as they are."""
        if self._watch is not None:
            self._watch.close()
        self._target = self._watch = None

    def step(self, step: Callable[[Session], object]) -> bool:
        """Do something to the session; if it refuses, say why and return False."""
        try:
            step(self.session)
        except NapariSamError as error:
            self.remarked.emit(f"⚠ {error}")
            return False
        return True

    def undo(self) -> None:
        """Take the last step back, say what is gone, and show where."""
        retrace(self._viewer, self)

    def redo(self) -> None:
        """Make the step again that was taken back last, and show where."""
        retrace(self._viewer, self, again=True)

    def _view_events(self) -> list[Any]:
        events = self._viewer.dims.events
        return [events.point, events.ndisplay, events.order]

    def _view_moved(self, event: Event) -> None:
        if event.type == "ndisplay":
            self._prompts.arm(self.tool) if self.flat else self._prompts.disarm()
        self._rest.start(REST_MS)
        self.changed.emit()

    def _picture_changed(self) -> None:
        self.remarked.emit("")  # what was said of the pixels before
        self._start_afresh()

    def _start_afresh(self) -> None:
        if said := self.many.keep(self._prompts.fit):
            self.remarked.emit(said)
        elif self.target is not None and (said := misfit(self.target, self.picture)):
            self.remarked.emit(f"⚠ {said}")
        self.looks.renew()
        self._jobs.forget()
        hasty, self.haste.accepting = self.haste.holds(self.session.request), None
        self.session.ask_again()
        if hasty and not self.failed:
            self.haste.accept(self.session.request)
        if not self.waiting:
            self.ask()
        self._ask_many()
        self.began_afresh.emit()

    def _doubt(self) -> None:
        self.looks.doubt()
        self._rest.start(REST_MS)

    def _drawn(self) -> None:
        draft = self.session.draft
        plane = draft.plane or self.seen
        there = not draft.plane or self.picture.fits(draft.plane, None)
        drawn = None
        if self.flat and plane is not None and there and not self.resting:
            drawn = self._prompts.read(draft, plane)
        if drawn is None:
            self._prompts.show(draft, self.many.waiting)
            self.remarked.emit(not_taken(self))
            return
        if self.haste.holds(self.session.request) and self.haste.keep(draft, drawn):
            self._prompts.show(draft, self.many.waiting)
            self.remarked.emit("Your last object is accepted as soon as its mask is there.")
            return
        self.many.waiting = self._prompts.still_there(self.many.waiting)
        before, (box, mask, _) = self.session.draft, drawn.area
        taken = self.step(
            lambda s: drawing.draw(s, drawn.plane, drawn.points, drawn.labels, box, mask)
        )
        if taken and (self.session.draft is not before or drawn.remark or drawn.many):
            self.remarked.emit(drawn.remark)
        self.many.waiting += [(drawn.plane, area) for area in drawn.many]
        # Also where nothing new was left of what was drawn.
        self._prompts.show(self.session.draft, self.many.waiting)
        if drawn.many:
            self._ask_many()
            self.changed.emit()

    def _ask_many(self) -> None:
        if self._model is not None:
            self.many.ask(self._model, self.looks.of)

    def _saw_others(self, first: Callable[[], object] = lambda: None) -> bool:
        """Begin afresh if pixels were changed in place since the model has seen them."""
        if not self.looks.renewed:
            return False
        first()
        self.identity.renew()
        self.picture.renew()
        return True

    def _take_many(self, plane: Plane, areas: list[Area], found: list[Prediction]) -> None:
        if self._saw_others(lambda: self.many.put_back(plane, areas)):
            return

        def take(session: Session) -> None:
            self.ensure_target()
            if remark := propose(session, plane, areas, found):
                self.remarked.emit(remark)

        self.step(take)
        self._prompts.show(self.session.draft, self.many.waiting)
        self.changed.emit()

    def _many_failed(self, error: BaseException) -> None:
        self.remarked.emit(f"⚠ {error} What you drew is kept; choose another model to try again.")
        self.changed.emit()

    def _follow_session(self) -> None:
        self._prompts.show(self.session.draft, self.many.waiting)
        if self.waiting:
            self.ask()
        else:
            self._preview.show(self.session.mask, self.session.draft.plane)
        self.changed.emit()

    def _rested(self) -> None:
        seen = self.seen
        if self._watch is not None and seen is not None:
            self._watch.compare(seen)
        self.ask()
