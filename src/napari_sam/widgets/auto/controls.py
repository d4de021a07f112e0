"""View of the tab Auto: widgets, names, tooltips and order. No logic."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from napari.components import ViewerModel
from napari.layers import Labels, Layer, Points, Shapes
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFormLayout, QFrame, QVBoxLayout

from napari_sam.progress import Progress
from napari_sam.results import Proposal
from napari_sam.widgets.auto.alike_filter import AlikeControls
from napari_sam.widgets.auto.choices import AutoChoices
from napari_sam.widgets.auto.wording import stack_progress_text
from napari_sam.widgets.common.drawer import Drawer
from napari_sam.widgets.common.forms import (
    add_row,
    in_a_row,
    new_button,
    new_choice,
    new_form,
)
from napari_sam.widgets.common.layer_choice import LayerChoice
from napari_sam.widgets.common.questions import Question
from napari_sam.widgets.layers.image_stack import is_helper
from napari_sam.widgets.search.controls import SearchControls
from napari_sam.widgets.search.measures import Histogram

__all__ = ["AutoControls"]

FIRST = ("score",)  # of the measures; the others are folded away
LEVELS = ("foreground", "split")  # of the tuning; the rest is folded away
SIZES = ("smallest", "largest", "diameter")
ONLY_POINTS = ("preset", "points")  # of the choices: what a search at points needs to know
POINTS_TOO = ("min_stability", "seeds", "crops", "same")  # the same, folded away


class AutoControls(SearchControls):
    """All widgets of the tab, top to bottom in the order of use.

    Parameters
    ----------
    viewer : ViewerModel
        Whose Shapes layers can limit the search.

    Attributes
    ----------
    enough : int
        Points per side that would do, where the grid is too coarse.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__(
            "Find everything",
            "Stop here; what was found stays",
            "As proposals, most useful first; one undo takes it back",
        )
        self.choices = AutoChoices()
        self._shown_way = ""
        self.at = LayerChoice(viewer, _says_where, "Where the model suggests")
        self.at.setToolTip("Ask at your points, or in the middle of each object of rough labels")
        self.inside = LayerChoice(viewer, _is_drawn, "The whole slice")
        self.inside.setToolTip("Draw shapes into a Shapes layer to search only inside of them")
        self.advice = Question("Advice on the search density", "")
        self.advice.text.setTextFormat(Qt.TextFormat.PlainText)
        (self.finer,) = self.advice.answers
        self.finer.setToolTip("Set the density so that hardly an object lies between the points")
        self.alike = AlikeControls()
        self.histogram = Histogram()
        # Not one of the choices: its text counts the slices, and nobody wants it remembered.
        self.where = new_choice({False: "This slice", True: ""}, "What the buttons below work on")
        self.fill = new_button(
            "", "Accept what is certain; the doubtful go into the list, most useful first"
        )
        self.retrain = new_button(
            "Retrain on accepted objects, find again",
            "Teach the model what is accepted (some minutes), use the new model and "
            "search what is left; accepted objects stay as they are",
        )
        self._lay_out()
        self.show_work(False)
        self.show_coarse("")
        self.show_remark("")
        self.show_certain(())
        self.show_slices(1)
        self.show_way()
        self.finer.clicked.connect(self._use_finer)
        for row in self.choices.ranges.values():
            row.looked_at.connect(partial(self.histogram.show_row, row))
        self.histogram.show_row(self.choices.ranges["score"])

    @property
    def all_slices(self) -> bool:
        """True if the buttons apply to all slices of a stack."""
        return bool(self.where.currentData())

    def show_certain(self, kept: Sequence[Proposal]) -> None:
        """Show how many objects would be accepted by score, unless all slices are selected."""
        certain = self.choices.certain.value
        count = f": {sum(one.score >= certain for one in kept):,}"
        self.fill.setText("Fill in what is certain" + ("" if self.all_slices else count))

    def show_nothing(self, why: str) -> None:
        """Show that there is no image to search."""
        super().show_nothing(why)
        self.choices.allow_instances(None)
        self.show_way()
        self.choices.enable(True, "seeds", "crops")
        self.show_slices(1)
        self.retrain.hide()

    def show_way(self) -> None:
        """Show the options of the way that is set; the others mean nothing to it."""
        choices, points, way = self.choices, self.choices.at_points, self.choices["way"].value
        if way == self._shown_way:
            return
        self._shown_way = way
        rows = [(self.search_form, choices[name], points) for name in ONLY_POINTS]
        rows += [(self.form, choices[name], points) for name in POINTS_TOO]
        rows += [(self.sizes_form, choices.tuning[name], not points) for name in SIZES]
        both = choices["certain"], choices["sure"]
        rows += [(self.certain_form, one, one is choices.certain) for one in both]
        for form, widget, shown in rows:
            form.setRowVisible(widget.native, shown)
        self.levels.setVisible(not points)

    def show_slices(self, count: int) -> None:
        """Enable the options that a stack of this many slices allows."""
        self.where.setItemText(1, f"All {count:,} slices")
        if count < 2:
            self.where.setCurrentIndex(0)
        self.where_form.setRowVisible(self.where, count > 1)
        for name in ("link", "gap"):
            self.form.setRowVisible(self.choices[name].native, count > 1)

    def show_work(self, busy: bool) -> None:
        """Switch between the widgets of a running search and the idle ones."""
        super().show_work(busy)
        self.choices.enable(not busy, "way", "preset", "points")
        for widget in (self.options, self.finer):
            widget.setEnabled(not busy)

    def show_stack(self, progress: Progress[int]) -> None:
        """Show the progress of a stack search."""
        text = stack_progress_text(progress)
        self.show_progress(text, int(100 * progress.done), 100 * progress.total)

    def show_coarse(self, text: str, points: int = 0) -> None:
        """Warn that the grid is too coarse and how many points suffice; hide it if empty."""
        self.enough = points
        self.finer.setText(f"Search with {points} per side")
        self.advice.ask(text)

    def _use_finer(self) -> None:
        self.choices["points"].value = self.enough

    def _lay_out(self) -> None:
        self.search_form = new_form()
        self.choices.add_to(self.search_form, *ONLY_POINTS)
        self.body.addLayout(self.search_form)
        self.add_search()
        self.area.add_question(self.advice)
        self.options = QFrame()
        self.form = self._fill_options(new_form(self.options))
        self.more = Drawer("More settings", self.options, self).button
        self.body.addWidget(self.more)
        self._fill_tuning()
        self.add_outcome(self.retrain)

    def _fill_options(self, form: QFormLayout) -> QFormLayout:
        self.choices.add_to(form, "way")
        add_row(form, "Only &inside", self.inside)
        self.choices.add_to(form, "min_score", "min_stability", "seeds")
        add_row(form, "Ask a&t", self.at)
        self.choices.add_to(form, "crops", "same", "link", "gap", "faint")
        return form

    def _fill_tuning(self) -> None:
        ranges, folded = self.choices.ranges, QFrame()
        tuning = self.choices.tuning
        self.column.addWidget(self.alike)
        self.levels = QFrame()
        tuning.add_to(new_form(self.levels), *LEVELS)
        self.column.addWidget(self.levels)
        self.column.addWidget(self.histogram)
        for name in FIRST:
            self.column.addWidget(ranges[name])
        below = QVBoxLayout(folded)
        below.setContentsMargins(0, 0, 0, 0)
        for name, row in ranges.items():
            if name not in FIRST:
                below.addWidget(row)
        rest, self.sizes_form, self.where_form = new_form(), new_form(), new_form()
        self.certain_form = new_form()
        tuning.add_to(self.sizes_form, *SIZES)
        below.insertLayout(0, self.sizes_form)
        self.choices.add_to(rest, "no_edge", "on_top")
        below.addLayout(rest)
        below.addWidget(self.forget)
        self.column.addWidget(Drawer("More filters", folded, self).button)
        add_row(self.where_form, "&Where", self.where)
        self.column.addLayout(self.where_form)
        self.column.addLayout(in_a_row(self.propose, self.accept))
        self.choices.add_to(self.certain_form, "certain", "sure")
        self.column.addLayout(self.certain_form)
        self.column.addWidget(self.fill)


def _is_drawn(layer: Layer) -> bool:
    return isinstance(layer, Shapes) and not is_helper(layer)


def _says_where(layer: Layer) -> bool:
    return isinstance(layer, Points | Labels) and not is_helper(layer)
