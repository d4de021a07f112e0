"""The dock widget: one panel per viewer, with tabs for prompts on one image and for training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from napari.utils.notifications import show_info
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import (
    QApplication,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_sam.batch.remote.host import open_host
from napari_sam.errors import InputError
from napari_sam.inference.store.memory import trim_heap
from napari_sam.serving.host import ModelHost
from napari_sam.session.overlap import Rule
from napari_sam.session.queue.fill import FillRules
from napari_sam.settings import load_settings, save_settings
from napari_sam.text.reader import Reader
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.annotation.current import CurrentAnnotation
from napari_sam.widgets.annotation.query_display import QueryDisplay
from napari_sam.widgets.auto.tab import AutoTab
from napari_sam.widgets.bug_report import bug_report
from napari_sam.widgets.common.docks import bring_forward
from napari_sam.widgets.common.forms import Scrolled
from napari_sam.widgets.common.keys import Keys
from napari_sam.widgets.common.keys_dialog import KeysDialog
from napari_sam.widgets.common.status_area import StatusArea
from napari_sam.widgets.edit.editing import Editing
from napari_sam.widgets.jobs.prompt_jobs import PromptJobs
from napari_sam.widgets.layers.canvas import guard_canvas
from napari_sam.widgets.model_use import ModelUse
from napari_sam.widgets.notices import Notices
from napari_sam.widgets.objects.footer import Footer, SavedState
from napari_sam.widgets.objects.label_offer import LabelOffer
from napari_sam.widgets.objects.review import Review
from napari_sam.widgets.objects.save_labels import LabelSaver
from napari_sam.widgets.objects.stored_labels import StoredLabels
from napari_sam.widgets.preferences import Preferences
from napari_sam.widgets.prompt.axes import Axes
from napari_sam.widgets.prompt.channels import Channels
from napari_sam.widgets.prompt.controls import Controls
from napari_sam.widgets.prompt.hover import Hover
from napari_sam.widgets.prompt.precompute import Precompute
from napari_sam.widgets.prompt.prompting import Prompting
from napari_sam.widgets.queue.methods import MethodsDialog
from napari_sam.widgets.queue.part import PictureQueue, QueueTools
from napari_sam.widgets.refine.comparing import Comparing
from napari_sam.widgets.refine.refining import Refining
from napari_sam.widgets.saved.library import SavedWork
from napari_sam.widgets.saved.resuming import Resuming
from napari_sam.widgets.stack.tab import StackTab
from napari_sam.widgets.text.tab import TextTab
from napari_sam.widgets.train.tab import TrainTab
from napari_sam.widgets.train.work import Make

if TYPE_CHECKING:
    import napari
    from napari.components import ViewerModel

__all__ = ["Panel", "panel_of"]

DRAWS = "polarity", "box", "open", "continue", "cut", "join"  # actions that go on with clicks

SECOND = (
    "This viewer has its panel already, and it is in front now. Go on there, or close that one "
    "before you make another."
)


class Panel(QWidget):
    """The plugin's dock widget: interactive segmentation and fine-tuning.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer.
    host : ModelHost, optional
        Where models come from; by default the host of another open panel, else a new one.
    make : callable, optional
        Makes training runs; see `TrainWorker`.
    reader : Reader, optional
        Knows words.

    Raises
    ------
    InputError
        If the viewer has a panel already, which comes to the front.
    """

    _closed = True  # until all of it is there

    def __init__(
        self,
        napari_viewer: napari.Viewer,
        host: ModelHost | None = None,
        make: Make | None = None,
        reader: Reader | None = None,
    ) -> None:
        # napari hands over a proxy that wraps each layer anew, so that no layer is itself twice.
        self._viewer = viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        _refuse_second(viewer)
        super().__init__()
        guard_canvas(viewer)
        self.host = host or _host_of_another_panel() or open_host()
        self.controls = c = Controls(viewer)
        self._docked = self._resting = False
        self.jobs = PromptJobs(self)
        self.prompting = Prompting(c)
        reader = reader or Reader()
        self.review = Review(viewer, c.objects, reader, self)
        self.editing = Editing(viewer, lambda: c.objects.selected, self)
        self.review.actions |= self.editing.actions
        self.channels = Channels(viewer, c.channels, self)
        self.axes = Axes(c.channels, self.channels, self)
        self.refining = Refining(viewer, c.refine, lambda: c.objects.selected, self)
        self.comparing = Comparing(viewer, c.refine, self)
        self.precompute = Precompute(self.host.store, c.precompute, c.store, self)
        self.stack = StackTab(viewer, lambda: c.objects.selected, c.objects.select, self)
        self.training = TrainTab(
            viewer, self, make, self._another_is_training, lambda: c.device.local
        )
        self.auto = AutoTab(viewer, self.training, self._rule, reader, self)
        self.text = TextTab(viewer, self._rule, self.auto.choices.grid_for, reader, self)
        self.footer = Footer()
        self.saved_state = SavedState(self.footer)
        self.saver = LabelSaver(viewer, self.footer, self)
        trains = self.training.controls.area  # nothing about the picture is asked there
        others = (area.query for area in self._areas[1:] if area is not trains)
        self.queries = QueryDisplay(c.area.query, others)
        self.label_offer = LabelOffer(viewer, self)
        self.stored_labels = StoredLabels(viewer, c.labels)
        self.saved_work = SavedWork(self)
        self.resuming = Resuming(viewer, c.go_on, partial(_settings_in_force, c, self.auto), self)
        self._current = CurrentAnnotation(
            viewer, c.picture, c.labels, self.jobs, self.channels.recall
        )
        self.model_use = ModelUse(
            self.host, c, self.prompting, self._current, self.jobs, self.queries.idle, self
        )
        self.queue = PictureQueue(viewer, _queue_tools(self), self)
        self.methods = MethodsDialog(self.queue, self)
        self.hover = Hover(
            viewer, c.choices["hover"], self._shows_prompts, self.prompting.cycle, self
        )
        self.keys = Keys(
            self,
            self.prompting.actions
            | self.review.actions
            | self.stack.actions
            | self.hover.actions
            | self.queue.actions
            | {"keys": self.show_keys}
            | {name: partial(self._draw, name) for name in DRAWS},
        )
        self._keys_dialog = KeysDialog(self)
        self.preferences = Preferences()
        self.notices = self._new_notices()
        c.hint.setVisible(not load_settings().hint_dismissed)
        self._lay_out()
        self._closed = False
        self._connect()
        self._current.begin(
            (
                self.model_use,
                self.hover,  # a click takes what it shows, before anything accepts the answer
                self.queries,
                self.prompting,
                self.review,
                self.editing,
                self.channels,
                self.axes,
                self.refining,
                self.comparing,
                self.precompute,
                self.stack,
                self.auto,
                self.text,
                self.saved_state,
                self.saver,
                self.training,
                self.queue,  # before saved work is looked for
                self.methods,
                self.resuming,
                self.label_offer,
                self.stored_labels,
            )
        )
        self.model_use.choose()

    @property
    def annotation(self) -> Annotation | None:
        """The current annotation, or None."""
        return self._current.annotation

    @property
    def _areas(self) -> tuple[StatusArea, ...]:
        """What each tab says, that of Prompt first."""
        tabs = self.stack, self.auto, self.text, self.training
        return self.controls.area, *(tab.controls.area for tab in tabs), self.controls.refine.area

    def event(self, event: QEvent | None) -> bool:
        """Close when removed from the dock; pause while hidden, but not while minimised."""
        if event is not None and not self._closed:
            kind = event.type()
            if kind == QEvent.Type.ParentChange:
                if self._docked and self.parent() is None:
                    self.close_panel()
                self._docked = self.parent() is not None
            elif kind in (QEvent.Type.Show, QEvent.Type.Hide) and not event.spontaneous():
                self._rest(kind == QEvent.Type.Hide)
        return super().event(event)

    def serves(self, viewer: ViewerModel) -> bool:
        """Return whether this is the panel of a viewer."""
        return self._viewer is viewer

    def close_panel(self) -> None:
        """Stop all work and remove the helper layers from the viewer; accepted objects stay."""
        if self._closed:
            return
        self._closed = True
        self.keys.close()
        self.preferences.close()
        self._current.close()
        self.controls.welcome.disconnect_viewer()
        self.saved_work.stop()
        self.deleteLater()

    def _lay_out(self) -> None:
        self.tabs = QTabWidget()
        self._prompt_tab = Scrolled(self.controls)
        self._auto_tab = Scrolled(self.auto.controls)
        self._text_tab = Scrolled(self.text.controls)
        self._train_tab = Scrolled(self.training.controls)
        self.tabs.addTab(self._prompt_tab, "Prompt")
        self.tabs.addTab(self.stack.controls, "Stack")
        self.tabs.addTab(self._auto_tab, "Auto")
        self.tabs.addTab(self._text_tab, "Text")
        self._refine_tab = Scrolled(self.controls.refine)
        self.tabs.addTab(self._refine_tab, "Refine")
        self.tabs.addTab(self._train_tab, "Train")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)  # the dock's title overlaps
        layout.setSpacing(2)
        layout.addWidget(self.queue.strip)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.footer)

    def _connect(self) -> None:
        c, remark = self.controls, self.prompting.remark
        for area in self._areas[1:]:
            self.prompting.remarked.connect(area.show_remark)
        self.prompting.asked.connect(lambda: self.tabs.setCurrentWidget(self._prompt_tab))
        self.prompting.accepted.connect(self._dismiss_hint)
        self._current.refused.connect(self.prompting.warn)
        self.stack.controls.wanted.connect(self._act_on_selected)
        for part in (self.refining, self.comparing):
            part.remarked.connect(remark)
            part.started.connect(self.label_offer.settle)
        self.editing.cleaning.rule_changed.connect(c.show_rule)
        self.saver.said.connect(remark)
        self.stored_labels.remarked.connect(remark)
        self.label_offer.target_wanted.connect(c.labels.choose)
        self.label_offer.refine_wanted.connect(c.refine.labels.choose)
        self.label_offer.refine_wanted.connect(lambda: self.tabs.setCurrentWidget(self._refine_tab))
        c.choices["outline"].changed.connect(self._current.outline)
        self.jobs.answered.connect(lambda answer: self.hover.measure())
        c.choices["embed_ahead"].changed.connect(self.precompute.switch)
        self.preferences.bind(c.choices)
        self.preferences.refused.connect(self.prompting.warn)
        self.channels.axis_changed.connect(self._current.open_again)
        self.axes.axis_changed.connect(self._current.open_again)
        c.report.clicked.connect(self._copy_report)
        c.saved_work.clicked.connect(self.show_saved)
        c.keys.clicked.connect(self.show_keys)
        c.methods.clicked.connect(self.methods.open)
        c.welcome.folder_wanted.connect(self.queue.ask)
        self.queue.remarked.connect(remark)
        self.saved_work.chosen.connect(self.resuming.open)
        self.resuming.picture_wanted.connect(c.picture.choose)
        self.resuming.remarked.connect(remark)
        self.resuming.resumed.connect(self._take_up)
        self.tabs.currentChanged.connect(self._follow_tab)
        show = self.tabs.setCurrentWidget
        self.auto.controls.show_wanted.connect(lambda: show(self._auto_tab))
        self.review.alike_wanted.connect(self._find_alike)
        self.text.controls.show_wanted.connect(lambda: show(self._text_tab))
        self.training.trained.connect(self._refresh_models)
        self.training.use_wanted.connect(self._use_trained)
        self.auto.use_wanted.connect(self.model_use.name)
        # Where the window goes with the panel in it: no part takes layers out of its viewer then,
        # and what Qt deletes tells its threads itself.
        for end in (
            self.keys.forget,
            self.stack.work.close,
            self.auto.stack.close,
            self.text.work.end,
            self.training.work.close,
            trim_heap,  # the model that was used may have been the last one's
        ):
            self.destroyed.connect(end)

    def _follow_tab(self) -> None:
        """Listen to keys wherever one annotates, take clicks where one draws.

        What a search or a comparison found is shown in its tab only.
        """
        current = self.tabs.currentWidget()
        annotates = current is not self._train_tab
        self.auto.present(current is self._auto_tab)
        self.text.present(current is self._text_tab)
        self.comparing.present(current is self._refine_tab)
        self._current.step_aside(current not in (self._prompt_tab, self.stack.controls))
        self.keys.listen(annotates and self.isVisible() and not self._resting)

    def _draw(self, action: str) -> None:
        """Do what goes on with clicks; in a tab that takes none, turn to Prompt first.

        There its tool is lit by itself: the key that brings it back has done that then.
        """
        aside = self.annotation is not None and self.annotation.aside
        if aside:
            self.tabs.setCurrentWidget(self._prompt_tab)
        if not (aside and action == "polarity"):
            (self.prompting.actions | self.review.actions)[action]()

    def _act_on_selected(self, action: str) -> None:
        """Do what a button of another tab asks of the selected object; it is opened in Prompt."""
        self.review.actions[action]()
        if action == "open":
            self.tabs.setCurrentWidget(self._prompt_tab)

    def _find_alike(self, ids: Sequence[int]) -> None:
        """Turn to the tab Auto and find more objects like these."""
        self.tabs.setCurrentWidget(self._auto_tab)
        self.auto.find_alike(ids)

    def _rest(self, rest: bool) -> None:
        """Take no keys and clicks while nobody sees what they do; work under way goes on."""
        self._resting = rest
        self.notices.forget()
        self._follow_tab()
        self._current.rest(rest)

    def _new_notices(self) -> Notices:
        stack, auto, text, train = self.stack, self.auto, self.text, self.training
        notices = Notices(
            self._is_unseen,
            (
                ("Stack", stack.work.ended, stack.controls.status),
                ("Auto", auto.ended, auto.controls.status),
                ("Auto", auto.retraining.ended, auto.controls.status),
                ("Text", text.ended, text.controls.status),
                ("Train", train.work.ended, train.controls.status),
                ("Refine", self.refining.ended, self.controls.refine.text),
                ("Refine", self.comparing.ended, self.controls.refine.text),
            ),
        )
        self.precompute.progressed.connect(notices.tell_embedded)
        self.precompute.stopped.connect(notices.tell_stopped)
        self.prompting.remarked.connect(notices.tell)
        self.model_use.waited.connect(notices.tell)
        return notices

    def _is_unseen(self) -> bool:
        """Return True if the panel is hidden, or lies behind another one."""
        return self._resting or (self.isVisible() and self.visibleRegion().isEmpty())

    def _shows_prompts(self) -> bool:
        """Return whether the controls for prompts are in front and can be seen."""
        return self.controls.isVisible() and not self._is_unseen()

    def _refresh_models(self) -> None:
        """Show a new model in every list of every window."""
        for panel in {self, *_open_panels()}:
            panel.controls.model.reload()
            panel.training.controls.model.reload()

    def _use_trained(self, name: str) -> None:
        self.model_use.name(name)
        self.tabs.setCurrentIndex(0)

    def _another_is_training(self) -> bool:
        return any(p.training.work.busy for p in _open_panels() if p is not self)

    def _take_up(self, view: Mapping[str, object]) -> None:
        """Choose the labels and the model that saved work was done with."""
        self._current.show_target()
        if isinstance(model := view.get("model"), str) and not self.queue.carrying.keeps_model:
            self.model_use.name(model)

    def find_all(self) -> None:
        """Turn to the tab Auto and search the slice in view, if a search can begin."""
        self.tabs.setCurrentWidget(self._auto_tab)
        self.auto.controls.start.click()

    def show_keys(self) -> None:
        """Show all keys, to look at and to change."""
        self._keys_dialog.show()
        self._keys_dialog.raise_()

    def show_saved(self) -> None:
        """Show all saved work, to continue or to delete it."""
        self.saved_work.refresh()
        self.saved_work.show()
        self.saved_work.raise_()

    def _rule(self) -> Rule:
        """Return who keeps the pixels where no question can be asked."""
        return Rule.REPLACE if self.controls.choices["rule"].value == "replace" else Rule.KEEP

    def _dismiss_hint(self) -> None:
        """Explain the first steps until they were made."""
        if not self.controls.hint.isHidden():
            self.controls.hint.hide()
            save_settings(replace(load_settings(), hint_dismissed=True))

    def _copy_report(self) -> None:
        report = bug_report(
            self._viewer.layers,
            self.controls.model.name,
            self.model_use.ran_on,
            self.prompting.last_error,
        )
        QApplication.clipboard().setText(report)  # type: ignore[union-attr]
        show_info("The bug report is in the clipboard.")


def panel_of(viewer: ViewerModel) -> Panel | None:
    """Return the open panel of a viewer, or None."""
    return next((panel for panel in _open_panels() if panel.serves(viewer)), None)


def _settings_in_force(controls: Controls, auto: AutoTab) -> dict[str, object]:
    """Return what objects are made with from now on, as it is saved with them."""
    chosen = auto.choices.values | auto.choices.tuning.values
    return {"overlap": controls.choices["rule"].value, "auto": chosen}


def _queue_tools(panel: Panel) -> QueueTools:
    """Return what the queue of pictures needs of a panel."""
    choices = panel.auto.choices

    def rules() -> FillRules:
        settings = _settings_in_force(panel.controls, panel.auto)
        certain = choices.certain.value
        gap = choices.values["gap"] if choices.values["link"] else None
        return FillRules(choices.selection, certain, panel._rule(), settings=settings, gap=gap)

    return QueueTools(
        panel.controls.picture,
        panel.resuming,
        panel.channels.recall,
        lambda: panel.model_use.model,
        lambda name: panel.model_use.name(name),
        lambda shape: choices.ways_for(shape, False),
        rules,
        lambda: panel.auto.kind,
    )


def _host_of_another_panel() -> ModelHost | None:
    return next((panel.host for panel in _open_panels()), None)


def _open_panels() -> list[Panel]:
    tops = QApplication.topLevelWidgets()
    inside = [panel for window in tops for panel in window.findChildren(Panel)]
    alone = [window for window in tops if isinstance(window, Panel)]
    return [panel for panel in {*inside, *alone} if not panel._closed]


def _refuse_second(viewer: ViewerModel) -> None:
    """Raise an error for a second panel of a viewer: duplicate shortcuts would block each other."""
    if (panel := panel_of(viewer)) is not None:
        bring_forward(panel, viewer)
        raise InputError(SECOND)
