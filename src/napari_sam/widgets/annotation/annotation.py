"""The annotation of one picture in one viewer: joins its session, its layers and the model."""

from __future__ import annotations

from collections.abc import Callable

from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.events import Event, EventEmitter
from psygnal import Signal

from napari_sam.errors import NapariSamError
from napari_sam.planes import Plane
from napari_sam.serving.host import HostedModel
from napari_sam.session import curation
from napari_sam.session.changed import What
from napari_sam.session.disk.folder import SessionFolder
from napari_sam.session.objects import Status
from napari_sam.session.session import Session
from napari_sam.widgets.annotation.asking import Asking
from napari_sam.widgets.annotation.binding import SessionBinding
from napari_sam.widgets.annotation.box_batch import proposed
from napari_sam.widgets.annotation.identity import Identity
from napari_sam.widgets.annotation.own_layers import OwnLayers
from napari_sam.widgets.annotation.pending import Pending
from napari_sam.widgets.annotation.undo_redo import undo_or_redo
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.jobs.plane import EmbeddedPlanes
from napari_sam.widgets.jobs.prompt_jobs import PromptJobs
from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.layers.prompt_layers import Tool

__all__ = ["Annotation"]

ANYTHING = ~What(0)
REST_MS = 100  # a slice that was only passed over is not looked at


class Annotation:
    """What is annotated: the parts that serve it, and what others ask of them most.

    Attributes
    ----------
    identity : Identity
        Which picture this is.
    pending : Pending
        What was done before the mask was there.
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
    asking : Asking
        What the model is asked.
    selected : int or None
        The one object that is selected to be looked at.
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
        self.planes = EmbeddedPlanes(picture)
        self.model: HostedModel | None = None
        self.tool = Tool.INCLUDE
        self.selected: int | None = None
        self.binding = SessionBinding(self)
        self.own_layers = OwnLayers(self)
        self.asking = Asking(self, jobs)  # after what is drawn follows a picture that has changed
        self._rest = new_timer(REST_MS, self._rested, jobs)
        for event in self._view_events():
            event.connect(self._view_moved)
        picture.follow()
        picture.layer.events.data.connect(self.identity.renew)
        self.arm(self.tool)

    @property
    def session(self) -> Session:
        """The prompts and objects; another one when other labels are chosen."""
        return self.binding.session

    @property
    def target(self) -> Labels | None:
        """The Labels layer that objects go to."""
        return self.binding.layer

    @property
    def saved_in(self) -> SessionFolder | None:
        """Where the session is saved; None before there is anything in it."""
        return self.binding.folder

    @property
    def waiting(self) -> bool:
        """True while a question to the model is open."""
        return self.session.request is not None and self.session.prediction is None

    @property
    def seen(self) -> Plane | None:
        """The plane that the viewer shows, or None."""
        return self.picture.plane(self.viewer.dims)

    @property
    def flat(self) -> bool:
        """False in the 3D view."""
        return bool(self.viewer.dims.ndisplay == 2)

    @property
    def proposed(self) -> list[int]:
        """The objects on this slice that were drawn together and wait to be accepted."""
        return proposed(self.session.objects, self.seen)

    def arm(self, tool: Tool) -> None:
        """Draw with this tool."""
        self.tool = tool
        if self.flat:
            self.own_layers.prompts.arm(tool)
        self.changed.emit(What.VIEW)

    def rest(self, rest: bool) -> None:
        """Take no clicks and look at no slices ahead of one; or be as before."""
        if rest:
            self.own_layers.prompts.rest()
        else:
            self.own_layers.prompts.wake()
            self.asking.ask()

    def select(self, object_id: int | None) -> None:
        """Take note of the object that is looked at."""
        self.selected = object_id
        self.changed.emit(What.VIEW)

    def accept_proposed(self) -> None:
        """Accept all objects on this slice that were drawn together."""
        ids, seen = self.proposed, self.seen
        if ids and seen is not None:
            self.step(lambda s: curation.set_status(s, ids, Status.ACCEPTED, seen))

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
        undo_or_redo(self)

    def redo(self) -> None:
        """Make the step again that was taken back last, and show where."""
        undo_or_redo(self, again=True)

    def look_soon(self) -> None:
        """Compare labels and objects, and ask the model, once nothing has moved for a moment."""
        self._rest.start()

    def follow_session(self, what: What = ANYTHING) -> None:
        """Show what has changed in the session."""
        if What.DRAFT in what:
            self.own_layers.show()
        if self.waiting:
            self.asking.ask()
        elif What.DRAFT in what:
            self.own_layers.show_mask()
        self.changed.emit(what)

    def close(self) -> None:
        """Take our layers away and let go of everything; accepted objects stay."""
        self.binding.close()
        self._rest.stop()
        for event in self._view_events():
            event.disconnect(self._view_moved)
        self.picture.layer.events.data.disconnect(self.identity.renew)
        self.picture.follow(False)
        self.asking.close()
        self.own_layers.close()
        self.identity.close()

    def _view_events(self) -> list[EventEmitter]:
        events = self.viewer.dims.events
        return [events.point, events.ndisplay, events.order]

    def _view_moved(self, event: Event) -> None:
        if event.type == "ndisplay":
            prompts = self.own_layers.prompts
            prompts.arm(self.tool) if self.flat else prompts.disarm()
        self.look_soon()
        self.changed.emit(What.VIEW)

    def _rested(self) -> None:
        self.binding.compare()
        self.asking.ask()
