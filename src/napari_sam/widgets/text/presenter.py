"""Presenter of the tab Text: handles its buttons for one annotation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_sam.inference.automatic.selection import Selection
from napari_sam.progress import Progress
from napari_sam.results import Proposal
from napari_sam.session.changed import What
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.search.findings import Findings
from napari_sam.widgets.search.presenter import SearchPresenter
from napari_sam.widgets.search.slice_proposals import SliceProposals
from napari_sam.widgets.search.wording import CANCELLED, progress_text
from napari_sam.widgets.search.work import SearchRequest, Ways
from napari_sam.widgets.text import wording
from napari_sam.widgets.text.work import TextRequest

if TYPE_CHECKING:
    from napari_sam.text.ranking import Ranked
    from napari_sam.widgets.text.tab import TextTab

__all__ = ["TextPresenter"]


class TextPresenter(SearchPresenter):
    """Runs a text-prompted search in the image of one annotation.

    Parameters
    ----------
    tab : TextTab
        Whose controls and workers it uses.
    annotation : Annotation
        Whose picture is searched.
    """

    where = "Text"

    def __init__(self, tab: TextTab, annotation: Annotation) -> None:
        super().__init__(annotation, Findings(tab.viewer, annotation, tab.rule), tab.controls)
        self._tab, self._controls, self._work = tab, tab.controls, tab.work
        self._words: tuple[str, ...] = ()  # of what was found
        self._ranked: Ranked | None = None
        self._areas: list[tuple[Proposal, int]] | None = None
        self._class_of: dict[Proposal, int] = {}
        connect, c, work = self._connections.add, tab.controls, tab.work
        connect(c.words.returnPressed, self.start)
        connect(c.words.editingFinished, lambda: tab.unknown.check(annotation.model))
        connect(c.choices.changed, self._retype)
        connect(c.cancel.clicked, lambda: work.stop(CANCELLED))
        connect(c.filters.changed, self._filter_anew)
        connect(work.progressed, self._show_progress)
        connect(work.compares, lambda: c.show_progress(wording.COMPARING, 0, 0))
        connect(work.ranked, self._take_ranked)
        connect(work.mapped, self._take_areas)
        connect(work.ended, self._end)
        self.refresh()

    @property
    def busy(self) -> bool:
        """True while a search runs."""
        return self._work.busy

    def start(self) -> None:
        """Search the slice in view for the text prompts."""
        annotation, picture, c = self.annotation, self.annotation.picture, self._controls
        seen, model = annotation.seen, annotation.model
        if self.busy or seen is None or model is None or self._missing:
            return
        self.forget()
        c.choices.remember()
        self._words = c.said
        ways = Ways(self._tab.grid_for(picture.plane_shape(seen)))
        self.findings.begin(SliceProposals(seen, ways, areas=c.whole))
        search = SearchRequest(picture.reader(seen), annotation.planes.contrast, ways)
        c.show_start("Looking at the picture…")
        self._tab.unknown.check(model)
        key = annotation, model, seen, ways
        self._work.start(model, TextRequest(search, c.said, c.whole, key))
        self.refresh()

    def stop(self, why: str) -> None:
        """Stop the search, and drop the cached proposals."""
        self._work.stop(why)
        self._work.forget()

    def forget(self) -> None:
        """Discard the proposals; no label changes."""
        super().forget()
        self._ranked = self._areas = None
        self._class_of = {}

    def filter(self) -> None:
        """Apply the similarity filter and show the result, without a model call."""
        self._soon.stop()
        self._choose()
        colours = [self._class_of[one] for one in self._kept]
        self.findings.show(self._chosen, faint=True, colours=colours)
        self.refresh()

    def refresh(self, what: object = None) -> None:
        """Update the widgets."""
        if what == What.DRAFT:
            return
        c, found, areas = self._controls, self.findings.found, self._areas is not None
        if self.findings.stale:
            self._filter_soon()
        c.start.setEnabled(not self._missing)
        c.tuning.setVisible(found is not None and bool(found.new) and not self.busy)
        c.show_found(self._words, list(self._classes().values()), areas)
        for button in (c.propose, c.accept):
            button.setEnabled(bool(self._kept))
        c.undo.setVisible(self.findings.can_take_back)
        if not self.busy:
            c.status.setText(self._said or self._missing or self._outlook())
        self._name_waiting()

    @property
    def _missing(self) -> str:
        problem = self._work.reader.missing or self.findings.missing
        return problem or ("" if self._controls.said else wording.NO_WORDS)

    def _classes(self) -> dict[str, list[Proposal]]:
        return {
            text: [one for one in self._kept if self._class_of[one] == number]
            for number, text in enumerate(self._words)
        }

    def _outlook(self) -> str:
        found, elsewhere = self.findings.found, self.findings.elsewhere
        if found is not None and self._areas is not None:
            return wording.found_areas(len(self._kept), elsewhere)
        if found is None or self._ranked is None:
            return wording.ready(self._controls.whole)
        best = self._ranked.among(found.new).similarity.max(initial=0)
        new = len(found.new)
        return wording.found_objects(len(self._kept), new, found.known, float(best), elsewhere)

    def _choose(self) -> None:
        found, filters = self.findings.found, self._controls.filters
        if found is None or (self._ranked is None and self._areas is None):
            return
        self.findings.settle(self._words)
        if self._ranked is not None:
            left = self._ranked.among(found.new)
            best = left.chosen(filters["similarity"].value, filters["most"].value or None)
            self._class_of = {left.proposals[i]: k for i, k in best}
        else:
            self._class_of = dict(self._areas or ())
        self._chosen = found.chosen(Selection(), list(self._class_of))

    def _take_ranked(self, ranked: Ranked) -> None:
        self._ranked = ranked
        if self.findings.found is not None:
            self.findings.found.take(ranked.proposals)
        if not self._controls.tuned:
            self._controls.filters.put({"similarity": ranked.threshold})

    def _take_areas(self, areas: list[tuple[Proposal, int]]) -> None:
        self._areas = areas
        if self.findings.found is not None:
            self.findings.found.take([one for one, _ in areas])

    def _retype(self) -> None:
        self._said = ""
        self.refresh()

    def _show_progress(self, progress: Progress[list[Proposal]]) -> None:
        text = progress_text(progress, self.findings.shape)
        self._controls.show_progress(text, int(progress.done), max(progress.total, 1))

    def _end(self, why: str) -> None:
        self._controls.show_work(False)
        if why:
            self.forget()
            self._said = f"It ended early: {why}."
        self.filter()
        self._tab.ended.emit()
