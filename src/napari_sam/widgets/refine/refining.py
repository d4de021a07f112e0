"""Refine labels: run the model, preview the changes, accept them all or by object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_sam.errors import NapariSamError
from napari_sam.inference.mask_prompts import PromptRule
from napari_sam.planes import Plane
from napari_sam.session.changed import What
from napari_sam.widgets.annotation.annotation import ANYTHING, Annotation
from napari_sam.widgets.common.wording import count
from napari_sam.widgets.jobs.piecework import Piecework
from napari_sam.widgets.layers.channel_mix import finest
from napari_sam.widgets.layers.image_stack import on_plane
from napari_sam.widgets.layers.labels_target import misfit
from napari_sam.widgets.layers.navigate import go_to
from napari_sam.widgets.layers.preview import Preview
from napari_sam.widgets.refine.controls import RefineControls
from napari_sam.widgets.refine.refined_masks import RefinedMasks
from napari_sam.widgets.refine.refined_slice import (
    RefinedSlice,
    change_outlines,
    refine_slice,
    summary,
)
from napari_sam.widgets.refine.writer import RefineWriter

__all__ = ["Refining"]

COLOURS = ("#ffd43b", "#22b8ff")  # before and after
NO_CHANGE = "The labels stay as they are: the answer was another object, or this one is locked."
NOTHING = "There is no object to refine on what you chose."
NO_MODEL = "Open a picture and choose a model first."


class Refining(QObject):
    """Runs the tab Refine for the current annotation.

    Parameters
    ----------
    viewer : ViewerModel
        Where changes are shown.
    controls : RefineControls
        The widgets.
    selected : callable
        Returns the objects that are selected in the list of objects.
    """

    remarked = Signal(str)
    ended = Signal()
    started = Signal(object)  # Labels

    def __init__(
        self,
        viewer: ViewerModel,
        controls: RefineControls,
        selected: Callable[[], Sequence[int]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._controls = c = controls
        self._selected = selected
        self._work = Piecework(later=True, parent=self)
        self._presenter: _RefinePresenter | None = None
        self._work.stepped.connect(lambda result: self._do(lambda one: one.take(result)))
        self._work.failed.connect(lambda error: self._do(lambda one: one.fail(error)))
        self._work.ended.connect(lambda: self._do(_RefinePresenter.end))
        c.start.clicked.connect(self.start)
        c.cancel.clicked.connect(self.cancel)
        c.accept.clicked.connect(lambda: self._do(_RefinePresenter.accept_all))
        c.reject.clicked.connect(lambda: self._do(_RefinePresenter.forget))
        c.list.accept.clicked.connect(lambda: self._do(lambda one: one.accept(c.list.selected)))
        c.list.reject.clicked.connect(lambda: self._do(lambda one: one.answer(c.list.selected)))
        c.list.chosen.connect(lambda: self._do(_RefinePresenter.choose))
        c.labels.layer_chosen.connect(lambda: self._do(_RefinePresenter.name_selected))

    @property
    def busy(self) -> bool:
        """True while the model runs."""
        return self._work.busy

    @property
    def refined(self) -> RefinedMasks:
        """The refined masks that await review."""
        return RefinedMasks() if self._presenter is None else self._presenter.refined

    def follow(self, annotation: Annotation | None) -> None:
        """Switch to this annotation; discard refined masks of the previous one."""
        if self._presenter is not None:
            self._presenter.close()
        self._presenter = None if annotation is None else _RefinePresenter(self, annotation)

    def start(self) -> None:
        """Start to refine the chosen labels."""
        if self._presenter is None:
            self._controls.show_outcome(f"⚠ {NO_MODEL}")
        else:
            self._presenter.start()

    def cancel(self) -> None:
        """Cancel; finished slices can be accepted."""
        if self.busy:
            self._work.cancel()
            self._do(_RefinePresenter.end)

    def close(self) -> None:
        """Stop permanently and disconnect from the viewer."""
        self.follow(None)
        self._controls.labels.disconnect_viewer()

    def _do(self, step: Callable[[_RefinePresenter], object]) -> None:
        if self._presenter is not None:
            step(self._presenter)


class _RefinePresenter:
    """Presenter of refined labels for one annotation."""

    def __init__(self, part: Refining, annotation: Annotation) -> None:
        self.refined = RefinedMasks()
        self._part = part
        self._controls = part._controls
        self._annotation = annotation
        self._preview: Preview | None = None
        self._shown: RefinedSlice | None = None
        self._rough: Labels | None = None
        self._writer: RefineWriter | None = None
        self._done = self._total = 0
        annotation.changed.connect(self._show)
        annotation.began_afresh.connect(part.cancel)
        self.forget()

    def close(self) -> None:
        """Discard the refined masks and remove the preview."""
        self.forget()
        self._annotation.changed.disconnect(self._show)
        self._annotation.began_afresh.disconnect(self._part.cancel)
        if self._preview is not None:
            self._preview.close()
        self._controls.name_selected(ours=False)

    def start(self) -> None:
        self.forget()
        labels = self._controls.labels.layer
        assert isinstance(labels, Labels)  # or the button cannot be pressed
        problem = self._begin(labels)
        if problem:
            self._controls.show_outcome(f"⚠ {problem}")
        else:
            self._part.started.emit(labels)

    def accept_all(self) -> None:
        self.accept(self.refined.ids)

    def accept(self, ids: Sequence[int]) -> None:
        if self._rough is None or not ids:
            return
        try:
            self._writer = self._writer or RefineWriter(self._annotation, self._rough)
            written = self._writer.write(self.refined.part(ids))
        except NapariSamError as error:
            self._controls.show_outcome(f"⚠ {error}", found=True)
            return
        overlaps = self._writer.tally.said("new masks")
        self.answer(ids)
        what = count(written, "refined object")
        said = f"The labels hold {what}; one Undo takes this step back." if written else ""
        self._part.remarked.emit(" ".join(filter(None, (said, overlaps))) or NO_CHANGE)

    def answer(self, ids: Sequence[int]) -> None:
        """Remove objects that were accepted or rejected, and select the next one."""
        rows = self._controls.list
        place = rows.place if rows.selected else None
        self.refined.drop(ids)
        if not self.refined.slices:
            self.forget()
            return
        self._show_waiting(summary(self.refined.slices))
        if place is not None:
            rows.select_at(place)

    def forget(self) -> None:
        self._part._work.cancel()
        self.refined = RefinedMasks()
        self._rough = self._writer = None
        self._controls.show_work(False)
        self._controls.list.show_rows([])
        self._controls.show_outcome("")
        self._show()

    def take(self, result: RefinedSlice) -> None:
        self.refined.add(result)
        self._show()
        self._done += 1
        self._controls.show_work(True, self._done, self._total)

    def fail(self, error: BaseException) -> None:
        """Show an error; finished slices can be accepted."""
        self.end(f"⚠ {error} {summary(self.refined.slices)}")

    def end(self, said: str = "") -> None:
        self._controls.show_work(False)
        self._show_waiting(said or summary(self.refined.slices) or NOTHING)
        self._part.ended.emit()

    def choose(self) -> None:
        """Show the selected object on the slice where it changes most."""
        selected = self._controls.list.selected
        if len(selected) == 1:
            place = self.refined.most_changed(selected[0])
            go_to(self._part._viewer, self._annotation.picture, *place)
        self._show()

    def name_selected(self) -> None:
        layer = self._controls.labels.layer
        self._controls.name_selected(layer is not None and layer is self._annotation.target)

    def _begin(self, layer: Labels) -> str:
        """Ask about the objects of these labels; return why that cannot be, empty if it can."""
        annotation, chosen = self._annotation, self._controls.choices.values
        seen, model, picture = annotation.seen, annotation.model, annotation.picture
        ours = layer is annotation.target
        if model is None:
            return NO_MODEL
        if seen is None:
            return "Refining needs a slice of the picture in the 2D view."
        if ours and annotation.session.semantic:
            return "These labels are classes, not objects; choose labels with an id each."
        if problem := misfit(layer, picture) or picture.too_large(seen):
            return problem
        only = None
        if chosen["objects"]:
            only = self._part._selected() if ours else [int(layer.selected_label)]
            if not only:
                return "Select an object in the list of objects first."
        planes: list[Plane] = [seen]
        if chosen["slices"]:
            axes = zip(seen, picture.shape, strict=True)
            planes = list(product(*([None] if i is None else range(n) for i, n in axes)))
        self._rough = layer
        self._done, self._total = 0, len(planes)
        self._controls.show_work(True, 0, self._total)
        rule = PromptRule(box=bool(chosen["box"]), inside=int(chosen["point"]))
        shape, data = picture.plane_shape(seen), finest(layer)

        def read(plane: Plane) -> NDArray[np.integer]:
            return np.array(data[on_plane(plane)])

        self._part._work.start(
            model,
            (
                refine_slice(
                    plane, shape, partial(read, plane), annotation.planes.of(plane), rule, only
                )
                for plane in planes
            ),
        )
        return ""

    def _show_waiting(self, text: str) -> None:
        self._controls.list.show_rows(self.refined.rows())
        self._controls.show_outcome(text, bool(self.refined.slices))

    def _show(self, what: What = ANYTHING) -> None:
        """Show what would change on the slice in view: of the selected objects, else of all."""
        if not what & (What.VIEW | What.OBJECTS):
            return
        self.name_selected()
        annotation = self._annotation
        here = self.refined.on(annotation.seen, self._controls.list.selected)
        if here is self._shown or (here and self._shown and here.found == self._shown.found):
            return
        self._shown = here
        if self._preview is None:
            name = "napari-sam changes"
            self._preview = Preview(
                self._part._viewer, annotation.picture, name, COLOURS, opacity=1
            )
        if here is None:
            self._preview.show(None, ())
        else:
            masks = [
                {id_: getattr(one, side) for id_, (one, _) in here.found.items()}
                for side in ("before", "after")
            ]
            self._preview.show(change_outlines(here.shape, *masks), here.plane)
            if self._rough is not None:  # or its labels would cover what is compared with them
                self._preview.raise_above(self._rough)
