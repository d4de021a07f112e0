"""The tab for the automatic mode: search, filter what was found, put it into the session."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from napari.components import ViewerModel
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_sam.errors import InputError, NapariSamError
from napari_sam.inference.automatic.tiles import Tiling
from napari_sam.planes import Plane
from napari_sam.progress import Progress
from napari_sam.results import Proposal
from napari_sam.session.autofill import Chosen, FillCounts
from napari_sam.session.overlap import Rule
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.auto.choices import AutoChoices
from napari_sam.widgets.auto.controls import AutoControls
from napari_sam.widgets.auto.loop import AutoLoop
from napari_sam.widgets.auto.stack import AutoStack, StackOrder, runs
from napari_sam.widgets.auto.wording import through
from napari_sam.widgets.layers.shapes import inside, own_seeds
from napari_sam.widgets.search import wording as words
from napari_sam.widgets.search.findings import GONE, NO_MODEL, Findings, free, has_accepted, held
from napari_sam.widgets.search.found import Found
from napari_sam.widgets.search.work import AutoOrder, AutoWork
from napari_sam.widgets.train.tab import Training

__all__ = ["AutoTab"]

REST_MS = 30  # a slider tells of every pixel it moves
LIVE_MS = 250  # between two looks at a search under way
NO_PICTURE = "Choose a picture in the tab Prompt; then everything in it is found from here."
CANCELLED = "you cancelled it"
ANOTHER = "the picture or the model is another one now"


class AutoTab(QObject):
    """Finds everything in the picture of one panel's annotation.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer.
    training : Training
        Where the model learns from what was accepted.
    rule : callable
        Tells who keeps the pixels where new objects meet older ones.
    """

    use_wanted = Signal(str)  # the name of the model to use

    def __init__(
        self,
        viewer: ViewerModel,
        training: Training,
        rule: Callable[[], Rule],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.controls = AutoControls(viewer)
        self.choices = AutoChoices(self.controls)
        self.work = AutoWork(self)
        self.stack = AutoStack(self)
        self.loop = AutoLoop(training, self)
        self.findings = Findings(viewer, rule, NO_PICTURE, self)
        self._taught_for: Annotation | None = None
        self._chosen: Chosen | None = None
        self._latest: list[Proposal] | None = None  # of a search, not taken yet
        self._listed: list[Proposal] = []  # by the sliders
        self._said = ""
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.filter)
        self._connect()
        self.refresh()

    def follow(self, annotation: Annotation | None) -> None:
        """Serve this annotation from now on, or none; what was found for another is forgotten."""
        self.work.stop()
        self.stack.stop()
        self.forget()
        self.findings.follow(annotation)
        self.refresh()

    def close(self) -> None:
        """End for good; what is in the session stays."""
        self.work.close()
        self.stack.close()
        self.follow(None)
        self.controls.inside.disconnect_viewer()
        self.controls.at.disconnect_viewer()

    def start(self) -> None:
        """Search the slice in view."""
        annotation = self.findings.annotation
        if annotation is None or self._busy or self.findings.missing:
            return
        seen, model = annotation.seen, annotation.model
        if seen is None or model is None:
            return
        grid = self.choices.grid_for(annotation.picture.plane_shape(seen))
        layer = self.controls.inside.layer
        region = None if layer is None else inside(layer, annotation.picture, seen)
        try:
            there = held(annotation, seen, self.findings.rule())
            where = free(region, there)
            seeds = self._seeds(annotation)(seen)
        except InputError as error:
            self._say(f"⚠ {error}")
            return
        self.forget()
        self.findings.begin(Found(seen, grid, region))
        self.choices.remember()
        self._show_busy("Looking at the picture…")
        reader = annotation.picture.reader(seen)
        self.work.start(model, AutoOrder(reader, annotation.planes.contrast, grid, where, seeds))
        self.refresh()

    def forget(self) -> None:
        """Take away what was found; no label changes."""
        self._chosen = self._latest = None
        self._said = ""
        self._soon.stop()
        self.findings.forget()
        self.controls.show_coarse("")

    def filter(self) -> None:
        """Show what the filters keep of what was found; the model is not asked."""
        self._soon.stop()
        self._choose()
        if self.findings.found is None:
            return
        self.findings.show(self._chosen, self.controls.faint.isChecked())
        self.controls.histogram.update()
        self.refresh()

    def put(self, certain: float) -> None:
        """Put what is kept into the session: accepted from a score on, else to be reviewed."""
        if self.controls.where.currentData():
            self._put_all(certain)
        else:
            self._put_here(certain)

    def _put_here(self, certain: float) -> None:
        self._choose()  # a slider may have moved just now
        if self._chosen is None or self._busy:
            return
        try:
            done = self.findings.put(self._chosen, certain)
        except NapariSamError as error:
            self._say(f"⚠ {error}")
            return
        self.choices.remember()
        self._soon.stop()
        self._choose()
        self.findings.hide()
        self._say(words.filled(done))

    def _seeds(self, annotation: Annotation) -> Callable[[Plane], NDArray[np.float64] | None]:
        """Return what gives the points of a plane that somebody wants to be asked."""
        layer, picture = self.controls.at.layer, annotation.picture
        return lambda plane: None if layer is None else own_seeds(layer, picture, plane)

    def _put_all(self, certain: float) -> None:
        """Search all slices like the one that was searched, and put what the filters keep."""
        annotation, found, c = self.findings.annotation, self.findings.found, self.controls
        if annotation is None or found is None or self._busy:
            return
        model = annotation.model
        try:
            if model is None:
                raise InputError(NO_MODEL)
            lines, anisotropy = runs(annotation.picture, found.plane)
            order = StackOrder(
                lines,
                found.grid,
                found.region,
                self._seeds(annotation),
                self.choices.selection,
                self.findings.rule(),
                certain,
                c.gap.value() if c.link.isChecked() else None,
                anisotropy,
            )
            self.findings.open_target(len(found.left) * self.findings.slices)
        except InputError as error:
            self._say(f"⚠ {error}")
            return
        self.choices.remember()
        self.forget()
        self._show_busy("Going through the stack…")
        self.stack.start(annotation, model, order)
        self.refresh()

    def teach(self) -> None:
        """Train on the accepted objects; then search again with the new model."""
        annotation = self.findings.annotation
        if annotation is None or self._busy:
            return
        try:
            self.loop.start(annotation)
        except InputError as error:
            self._say(f"⚠ {error}")
            return
        self._taught_for = annotation
        self._show_busy("Starting to train…")
        self.refresh()

    def refresh(self) -> None:
        """Show what can be done now."""
        self.stack.check()
        c, found = self.controls, self.findings.found
        busy, missing = self.work.busy or self.stack.busy, self.findings.missing
        if self.findings.stale:
            self._filter_soon()
        c.start.setEnabled(not missing)
        large = Tiling().cuts(self.findings.shape)
        for box in (c.seeds, c.crops):
            box.setEnabled(not large)
        c.tuning.setVisible(found is not None and bool(found.left))
        kept = self._chosen is not None and bool(self._chosen.kept)
        for button in (c.propose, c.accept, c.fill):
            button.setEnabled(kept and not busy)
        c.forget.setEnabled(not busy)
        c.show_slices(self.findings.slices)
        self._count_certain()
        c.undo.setVisible(self.findings.can_take_back)
        c.teach.setVisible(has_accepted(self.findings.annotation))
        c.teach.setEnabled(not (self._busy or missing))
        if not self._busy:
            c.status.setText(self._said or missing or self._outlook())

    def _connect(self) -> None:
        c = self.controls
        c.preset.activated.connect(self._take_preset)
        c.points.valueChanged.connect(self.refresh)
        for box in (c.seeds, c.crops):
            box.activated.connect(self.refresh)
        c.link.toggled.connect(self.refresh)
        c.start.clicked.connect(self.start)
        c.cancel.clicked.connect(self._cancel)
        c.finer.clicked.connect(self._take_finer)
        c.propose.clicked.connect(lambda: self.put(math.inf))
        c.accept.clicked.connect(lambda: self.put(-math.inf))
        c.fill.clicked.connect(lambda: self.put(c.certain.value()))
        c.forget.clicked.connect(self._throw_away)
        c.undo.clicked.connect(self._take_back)
        c.teach.clicked.connect(self.teach)
        for row in c.rows.values():
            row.changed.connect(self._filter_anew)
            row.looked_at.connect(partial(c.histogram.show_row, row))
        c.histogram.show_row(c.rows["score"])
        c.no_edge.toggled.connect(self._filter_anew)
        c.faint.toggled.connect(self._filter_anew)
        c.on_top.activated.connect(self._filter_anew)
        c.certain.valueChanged.connect(self._count_certain)
        c.where.activated.connect(self._filter_anew)
        self.findings.changed.connect(self.refresh)
        self.findings.began_afresh.connect(self._begin_afresh)
        self.work.stood.connect(self._show_stand)
        self.work.ended.connect(self._end)
        self.stack.stood.connect(self._show_stack)
        self.stack.ended.connect(self._end_stack)
        self.loop.said.connect(c.status.setText)
        self.loop.taught.connect(self._use_taught)
        self.loop.ended.connect(lambda why: self._end_loop(f"No new model: {why}."))

    @property
    def _busy(self) -> bool:
        return self.work.busy or self.stack.busy or self.loop.busy

    def _outlook(self) -> str:
        found, shape = self.findings.found, self.findings.shape
        if found is None:
            return words.ready(self.choices.grid_for(shape), shape)
        kept = 0 if self._chosen is None else len(self._chosen.kept)
        remark = words.ELSEWHERE if self.findings.elsewhere else ""
        if self.controls.where.currentData() and kept:
            return words.everywhere(kept, self.findings.slices, self.controls.link.isChecked())
        return words.found(kept, len(found.left), found.known) + remark

    def _choose(self) -> None:
        found = self.findings.found
        if found is None:
            return
        if self._latest is not None:
            found.take(self._latest)
            self._latest = None
        self.findings.settle()
        if self._listed is not found.left:
            self._listed = found.left
            for row in self.controls.rows.values():
                row.set_found(found.left)
        self._chosen = found.chosen(self.choices.selection)

    def _filter_anew(self) -> None:
        self._said = ""
        self.controls.show_remark("")
        self._filter_soon()

    def _filter_soon(self) -> None:
        if self.findings.found is not None and not self._soon.isActive():
            self._soon.start(LIVE_MS if self.work.busy else REST_MS)

    def _count_certain(self) -> None:
        kept = [] if self._chosen is None else self._chosen.kept
        certain = self.controls.certain.value()
        here = sum(one.score >= certain for one in kept)
        self.controls.show_certain(None if self.controls.where.currentData() else here)

    def _show_stand(self, stand: Progress[list[Proposal]]) -> None:
        if self.findings.found is None:
            return
        self._latest = stand.result  # taken when it is shown: there are many stands a second
        self.controls.bar.setRange(0, max(stand.total, 1))
        self.controls.bar.setValue(int(stand.done))
        self.controls.status.setText(words.standing(stand, self.findings.shape))
        self._filter_soon()

    def _end(self, why: str) -> None:
        self.controls.show_work(False)
        stays = "" if self.findings.found is None else " What was found stays."
        self._said = f"It ended early: {why}.{stays}" if why else ""
        self.filter()
        found = self.findings.found
        if found is not None and self._chosen is not None:
            self.controls.show_coarse(*words.coarse(self._chosen.kept, found.grid))
        self.refresh()

    def _show_stack(self, stand: Progress[int]) -> None:
        self.controls.bar.setRange(0, 100 * stand.total)
        self.controls.bar.setValue(int(100 * stand.done))
        self.controls.status.setText(through(stand))

    def _end_stack(self, why: str, done: FillCounts) -> None:
        self.controls.show_work(False)
        self.findings.note(done)
        early = f"It ended early: {why}. The slices that are done stay. " if why else ""
        self._say(early + words.filled(done))

    def _cancel(self) -> None:
        self.loop.stop()
        self.work.stop(CANCELLED)
        self.stack.stop(CANCELLED)

    def _begin_afresh(self) -> None:
        gone = self.findings.gone
        if gone:
            self.forget()
        self.work.stop(ANOTHER)
        self.stack.stop(ANOTHER)
        if gone:
            self._said = GONE
        self.refresh()

    def _show_busy(self, text: str) -> None:
        self.controls.show_work(True)
        self.controls.bar.setRange(0, 0)
        self.controls.status.setText(text)

    def _use_taught(self, name: str) -> None:
        same = self._taught_for is not None and self.findings.annotation is self._taught_for
        self._end_loop("" if same else f"'{name}' is in the list of models now.")
        if same:
            self.use_wanted.emit(name)
            self.start()

    def _end_loop(self, said: str) -> None:
        self._taught_for = None
        self.controls.show_work(False)
        self._say(said)

    def _take_back(self) -> None:
        self.findings.take_back()
        self._said = ""
        self.filter()
        self.refresh()

    def _throw_away(self) -> None:
        self.forget()
        self.refresh()

    def _take_preset(self) -> None:
        self.choices.take_preset()
        self.choices.remember()
        self._filter_anew()
        self.refresh()

    def _take_finer(self) -> None:
        self.controls.points.setValue(self.controls.enough)
        self.start()

    def _say(self, text: str) -> None:
        self._said = text
        self.controls.show_remark("")
        self.refresh()
