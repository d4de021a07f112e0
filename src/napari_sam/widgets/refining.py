"""Refine labels: ask, show what would change, accept all of it or nothing."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import QObject, Signal

from napari_sam.errors import NapariSamError
from napari_sam.inference.mask_prompts import PromptRule
from napari_sam.session.changes import Kind
from napari_sam.session.objects import Origin, Source, Status
from napari_sam.session.proposals import Proposal
from napari_sam.widgets.annotation import Annotation
from napari_sam.widgets.mix import finest
from napari_sam.widgets.picture import on_plane
from napari_sam.widgets.piecework import Piecework
from napari_sam.widgets.preview import Preview
from napari_sam.widgets.refine_controls import RefineControls
from napari_sam.widgets.refine_pieces import Sharpened, changes, sharpen, summary
from napari_sam.widgets.target import misfit

__all__ = ["Refining"]

COLOURS = ("#ffd43b", "#22b8ff")  # before and after
NOTHING = "There is no object to refine on what you chose."


class Refining(QObject):
    """Serves the group "Refine labels" for whatever is annotated.

    Parameters
    ----------
    viewer : ViewerModel
        Where changes are shown.
    controls : RefineControls
        The widgets.

    Attributes
    ----------
    results : list of Sharpened
        What waits to be accepted.
    """

    remarked = Signal(str)

    def __init__(
        self, viewer: ViewerModel, controls: RefineControls, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.results: list[Sharpened] = []
        self._viewer = viewer
        self._controls = c = controls
        self._annotation: Annotation | None = None
        self._preview: Preview | None = None
        self._shown: Sharpened | None = None
        self._rough: Labels | None = None
        self._done = self._total = 0
        self._work = Piecework(later=True, parent=self)
        self._work.stepped.connect(self._take)
        self._work.failed.connect(self._fail)
        self._work.ended.connect(self._end)
        c.start.clicked.connect(self.start)
        c.cancel.clicked.connect(self.cancel)
        c.accept.clicked.connect(self.accept)
        c.reject.clicked.connect(self.forget)

    @property
    def busy(self) -> bool:
        """True while the model works."""
        return self._work.busy

    def attach(self, annotation: Annotation | None) -> None:
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
        if problem := _problem(annotation, layer):
            self._controls.show_outcome(f"⚠ {problem}")
        elif annotation is not None and layer is not None:
            self._begin(annotation, layer)

    def cancel(self) -> None:
        """Stop; what is done can be accepted."""
        if self.busy:
            self._work.cancel()
            self._end()

    def accept(self) -> None:
        """Write all new masks as one step."""
        annotation, rough = self._annotation, self._rough
        if annotation is None or rough is None:
            return
        try:
            annotation.ensure_target(max(id_ for one in self.results for id_ in one.found))
            _write(annotation, self.results, rough)
        except NapariSamError as error:
            self._controls.show_outcome(f"⚠ {error}", found=True)
            return
        count = len({id_ for one in self.results for id_ in one.found})
        self.forget()
        self.remarked.emit(f"The labels hold {count:,} refined objects; Undo takes them all back.")

    def forget(self) -> None:
        """Stop and forget what waits to be accepted."""
        self._work.cancel()
        self.results = []
        self._rough = None
        self._controls.show_work(False)
        self._controls.show_outcome("")
        self._show()

    def close(self) -> None:
        """Stop for good and let go of the viewer."""
        self.attach(None)
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
        only = int(layer.selected_label) if c.objects.currentData() else None
        self._done, self._total = 0, len(planes)
        c.show_work(True, 0, self._total)
        shape = picture.plane_shape(seen)

        def read(plane: Any) -> Any:
            return np.array(data[on_plane(plane)])

        self._work.start(
            model,
            (
                sharpen(plane, shape, partial(read, plane), annotation.look(plane), rule, only)
                for plane in planes
            ),
        )

    def _take(self, result: Sharpened) -> None:
        if result.found:
            self.results.append(result)
            self._show()
        self._done += 1
        self._controls.show_work(True, self._done, self._total)

    def _fail(self, error: BaseException) -> None:
        self._end()
        self._controls.show_outcome(f"⚠ {error} {summary(self.results)}", bool(self.results))

    def _end(self) -> None:
        self._controls.show_work(False)
        self._controls.show_outcome(summary(self.results) or NOTHING, bool(self.results))

    def _show(self) -> None:
        """Show what would change on the slice in view."""
        annotation = self._annotation
        if annotation is None:
            return
        here = next((one for one in self.results if one.plane == annotation.seen), None)
        if here is self._shown:
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
    if annotation is None or not annotation.has_model:
        return "Open a picture and choose a model first."
    if layer is None:
        return "Choose the rough labels first."
    if annotation.seen is None:
        return "Refining needs a slice of the picture in the 2D view."
    if layer is annotation.target and annotation.session.semantic:
        return "These labels are classes, not objects; choose labels with an id each."
    return misfit(layer, annotation.picture)


def _write(annotation: Annotation, results: list[Sharpened], rough: Labels) -> None:
    """Write the new masks into the labels; the rough labels keep their numbers where they can."""
    session, target = annotation.session, annotation.target
    same = rough is target
    free = same or not (session.objects or (target is not None and target.data.any()))
    if same:
        for result in results:
            session.adopt(result.plane, list(result.found))
    numbers: dict[int, int | None] = {}
    with session.begin(Kind.REFINED) as batch:
        for result in results:
            best_first = sorted(result.found.items(), key=lambda item: -item[1][0].score)
            chosen = [item for item in best_first if not (same and item[1][0].unsure)]
            proposals = [
                Proposal(
                    one.after.whole(result.shape),
                    numbers.get(id_, id_ if free else None),
                    one.score,
                    Origin(Source.PROMPTED),
                    Status.UNCLEAR if one.unsure else Status.ACCEPTED,
                    draft,
                )
                for id_, (one, draft) in chosen
            ]
            ids = batch.add(result.plane, proposals)
            numbers.update(
                (id_, number)
                for (id_, _), number in zip(chosen, ids, strict=True)
                if number is not None
            )
