"""The annotation of the selected image, and the parts of the panel that follow it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol
from weakref import WeakKeyDictionary

from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari.utils.events import Event
from psygnal import Signal

from napari_sam.serving.host import HostedModel
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.annotation.binding import LeftWork
from napari_sam.widgets.annotation.newcomer import greet
from napari_sam.widgets.common.layer_choice import LayerChoice
from napari_sam.widgets.jobs.prompt_jobs import PromptJobs
from napari_sam.widgets.layers.image_stack import ImageStack, is_helper
from napari_sam.widgets.layers.labels_target import why_not

__all__ = ["CurrentAnnotation", "Part"]


class Part(Protocol):
    """Protocol of a panel part that follows the annotation; the panel keeps a tuple of them."""

    def follow(self, annotation: Annotation | None) -> None:
        """Switch to this annotation, or to none; discard all state of the previous one."""

    def close(self) -> object:
        """Stop all work and disconnect from the viewer permanently."""


class CurrentAnnotation:
    """Starts an annotation for the selected image, and closes the previous one.

    Parameters
    ----------
    viewer, pictures, labels, jobs
        Where; the lists of what is annotated and of where objects go; where the model works.
    prepare : callable
        Called with a layer before it is annotated.

    Attributes
    ----------
    annotation : Annotation or None
        What is being annotated.
    refused : psygnal.Signal
        Emitted with the reason when the chosen labels cannot be written to.
    """

    refused = Signal(str)

    def __init__(
        self,
        viewer: ViewerModel,
        pictures: LayerChoice,
        labels: LayerChoice,
        jobs: PromptJobs,
        prepare: Callable[[Image], None],
    ) -> None:
        self.annotation: Annotation | None = None
        self._viewer = viewer
        self._pictures = pictures
        self._labels = labels
        self._jobs = jobs
        self._prepare = prepare
        self._parts: tuple[Part, ...] = ()
        self._model: HostedModel | None = None
        self._left: WeakKeyDictionary[Image, LeftWork] = WeakKeyDictionary()
        self._resting = self._aside = self._outlined = False
        self._many = False  # while many layers come or go

    def begin(self, parts: tuple[Part, ...]) -> None:
        """Start to annotate; `follow` of the parts is called in this order."""
        self._parts = parts
        layers = self._viewer.layers.events
        for event in (layers.inserted, layers.removed):
            event.connect(self._take_likely_picture, position="last")
        for event in (layers.begin_batch, layers.end_batch):
            event.connect(self._follow_batch)
        self._pictures.layer_chosen.connect(self._choose)
        self._labels.layer_chosen.connect(self._choose_labels)
        self._annotate(None)
        self._take_likely_picture()

    def open_again(self) -> None:
        """Restart the annotation of the same image."""
        layer = self._pictures.layer
        self._choose(None)
        self._choose(layer)

    def use_model(self, model: HostedModel | None) -> None:
        """Use this model for predictions, or none."""
        self._model = model
        if self.annotation is not None:
            self.annotation.asking.use(model)

    def outline(self, on: bool) -> None:
        """Show masks as outlines, or filled."""
        self._outlined = on
        if self.annotation is not None:
            self.annotation.own_layers.preview.outline(on)

    def rest(self, rest: bool) -> None:
        """Pause or resume prompting."""
        self._resting = rest
        if self.annotation is not None:
            self.annotation.rest(rest)

    def step_aside(self, aside: bool) -> None:
        """Leave clicks in the canvas to napari, or take them again."""
        self._aside = aside
        if self.annotation is not None:
            self.annotation.step_aside(aside)

    def show_target(self) -> None:
        """Select the Labels layer that the annotation writes to."""
        self._labels.choose(None if self.annotation is None else self.annotation.target)

    def close(self) -> None:
        """Close all parts and remove the helper layers; accepted objects stay."""
        layers = self._viewer.layers.events
        for event in (layers.inserted, layers.removed):
            event.disconnect(self._take_likely_picture)
        for event in (layers.begin_batch, layers.end_batch):
            event.disconnect(self._follow_batch)
        self._pictures.disconnect_viewer()
        self._labels.disconnect_viewer()
        for part in self._parts:
            part.close()
        if self.annotation is not None:
            self.annotation.close()
        self.annotation = self._model = None

    def _take_likely_picture(self, event: Event | None = None) -> None:
        """While there is no picture, take the selected one, else the topmost.

        Not when layers of our own go: somebody may just have chosen to have none.
        """
        if event is not None and is_helper(event.value):
            return
        layers = self._viewer.layers
        images = [layer for layer in layers if isinstance(layer, Image)]
        if self._pictures.layer is None and images:
            active = layers.selection.active
            self._pictures.choose(active if active in images else images[-1])
        elif event is not None and event.type == "inserted" and self.annotation is not None:
            greet(self.annotation, event.value, self._change_to)

    def _change_to(self, layer: Image) -> None:
        """Annotate another picture, and write into labels of its own."""
        if layer in self._viewer.layers:
            self._labels.choose(None)
            self._pictures.choose(layer)

    def _choose(self, layer: Image | None) -> None:
        """Annotate another picture; as soon as all is done, where many layers come or go.

        Whoever removes many may be about to remove ours, too, and must find them.
        """
        if not self._many:
            self._annotate(layer)

    def _follow_batch(self, event: Event) -> None:
        self._many = event.type == "begin_batch"
        self._choose(self._pictures.layer)

    def _annotate(self, layer: Image | None) -> None:
        before = self.annotation
        if before is not None and before.picture.layer is layer:
            return
        self.annotation = None
        for part in self._parts:  # first, because closing removes layers and so leads back here
            part.follow(None)
        if before is not None:
            if before.picture.layer in self._viewer.layers:
                self._left[before.picture.layer] = before.binding.leave()
            before.close()
        if layer is not None:
            self._begin(layer)

    def _begin(self, layer: Image) -> None:
        self._prepare(layer)
        picture = ImageStack(layer)
        picture.turn(self._viewer.dims)
        self.annotation = annotation = Annotation(self._viewer, picture, self._jobs)
        annotation.own_layers.preview.outline(self._outlined)
        if self._resting:
            annotation.rest(True)
        annotation.step_aside(self._aside)
        for part in self._parts:
            part.follow(annotation)
        left = self._left.pop(layer, None)
        if left is not None:
            annotation.binding.go_on(left)
            if left.target in self._viewer.layers:
                self._labels.choose(left.target)
        self._choose_labels(self._labels.layer)
        annotation.asking.use(self._model)

    def _choose_labels(self, layer: Labels | None) -> None:
        if self.annotation is None or layer is self.annotation.target:
            return
        problem = "" if layer is None else why_not(layer, self.annotation.picture)
        if problem:
            self.show_target()
            self.refused.emit(problem)
        else:
            self.annotation.binding.write_to(layer)
