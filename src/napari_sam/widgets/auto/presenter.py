"""Presenter of the tab Auto: handles its buttons for one annotation."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Labels, Points
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.inference.automatic.settings import InstanceSettings, SearchSettings
from napari_sam.inference.automatic.tiles import Tiling
from napari_sam.planes import Plane
from napari_sam.progress import Progress
from napari_sam.results import Proposal
from napari_sam.serving.kept_maps import KeptMaps
from napari_sam.session.autofill import FillCounts
from napari_sam.session.changed import What
from napari_sam.session.edit.linked import plane_lines
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.auto import wording
from napari_sam.widgets.auto.alike_filter import AlikeFilter
from napari_sam.widgets.auto.stack import StackRequest
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.layers.shapes import inside, own_seeds
from napari_sam.widgets.search.findings import NO_MODEL, Findings
from napari_sam.widgets.search.presenter import REST_MS, SearchPresenter
from napari_sam.widgets.search.settled import has_accepted, searchable, settled_on
from napari_sam.widgets.search.slice_proposals import SliceProposals
from napari_sam.widgets.search.wording import ELSEWHERE, filled, progress_text
from napari_sam.widgets.search.work import SearchRequest, Ways

if TYPE_CHECKING:
    from napari_sam.widgets.auto.tab import AutoTab

__all__ = ["AutoPresenter"]

LIVE_MS = 250  # between two looks at a search under way
SHARE = 0.05  # of the processor time that such looks may take
LOOKING = "Looking at the picture…"
SLOW_MS = 400  # after which instances that are made anew are said to take their time
FILTERS = "preset", "way", "no_edge", "on_top", "faint"  # of the choices
MAKES = "way", "min_score"  # of the choices: other instances, as the sliders do


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
        self.alike = AlikeFilter(annotation, tab.alike, tab.controls.alike, self._compare)
        self._latest: list[Proposal] | None = None  # of a search, not taken yet
        self._progress: Progress[list[Proposal]] | None = None  # not shown yet
        self._told = new_timer(LIVE_MS, self._tell_progress)
        self._cost = 0.0  # seconds of the processor for the last look
        self._listed: list[Proposal] = []  # by the sliders
        self._maps = KeptMaps()
        self._tuning = False  # instances are made anew
        self._tune_again = False  # and once more: a slider has moved meanwhile
        self._tune_soon = new_timer(REST_MS, self._tune)
        self._slow = new_timer(SLOW_MS, lambda: tab.controls.show_start(LOOKING))
        connect, c = self._connections.add, tab.controls
        connect(c.start.clicked, self.alike.drop)  # everything is wanted again
        connect(c.finer.clicked, self.start)
        connect(c.fill.clicked, lambda: self.put(self._choices.certain.value))
        connect(c.retrain.clicked, self._retrain)
        connect(c.where.activated, self._filter_anew)
        connect(self._choices.changed, self._take_choice)
        connect(self._choices.tuning.changed, self._tune_at_once)
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
        tab = self._tab
        return tab.work.busy or tab.stack.busy or tab.retraining.busy or self.alike.busy

    def start(self) -> None:
        """Start a search of the slice in view."""
        annotation, picture = self.annotation, self.annotation.picture
        seen, model = annotation.seen, annotation.model
        if self._tuning:
            self._tab.work.close()
            self._end_tuning()
        if self.busy or seen is None or model is None or self.findings.missing:
            return
        layer = self._controls.inside.layer
        region = None if layer is None else inside(layer, picture, seen)
        found = SliceProposals(seen, self._ways(picture.plane_shape(seen)), region)
        try:
            request = self._request(found, _seeds(self._controls.at.layer, picture)(seen))
        except InputError as error:
            self.say(f"⚠ {error}")
            return
        self.forget()
        self._tab.kinds.hold()
        self.findings.begin(found)
        self._choices.remember()
        self._controls.show_start(LOOKING)
        self._tab.work.start(model, request)
        self.refresh()

    def stop(self, why: str) -> None:
        """Stop the search of a slice or a stack; keep the proposals."""
        for timer in (self._tune_soon, self._slow):
            timer.stop()
        self._tune_again = False
        self._tab.work.stop(why)
        self._tab.stack.stop(why)
        self.alike.stop()

    def forget(self) -> None:
        """Discard the proposals; no label changes."""
        super().forget()
        self.alike.forget()
        self._latest = None
        self._told.stop()
        self._tune_soon.stop()
        self._controls.show_coarse("")

    def filter(self) -> None:
        """Apply the filters to the proposals and show the result, without a model call."""
        began = time.thread_time()
        self._soon.stop()
        self._choose()
        if self.findings.found is not None:
            self.findings.show(self._chosen, self._choices["faint"].value)
            self._controls.histogram.update()
            self.refresh()
        self._cost = time.thread_time() - began

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
        model = self.annotation.model
        self._choices.allow_instances(None if model is None else model.has_instances)
        c.show_way()
        self._choices.enable(not Tiling().cuts(self.findings.shape), "seeds", "crops")
        tunable = found is not None and isinstance(self._used(found), InstanceSettings)
        c.tuning.setVisible(found is not None and (bool(found.new) or tunable))
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
            return wording.ready(self._ways(shape).of(True), shape)
        if self._controls.all_slices and kept:
            return wording.everywhere(kept, self.findings.slices, self._choices["link"].value)
        remark = ELSEWHERE if self.findings.elsewhere else ""
        if counted := self.alike.said(kept):
            return counted + remark
        settings = self._used(found)
        return wording.found(kept, len(found.new), found.known, settings) + remark

    def _put_all(self, certain: float) -> None:
        """Search all slices like the one that was searched, and put what the filters keep."""
        found, model, chosen = self.findings.found, self.annotation.model, self._choices.values
        if found is None or self.busy:
            return
        picture = self.annotation.picture
        try:
            if model is None:
                raise InputError(NO_MODEL)
            lines, anisotropy = plane_lines(picture.shape, picture.spacing, found.plane)
            request = StackRequest(
                lines,
                found.ways,
                found.region,
                _seeds(self._controls.at.layer, picture),
                self._choices.selection,
                self._tab.rule(),
                certain,
                chosen["gap"] if chosen["link"] else None,
                anisotropy,
                self.alike.rule,
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
        self._chosen = found.chosen(self._choices.selection, self.alike.among(found))

    def _take_choice(self, name: str) -> None:
        if name in FILTERS:
            self._filter_anew()
        if name in MAKES and not self._choices.at_points:
            self._tune_at_once()
        if name in ("certain", "sure"):
            self._controls.show_certain(self._kept)
        else:
            self.refresh()

    def _show_progress(self, progress: Progress[list[Proposal]]) -> None:
        self._latest, self._progress = progress.result, progress  # shown later: many come a second
        if not self._told.isActive():
            self._told.start()
        if not self._tuning:
            self._filter_soon(max(LIVE_MS, round(1000 * self._cost / SHARE)))

    def _tell_progress(self) -> None:
        progress, found = self._progress, self.findings.found
        if progress is None or found is None or self._slow.isActive():
            return
        asked = "object" if isinstance(self._used(found), InstanceSettings) else "point"
        text = progress_text(progress, self.findings.shape, asked)
        self._controls.show_progress(text, int(progress.done), max(progress.total, 1))

    def _end(self, why: str) -> None:
        self._controls.show_work(False)
        self._told.stop()
        found, tuned, again = self.findings.found, self._tuning, self._tune_again and not why
        self._end_tuning()
        if tuned and why:
            self._latest = None  # a part of it
        stays = "" if found is None else " What was found stays."
        self._said = f"It ended early: {why}.{stays}" if why else ""
        self.filter()
        if found is not None and self._chosen is not None:
            self._controls.show_coarse(*wording.coarse(self._chosen.kept, self._used(found)))
        self.refresh()
        if again:
            self._tune()
        elif found is not None and not why and self.alike.rate(found):
            self._controls.show_start(wording.COMPARING)
        elif not tuned:
            self._tab.ended.emit()

    def _classes(self) -> Mapping[str, Sequence[Proposal]] | None:
        return self.alike.classes(self._kept)

    def _compare(self) -> None:
        """Show what is like the examples by now."""
        self._said = ""
        if not self.busy:
            self._controls.show_work(False)
        self._filter_soon()

    def _begin_afresh(self) -> None:
        self._maps = KeptMaps()  # what is under way for another model or picture keeps the old one
        super()._begin_afresh()

    def _ways(self, shape: tuple[int, int]) -> Ways:
        """Return how a plane (H, W) is to be searched."""
        return self._choices.ways_for(shape, self._controls.at.layer is not None)

    def _used(self, found: SliceProposals) -> SearchSettings:
        """Return how this was searched."""
        model = self.annotation.model
        return found.ways.of(None if model is None else model.has_instances)

    def _request(
        self, found: SliceProposals, seeds: NDArray[np.float64] | None = None
    ) -> SearchRequest:
        """Return what searches a plane where nothing is settled."""
        annotation, plane = self.annotation, found.plane
        where = searchable(found.region, settled_on(annotation, plane, self._tab.rule()))
        source, contrast = annotation.picture.source(plane), annotation.planes.contrast
        return SearchRequest(source, contrast, found.ways, where, seeds, self._maps)

    def _tune_at_once(self, name: object = None) -> None:
        """Make instances anew with what is set now, as often as they can be made."""
        self._said = ""
        if self._tab.work.busy:
            self._tune_again = True
        elif not self._tune_soon.isActive():
            self._tune_soon.start()

    def _tune(self) -> None:
        found, model = self.findings.found, self.annotation.model
        if found is None or model is None or self.busy or self.findings.gone:
            return
        if not isinstance(self._used(found), InstanceSettings):
            return
        found.ways = replace(found.ways, instances=self._choices.instances)
        if Tiling().cuts(self.findings.shape):
            self.say(wording.TOO_LARGE)
            return
        try:
            request = self._request(found)
        except InputError as error:
            self.say(f"⚠ {error}")
            return
        self._tuning = True
        self._slow.start()
        self._tab.work.start(model, request)
        self.refresh()

    def _end_tuning(self) -> None:
        self._tuning = self._tune_again = False
        self._slow.stop()

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
