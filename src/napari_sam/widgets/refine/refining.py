"""Refine labels: ask, show what would change, accept all of it or one object after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import QObject, Signal

from napari_sam.errors import NapariSamError
from napari_sam.inference.mask_prompts import PromptRule
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.jobs.piecework import Piecework
from napari_sam.widgets.layers.channel_mix import finest
from napari_sam.widgets.layers.image_stack import on_plane
from napari_sam.widgets.layers.labels_target import misfit
from napari_sam.widgets.layers.navigate import go_to
from napari_sam.widgets.layers.preview import Preview
from napari_sam.widgets.refine.answers import Answers
from napari_sam.widgets.refine.controls import RefineControls
from napari_sam.widgets.refine.pieces import Sharpened, changes, sharpen, summary
from napari_sam.widgets.refine.writer import RefineWriter

__all__ = ["Refining"]

COLOURS = ("#ffd43b", "#22b8ff")  # before and after
NO_CHANGE = "The labels stay as they are: the answer was another object, or this one is locked."
NOTHING = "There is no object to refine on what you chose."


class Refining(QObject):
    """Serves the group "Refine labels" for whatever is annotated.

    Parameters
    ----------
    viewer : ViewerModel
        Where changes are shown.
    controls : RefineControls
        The widgets.
    selected : callable
        Returns the objects that are selected in the list of objects.

    Attributes
    ----------
    answers : Answers
        What waits to be accepted.
    """

    remarked = Signal(str)
    ended = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        controls: RefineControls,
        selected: Callable[[], Sequence[int]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.answers = Answers()
        self._selected = selected
        self._viewer = viewer
        self._controls = c = controls
        self._annotation: Annotation | None = None
        self._preview: Preview | None = None
        self._shown: Sharpened | None = None
        self._rough: Labels | None = None
        self._writer: RefineWriter | None = None
        self._done = self._total = 0
        self._work = Piecework(later=True, parent=self)
        self._work.stepped.connect(self._take)
        self._work.failed.connect(self._fail)
        self._work.ended.connect(self._end)
        c.start.clicked.connect(self.start)
        c.cancel.clicked.connect(self.cancel)
        c.accept.clicked.connect(lambda: self.accept(self.answers.ids))
        c.reject.clicked.connect(self.forget)
        c.list.accept.clicked.connect(lambda: self.accept(c.list.selected))
        c.list.reject.clicked.connect(self.reject_selected)
        c.list.chosen.connect(self._choose)
        c.labels.layer_chosen.connect(self._name_selected)

    @property
    def busy(self) -> bool:
        """True while the model works."""
        return self._work.busy

    def follow(self, annotation: Annotation | None) -> None:
        """Serve this annotation from now on; what waits for another one is forgotten."""
        self.forget()
        if self._annotation is not None:
            self._annotation.changed.disconnect(self._show)
            self._annotation.began_afresh.disconnect(self.cancel)
        if self._preview is not None:
            self._preview.close()
        self._annotation, self._preview = annotation, None
        if annotation is not None:
            annotation.changed.connect(self._show)
            annotation.began_afresh.connect(self.cancel)

    def start(self) -> None:
        """Ask the model about the chosen labels."""
        self.forget()
        annotation, layer = self._annotation, self._controls.labels.layer
        if problem := _problem(annotation, layer) or self._nothing_selected():
            self._controls.show_outcome(f"⚠ {problem}")
        elif annotation is not None and layer is not None:
            self._begin(annotation, layer)

    def cancel(self) -> None:
        """Stop; what is done can be accepted."""
        if self.busy:
            self._work.cancel()
            self._end()

    def accept(self, ids: Sequence[int]) -> None:
        """Write the new masks of these objects as one step."""
        annotation, rough = self._annotation, self._rough
        if annotation is None or rough is None or not ids:
            return
        try:
            self._writer = self._writer or RefineWriter(annotation, rough)
            count = self._writer.write(self.answers.part(ids))
        except NapariSamError as error:
            self._controls.show_outcome(f"⚠ {error}", found=True)
            return
        self._answer(ids)
        what = "1 refined object" if count == 1 else f"{count:,} refined objects"
        self.remarked.emit(
            f"The labels hold {what}; one Undo takes this step back." if count else NO_CHANGE
        )

    def reject_selected(self) -> None:
        """Forget the new masks of the selected objects."""
        self._answer(self._controls.list.selected)

    def forget(self) -> None:
        """Stop and forget what waits to be accepted."""
        self._work.cancel()
        self.answers = Answers()
        self._rough = self._writer = None
        self._controls.show_work(False)
        self._controls.list.show_rows([])
        self._controls.show_outcome("")
        self._show()

    def close(self) -> None:
        """Stop for good and let go of the viewer."""
        self.follow(None)
        self._controls.labels.disconnect_viewer()

    def _begin(self, annotation: Annotation, layer: Labels) -> None:
        c, picture = self._controls, annotation.picture
        seen, model, data = annotation.seen, annotation.model, finest(layer)
        if seen is None or model is None:
            return
        self._rough = layer
        planes = [seen]
        if c.slices.currentData():
            axes = zip(seen, picture.shape, strict=True)
            planes = list(product(*([None] if i is None else range(n) for i, n in axes)))
        rule = PromptRule(box=c.box.isChecked(), inside=int(c.point.isChecked()))
        only = None
        if c.objects.currentData():
            ours = layer is annotation.target
            only = self._selected() if ours else [int(layer.selected_label)]
        self._done, self._total = 0, len(planes)
        c.show_work(True, 0, self._total)
        shape = picture.plane_shape(seen)

        def read(plane: Any) -> Any:
            return np.array(data[on_plane(plane)])

        self._work.start(
            model,
            (
                sharpen(plane, shape, partial(read, plane), annotation.planes.of(plane), rule, only)
                for plane in planes
            ),
        )

    def _nothing_selected(self) -> str:
        c, target = self._controls, None if self._annotation is None else self._annotation.target
        ours = c.objects.currentData() and c.labels.layer is target
        return "Select an object in the list of objects first." * (ours and not self._selected())

    def _take(self, result: Sharpened) -> None:
        self.answers.add(result)
        self._show()
        self._done += 1
        self._controls.show_work(True, self._done, self._total)

    def _fail(self, error: BaseException) -> None:
        self._end(f"⚠ {error} {summary(self.answers.results)}")

    def _end(self, said: str = "") -> None:
        self._controls.show_work(False)
        self._show_waiting(said or summary(self.answers.results) or NOTHING)
        self.ended.emit()

    def _show_waiting(self, text: str) -> None:
        self._controls.list.show_rows(self.answers.rows())
        self._controls.show_outcome(text, bool(self.answers.results))

    def _answer(self, ids: Sequence[int]) -> None:
        """Leave out objects that were answered, and go on to the next."""
        rows = self._controls.list
        place = rows.place if rows.selected else None
        self.answers.drop(ids)
        if not self.answers.results:
            self.forget()
            return
        self._show_waiting(summary(self.answers.results))
        if place is not None:
            rows.select_at(place)

    def _choose(self) -> None:
        """Show the change of what is selected, where it is largest."""
        annotation, selected = self._annotation, self._controls.list.selected
        if annotation is not None and len(selected) == 1:
            go_to(self._viewer, annotation.picture, *self.answers.most_changed(selected[0]))
        self._show()

    def _name_selected(self) -> None:
        target = None if self._annotation is None else self._annotation.target
        layer = self._controls.labels.layer
        self._controls.name_selected(layer is not None and layer is target)

    def _show(self) -> None:
        """Show what would change on the slice in view: of the selected objects, else of all."""
        self._name_selected()
        annotation = self._annotation
        if annotation is None:
            return
        here = self.answers.on(annotation.seen, self._controls.list.selected)
        if here is self._shown or (here and self._shown and here.found == self._shown.found):
            return
        self._shown = here
        if self._preview is None:
            name = "napari-sam changes"
            self._preview = Preview(self._viewer, annotation.picture, name, COLOURS, opacity=1)
        if here is None:
            self._preview.show(None, ())
        else:
            self._preview.show(changes(here), here.plane)


def _problem(annotation: Annotation | None, layer: Labels | None) -> str:
    """Say in plain words why these labels cannot be refined; empty if they can."""
    if annotation is None or annotation.model is None:
        return "Open a picture and choose a model first."
    if layer is None:
        return "Choose the rough labels first."
    if annotation.seen is None:
        return "Refining needs a slice of the picture in the 2D view."
    if layer is annotation.target and annotation.session.semantic:
        return "These labels are classes, not objects; choose labels with an id each."
    return misfit(layer, annotation.picture)
