"""Second opinion: compare other labels with one's own, and answer each difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from functools import reduce
from itertools import product

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import QObject, Signal

from napari_sam.arrays import LazyArray
from napari_sam.errors import InputError, NapariSamError
from napari_sam.evaluation.differences import Disparity, find_differences
from napari_sam.masks import CroppedMask, cropped_masks
from napari_sam.planes import Plane
from napari_sam.session.changed import What
from napari_sam.widgets.annotation.annotation import ANYTHING, Annotation
from napari_sam.widgets.common.wording import count
from napari_sam.widgets.jobs.background import Background
from napari_sam.widgets.layers.channel_mix import finest
from napari_sam.widgets.layers.image_stack import on_plane
from napari_sam.widgets.layers.labels_target import misfit
from napari_sam.widgets.layers.navigate import go_to
from napari_sam.widgets.layers.preview import Preview
from napari_sam.widgets.refine.controls import RefineControls
from napari_sam.widgets.refine.refined_slice import change_outlines
from napari_sam.widgets.refine.verdict import Disputed, Verdict, settle

__all__ = ["Comparing"]

COLOURS = ("#ffd43b", "#22b8ff")  # mine and theirs
NO_PICTURE = "Open a picture first."
NO_LABELS = (
    "There are no labels of yours to compare with: label an object first, or choose the layer that "
    "you work on in Prompt."
)
THE_SAME = "These are the labels that you work on; choose another layer to compare them with."
CLASSES = "Your labels are classes, not objects; there is nothing to compare one by one."
AGREED = "No difference: every object is in both, and no border is further off than {:g} pixels."
ALL_SETTLED = "All differences are settled."
LEGEND = "Dashed yellow: mine. Blue: theirs."


class Comparing(QObject):
    """Compares a Labels layer with the labels of the current annotation, in the tab Refine.

    Parameters
    ----------
    viewer : ViewerModel
        Where differences are shown.
    controls : RefineControls
        The widgets.
    """

    remarked = Signal(str)
    ended = Signal()
    started = Signal(object)  # Labels

    def __init__(
        self, viewer: ViewerModel, controls: RefineControls, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._controls = c = controls
        self._background = Background("comparing", self)
        self._presenter: _ComparePresenter | None = None
        self.in_front = True
        c.compare.clicked.connect(self.start)
        c.cancel.clicked.connect(self.cancel)
        c.start.clicked.connect(lambda: self._do(_ComparePresenter.forget))
        c.finish.clicked.connect(lambda: self._do(_ComparePresenter.forget))
        c.differences.chosen.connect(lambda: self._do(_ComparePresenter.choose))
        c.differences.answered.connect(lambda verdict: self._do(lambda one: one.answer(verdict)))

    @property
    def busy(self) -> bool:
        """True while labels are read and compared."""
        return self._presenter is not None and self._presenter.run is not None

    @property
    def found(self) -> Sequence[Disputed]:
        """The differences without an answer."""
        return () if self._presenter is None else tuple(self._presenter.found.values())

    def present(self, in_front: bool) -> None:
        """Outline differences while the tab Refine is in front, and only then."""
        self.in_front = in_front
        self._do(_ComparePresenter.show)

    def follow(self, annotation: Annotation | None) -> None:
        """Switch to this annotation; forget the differences of the previous one."""
        if self._presenter is not None:
            self._presenter.close()
        self._presenter = None if annotation is None else _ComparePresenter(self, annotation)

    def start(self) -> None:
        """Start to compare the chosen labels with those of the annotation."""
        if self._presenter is None:
            self._controls.show_outcome(f"⚠ {NO_PICTURE}")
        else:
            self._presenter.start()

    def cancel(self) -> None:
        """Cancel; differences found so far can be answered."""
        if self.busy:
            self._do(_ComparePresenter.end)

    def close(self) -> None:
        """Stop permanently."""
        self.follow(None)
        self._background.close()

    def _do(self, step: Callable[[_ComparePresenter], object]) -> None:
        if self._presenter is not None:
            step(self._presenter)


class _ComparePresenter:
    """Presenter of the differences for one annotation."""

    def __init__(self, part: Comparing, annotation: Annotation) -> None:
        self.found: dict[int, Disputed] = {}
        self.run: _Run | None = None
        self._part = part
        self._controls = part._controls
        self._annotation = annotation
        self._preview: Preview | None = None
        self._shown: list[Disputed] = []
        self._theirs: Labels | None = None
        annotation.changed.connect(self.show)

    def close(self) -> None:
        """Forget the differences and remove the preview."""
        self.forget()
        self._annotation.changed.disconnect(self.show)
        if self._preview is not None:
            self._preview.close()

    def start(self) -> None:
        labels = self._controls.labels.layer
        assert isinstance(labels, Labels)  # or the button cannot be pressed
        self.forget()
        try:
            self.run = self._begin(labels)
        except InputError as error:
            self._controls.show_outcome(f"⚠ {error}")
            return
        self._theirs = labels
        self._controls.show_work(True, 0, self.run.total)
        self._part.started.emit(labels)
        self._read(self.run)

    def answer(self, verdict: Verdict) -> None:
        """Answer the selected differences, and select the next one."""
        table = self._controls.differences.table
        place = table.place
        for key in table.selected:
            try:
                settle(self._annotation.session, self.found[key], verdict)
            except NapariSamError as error:
                self._part.remarked.emit(f"⚠ {error}")
                continue
            del self.found[key]
        if not self.found:
            self.forget()
            self._controls.show_outcome(ALL_SETTLED)
            return
        self._show_waiting(_summary(self.found.values()))
        table.select_at(place)

    def forget(self) -> None:
        """Forget the differences without an answer; labels stay as they are."""
        if self.run is not None:
            self.run = None
            self._controls.show_work(False)
        self._theirs = None
        if self.found:
            self.found = {}
            self._controls.differences.show_rows([])
            self._controls.show_outcome("")
        self.show()

    def end(self, said: str = "") -> None:
        """End the comparison; what was found so far is shown."""
        distance = float(self._controls.choices["distance"].value)
        self.run = None
        self._controls.show_work(False)
        self._show_waiting(said or _summary(self.found.values()) or AGREED.format(distance))
        self._part.ended.emit()

    def choose(self) -> None:
        """Show the selected difference on its slice."""
        selected = self._controls.differences.table.selected
        if len(selected) == 1:
            one = self.found[selected[0]]
            whole = reduce(CroppedMask.joined, [*one.mine.values(), *one.theirs.values()])
            go_to(self._part._viewer, self._annotation.picture, one.plane, whole)
        self.show()

    def _begin(self, theirs: Labels) -> _Run:
        annotation, values = self._annotation, self._controls.choices.values
        mine, seen, picture = annotation.target, annotation.seen, annotation.picture
        if mine is None:
            raise InputError(NO_LABELS)
        if mine is theirs:
            raise InputError(THE_SAME)
        if annotation.session.semantic:
            raise InputError(CLASSES)
        if seen is None:
            raise InputError("Comparing needs a slice of the picture in the 2D view.")
        if problem := misfit(theirs, picture):
            raise InputError(problem)
        planes = [seen]
        if values["slices"]:
            axes = zip(seen, picture.shape, strict=True)
            planes = list(product(*([None] if i is None else range(n) for i, n in axes)))
        return _Run(finest(mine), finest(theirs), planes, float(values["distance"]))

    def _read(self, run: _Run) -> None:
        self._part._background.submit(run.read, lambda future: self._take(run, future))

    def _take(self, run: _Run, future: Future[list[Disputed]]) -> None:
        if run is not self.run or future.cancelled():
            return
        try:
            found = future.result()
        except (NapariSamError, OSError, MemoryError, ValueError) as error:  # and of lazy data
            self.end(f"⚠ {error} {_summary(self.found.values())}")
            return
        for one in found:
            self.found[len(self.found)] = one
        self.show()
        if run.done < run.total:
            self._controls.show_work(True, run.done, run.total)
            self._read(run)
        else:
            self.end()

    def _show_waiting(self, text: str) -> None:
        self._controls.differences.show_rows(self.found.items())
        self._controls.show_differences(text, bool(self.found))

    def show(self, what: What = ANYTHING) -> None:
        """Outline the differences on the slice in view: the selected ones, else all."""
        if not what & (What.VIEW | What.OBJECTS):
            return
        annotation = self._annotation
        selected = self._controls.differences.table.selected
        here = [
            one
            for key, one in self.found.items()
            if one.plane == annotation.seen and (key in selected or not selected)
        ]
        here = here if self._part.in_front else []
        if [*map(id, here)] == [*map(id, self._shown)]:
            return
        self._shown = here
        if self._preview is None:
            name = "napari-sam differences"
            self._preview = Preview(
                self._part._viewer, annotation.picture, name, COLOURS, opacity=1
            )
        if not here:
            self._preview.show(None, ())
            return
        mine = {number: mask for one in here for number, mask in one.mine.items()}
        theirs = {number: mask for one in here for number, mask in one.theirs.items()}
        shape = next(iter((mine or theirs).values())).shape
        self._preview.show(change_outlines(shape, mine, theirs), here[0].plane)
        if self._theirs is not None:
            self._preview.raise_above(self._theirs)


class _Run:
    """One comparison of two arrays of labels, slice by slice."""

    def __init__(
        self, mine: LazyArray, theirs: LazyArray, planes: Sequence[Plane], distance: float
    ) -> None:
        self.total, self.done = len(planes), 0
        self._mine, self._theirs, self._distance = mine, theirs, distance
        self._left: Iterator[Plane] = iter(planes)

    def read(self) -> list[Disputed]:
        """Return the differences on the next slice; in the worker."""
        plane = next(self._left)
        mine, theirs = (np.array(side[on_plane(plane)]) for side in (self._mine, self._theirs))
        found = find_differences(mine, theirs, self._distance)
        masks = cropped_masks(mine), cropped_masks(theirs)
        self.done += 1
        return [
            Disputed(
                plane,
                one,
                {number: masks[0][number] for number in one.mine},
                {number: masks[1][number] for number in one.theirs},
            )
            for one in found
        ]


def _summary(found: Iterable[Disputed]) -> str:
    """Return how many differences there are of each kind, as text; empty if there are none."""
    kinds = Counter(one.difference.kind for one in found)
    if not kinds:
        return ""
    named = ", ".join(f"{kinds[kind]} {kind.value}" for kind in Disparity if kinds[kind])
    return f"{count(kinds.total(), 'difference')}: {named}. {LEGEND}"
