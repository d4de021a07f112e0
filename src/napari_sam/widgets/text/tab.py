"""The tab for words: say what to find, see what fits, put it into the session as classes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from napari.components import ViewerModel
from qtpy.QtCore import QObject, QTimer

from napari_sam.errors import NapariSamError
from napari_sam.inference.automatic.selection import Selection
from napari_sam.inference.automatic.settings import GridSettings
from napari_sam.progress import Progress
from napari_sam.results import Proposal
from napari_sam.session.autofill import Chosen
from napari_sam.session.overlap import Rule
from napari_sam.settings import load_settings, save_settings
from napari_sam.text.reader import Reader
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.search import wording
from napari_sam.widgets.search.findings import GONE, Findings
from napari_sam.widgets.search.found import Found
from napari_sam.widgets.search.work import AutoOrder
from napari_sam.widgets.text import controls as words
from napari_sam.widgets.text.controls import TextControls
from napari_sam.widgets.text.work import TextOrder, TextWork

if TYPE_CHECKING:
    from napari_sam.text.ranking import Ranked

__all__ = ["TextTab"]

REST_MS = 30  # a slider tells of every pixel it moves
CANCELLED = "you cancelled it"
ANOTHER = "the picture or the model is another one now"


class TextTab(QObject):
    """Finds by words in the picture of one panel's annotation.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer.
    rule : callable
        Tells who keeps the pixels where new objects meet older ones.
    grid_for : callable
        Returns how to search a plane (H, W) for everything.
    reader : Reader
        Knows words.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        rule: Callable[[], Rule],
        grid_for: Callable[[tuple[int, int]], GridSettings],
        reader: Reader,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.controls = TextControls()
        self.work = TextWork(reader, self)
        self.findings = Findings(viewer, rule, words.NO_PICTURE, self)
        self._grid_for = grid_for
        self._unknown: dict[str, str] = {}  # what is to be said of a text, empty if it is known
        self._words: tuple[str, ...] = ()  # of what was found
        self._ranked: Ranked | None = None
        self._areas: list[tuple[Proposal, int]] | None = None
        self._chosen: Chosen | None = None
        self._class_of: dict[Proposal, int] = {}
        self._tuned = False  # whether somebody has moved the slider
        self._said = ""
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.filter)
        chosen = load_settings().text
        self.controls.words.setText(chosen.get("words", ""))
        self.controls.way.setCurrentIndex(
            max(self.controls.way.findData(chosen.get("way", "objects")), 0)
        )
        self._connect()
        self.refresh()

    def follow(self, annotation: Annotation | None) -> None:
        """Serve this annotation from now on, or none; what was found for another is forgotten."""
        self.work.stop()
        self.work.forget()
        self.forget()
        self.findings.follow(annotation)
        self.refresh()

    def close(self) -> None:
        """End for good; what is in the session stays."""
        self.work.end()
        self.follow(None)

    def start(self) -> None:
        """Find what the words mean in the slice in view."""
        annotation, c = self.findings.annotation, self.controls
        if annotation is None or self.work.busy or self._missing():
            return
        seen, model = annotation.seen, annotation.model
        if seen is None or model is None:
            return
        self.forget()
        self._remember()
        self._words = c.said
        grid = self._grid_for(annotation.picture.plane_shape(seen))
        self.findings.begin(Found(seen, grid, areas=c.whole))
        search = AutoOrder(annotation.picture.reader(seen), annotation.planes.contrast, grid)
        c.show_work(True)
        c.bar.setRange(0, 0)
        c.status.setText("Looking at the picture…")
        self._ask()
        self.work.start(model, TextOrder(search, c.said, c.whole, (annotation, model, seen, grid)))
        self.refresh()

    def forget(self) -> None:
        """Take away what was found; no label changes."""
        self._ranked = self._areas = self._chosen = None
        self._class_of = {}
        self._said = ""
        self._soon.stop()
        self.findings.forget()

    def filter(self) -> None:
        """Show what fits well enough; the model is not asked."""
        self._soon.stop()
        self._choose()
        chosen = self._chosen
        colours = None if chosen is None else [self._class_of[one] for one in chosen.kept]
        self.findings.show(chosen, faint=True, colours=colours)
        self.refresh()

    def put(self, certain: float) -> None:
        """Put what is kept into the session: accepted from a score on, else to be reviewed."""
        self._choose()  # the slider may have moved just now
        chosen = self._chosen
        if chosen is None or self.work.busy:
            return
        of = {
            self._words[k]: [one for one in chosen.kept if self._class_of[one] == k]
            for k in self._kinds
        }
        try:
            done = self.findings.put(chosen, certain, of)
        except NapariSamError as error:
            self._say(f"⚠ {error}")
            return
        self._soon.stop()
        self._choose()
        self.findings.hide()
        self._say(wording.filled(done))

    def refresh(self) -> None:
        """Show what can be done now."""
        c, found = self.controls, self.findings.found
        busy, missing = self.work.busy, self._missing()
        if self.findings.stale:
            self._soon.start(REST_MS)
        c.start.setEnabled(not missing)
        c.show_unknown([text for one in c.said if (text := self._unknown.get(one))])
        c.tuning.setVisible(found is not None and bool(found.left) and not busy)
        areas = self._areas is not None
        of = [[one for one in self._kept if self._class_of[one] == k] for k in self._kinds]
        c.show_found(self._words, [words.legend(some, areas) for some in of], areas)
        for button in (c.propose, c.accept):
            button.setEnabled(bool(self._kept))
        c.undo.setVisible(self.findings.can_take_back)
        if not busy:
            c.status.setText(self._said or missing or self._outlook())

    def _connect(self) -> None:
        c = self.controls
        c.start.clicked.connect(self.start)
        c.words.returnPressed.connect(self.start)
        c.words.textChanged.connect(self._retype)
        c.words.editingFinished.connect(self._ask)
        c.way.activated.connect(self._retype)
        c.cancel.clicked.connect(lambda: self.work.stop(CANCELLED))
        c.similarity.valueChanged.connect(self._tune)
        c.most.valueChanged.connect(self._filter_anew)
        c.propose.clicked.connect(lambda: self.put(math.inf))
        c.accept.clicked.connect(lambda: self.put(-math.inf))
        c.forget.clicked.connect(self._throw_away)
        c.undo.clicked.connect(self._take_back)
        self.findings.changed.connect(self.refresh)
        self.findings.began_afresh.connect(self._begin_afresh)
        self.work.stood.connect(self._show_stand)
        self.work.compares.connect(self._show_comparing)
        self.work.remarked.connect(self._take_remarks)
        self.work.ranked.connect(self._take_ranked)
        self.work.mapped.connect(self._take_areas)
        self.work.ended.connect(self._end)

    def _missing(self) -> str:
        problem = self.work.reader.missing or self.findings.missing
        return problem or ("" if self.controls.said else words.NO_WORDS)

    @property
    def _kinds(self) -> range:
        return range(len(self._words))

    @property
    def _kept(self) -> list[Proposal]:
        return [] if self._chosen is None else self._chosen.kept

    def _outlook(self) -> str:
        found, elsewhere = self.findings.found, self.findings.elsewhere
        if found is None or (self._ranked is None and self._areas is None):
            return words.ready(self.controls.whole)
        if self._ranked is None:
            return words.found_areas(len(self._kept), elsewhere)
        best = self._ranked.among(found.left).similarity.max(initial=0)
        return words.found_objects(
            len(self._kept), len(found.left), found.known, float(best), elsewhere
        )

    def _choose(self) -> None:
        found, c = self.findings.found, self.controls
        if found is None or (self._ranked is None and self._areas is None):
            return
        self.findings.settle(self._words)
        if self._ranked is not None:
            of = self._ranked.among(found.left)
            best = of.chosen(c.similarity.value(), c.most.value() or None)
            self._class_of = {of.proposals[i]: k for i, k in best}
        else:
            self._class_of = dict(self._areas or ())
        self._chosen = found.chosen(Selection(), list(self._class_of))

    def _take_ranked(self, ranked: Ranked) -> None:
        if self.findings.found is None:
            return
        self._ranked = ranked
        self.findings.found.take(ranked.proposals)
        if not self._tuned:
            blocked = self.controls.similarity.blockSignals(True)
            self.controls.similarity.setValue(ranked.enough)
            self.controls.similarity.blockSignals(blocked)

    def _take_areas(self, areas: list[tuple[Proposal, int]]) -> None:
        if self.findings.found is not None:
            self._areas = areas
            self.findings.found.take([one for one, _ in areas])

    def _take_remarks(self, remarks: dict[str, str]) -> None:
        self._unknown |= remarks
        self.refresh()

    def _ask(self) -> None:
        """Find out which words are not known, those of which it is not known yet."""
        annotation = self.findings.annotation
        new = [text for text in self.controls.said if text not in self._unknown]
        if annotation is not None and annotation.model is not None and new and not self._missing():
            self._unknown |= dict.fromkeys(new, "")
            self.work.ask(annotation.model, new)

    def _retype(self) -> None:
        self._said = ""
        self.refresh()

    def _tune(self) -> None:
        self._tuned = True
        self._filter_anew()

    def _filter_anew(self) -> None:
        self._said = ""
        self.controls.show_remark("")
        if self.findings.found is not None and not self._soon.isActive():
            self._soon.start(REST_MS)

    def _show_stand(self, stand: Progress[list[Proposal]]) -> None:
        self.controls.bar.setRange(0, max(stand.total, 1))
        self.controls.bar.setValue(int(stand.done))
        self.controls.status.setText(wording.standing(stand, self.findings.shape))

    def _show_comparing(self) -> None:
        self.controls.bar.setRange(0, 0)
        self.controls.status.setText(words.COMPARING)

    def _end(self, why: str) -> None:
        self.controls.show_work(False)
        if why:
            self.forget()
            self._said = f"It ended early: {why}."
        self.filter()

    def _begin_afresh(self) -> None:
        gone = self.findings.gone
        if gone:
            self.forget()
        self.work.stop(ANOTHER)
        self.work.forget()
        if gone:
            self._said = GONE
        self.refresh()

    def _take_back(self) -> None:
        self.findings.take_back()
        self._said = ""
        self.filter()

    def _throw_away(self) -> None:
        self.forget()
        self.refresh()

    def _remember(self) -> None:
        c, settings = self.controls, load_settings()
        chosen = {"words": c.words.text(), "way": c.way.currentData()}
        if settings.text != chosen:
            save_settings(replace(settings, text=chosen))

    def _say(self, text: str) -> None:
        self._said = text
        self.controls.show_remark("")
        self.refresh()
