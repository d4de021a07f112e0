"""The mask below the resting mouse, before a click: a thin outline with its quality."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from napari.components import ViewerModel
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QPoint, Qt
from qtpy.QtWidgets import QLabel

from napari_sam.masks import PlaneMask, bounding_box, pixels_of, slices
from napari_sam.planes import Plane
from napari_sam.prompts import Prompts
from napari_sam.results import Prediction
from napari_sam.session import drawing
from napari_sam.session.draft import Request
from napari_sam.settings import load_settings, save_settings
from napari_sam.widgets.annotation.annotation import Annotation
from napari_sam.widgets.common.keys import KEYS
from napari_sam.widgets.common.timers import new_timer
from napari_sam.widgets.jobs.glances import Glances
from napari_sam.widgets.jobs.trials import Trials
from napari_sam.widgets.layers.canvas import canvas_of
from napari_sam.widgets.layers.navigate import pixel_below
from napari_sam.widgets.layers.outlines import Outline
from napari_sam.widgets.layers.prompt_layers import Tool

if TYPE_CHECKING:
    from napari.utils.events import Event

    from napari_sam.serving.host import HostedModel
    from napari_sam.widgets.common.choices import Field

__all__ = ["Hover"]

REST_MS = 100
QUICK_S = 0.06  # of a decoder call: where it takes longer, this is off unless somebody wants it
LOWEST = 0.3  # quality: below it is mostly background, and some nuclei in tissue have hardly more
# Share of the cells that may belong to a mask (logits above -1) which surely do (above 1). On 15
# pictures of nuclei 98 to 100 % of the right masks have it, and a quarter (fluorescence) to 40 %
# (tissue) of those beside nuclei, of which nearly all have the quality.
STEADY = 0.2
SAME = 0.5  # IoU from which a click's candidate is the one that was shown
STYLE = "background: rgba(0, 0, 0, 170); color: white; padding: 2px 5px; border-radius: 3px;"
GAP = QPoint(16, 14)  # from the pointer


@dataclass(frozen=True, eq=False)
class _Shown:
    """What is shown: candidates at a pixel of a plane, and which of them."""

    plane: Plane
    prediction: Prediction
    choice: int

    @property
    def mask(self) -> PlaneMask:
        mask: PlaneMask = self.prediction.masks[self.choice]
        return mask


class Hover(QObject):
    """Shows what a click would give while the mouse rests, and lets the click give that.

    Only on a slice that is embedded, in 2D, with the tool that includes, while nothing
    is drawn and somebody looks; not over objects. A click goes before it in the model's thread.

    Parameters
    ----------
    viewer : ViewerModel
        Whose mouse.
    box : magicgui check box
        Whether to show it: what somebody chose last, else whether the decoder is quick here.
    watched : callable
        Returns whether somebody looks at the controls for prompts.
    otherwise : callable
        What the key for the next candidate does while nothing is shown here.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        box: Field,
        watched: Callable[[], bool],
        otherwise: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.actions: dict[str, Callable[[], None]] = {"cycle": self.cycle}
        self._viewer, self._box, self._watched = viewer, box, watched
        self._otherwise = otherwise
        self._annotation: Annotation | None = None
        self._outline: Outline | None = None  # drawn last, in a window where the next may be, too
        self._tag: QLabel | None = None
        self._shown: _Shown | None = None
        self._taken: tuple[Request, PlaneMask] | None = None  # by a click, not answered yet
        self._pointer = QPoint()
        self._glances, self._trials = Glances(self), Trials(self)
        self._trials.timed.connect(self._decide)
        self._timed: HostedModel | None = None  # on this picture
        self._timer = new_timer(REST_MS, self._rested, self)
        self._chosen = load_settings().hover is not None
        box.value = bool(load_settings().hover)
        box.changed.connect(self._remember)
        viewer.mouse_move_callbacks.append(self._moved)
        viewer.mouse_wheel_callbacks.append(self._wheeled)

    @property
    def shown(self) -> PlaneMask | None:
        """The (H, W) mask that is shown, or None."""
        return None if self._shown is None else self._shown.mask

    @property
    def busy(self) -> bool:
        """True while the model is asked."""
        return self._glances.busy or self._trials.busy

    def follow(self, annotation: Annotation | None) -> None:
        """Switch to this annotation, or to none."""
        self._leave()
        self._annotation = annotation
        if annotation is not None:
            annotation.changed.connect(self._look)

    def close(self) -> None:
        """Show nothing any more and leave the mouse alone."""
        self._leave()
        self._glances.close()
        self._trials.close()
        self._viewer.mouse_move_callbacks.remove(self._moved)
        self._viewer.mouse_wheel_callbacks.remove(self._wheeled)
        if self._tag is not None:
            self._tag.deleteLater()
            self._tag = None

    def measure(self) -> None:
        """Once a slice is prepared, find out whether the decoder is quick enough for this."""
        annotation = self._annotation
        if self._chosen or annotation is None or self._trials.busy:
            return
        model, plane = annotation.model, annotation.seen
        if model is None or plane is None or model is self._timed:
            return
        height, width = annotation.picture.plane_shape(plane)
        self._trials.begin(model, annotation.planes.of(plane), (height // 2, width // 2))

    def cycle(self) -> None:
        """Show the next candidate, here or of what is drawn."""
        if (shown := self._shown) is None or self._taken is not None:
            self._otherwise()
            return
        count = len(shown.prediction.masks)
        self._show(replace(shown, choice=(shown.choice + 1) % count))

    def _decide(self, seconds: float) -> None:
        annotation = self._annotation
        if self._chosen or annotation is None:
            return
        self._timed = annotation.model
        with self._box.changed.blocked():
            self._box.value = seconds < QUICK_S
        if not self._box.value:
            self._hide()

    def _remember(self, on: bool) -> None:
        self._chosen = True
        save_settings(replace(load_settings(), hover=on))
        if not on:
            self._hide()

    def _leave(self) -> None:
        self._hide()
        self._trials.stop()
        self._taken = self._timed = self._outline = None
        if self._annotation is not None:
            self._annotation.changed.disconnect(self._look)
            self._annotation = None

    def _place(self) -> tuple[Annotation, Plane, tuple[int, int]] | None:
        """Return where the mouse is, or None where nothing is to be shown."""
        annotation = self._annotation
        if annotation is None or not (self._box.value and annotation.flat and self._watched()):
            return None
        prompts, session = annotation.own_layers.prompts, annotation.session
        armed = annotation.tool is Tool.INCLUDE and not prompts.resting
        plane = annotation.seen
        below = None if plane is None else pixel_below(self._viewer, annotation.picture)
        if plane is None or below is None or not armed or not session.draft.is_empty:
            return None
        row, column = below
        if session.objects.owners(plane, (row, column, row + 1, column + 1)).any():
            return None  # a click selects it
        return annotation, plane, below

    def _moved(self, viewer: ViewerModel, event: Event) -> None:
        """Follow the mouse; what is shown stays while the mouse is in it."""
        self._pointer = QPoint(*(int(value) for value in event.pos))
        if self._taken is not None:  # what was clicked on stays until its answer is there
            return
        if event.is_dragging or self._place() is None:
            self._hide()
            return
        self._timer.start()
        if not self._inside():
            self._show(None)
        else:
            self._move_tag()

    def _wheeled(self, viewer: ViewerModel, event: Event) -> None:
        """Show another candidate by Ctrl and wheel, where napari has no slider to move by that."""
        sliders = any(self._viewer.dims.nsteps[axis] > 1 for axis in viewer.dims.not_displayed)
        if "Control" in event.modifiers and not sliders and self._shown is not None:
            self.cycle()

    def _rested(self) -> None:
        place = self._place()
        if place is None or (model := place[0].model) is None or not model.loaded:
            return
        annotation, plane, (row, column) = place

        def take(prediction: Prediction, seconds: float) -> None:
            if self._annotation is annotation and self._place() == place:
                self._take(plane, prediction)

        prompts = Prompts([(row, column)], [1])
        self._glances.ask(model, annotation.planes.of(plane), prompts, take)

    def _take(self, plane: Plane, prediction: Prediction) -> None:
        choice = 0
        if self._shown is not None and self._shown.choice:  # somebody chose this size
            choice = _alike(prediction, self._shown.mask)[0]
        sure = prediction.scores[choice] >= LOWEST and is_steady(prediction.logits[choice])
        self._show(_Shown(plane, prediction, choice) if sure else None)

    def _inside(self) -> bool:
        annotation, shown = self._annotation, self._shown
        if annotation is None or shown is None or annotation.seen != shown.plane:
            return False
        below = pixel_below(self._viewer, annotation.picture)
        return below is not None and bool(shown.mask[below])

    def _look(self) -> None:
        """Hide what a click or another slice has made old; let the click's answer be what was."""
        annotation = self._annotation
        if annotation is None or (self._shown is None and self._taken is None):
            return
        session, request = annotation.session, annotation.session.request
        if annotation.asking.failed:
            self._taken = None
            self._hide()
        if self._taken is not None and request is self._taken[0]:
            if (prediction := session.prediction) is not None:
                mask, self._taken = self._taken[1], None
                self._hide()
                choice, alike = _alike(prediction, mask)
                if alike >= SAME and choice != session.choice:
                    annotation.step(lambda s: drawing.choose(s, choice))
            return
        self._taken = None
        if self._shown is not None and request is not None and self._clicked(request):
            self._taken = request, self._shown.mask
            self._glances.forget()
        elif self._place() is None or not self._inside():
            self._hide()

    def _clicked(self, request: Request) -> bool:
        """Return whether a request is one click into what is shown."""
        shown, prompts = self._shown, request.prompts
        if shown is None or not prompts.is_lone_point or request.plane != shown.plane:
            return False
        row, column = np.round(prompts.points[0]).astype(int)
        height, width = shown.mask.shape
        return bool(prompts.labels[0] and shown.mask[min(row, height - 1), min(column, width - 1)])

    def _hide(self) -> None:
        self._timer.stop()
        self._glances.forget()
        self._show(None)

    def _show(self, shown: _Shown | None) -> None:
        if shown is None and self._shown is None:
            return
        self._shown = shown
        if shown is not None:
            self._outline = Outline.of(shown.mask, self._outline)
        if self._annotation is not None:
            outline, plane = (None, ()) if shown is None else (self._outline, shown.plane)
            self._annotation.own_layers.preview.show_outline(outline, plane)
        self._tell(shown)

    def _tell(self, shown: _Shown | None) -> None:
        """Show the quality of a mask beside the mouse."""
        if self._tag is None and (canvas := canvas_of(self._viewer)) is not None:
            self._tag = QLabel(canvas)
            self._tag.setObjectName("napari-sam quality")
            self._tag.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            self._tag.setStyleSheet(STYLE)
        if self._tag is None:
            return
        self._tag.setVisible(shown is not None)
        if shown is not None:
            which = f"size {shown.choice + 1} of {len(shown.prediction.masks)} [{KEYS['cycle']}]"
            score = float(shown.prediction.scores[shown.choice])
            self._tag.setText(f"quality {score:.2f}   ·   {which}")
            self._tag.adjustSize()
            self._move_tag()

    def _move_tag(self) -> None:
        """Keep the quality beside the mouse, and within the canvas."""
        if (tag := self._tag) is None or (canvas := tag.parentWidget()) is None:
            return
        room, wanted = canvas.size() - tag.size(), self._pointer + GAP
        tag.move(min(wanted.x(), room.width()), min(wanted.y(), room.height()))


def is_steady(logits: NDArray[np.floating]) -> bool:
    """Tell whether a mask has a clear edge, from its (h, w) logits.

    Between objects the model finds masks whose edge lies anywhere (a low stability score).

    Examples
    --------
    >>> is_steady(np.array([[9.0, 8.0, -0.5, -7.0]])), is_steady(np.array([[0.4, 0.2, -0.5, -7.0]]))
    (True, False)
    """
    return bool(np.count_nonzero(logits > 1) >= STEADY * np.count_nonzero(logits > -1))


def _alike(prediction: Prediction, mask: PlaneMask) -> tuple[int, float]:
    """Return which candidate is most like a mask, and their IoU."""
    if (box := bounding_box(mask)) is None:
        return 0, 0.0
    cut, area = mask[slices(box)], pixels_of(mask)
    ious = []
    for index in range(len(prediction.masks)):
        one: PlaneMask = prediction.masks[index]
        shared = np.count_nonzero(one[slices(box)] & cut)
        ious.append(shared / (area + pixels_of(one) - shared))
    best = int(np.argmax(ious))
    return best, ious[best]
