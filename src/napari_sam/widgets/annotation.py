"""One picture being annotated in one viewer: joins the session, the layers and the model."""

from __future__ import annotations

from typing import Any

from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.events import Event
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_sam.errors import InputError
from napari_sam.inference.host import HostedModel
from napari_sam.session.commit import Change, Rule
from napari_sam.session.session import Session
from napari_sam.session.target import Plane
from napari_sam.widgets.jobs import Answer, Job, Jobs
from napari_sam.widgets.look import Contrast, Look
from napari_sam.widgets.picture import Picture
from napari_sam.widgets.preview import Preview, first_helper
from napari_sam.widgets.prompt_layers import PromptLayers, Tool
from napari_sam.widgets.target import LabelsTarget, new_labels, why_not

__all__ = ["Annotation"]

REST_MS = 250


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
    tool : Tool
        What the mouse draws.
    failed : bool
        True if the model could not answer the open question.
    changed : psygnal.Signal
        Emitted when there is something new to show.
    remarked : psygnal.Signal
        Emitted with a sentence for the user.
    """

    changed = Signal()
    remarked = Signal(str)

    def __init__(self, viewer: ViewerModel, picture: Picture, jobs: Jobs) -> None:
        self.picture = picture
        self.session = Session()
        self.tool = Tool.INCLUDE
        self._viewer = viewer
        self._jobs = jobs
        self._model: HostedModel | None = None
        self._looks: dict[Plane, Look] = {}
        self._contrast = Contrast(picture.sampler())
        self._target: LabelsTarget | None = None
        self.failed = False
        self._preview = Preview(viewer, picture)
        self._prompts = PromptLayers(viewer, picture)
        self._prompts.changed.connect(self._drawn)
        self.session.changed.connect(self._follow_session)
        self._rest = QTimer(jobs)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self.ask)
        for event in self._view_events():
            event.connect(self._view_moved)
        picture.follow()
        picture.changed.connect(self._start_afresh)
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
    def has_model(self) -> bool:
        """True if there is a model to ask."""
        return self._model is not None

    @property
    def waiting(self) -> bool:
        """True while a question to the model is open."""
        return self.session.request is not None and self.session.prediction is None

    @property
    def plane_pixels(self) -> NDArray[Any]:
        """The pixels of the plane that the mask on show was predicted for."""
        return self._looks[self.session.draft.plane].pixels

    def use_model(self, model: HostedModel | None) -> None:
        """Ask another model from now on, or none."""
        self._model = model
        self._start_afresh()

    def ask(self) -> None:
        """Send the open question to the model, or let it look at the plane ahead of one."""
        plane = self.session.draft.plane or self.seen
        if self._model is None or plane is None:
            return
        if plane not in self._looks:
            self._looks = {plane: Look(self.picture.reader(plane), self._contrast)}
        self.failed = False
        request = self.session.request if self.waiting else None
        self._jobs.submit(self._model, Job(self._looks[plane], request))

    def arm(self, tool: Tool) -> None:
        """Draw with this tool."""
        self.tool = tool
        if self.flat:
            self._prompts.arm(tool)
        self.changed.emit()

    def take(self, answer: Answer) -> None:
        """Take what came back from the model."""
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
        """Send accepted objects to this layer, which fits; None: to a new one."""
        if self._target is not None:
            self._target.layer.events.paint.disconnect(self._painted)
            self._target.layer.events.data.disconnect(self._relabelled)
        self._target = None if layer is None else LabelsTarget(layer)
        self.session.write_to(self._target, 0 if layer is None else int(layer.data.max(initial=0)))
        if layer is not None:
            layer.events.paint.connect(self._painted)
            layer.events.data.connect(self._relabelled)

    def accept(self, rule: Rule) -> Change:
        """Write the mask on show into the Labels layer, or into a new one if none is chosen."""
        if self._target is not None and (problem := why_not(self._target.layer, self.picture)):
            raise InputError(problem)
        if self.session.mask is not None and self._target is None:
            active = self._viewer.layers.selection.active
            layer = new_labels(self.picture)
            self._viewer.layers.insert(first_helper(self._viewer), layer)
            self.write_to(layer)
            self._viewer.layers.selection.active = active
        return self.session.accept(rule)

    @property
    def target(self) -> Labels | None:
        """The Labels layer that objects go to."""
        return None if self._target is None else self._target.layer

    def close(self) -> None:
        """Take our layers away and let go of everything; accepted objects stay."""
        self.write_to(None)
        self._jobs.forget()
        self._rest.stop()
        for event in self._view_events():
            event.disconnect(self._view_moved)
        self.picture.changed.disconnect(self._start_afresh)
        self.picture.follow(False)
        self._prompts.changed.disconnect()
        self._prompts.close()
        self._preview.close()

    def _view_events(self) -> list[Any]:
        events = self._viewer.dims.events
        return [events.point, events.ndisplay, events.order]

    def _view_moved(self, event: Event) -> None:
        if event.type == "ndisplay":
            self._prompts.arm(self.tool) if self.flat else self._prompts.disarm()
        self._rest.start(REST_MS)
        self.changed.emit()

    def _start_afresh(self) -> None:
        self._looks.clear()
        self._contrast = Contrast(self.picture.sampler())
        self._jobs.forget()
        self.session.ask_again()
        if not self.waiting:
            self.ask()

    def _drawn(self) -> None:
        draft = self.session.draft
        plane = draft.plane or self.seen
        drawn = self._prompts.read(draft, plane) if self.flat and plane is not None else None
        if drawn is None:
            self._prompts.show(draft)
            self.remarked.emit(
                "Not taken: the object being drawn is on another slice."
                if self.flat and self.seen is not None
                else "Not taken: prompts need a slice of the picture in the 2D view."
            )
            return
        if self.session.draw(drawn.plane, drawn.points, drawn.labels, drawn.box) or drawn.remark:
            self.remarked.emit(drawn.remark)
        self._prompts.show(self.session.draft)  # also where nothing new was left of what was drawn

    def _follow_session(self) -> None:
        self._prompts.show(self.session.draft)
        if self.waiting:
            self.ask()
        else:
            self._preview.show(self.session.mask, self.session.draft.plane)
        self.changed.emit()

    def _painted(self, event: Event) -> None:
        if self._target is not None and not self._target.writing:
            self.session.note_id(int(self._target.layer.selected_label))

    def _relabelled(self, event: Event) -> None:
        self.session.note_id(int(event.source.data.max(initial=0)))
