"""Presenter of the tab Auto: handles its buttons for one annotation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Labels, Points
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.inference.automatic.tiles import Tiling
from napari_sam.planes import Plane
from napari_sam.progress import Progress
from napari_sam.results import Proposal
from napari_sam.session.autofill import FillCounts
from napari_sam.session.changed import What
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.auto import wording
from napari_sam.widgets.auto.stack import StackRequest, plane_lines
from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.layers.shapes import inside, own_seeds
from napari_sam.widgets.search.findings import NO_MODEL, Findings
from napari_sam.widgets.search.presenter import SearchPresenter
from napari_sam.widgets.search.settled import has_accepted, searchable, settled_on
from napari_sam.widgets.search.slice_proposals import SliceProposals
from napari_sam.widgets.search.wording import ELSEWHERE, filled, progress_text
from napari_sam.widgets.search.work import SearchRequest

if TYPE_CHECKING:
    from napari_sam.widgets.auto.tab import AutoTab

__all__ = ["AutoPresenter"]

LIVE_MS = 250  # between two looks at a search under way
FILTERS = "preset", "no_edge", "on_top", "faint"  # of the choices


class AutoPresenter(SearchPresenter):
    """Runs automatic mask generation in the image of one annotation.

    Parameters
    ----------
    tab : AutoTab
        Whose controls and workers it uses.
    annotation : Annotation
        Whose picture is searched.
    """

    where = "Auto"

    def __init__(self, tab: AutoTab, annotation: Annotation) -> None:
        super().__init__(annotation, Findings(tab.viewer, annotation, tab.rule), tab.controls)
        self._tab, self._controls = tab, tab.controls
        self._choices = tab.controls.choices
        self._latest: list[Proposal] | None = None  # of a search, not taken yet
        self._listed: list[Proposal] = []  # by the sliders
        connect, c = self._connections.add, tab.controls
        connect(c.finer.clicked, self.start)
        connect(c.fill.clicked, lambda: self.put(self._choices["certain"].value))
        connect(c.retrain.clicked, self._retrain)
        connect(c.where.activated, self._filter_anew)
        connect(self._choices.changed, self._take_choice)
        for row in self._choices.ranges.values():
            connect(row.changed, self._filter_anew)
        connect(tab.work.progressed, self._show_progress)
        connect(tab.work.ended, self._end)
        connect(tab.stack.progressed, c.show_stack)
        connect(tab.stack.ended, self._end_stack)
        self.refresh()

    @property
    def busy(self) -> bool:
        """True while the model searches or trains for the tab."""
        return self._tab.work.busy or self._tab.stack.busy or self._tab.retraining.busy

    def start(self) -> None:
        """Start a search of the slice in view."""
        annotation, picture = self.annotation, self.annotation.picture
        seen, model = annotation.seen, annotation.model
        if self.busy or seen is None or model is None or self.findings.missing:
            return
        grid = self._choices.grid_for(picture.plane_shape(seen))
        layer = self._controls.inside.layer
        region = None if layer is None else inside(layer, picture, seen)
        try:
            there = settled_on(annotation, seen, self._tab.rule())
            where, seeds = searchable(region, there), _seeds(self._controls.at.layer, picture)(seen)
        except InputError as error:
            self.say(f"⚠ {error}")
            return
        self.forget()
        self._tab.kinds.hold()
        self.findings.begin(SliceProposals(seen, grid, region))
        self._choices.remember()
        self._controls.show_start("Looking at the picture…")
        reader, contrast = picture.reader(seen), annotation.planes.contrast
        self._tab.work.start(model, SearchRequest(reader, contrast, grid, where, seeds))
        self.refresh()

    def stop(self, why: str) -> None:
        """Stop the search of a slice or a stack; keep the proposals."""
        self._tab.work.stop(why)
        self._tab.stack.stop(why)

    def forget(self) -> None:
        """Discard the proposals; no label changes."""
        super().forget()
        self._latest = None
        self._controls.show_coarse("")

    def filter(self) -> None:
        """Apply the filters to the proposals and show the result, without a model call."""
        self._soon.stop()
        self._choose()
        if self.findings.found is not None:
            self.findings.show(self._chosen, self._choices["faint"].value)
            self._controls.histogram.update()
            self.refresh()

    def put(self, certain: float) -> None:
        """Add the kept proposals to the session: accepted above a score, else for review."""
        self._choices.remember()
        if self._controls.all_slices:
            self._put_all(certain)
        else:
            super().put(certain)

    def refresh(self, what: object = None) -> None:
        """Update the widgets."""
        if what == What.DRAFT:
            return
        self._tab.stack.check()
        c, found, missing = self._controls, self.findings.found, self.findings.missing
        searching = self._tab.work.busy or self._tab.stack.busy
        if self.findings.stale:
            self._filter_soon()
        c.start.setEnabled(not missing)
        self._choices.enable(not Tiling().cuts(self.findings.shape), "seeds", "crops")
        c.tuning.setVisible(found is not None and bool(found.new))
        for button in (c.propose, c.accept, c.fill):
            button.setEnabled(bool(self._kept) and not searching)
        c.forget.setEnabled(not searching)
        c.show_slices(self.findings.slices)
        c.show_certain(self._kept)
        c.undo.setVisible(self.findings.can_take_back)
        c.retrain.setVisible(has_accepted(self.annotation))
        c.retrain.setEnabled(not (self.busy or missing))
        if not self.busy:
            c.status.setText(self._said or missing or self._outlook())
        self._name_waiting()

    def _outlook(self) -> str:
        found, shape, kept = self.findings.found, self.findings.shape, len(self._kept)
        if found is None:
            return wording.ready(self._choices.grid_for(shape), shape)
        if self._controls.all_slices and kept:
            return wording.everywhere(kept, self.findings.slices, self._choices["link"].value)
        remark = ELSEWHERE if self.findings.elsewhere else ""
        return wording.found(kept, len(found.new), found.known) + remark

    def _put_all(self, certain: float) -> None:
        """Search all slices like the one that was searched, and put what the filters keep."""
        found, model, chosen = self.findings.found, self.annotation.model, self._choices.values
        if found is None or self.busy:
            return
        picture = self.annotation.picture
        try:
            if model is None:
                raise InputError(NO_MODEL)
            lines, anisotropy = plane_lines(picture, found.plane)
            request = StackRequest(
                lines,
                found.grid,
                found.region,
                _seeds(self._controls.at.layer, picture),
                self._choices.selection,
                self._tab.rule(),
                certain,
                chosen["gap"] if chosen["link"] else None,
                anisotropy,
            )
            self.annotation.binding.ensure_target(len(found.new) * self.findings.slices)
        except InputError as error:
            self.say(f"⚠ {error}")
            return
        self.forget()
        self._controls.show_start("Going through the stack…")
        self._tab.stack.start(self.annotation, model, request)
        self.refresh()

    def _retrain(self) -> None:
        """Train on the accepted objects; the tab searches again with the new model."""
        if self.busy:
            return
        try:
            self._tab.retraining.start(self.annotation)
        except InputError as error:
            self.say(f"⚠ {error}")
            return
        self._controls.show_start("Starting to train…")
        self.refresh()

    def _choose(self) -> None:
        found = self.findings.found
        if found is None:
            return
        if self._latest is not None:
            found.take(self._latest)
            self._latest = None
        self.findings.settle()
        if self._listed is not found.new:
            self._listed = found.new
            for row in self._choices.ranges.values():
                row.set_found(found.new)
        self._chosen = found.chosen(self._choices.selection)

    def _take_choice(self, name: str) -> None:
        if name in FILTERS:
            self._filter_anew()
        if name == "certain":
            self._controls.show_certain(self._kept)
        else:
            self.refresh()

    def _show_progress(self, progress: Progress[list[Proposal]]) -> None:
        self._latest = progress.result  # taken when it is shown: there are many a second
        text = progress_text(progress, self.findings.shape)
        self._controls.show_progress(text, int(progress.done), max(progress.total, 1))
        self._filter_soon(LIVE_MS)

    def _end(self, why: str) -> None:
        self._controls.show_work(False)
        found = self.findings.found
        stays = "" if found is None else " What was found stays."
        self._said = f"It ended early: {why}.{stays}" if why else ""
        self.filter()
        if found is not None and self._chosen is not None:
            self._controls.show_coarse(*wording.coarse(self._chosen.kept, found.grid))
        self.refresh()
        self._tab.ended.emit()

    def _end_stack(self, why: str, done: FillCounts) -> None:
        self._controls.show_work(False)
        self.findings.note(done)
        early = f"It ended early: {why}. The slices that are done stay. " if why else ""
        self.say(early + filled(done))
        self._tab.ended.emit()


def _seeds(
    layer: Points | Labels | None, picture: ImageStack
) -> Callable[[Plane], NDArray[np.float64] | None]:
    """Return what gives the points of a plane that somebody wants to be asked."""
    return lambda plane: None if layer is None else own_seeds(layer, picture, plane)
