"""The dock widget: one panel per viewer; prompts on one picture at a time, and training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels
from napari.utils.events import Event
from napari.utils.notifications import show_info
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import (
    QApplication,
    QShortcut,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_sam.errors import InputError
from napari_sam.inference.store.memory import give_back
from napari_sam.serving.host import HostedModel, ModelHost
from napari_sam.session.overlap import Rule
from napari_sam.settings import load_settings, save_settings
from napari_sam.text.reader import Reader
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.auto.tab import AutoTab
from napari_sam.widgets.bug_report import bug_report
from napari_sam.widgets.common.activity import Activity
from napari_sam.widgets.common.docks import bring_forward
from napari_sam.widgets.common.forms import Scrolled
from napari_sam.widgets.common.keys import connect_keys
from napari_sam.widgets.jobs.prompt_jobs import PromptAnswer, PromptJob, PromptJobs
from napari_sam.widgets.layers.canvas import guard_canvas
from napari_sam.widgets.layers.image_stack import ImageStack
from napari_sam.widgets.layers.labels_target import why_not
from napari_sam.widgets.notices import Notices
from napari_sam.widgets.objects.review import Review
from napari_sam.widgets.objects.save_labels import LabelSaver
from napari_sam.widgets.prompt.channels import Channels
from napari_sam.widgets.prompt.controls import Controls
from napari_sam.widgets.prompt.precompute import Precompute
from napari_sam.widgets.prompt.prompting import Prompting
from napari_sam.widgets.refine.refining import Refining
from napari_sam.widgets.saved.library import SavedWork
from napari_sam.widgets.saved.resuming import Resuming
from napari_sam.widgets.stack.tab import StackTab
from napari_sam.widgets.text.tab import TextTab
from napari_sam.widgets.train.tab import Training
from napari_sam.widgets.train.work import Make

if TYPE_CHECKING:
    import napari
    from napari.components import ViewerModel

__all__ = ["Panel"]

MASK_THERE = "The mask that you asked for is there."
SECOND = (
    "This viewer has its panel already, and it is in front now. Go on there, or close that one "
    "before you make another."
)


class Panel(QWidget):
    """Segment what you click on; teach a model your own pictures.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer.
    host : ModelHost, optional
        Where models come from; by default the host of another open panel, else a new one.
    make : callable, optional
        Makes training runs; see `TrainWork`.
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
        self._viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        _refuse_second(self._viewer)
        super().__init__()
        guard_canvas(self._viewer)
        self.host = host or _host_of_another_panel() or ModelHost()
        self.controls = Controls(self._viewer)
        self.training = Training(
            self._viewer, self, make, self._other_is_training, self.controls.device.currentText
        )
        self.tabs = QTabWidget()
        self.stack = StackTab(self._viewer, lambda: self.controls.objects.selected, self)
        self._prompt_tab = Scrolled(self.controls)
        self.tabs.addTab(self._prompt_tab, "Prompt")
        self.tabs.addTab(self.stack.controls, "Stack")
        self.auto = AutoTab(self._viewer, self.training, self._rule, self)
        self.tabs.addTab(Scrolled(self.auto.controls), "Auto")
        self.text = TextTab(
            self._viewer, self._rule, self.auto.choices.grid_for, reader or Reader(), self
        )
        self.tabs.addTab(Scrolled(self.text.controls), "Text")
        self._train_tab = Scrolled(self.training.controls)
        self.tabs.addTab(self._train_tab, "Train")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)  # the dock's title overlaps
        layout.addWidget(self.tabs)
        self.jobs = PromptJobs(self)
        self.prompting = Prompting(self.controls)
        for tab in (self.stack.controls, self.auto.controls, self.text.controls):
            self.prompting.remarked.connect(tab.show_remark)
        self.prompting.asked.connect(lambda: self.tabs.setCurrentWidget(self._prompt_tab))
        self.refining = Refining(
            self._viewer, self.controls.refine, lambda: self.controls.objects.selected, self
        )
        self.refining.remarked.connect(self.prompting.remark)
        self.review = Review(self._viewer, self.controls.objects, self)
        self.saver = LabelSaver(
            self._viewer, self.controls.objects.save, lambda: self.annotation, self
        )
        self.saver.said.connect(self.prompting.remark)
        self.precompute = Precompute(
            self.host.store, self.controls.precompute, self.controls.store, self
        )
        self.channels = Channels(self._viewer, self.controls.channels, self)
        self.resuming = Resuming(self._viewer, self.controls.go_on, self)
        self.saved_work = SavedWork(self)
        self._activity = Activity(self)
        self._model: HostedModel | None = None
        self._ran_on = "none so far"
        self._shortcuts: list[QShortcut] = []
        self._docked = self._resting = self._many = self._closed = False
        self._connect()
        self.notices = self._new_notices()
        self.controls.hint.setVisible(not load_settings().hint_dismissed)
        self.prompting.attach(None)
        self._take_likely_picture()
        self._choose_model()
        self.destroyed.connect(self.jobs.close)
        self.destroyed.connect(self.precompute.close)
        self.destroyed.connect(self.stack.close)
        self.destroyed.connect(self.auto.work.close)
        self.destroyed.connect(self.auto.stack.close)
        self.destroyed.connect(self.text.work.end)
        self.destroyed.connect(self.refining.cancel)
        self.destroyed.connect(self.training.work.close)
        self.destroyed.connect(self.saver.close)
        self.destroyed.connect(self.controls.channels.view.close)
        self.destroyed.connect(give_back)  # the model that it used may have been the last one's

    @property
    def annotation(self) -> Annotation | None:
        """What is being annotated."""
        return self.prompting.annotation

    def event(self, event: QEvent | None) -> bool:
        """Close when taken out of the dock; be at rest while hidden, but not while minimised."""
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
        """Return True if this is the panel of a viewer."""
        return self._viewer is viewer

    def close_panel(self) -> None:
        """End all work and take our tools out of the viewer; accepted objects stay."""
        if self._closed:
            return
        self._closed = True
        self.jobs.close()
        self.precompute.close()
        self.auto.close()
        self.text.close()
        self.stack.close()
        self.saver.close()
        self.training.close()
        self._activity.end()
        layers = self._viewer.layers.events
        for event in (layers.inserted, layers.removed):
            event.disconnect(self._take_likely_picture)
        for event in (layers.begin_batch, layers.end_batch):
            event.disconnect(self._follow_batch)
        self.controls.picture.disconnect_viewer()
        self.controls.labels.disconnect_viewer()
        self.channels.close()
        self.refining.close()
        self.resuming.close()
        self.saved_work.stop()
        self._drop_keys()
        self.review.close()
        if self.annotation is not None:
            self.annotation.close()
        self.prompting.annotation = self._model = None
        self.deleteLater()

    def _connect(self) -> None:
        c = self.controls
        layers = self._viewer.layers.events
        for event in (layers.inserted, layers.removed):
            event.connect(self._take_likely_picture, position="last")
        for event in (layers.begin_batch, layers.end_batch):
            event.connect(self._follow_batch)
        c.picture.layer_chosen.connect(self._choose_picture)
        c.labels.layer_chosen.connect(self._choose_labels)
        c.model.chosen.connect(self._choose_model)
        c.model.download_wanted.connect(self._use_model)
        c.device.currentIndexChanged.connect(self._choose_model)
        c.outline.toggled.connect(self._outline)
        c.embed_ahead.toggled.connect(self.precompute.switch)
        c.embed_ahead.setChecked(load_settings().embed_ahead)
        c.embed_ahead.toggled.connect(self._remember_ahead)
        self.channels.axis_changed.connect(self._open_picture_again)
        c.report.clicked.connect(self._copy_report)
        c.saved_work.clicked.connect(self._show_saved)
        self.saved_work.chosen.connect(self.resuming.open)
        self.resuming.picture_wanted.connect(c.picture.choose)
        self.resuming.remarked.connect(self.prompting.remark)
        self.resuming.resumed.connect(self._take_up)
        self.prompting.accepted.connect(self._dismiss_hint)
        self.jobs.reported.connect(self._show_progress)
        self.jobs.answered.connect(self._show_answer)
        self.jobs.failed.connect(self._show_failure)
        self.jobs.idle.connect(self._activity.end)
        self.tabs.currentChanged.connect(self._follow_tab)
        self.training.trained.connect(self._refresh_models)
        self.training.use_wanted.connect(self._use_trained)
        self.auto.use_wanted.connect(self._use_named)

    def _connect_keys(self) -> None:
        self._drop_keys()
        p = self.prompting
        self._shortcuts = connect_keys(
            self,
            {
                "accept": p.accept,
                "reject": p.reject,
                "undo": p.undo,
                "redo": p.redo,
                "polarity": p.switch_polarity,
                "box": p.draw_box,
                "cycle": p.cycle,
                **self.review.actions,
            },
        )

    def _follow_tab(self) -> None:
        """Listen to keys wherever one annotates."""
        annotates = self.tabs.currentWidget() is not self._train_tab
        if annotates and self.isVisible() and not self._resting:
            self._connect_keys()
        else:
            self._drop_keys()

    def _drop_keys(self) -> None:
        for shortcut in self._shortcuts:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts = []

    def _rest(self, rest: bool) -> None:
        """Take no keys and clicks while nobody sees what they do; work under way goes on."""
        self._resting = rest
        self.notices.forget()
        self._follow_tab()
        if self.annotation is not None:
            self.annotation.drawing.rest() if rest else self.annotation.drawing.wake()

    def _new_notices(self) -> Notices:
        stack, auto, text, train = self.stack, self.auto, self.text, self.training
        notices = Notices(
            self._is_unseen,
            (
                ("Stack", stack.work.ended, stack.controls.status),
                ("Auto", auto.work.ended, auto.controls.status),
                ("Auto", auto.stack.ended, auto.controls.status),
                ("Auto", auto.loop.ended, auto.controls.status),
                ("Text", text.work.ended, text.controls.status),
                ("Train", train.work.ended, train.controls.status),
                ("Refine labels", self.refining.ended, self.controls.refine.text),
            ),
        )
        self.precompute.progressed.connect(notices.tell_embedded)
        self.precompute.stopped.connect(notices.tell_stopped)
        self.prompting.remarked.connect(notices.tell)
        return notices

    def _is_unseen(self) -> bool:
        """Return True if the panel is hidden, or lies behind another one."""
        return self._resting or (self.isVisible() and self.visibleRegion().isEmpty())

    def _take_likely_picture(self, event: Event | None = None) -> None:
        """While there is no picture, take the selected one, else the topmost."""
        layers = self._viewer.layers
        images = [layer for layer in layers if isinstance(layer, Image)]
        if self.controls.picture.layer is None and images:
            active = layers.selection.active
            self.controls.picture.choose(active if active in images else images[-1])

    def _choose_picture(self, layer: Image | None) -> None:
        """Annotate another picture; as soon as all is done, where many layers come or go.

        Whoever removes many may be about to remove ours, too, and must find them.
        """
        if not self._many:
            self._annotate(layer)

    def _follow_batch(self, event: Event) -> None:
        self._many = event.type == "begin_batch"
        self._choose_picture(self.controls.picture.layer)

    def _annotate(self, layer: Image | None) -> None:
        before = self.annotation
        if before is not None and before.picture.layer is layer:
            return
        self.prompting.attach(None)  # first, because closing removes layers and so leads back here
        self.review.attach(None)
        self.channels.attach(None)
        self.refining.attach(None)
        self.resuming.attach(None)
        self.precompute.follow(None)
        self.stack.follow(None)
        self.auto.follow(None)
        self.text.follow(None)
        if before is not None:
            before.close()
        if layer is not None:
            self.channels.recall(layer)
            picture = ImageStack(layer)
            self.channels.attach(picture)
            annotation = Annotation(self._viewer, picture, self.jobs)
            annotation.drawing.preview.outline(self.controls.outline.isChecked())
            if self._resting:
                annotation.drawing.rest()
            self.prompting.attach(annotation)
            self.refining.attach(annotation)
            self.review.attach(annotation)
            self.precompute.follow(annotation)
            self.stack.follow(annotation)
            self.auto.follow(annotation)
            self.text.follow(annotation)
            self._choose_labels(self.controls.labels.layer)
            annotation.asking.use(self._model)
            self.resuming.attach(annotation)

    def _open_picture_again(self) -> None:
        layer = self.controls.picture.layer
        self._choose_picture(None)
        self._choose_picture(layer)

    def _choose_labels(self, layer: Labels | None) -> None:
        if self.annotation is None or layer is self.annotation.target:
            return
        problem = "" if layer is None else why_not(layer, self.annotation.picture)
        if problem:
            self.controls.labels.choose(self.annotation.target)
            self.prompting.warn(problem)
        else:
            self.annotation.binding.write_to(layer)

    def _choose_model(self) -> None:
        self.prompting.took = ""
        if self.controls.model.ready:
            self._use_model()
        else:
            self._model = None
            if self.annotation is not None:
                self.annotation.asking.use(None)

    def _use_model(self) -> None:
        c = self.controls
        self._model = self.host.model(c.model.name, c.device.currentText())
        self.jobs.submit(self._model, PromptJob())
        if self.annotation is not None:
            self.annotation.asking.use(self._model)

    def _outline(self, on: bool) -> None:
        if self.annotation is not None:
            self.annotation.drawing.preview.outline(on)

    def _show_progress(self, what: str, done: int, total: int) -> None:
        self._activity.show(what, done, total)
        amount = f": {done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else ""
        self.controls.score.setText(f"{what}{amount}…")

    def _show_answer(self, answer: PromptAnswer) -> None:
        self._ran_on = answer.device
        c = self.controls
        if self._activity.is_long:
            self.notices.tell(
                f"The model {c.model.name} is ready." if answer.request is None else MASK_THERE
            )
        if answer.request is None:  # the model may just have been loaded
            c.model.refresh()
            for device in answer.devices:
                if c.device.findText(device) < 0:
                    c.device.addItem(device)
        self.prompting.took = f"{max(answer.seconds, 0.01):.2f} s on {answer.device}"
        if self.annotation is not None:
            self.annotation.asking.take(answer)
        self.prompting.refresh()

    def _show_failure(self, error: BaseException) -> None:
        self.controls.model.refresh()
        self.prompting.took = ""
        if self.annotation is not None:
            self.annotation.asking.fail()
        self.prompting.refresh()
        self.prompting.warn(error)

    def _refresh_models(self) -> None:
        """Show a new model in every list of every window."""
        for panel in {self, *_open_panels()}:
            panel.controls.model.reload()
            panel.training.controls.model.reload()

    def _use_named(self, name: str) -> None:
        models = self.controls.model.list
        models.setCurrentIndex(models.findData(name))

    def _use_trained(self, name: str) -> None:
        self._use_named(name)
        self.tabs.setCurrentIndex(0)

    def _other_is_training(self) -> bool:
        return any(p.training.work.busy for p in _open_panels() if p is not self)

    def _take_up(self, view: Mapping[str, Any]) -> None:
        """Choose the labels and the model that saved work was done with."""
        self.controls.labels.choose(None if self.annotation is None else self.annotation.target)
        models, model = self.controls.model.list, view.get("model")
        if isinstance(model, str) and (index := models.findData(model)) >= 0:
            models.setCurrentIndex(index)

    def _show_saved(self) -> None:
        self.saved_work.refresh()
        self.saved_work.show()
        self.saved_work.raise_()

    def _rule(self) -> Rule:
        """Return who keeps the pixels where no question can be asked."""
        return Rule.REPLACE if self.controls.rule.currentData() == "replace" else Rule.KEEP

    def _remember_ahead(self, on: bool) -> None:
        save_settings(replace(load_settings(), embed_ahead=on))

    def _dismiss_hint(self) -> None:
        """Explain the first steps until they were made."""
        if not self.controls.hint.isHidden():
            self.controls.hint.hide()
            save_settings(replace(load_settings(), hint_dismissed=True))

    def _copy_report(self) -> None:
        report = bug_report(
            self._viewer.layers, self.controls.model.name, self._ran_on, self.prompting.last_error
        )
        QApplication.clipboard().setText(report)  # type: ignore[union-attr]
        show_info("The bug report is in the clipboard.")


def _host_of_another_panel() -> ModelHost | None:
    return next((panel.host for panel in _open_panels()), None)


def _open_panels() -> list[Panel]:
    tops = QApplication.topLevelWidgets()
    inside = [panel for window in tops for panel in window.findChildren(Panel)]
    alone = [window for window in tops if isinstance(window, Panel)]
    return [panel for panel in {*inside, *alone} if not panel._closed]


def _refuse_second(viewer: ViewerModel) -> None:
    """One panel a viewer: of two equal keys in one window, Qt would press neither."""
    for panel in _open_panels():
        if panel.serves(viewer):
            bring_forward(panel, viewer)
            raise InputError(SECOND)
