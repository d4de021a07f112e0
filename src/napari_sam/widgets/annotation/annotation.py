"""The annotation of one image in one viewer: connects its session, its layers and the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.events import Event, EventEmitter
from psygnal import Signal

from napari_sam.errors import NapariSamError
from napari_sam.planes import Plane
from napari_sam.results import Prediction
from napari_sam.serving.host import HostedModel
from napari_sam.session.changed import What
from napari_sam.session.disk.folder import SessionFolder
from napari_sam.session.edit import curation
from napari_sam.session.objects import Status
from napari_sam.session.session import Session
from napari_sam.widgets.annotation.asking import Asking
from napari_sam.widgets.annotation.binding import SessionBinding
from napari_sam.widgets.annotation.box_batch import proposed
from napari_sam.widgets.annotation.identity import Identity
from napari_sam.widgets.annotation.own_layers import OwnLayers
from napari_sam.widgets.annotation.pending import Pending
from napari_sam.widgets.annotation.pointing import Pointing
from napari_sam.widgets.annotation.queries import Queries
from napari_sam.widgets.annotation.undo_redo import undo_or_redo
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.jobs.plane import EmbeddedPlanes
from napari_sam.widgets.jobs.prompt_jobs import PromptJobs
from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.layers.prompt_layers import Tool

__all__ = ["Annotation", "OpenEdit"]

ANYTHING = ~What(0)
REST_MS = 100  # a slice that was only passed over is not looked at


class OpenEdit(Protocol):
    """Protocol of a change of objects that is on show and not written yet, such as a cut."""

    def accept(self) -> None:
        """Write it, as soon as it is ready."""

    def reject(self) -> None:
        """Leave the objects as they are."""


class Annotation:
    """The annotation of one image: its session, layers and model, and their most used operations.

    Attributes
    ----------
    identity : Identity
        Which picture this is.
    pending : Pending
        What was done before the mask was there.
    queries : Queries
        What waits for an answer, by buttons.
    planes : EmbeddedPlanes
        The picture's planes as the model sees them.
    model : HostedModel or None
        The model that is asked.
    tool : Tool
        What the mouse draws.
    binding : SessionBinding
        The session, where it is saved, and the labels that it writes to.
    own_layers : OwnLayers
        What is drawn, and the mask on show.
    pointing : Pointing
        What is clicked on in the canvas.
    asking : Asking
        What the model is asked.
    selected : int or None
        The one object that is selected to be looked at.
    edit : OpenEdit or None
        What *Accept* and *Reject* mean first, while there is one.
    tidy : callable or None
        Cleans the model's answers before they are shown; called in the model's thread.
    hidden : bool
        Whether the panel is out of sight: no prompts are taken.
    aside : bool
        Whether clicks in the canvas are napari's, as nothing is drawn in the tab in front.
    changed : psygnal.Signal
        Emitted with what there is anew to show.
    began_afresh : psygnal.Signal
        Emitted when what was embedded so far is of no use any more.
    remarked : psygnal.Signal
        Emitted with a sentence for the user.
    """

    changed = Signal(What)
    began_afresh = Signal()
    remarked = Signal(str)

    def __init__(self, viewer: ViewerModel, picture: ImageStack, jobs: PromptJobs) -> None:
        self.viewer = viewer
        self.picture = picture
        self.identity = Identity(picture)
        self.pending = Pending()
        self.queries = Queries()
        self.planes = EmbeddedPlanes(picture)
        self.model: HostedModel | None = None
        self.tool = Tool.INCLUDE
        self.selected: int | None = None
        self.edit: OpenEdit | None = None
        self.tidy: Callable[[Prediction], Prediction] | None = None
        self.hidden = self.aside = False
        self.binding = SessionBinding(self)
        self.own_layers = OwnLayers(self)
        self.pointing = Pointing(self)
        self.asking = Asking(self, jobs)  # after what is drawn follows a picture that has changed
        self._rest = new_timer(REST_MS, self._rested, jobs)
        for event in self._view_events():
            event.connect(self._view_moved)
        picture.follow()
        picture.layer.events.data.connect(self.identity.renew)
        self.arm(self.tool)

    @property
    def session(self) -> Session:
        """The session (prompts and objects); replaced when another Labels layer is chosen."""
        return self.binding.session

    @property
    def target(self) -> Labels | None:
        """The Labels layer that accepted objects are written to."""
        return self.binding.layer

    @property
    def saved_in(self) -> SessionFolder | None:
        """Folder of the saved session; None while the session is empty."""
        return self.binding.folder

    @property
    def waiting(self) -> bool:
        """True while a request to the model is pending."""
        return self.session.request is not None and self.session.prediction is None

    @property
    def seen(self) -> Plane | None:
        """The plane (slice) that the viewer shows, or None."""
        return self.picture.plane(self.viewer.dims)

    @property
    def flat(self) -> bool:
        """True in the 2D view, False in the 3D view."""
        return bool(self.viewer.dims.ndisplay == 2)

    @property
    def proposed(self) -> list[int]:
        """Ids of the proposed objects on this slice that were drawn in one batch."""
        return proposed(self.session.objects, self.seen)

    def arm(self, tool: Tool) -> None:
        """Activate a drawing tool."""
        self.tool = tool
        if self.flat:
            self.own_layers.prompts.arm(tool)
        self.changed.emit(What.VIEW)

    def rest(self, rest: bool) -> None:
        """Pause or resume: while the panel is hidden, take no prompts, embed nothing in advance."""
        self.hidden = rest
        self._share_clicks()
        if not rest:
            self.asking.ask()

    def step_aside(self, aside: bool) -> None:
        """Leave clicks in the canvas to napari, or take them again."""
        if aside is not self.aside:
            self.aside = aside
            self._share_clicks()

    def select(self, object_id: int | None) -> None:
        """Store which object is selected."""
        self.selected = object_id
        self.changed.emit(What.VIEW)

    def accept_proposed(self) -> None:
        """Accept all proposed objects on this slice that were drawn in one batch."""
        ids, seen = self.proposed, self.seen
        if ids and seen is not None:
            self.step(lambda s: curation.set_status(s, ids, Status.ACCEPTED, seen))

    def step(self, step: Callable[[Session], object]) -> bool:
        """Apply a step to the session; on a session error, report it and return False."""
        try:
            step(self.session)
        except NapariSamError as error:
            self.remarked.emit(f"⚠ {error}")
            return False
        return True

    def undo(self) -> None:
        """Undo the last step, report what changed, and move the view there."""
        undo_or_redo(self)

    def redo(self) -> None:
        """Redo the last undone step, report what changed, and move the view there."""
        undo_or_redo(self, again=True)

    def look_soon(self) -> None:
        """Schedule (debounced) a comparison of labels with objects and a request to the model."""
        self._rest.start()

    def follow_session(self, what: What = ANYTHING) -> None:
        """Update layers and widgets after a change of the session."""
        if What.DRAFT in what:
            self.own_layers.show()
        if self.waiting:
            self.asking.ask()
        elif What.DRAFT in what:
            self.own_layers.show_mask()
        self.changed.emit(what)

    def close(self) -> None:
        """Remove the helper layers and disconnect; accepted objects stay in the labels."""
        self.binding.close()
        self._rest.stop()
        for event in self._view_events():
            event.disconnect(self._view_moved)
        self.picture.layer.events.data.disconnect(self.identity.renew)
        self.picture.follow(False)
        self.asking.close()
        self.pointing.close()
        self.own_layers.close()
        self.identity.close()

    def _share_clicks(self) -> None:
        prompts = self.own_layers.prompts
        prompts.rest() if self.hidden or self.aside else prompts.wake()
        self.changed.emit(What.VIEW)

    def _view_events(self) -> list[EventEmitter]:
        events = self.viewer.dims.events
        return [events.point, events.ndisplay, events.order]

    def _view_moved(self, event: Event) -> None:
        if event.type == "ndisplay":
            prompts = self.own_layers.prompts
            if not self.flat:
                prompts.disarm()
            elif prompts.lit.on:
                prompts.arm(self.tool)
        self.look_soon()
        self.changed.emit(What.VIEW)

    def _rested(self) -> None:
        self.binding.compare()
        self.asking.ask()
