"""The annotation of one picture: draw prompts, look at the mask, accept, undo, open again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sam.errors import InputError
from napari_sam.masks import CroppedMask
from napari_sam.planes import Plane
from napari_sam.results import Prediction
from napari_sam.session.changes import Kind, SectionEdit, TraitsEdit, kind_of_prompts
from napari_sam.session.curation import Curation
from napari_sam.session.draft import Draft, Request
from napari_sam.session.objects import Origin, Section, Source, Status, Traits
from napari_sam.session.overlap import Rule, claim, take_away
from napari_sam.session.records import Undone

__all__ = ["Accepted", "Session"]


@dataclass(frozen=True)
class Accepted:
    """An object that is in the labels, and on disk if the session has a log.

    Parameters
    ----------
    object_id : int
        Which.
    plane : Plane
        Where.
    pixels : int
        How many pixels it has there.
    """

    object_id: int
    plane: Plane
    pixels: int


class Session(Curation):
    """One object is drawn at a time; every change of it or of any object is an undoable step.

    The session never calls the model. It hands out a `request`, which any thread may run, and takes
    the answer back in `receive`; an answer to an older question is dropped.
    """

    def draw(
        self,
        plane: Plane,
        points: Sequence[tuple[float, float]] = (),
        labels: Sequence[int] = (),
        box: tuple[float, float, float, float] | None = None,
        mask: CroppedMask | None = None,
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
        mask : CroppedMask, optional
            A rough mask to refine.

        Raises
        ------
        InputError
            If an object is being drawn in another plane.
        """
        before = start = self.draft
        drawn = Draft(
            plane,
            tuple((float(row), float(column)) for row, column in points),
            tuple(int(label) for label in labels),
            None if box is None else (float(box[0]), float(box[1]), float(box[2]), float(box[3])),
            mask,
        )
        if drawn.has_prompts and before.plane not in ((), plane):
            raise InputError(
                "the object being drawn is on another slice; accept or reject it there first"
            )
        if before.object_id is None:
            drawn = drawn if drawn.has_prompts else Draft()
        else:
            held = before.held if before.plane else self._mask_of(before.object_id, plane)
            start = replace(before, plane=plane, held=held)
            drawn = replace(drawn, object_id=before.object_id, held=held, touched=True)
            if not drawn.has_prompts:  # its own mask is on show again, if it has one here
                drawn = replace(drawn, plane=() if held is None else plane, touched=False)
        if drawn.drawing == before.drawing:
            return False
        if drawn.grew_from(start):
            drawn = replace(drawn, seed=self._shown(start))
        self._do(kind_of_prompts(before, drawn), (), drawn)
        return True

    def ask_again(self) -> None:
        """Forget every answer, because the model or the picture is another one from now on."""
        self.history.forget_seeds()
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
        """The (H, W) mask on show, or None; of an object just opened, its own."""
        if self.prediction is not None:
            shown: NDArray[np.bool_] = self.prediction.masks[self.choice]
            return shown
        return self.draft.held.full() if self.draft.held and self.draft.shows_held else None

    @property
    def score(self) -> float | None:
        """The predicted IoU of the mask on show, or None."""
        if self.prediction is not None:
            return float(self.prediction.scores[self.choice])
        held = self.objects.section(self.draft.object_id, self.draft.plane)
        return held.score if held is not None and self.draft.shows_held else None

    def choose(self, choice: int) -> None:
        """Show another candidate; choosing again replaces the last choice as one step."""
        if self.prediction is None or choice == self.draft.choice:
            return
        chosen = replace(self.draft, choice=choice)
        if self.can_undo and self.history.done[-1].kind is Kind.CHOSEN:
            self._commit(Undone(self.history.done[-1].number), quiet=True)
        self._do(Kind.CHOSEN, (), chosen)

    def cycle(self) -> None:
        """Show the next candidate, and after the last one the first."""
        if self.prediction is not None:
            self.choose((self.choice + 1) % len(self.prediction.masks))

    def overlap(self) -> dict[int, int]:
        """Return {object id: shared pixels} for what the mask on show would meet."""
        mask = None if self.mask is None else CroppedMask.of(self.mask)
        if mask is None or self._target is None:
            return {}
        plane, own = self.draft.plane, self.draft.object_id
        return claim(self.objects, self._target.read(plane), plane, mask, Rule.KEEP, own).met

    def accept(self, rule: Rule = Rule.KEEP) -> Accepted:
        """Write the mask on show as a new object, or as what the open object holds in this plane.

        Nothing changes outside the new mask and the one that it replaces. When this returns, the
        object is in the log.

        Raises
        ------
        InputError
            If there is no mask or no target, if an id does not fit the labels' dtype, if the open
            object is locked, or if the rule leaves no pixel to write; the draft stays as it is.
        SessionError
            If it cannot be saved; the draft stays as it is.
        """
        if self.mask is None:
            raise InputError("there is no mask to accept; click on an object first")
        if self._target is None:
            raise InputError("there is no Labels layer to write to; choose one")
        draft, wanted = self.draft, CroppedMask.of(self.mask)
        plane, number = draft.plane, draft.object_id
        if wanted is None:
            raise InputError("the mask is empty; add a point or a box on the object")
        if number is not None and number in self.objects:
            self.objects.unlocked(number)
        self._check_axes(plane)
        labels = self._labels_under(plane, wanted, rule)
        got = claim(self.objects, labels, plane, wanted, rule, number)
        if got.mask is None:
            others = ", ".join(map(str, got.met))
            raise InputError(
                f"every pixel of this mask already belongs to object {others}; "
                "choose to replace existing objects, or reject the mask"
            )
        before = self.objects.section(number, plane)
        after = Section(
            got.mask, self.score, Origin(Source.PROMPTED), Status.ACCEPTED, draft.record()
        )
        if draft.shows_held and before is not None:
            after = replace(before, mask=got.mask, status=Status.ACCEPTED)
        edits = take_away(self.objects, plane, got.mask.crop(), got.mask.box, got.losers)
        number = self._new_id(plane) if number is None else number
        if number not in self.objects:
            edits.append(TraitsEdit(number, None, Traits(self.new_class)))
        edits.append(SectionEdit(number, plane, before, after))
        self._do(Kind.ACCEPTED, edits, Draft())
        return Accepted(number, plane, got.mask.area)

    def reject(self) -> None:
        """Throw the draft away; an open object stays as it was."""
        if not self.draft.is_empty:
            self._do(Kind.REJECTED, (), Draft())

    def reopen(self, object_id: int, plane: Plane) -> None:
        """Open what an object holds in a plane: its prompts are the draft, its mask is on show.

        Raises
        ------
        InputError
            If the object is unknown or locked, or has nothing in this plane.
        """
        section = self.objects.unlocked(object_id).sections.get(plane)
        if section is None:
            raise InputError(f"object {object_id} has nothing on this slice; continue it instead")
        prompts = section.prompts or Draft(plane)
        opened = replace(prompts, object_id=object_id, held=section.mask)
        self._do(Kind.REOPENED, (), opened)

    def continue_object(self, object_id: int) -> None:
        """Draw the next mask for an object that exists, in whatever plane the prompts will lie.

        Raises
        ------
        InputError
            If the object is unknown or locked.
        """
        self.objects.unlocked(object_id)
        self._do(Kind.REOPENED, (), Draft(object_id=object_id))

    def _mask_of(self, object_id: int, plane: Plane) -> CroppedMask | None:
        section = self.objects.section(object_id, plane)
        return None if section is None else section.mask

    def _shown(self, draft: Draft) -> NDArray[Any] | None:
        """Return what added prompts refine: the answer on show, else the open object's mask."""
        if self.prediction is not None:
            shown: NDArray[np.float32] = self.prediction.logits[self.choice]
            return shown
        if draft.held is not None and draft.shows_held:
            return draft.held.full()
        return draft.seed
