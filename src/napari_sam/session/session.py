"""The annotation of one picture: draw prompts, look at the mask, accept, undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_sam.errors import InputError
from napari_sam.results import Prediction
from napari_sam.session.commit import Change, Rule, overlapped, write_object
from napari_sam.session.draft import Draft, Request
from napari_sam.session.target import Plane, Target

__all__ = ["Session"]

KEEP_SEEDS = 20  # latest steps that an undo brings back exactly; logits of large pictures are large


@dataclass(frozen=True, eq=False)
class Step:
    """One undoable step: the draft before and after, and the pixels it changed, if any."""

    before: Draft
    after: Draft
    change: Change | None = None

    def without_seeds(self) -> Step:
        """Return the step without the masks that its drafts refine."""
        return replace(
            self, before=replace(self.before, seed=None), after=replace(self.after, seed=None)
        )


class Session:
    """One object at a time, every change an undoable step.

    The session never calls the model. It hands out a `request`, which any thread may run, and takes
    the answer back in `receive`; an answer to an older question is dropped.

    Attributes
    ----------
    changed : psygnal.Signal
        Emitted after every change.
    draft : Draft
        The object that is being drawn.
    request : Request or None
        The question that the draft asks; None if it asks nothing.
    prediction : Prediction or None
        The answer to `request`, once it is there.
    """

    changed = Signal()

    def __init__(self) -> None:
        self.draft = Draft()
        self.request: Request | None = None
        self.prediction: Prediction | None = None
        self._target: Target | None = None
        self._next_id = 1
        self._done: list[Step] = []
        self._undone: list[Step] = []

    def write_to(self, target: Target | None, largest_id: int = 0) -> None:
        """Send accepted objects to `target`, whose largest id so far is `largest_id`."""
        self._target = target
        self._next_id = largest_id + 1

    def note_id(self, object_id: int) -> None:
        """Learn that somebody else used an id, so that it is not given out again."""
        self._next_id = max(self._next_id, object_id + 1)

    def draw(
        self,
        plane: Plane,
        points: Sequence[tuple[float, float]] = (),
        labels: Sequence[int] = (),
        box: tuple[float, float, float, float] | None = None,
    ) -> bool:
        """Take all prompts of the object as they are now; return False if they are as before.

        Parameters
        ----------
        plane : Plane
            Where they lie.
        points : sequence of (row, column)
            Clicked positions in pixels.
        labels : sequence of int
            1 for foreground, 0 for background.
        box : (y0, x0, y1, x1), optional
            The box.

        Raises
        ------
        InputError
            If an object is being drawn in another plane.
        """
        drawn = Draft(plane, tuple(points), tuple(labels), box)
        if drawn.is_empty:
            drawn = Draft()
        elif self.draft.plane not in ((), plane):
            raise InputError(
                "the object being drawn is on another slice; accept or reject it there first"
            )
        if drawn.same_prompts(self.draft):
            return False
        if drawn.grew_from(self.draft):
            drawn = replace(drawn, seed=self._shown())
        self._take(Step(self.draft, drawn))
        return True

    def ask_again(self) -> None:
        """Forget every answer, because the model or the picture is another one from now on."""
        self._done = [step.without_seeds() for step in self._done]
        self._undone = [step.without_seeds() for step in self._undone]
        self.draft = replace(self.draft, seed=None)
        self.request = self.draft.request()
        self.prediction = None
        self.changed.emit()

    def receive(self, request: Request, prediction: Prediction) -> bool:
        """Take the model's answer; return False if the question is out of date."""
        if request is not self.request:
            return False
        self.prediction = prediction
        self.changed.emit()
        return True

    @property
    def choice(self) -> int:
        """Index of the candidate on show."""
        count = 1 if self.prediction is None else len(self.prediction.masks)
        return min(self.draft.choice, count - 1)

    @property
    def mask(self) -> NDArray[np.bool_] | None:
        """The (H, W) mask on show, or None."""
        return None if self.prediction is None else self.prediction.masks[self.choice]

    @property
    def score(self) -> float | None:
        """The predicted IoU of the mask on show, or None."""
        return None if self.prediction is None else float(self.prediction.scores[self.choice])

    def choose(self, choice: int) -> None:
        """Show another candidate; choosing again replaces the last choice as one step."""
        chosen = replace(self.draft, choice=choice)
        if self.prediction is None or choice == self.draft.choice:
            return
        before = self.draft
        if self._done and self._done[-1].change is None:
            last = self._done[-1]
            if not last.before.is_empty and last.before.same_prompts(last.after):
                before = self._done.pop().before
        self._take(Step(before, chosen))

    def cycle(self) -> None:
        """Show the next candidate, and after the last one the first."""
        if self.prediction is not None:
            self.choose((self.choice + 1) % len(self.prediction.masks))

    def overlap(self) -> dict[int, int]:
        """Return {object id: shared pixels} for what the mask on show would meet."""
        if self.mask is None or self._target is None:
            return {}
        return overlapped(self._target.read(self.draft.plane), self.mask)

    def accept(self, rule: Rule = Rule.KEEP) -> Change:
        """Write the mask on show as a new object, and begin the next one.

        Raises
        ------
        InputError
            If there is no mask or no target, if the next id does not fit the labels' dtype, or if
            the rule leaves no pixel to write; the draft stays as it is.
        """
        if self.mask is None:
            raise InputError("there is no mask to accept; click on an object first")
        if self._target is None:
            raise InputError("there is no Labels layer to write to; choose one")
        plane = self.draft.plane
        object_id = max(self._next_id, int(self._target.read(plane).max()) + 1)
        change = write_object(self._target, plane, self.mask, object_id, rule)
        self._next_id = object_id + 1
        self._take(Step(self.draft, Draft(), change))
        return change

    def reject(self) -> None:
        """Throw the draft away."""
        if not self.draft.is_empty:
            self._take(Step(self.draft, Draft()))

    @property
    def can_undo(self) -> bool:
        """True if there is a step to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """True if there is a step to make again."""
        return bool(self._undone)

    def undo(self) -> None:
        """Take the last step back; of an accepted object, only the pixels that it changed."""
        if self._done:
            step = self._done.pop()
            self._undone.append(step)
            if step.change is not None:
                step.change.undo()
                if self._next_id == step.change.object_id + 1:
                    self._next_id = step.change.object_id
            self._show(step.before)

    def redo(self) -> None:
        """Make the last undone step again."""
        if self._undone:
            step = self._undone.pop()
            self._done.append(step)
            if step.change is not None:
                step.change.redo()
                self.note_id(step.change.object_id)
            self._show(step.after)

    def _take(self, step: Step) -> None:
        self._done.append(step)
        if len(self._done) > KEEP_SEEDS:
            self._done[-1 - KEEP_SEEDS] = self._done[-1 - KEEP_SEEDS].without_seeds()
        self._undone.clear()
        self._show(step.after)

    def _show(self, draft: Draft) -> None:
        asks_the_same = draft.same_prompts(self.draft) and draft.seed is self.draft.seed
        self.draft = draft
        if not asks_the_same:
            self.request = draft.request()
            self.prediction = None
        self.changed.emit()

    def _shown(self) -> NDArray[np.float32] | None:
        """Return the logits of the mask on show, else those that its request refines."""
        if self.prediction is None:
            return self.draft.seed
        shown: NDArray[np.float32] = self.prediction.logits[self.choice]
        return shown
