"""The tab Auto: automatic mask generation for a slice or a stack, and retraining."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from napari.components import ViewerModel
from qtpy.QtCore import QObject, Signal

from napari_sam.errors import InputError
from napari_sam.session.overlap import Rule
from napari_sam.text.reader import Reader
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.auto.alike import AlikeWorker
from napari_sam.widgets.auto.controls import AutoControls
from napari_sam.widgets.auto.kind_guess import KindGuess
from napari_sam.widgets.auto.presenter import AutoPresenter
from napari_sam.widgets.auto.retraining import Retraining
from napari_sam.widgets.auto.stack import StackWorker
from napari_sam.widgets.search.wording import CANCELLED
from napari_sam.widgets.search.work import Kind, SearchWorker
from napari_sam.widgets.train.tab import TrainTab

__all__ = ["AutoTab"]

NO_PICTURE = "Choose a picture in the tab Prompt; then everything in it is found from here."


class AutoTab(QObject):
    """Runs automatic mask generation in the image of one panel's annotation.

    Parameters
    ----------
    viewer : ViewerModel
        The viewer.
    train : TrainTab
        Where the model learns from what was accepted.
    rule : callable
        Tells who keeps the pixels where new objects meet older ones.
    reader : Reader
        Describes objects that are examples.
    """

    use_wanted = Signal(str)  # the name of the model to use
    ended = Signal()  # a search; what came of it is on show

    def __init__(
        self,
        viewer: ViewerModel,
        train: TrainTab,
        rule: Callable[[], Rule],
        reader: Reader,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.viewer, self.rule = viewer, rule
        self.presenter: AutoPresenter | None = None
        self.controls = AutoControls(viewer)
        self.choices = self.controls.choices
        self.kinds = KindGuess(self.choices, self)
        self.kinds.settled.connect(self._refresh)
        self.work = SearchWorker(self)
        self._reader = reader
        self.stack = StackWorker(reader, self)
        self.alike = AlikeWorker(reader, self)
        self.alike.ended.connect(self._end_rating)
        self.retraining = Retraining(train, self)
        self.controls.cancel.clicked.connect(self._cancel)
        self.retraining.progressed.connect(self.controls.status.setText)
        self.retraining.trained.connect(self._use_trained)
        self.retraining.ended.connect(lambda why: self._end_retraining(f"No new model: {why}."))
        self._in_front = True
        self.follow(None)

    def present(self, in_front: bool) -> None:
        """Show what was found while the tab is in front, and hide it while it is not."""
        self._in_front = in_front
        if self.presenter is not None:
            self.presenter.present(in_front)

    def follow(self, annotation: Annotation | None) -> None:
        """Switch to this annotation, or to none; discard proposals of the previous one."""
        if self.presenter is not None:
            self.presenter.close()
            self.presenter.alike.close()
        self.kinds.follow(annotation)
        self.presenter = None if annotation is None else AutoPresenter(self, annotation)
        self.present(self._in_front)
        if annotation is None:
            busy = self.retraining.busy
            self.controls.show_nothing(self.controls.status.text() if busy else NO_PICTURE)

    def find_alike(self, ids: Sequence[int]) -> None:
        """Search the slice in view for objects like these."""
        presenter = self.presenter
        if presenter is None or presenter.busy:
            return
        try:
            presenter.alike.seek(ids)
        except InputError as error:
            presenter.say(f"⚠ {error}")
            return
        presenter.start()

    @property
    def kind(self) -> Kind | None:
        """What the examples are of, as it is compared now; None without any."""
        rule = None if self.presenter is None else self.presenter.alike.rule
        return None if rule is None else rule.kind(self._reader)

    def close(self) -> None:
        """Stop permanently; objects in the session are kept."""
        self.work.close()
        self.stack.close()
        self.follow(None)
        self.kinds.close()
        self.controls.inside.disconnect_viewer()
        self.controls.at.disconnect_viewer()

    def _cancel(self) -> None:
        self.retraining.stop()
        self.work.stop(CANCELLED)
        self.stack.stop(CANCELLED)
        self.alike.stop(CANCELLED)

    def _end_rating(self, why: str) -> None:
        """Say why objects were not rated; what was found stays, of whatever kind."""
        self.controls.show_work(False)
        if self.presenter is not None and why:
            self.presenter.alike.drop()
            self.presenter.say(f"The objects were not compared with the examples: {why}.")

    def _refresh(self) -> None:
        if self.presenter is not None:
            self.presenter.refresh()

    def _use_trained(self, name: str, annotation: Annotation) -> None:
        """Search again with the new model, unless another picture was chosen meanwhile."""
        if self.presenter is not None and self.presenter.annotation is annotation:
            self._end_retraining("")
            self.use_wanted.emit(name)
            self.presenter.start()
        else:
            self._end_retraining(f"'{name}' is in the list of models now.")

    def _end_retraining(self, text: str) -> None:
        self.controls.show_work(False)
        if self.presenter is not None:
            self.presenter.say(text)
        else:
            self.controls.status.setText(text)
